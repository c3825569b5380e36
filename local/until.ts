import { setTimeout as delay } from 'node:timers/promises';

const ASK_EVERY_MS = 20;

/** Asks until there is an answer. @throws the complaint when there is none in time */
export async function until<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  complaint: string,
  withinMs: number,
): Promise<T> {
  const giveUpAt = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > giveUpAt) throw new Error(`${complaint} (within ${withinMs / 1000} s).`);
    await delay(ASK_EVERY_MS);
  }
}
