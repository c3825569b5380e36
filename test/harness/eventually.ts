import { setTimeout as delay } from 'node:timers/promises';

/** Asks until there is an answer. Rejects with `stillTheCase` when there is none in time. */
export async function eventually<T>(
  ask: () => Promise<T | undefined>,
  stillTheCase: string,
  withinMs = 5_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await delay(10);
  }
  throw new Error(`${stillTheCase} after ${withinMs / 1000} s`);
}

/** Resolves with the milliseconds that it took until `isSo`. Rejects after `withinMs`. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 10_000,
): Promise<number> {
  const beganAt = performance.now();
  await eventually(async () => ((await isSo()) ? true : undefined), `not ${what}`, withinMs);
  return performance.now() - beganAt;
}
