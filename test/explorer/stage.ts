/**
 * Threads of one process that take their steps one at a time, in an order that the test chooses.
 * A step is one call to the store or to LiveKit; what a thread does between two of its steps touches
 * nothing that another thread can see.
 */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';

/** What a step touches, by name: two steps that touch nothing in common give the same in any order. */
export interface Call {
  label: string;
  reads: readonly string[];
  writes: readonly string[];
  /** Until then the step cannot be chosen; if it never can, it is never taken. */
  isPossible?: () => boolean;
}

export interface Step extends Call {
  /** The thread and the how manyth of its steps this is: the same in every run with the same past. */
  id: string;
  thread: string;
  /** How many steps of all threads were taken when the thread asked for this one. */
  askedAfter: number;
}

/** Waits for the step's turn, then makes the call. */
export type Gate = <T>(call: Call, make: () => Promise<T>) => Promise<T>;

/** One of the steps; undefined ends the run, since all that can follow is known. */
export type Choose = (possible: Step[], taken: Step[]) => Step | undefined;

/** Steps whose threads are answered that the time is over. */
export interface Late {
  isLate(step: Step): boolean;
  /** The steps still run, at some time after their thread has ended. */
  arrives: boolean;
}

export const lateIdOf = ({ id }: Pick<Step, 'id'>): string => `${id}-late`;
/** A late step is the one step of a thread of its own. */
export const lateThreadOf = (thread: string): string => `${thread}-late`;

/** As an SDK says that no answer came in time. */
class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** The run was given up, or the thread waits for what never happens. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

/** A thread that neither asks for a step nor ends in this time waits for something else. */
const QUIET_WITHIN_MS = 10_000;

/** What a killed thread is answered. */
const NEVER = new Promise<never>(() => {});

interface Waiting {
  step: Step;
  go: () => void;
  abandon: () => void;
}

export type Stage = ReturnType<typeof createStage>;

export function createStage() {
  let isPlaying = false;
  let isAbandoned = false;
  let waiting: Waiting[] = [];
  let taken: Step[] = [];
  let asked = new Map<string, number>();
  let alive = new Set<string>();
  let late: Late | undefined;
  let killedAfter: string | undefined;
  let dead = Promise.withResolvers<void>();
  /** The step that is being taken. */
  let current: Promise<unknown> | undefined;

  /** Outside of a run each call is made at once. */
  const gateOf =
    (thread: string): Gate =>
    async (call, make) => {
      if (!isPlaying) return make();
      if (isAbandoned) throw new Abandoned();
      if (!alive.has(thread)) return NEVER;
      const number = (asked.get(thread) ?? 0) + 1;
      asked.set(thread, number);
      const step = { ...call, id: `${thread}${number}`, thread, askedAfter: taken.length };
      const { promise: turn, resolve: go, reject } = Promise.withResolvers<void>();
      waiting.push({ step, go, abandon: () => reject(new Abandoned()) });
      await turn;
      if (late?.isLate(step)) {
        const { arrives } = late;
        const isPossible = () => arrives && !alive.has(thread);
        waiting.push({
          step: { ...step, id: lateIdOf(step), thread: lateThreadOf(thread), isPossible },
          go: () => {
            current = make();
          },
          abandon: () => undefined,
        });
        throw new TimeoutError();
      }
      const made = make();
      current = made;
      if (step.id === killedAfter) {
        await made.catch(() => undefined);
        alive.delete(thread);
        waiting = waiting.filter((one) => one.step.thread !== thread);
        dead.resolve();
      }
      return alive.has(thread) ? made : NEVER;
    };

  async function play(
    threads: Record<string, () => Promise<unknown>>,
    choose: Choose,
    { late: lateSteps, killedAfter: lastId }: { late?: Late; killedAfter?: string } = {},
  ): Promise<{ taken: Step[]; isWhole: boolean }> {
    isPlaying = true;
    isAbandoned = false;
    waiting = [];
    taken = [];
    asked = new Map();
    alive = new Set(Object.keys(threads));
    late = lateSteps;
    killedAfter = lastId;
    dead = Promise.withResolvers();
    const ends = Object.entries(threads).map(async ([thread, run]) => {
      try {
        await Promise.race([run(), ...(killedAfter?.startsWith(thread) ? [dead.promise] : [])]);
      } finally {
        alive.delete(thread);
      }
    });
    // Awaited at the end, so that a failure before that is not unhandled.
    const ended = Promise.allSettled(ends);

    const isQuiet = () =>
      [...alive].every((thread) => waiting.some(({ step }) => step.thread === thread));
    const settle = async () => {
      const giveUpAt = performance.now() + QUIET_WITHIN_MS;
      do {
        // What follows a call's answer are microtasks: none is left after a turn of the loop.
        await turnOfTheLoop();
        if (performance.now() > giveUpAt) throw new Error(`${[...alive]} wait for no step`);
      } while (!isQuiet());
    };

    let isWhole = true;
    for (;;) {
      await settle();
      const possible = waiting.filter(({ step }) => step.isPossible?.() ?? true);
      if (possible.length === 0) break;
      const chosen = choose(
        possible.map(({ step }) => step),
        taken,
      );
      const next = possible.find(({ step }) => step === chosen);
      if (!next) {
        isWhole = false;
        break;
      }
      waiting = waiting.filter((one) => one !== next);
      taken.push(next.step);
      next.go();
      await turnOfTheLoop();
      await current?.catch(() => undefined);
    }
    isAbandoned = true;
    for (const { abandon } of waiting) abandon();
    const failures = (await ended).flatMap((end) =>
      end.status === 'rejected' && !(end.reason instanceof Abandoned) ? [end.reason] : [],
    );
    isPlaying = false;
    if (isWhole && failures.length > 0) throw failures[0];
    return { taken, isWhole };
  }

  return { gateOf, play };
}
