import { expect, test } from 'vitest';
import { ApiError, isTransient, retryDelayMs, SessionEnded, Unreachable } from './errors.ts';
import { pollEvery } from './queries.ts';

const refusal = (status: number, retryAfterSeconds?: number) =>
  new ApiError(status, {}, retryAfterSeconds);

test.each([
  [new Unreachable(), true],
  [refusal(500), true],
  [refusal(503), true],
  [refusal(429), true],
  [refusal(404), false],
  [refusal(409), false],
  [new SessionEnded(), false],
  [new TypeError(), false],
])('%s: worth another attempt is %s', (error, isIt) => {
  expect(isTransient(error)).toBe(isIt);
});

test('attempts come later each time, at most half a minute, and not before the API asks for it', () => {
  const waits = [0, 1, 2, 5, 20].map((attempt) => retryDelayMs(attempt, new Unreachable()));
  expect(waits).toEqual([1000, 2000, 4000, 30_000, 30_000]);
  expect(retryDelayMs(0, refusal(503, 7))).toBe(7000);
  expect(retryDelayMs(4, refusal(503, 7))).toBe(16_000);
});

test('a poll that failed comes later, as the API asks', () => {
  const poll = pollEvery(5_000);
  expect(poll({ state: { error: null, fetchFailureCount: 0 } })).toBe(5_000);
  expect(poll({ state: { error: new Unreachable(), fetchFailureCount: 1 } })).toBe(5_000);
  expect(poll({ state: { error: refusal(503, 20), fetchFailureCount: 1 } })).toBe(20_000);
});

test('a hidden page polls less often', () => {
  Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
  expect(pollEvery(5_000)({ state: { error: null, fetchFailureCount: 0 } })).toBe(60_000);
  Reflect.deleteProperty(document, 'visibilityState');
});
