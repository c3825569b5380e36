import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPTS = 5;
const PAUSE_MS = 500;

/** For what must work when nothing goes wrong: a busy machine may take several attempts. */
export async function retry<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await delay(PAUSE_MS * attempt);
    }
  }
}
