import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Route } from './events.ts';
import type { Target } from './implementations.ts';
import type { Call, Round, RoundResult } from './worker.ts';

const ROUND_WITHIN_MS = 60_000;

export interface Worker {
  target: Target;
  run(round: Round): Promise<RoundResult>;
  stop(): Promise<void>;
}

/** So many requests of one route, each about the next of the clubs. */
export const callsOf = (route: Route, clubIds: string[], requests: number): Call[] =>
  Array.from({ length: requests }, (_, index) => ({
    route,
    clubId: clubIds[index % clubIds.length] ?? '',
  }));

type Reply = { id: number; result?: RoundResult; error?: string };

/** Starts a worker and waits until its handlers are there. */
export async function startWorker(target: Target, env: Record<string, string>): Promise<Worker> {
  const child = fork(new URL('./worker.ts', import.meta.url), [target], {
    env: { ...env, NODE_ENV: 'production' },
    serialization: 'advanced',
    // The log lines that a request writes are part of its cost, and are not read.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const waiting = new Map<number, PromiseWithResolvers<RoundResult | undefined>>();
  let lastId = 0;
  const reply = (id: number) => {
    const settled = Promise.withResolvers<RoundResult | undefined>();
    const tooLate = setTimeout(
      () => settled.reject(new Error(`The worker (${target}) did not answer in time`)),
      ROUND_WITHIN_MS,
    );
    waiting.set(id, settled);
    return settled.promise.finally(() => clearTimeout(tooLate));
  };
  child.on('message', ({ id, result, error }: Reply) => {
    if (error === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  child.on('exit', (code, signal) => {
    const error = new Error(`The worker (${target}) ended: ${signal ?? `code ${code}`}`);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill();
    await exited;
  };
  try {
    await reply(0);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    target,
    async run(round) {
      const id = ++lastId;
      child.send({ id, round });
      const result = await reply(id);
      if (!result) throw new Error(`The worker (${target}) gave no result`);
      return result;
    },
    stop,
  };
}
