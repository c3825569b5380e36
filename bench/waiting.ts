import { subscribe } from 'node:diagnostics_channel';

/**
 * How long this process had nothing to do but wait: the time during which at least one thing that it
 * asked for was under way. For one request at a time; overlapping waits count once.
 */
export class Waiting {
  #underWay = 0;
  #since = 0;
  #totalMs = 0;

  begin(): void {
    if (this.#underWay++ === 0) this.#since = performance.now();
  }

  end(): void {
    if (--this.#underWay === 0) this.#totalMs += performance.now() - this.#since;
  }

  /** Since the last call. */
  takeMs(): number {
    const totalMs = this.#totalMs;
    this.#totalMs = 0;
    return totalMs;
  }
}

/**
 * Waiting at the wire, as Node itself reports it: from a request that has been written to the arrival
 * of its answer's head. Everything else is work of this process: the SDKs, signing, reading answers.
 */
export function waitingAtTheWire(): Waiting {
  const waiting = new Waiting();
  // node:http, which the AWS SDK uses.
  subscribe('http.client.request.start', () => waiting.begin());
  subscribe('http.client.response.finish', () => waiting.end());
  // fetch, which the LiveKit SDK uses.
  subscribe('undici:request:bodySent', () => waiting.begin());
  subscribe('undici:request:headers', () => waiting.end());
  return waiting;
}

/** The same object, whose methods of these names count as waiting from call to settlement. */
export function countAsWaiting<T extends object>(
  target: T,
  isWaiting: (method: string) => boolean,
  waiting: Waiting,
): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (!isWaiting(String(name))) return value.bind(target);
      return async (...args: unknown[]) => {
        waiting.begin();
        try {
          return await value.apply(target, args);
        } finally {
          waiting.end();
        }
      };
    },
  });
}
