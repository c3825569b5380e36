/** The plan's time. It stands still while the API comes back, however long that takes on this machine. */
import { setTimeout as delay } from 'node:timers/promises';

export type Clock = ReturnType<typeof startClock>;

export function startClock() {
  let beganAt = performance.now();
  let stopped: { atMs: number; goesOn: PromiseWithResolvers<void> } | undefined;
  const now = (): number => stopped?.atMs ?? performance.now() - beganAt;
  return {
    now,
    async reach(atMs: number): Promise<void> {
      for (let left = atMs - now(); left > 0; left = atMs - now()) {
        if (stopped) await stopped.goesOn.promise;
        else await delay(left);
      }
    },
    stop(): void {
      stopped ??= { atMs: now(), goesOn: Promise.withResolvers<void>() };
    },
    goOn(): void {
      if (!stopped) return;
      const { atMs, goesOn } = stopped;
      beganAt = performance.now() - atMs;
      stopped = undefined;
      goesOn.resolve();
    },
  };
}
