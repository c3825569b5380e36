import { expect, test } from 'vitest';
import { ApiError, SessionEnded, Unreachable } from '../api/errors.ts';
import { mountHook } from '../testing.tsx';
import { useErrorText } from './error-text.ts';

test('what the API, the network or the page says has words of its own, never those of the API', async () => {
  const { result } = await mountHook(useErrorText);
  const textOf = result.current;
  const coded = (status: number, code: 'MEETING_FULL' | 'NOT_ALLOWED' | 'MEDIA_UNAVAILABLE') =>
    textOf(new ApiError(status, { error: 'secret detail', code }, undefined));
  const texts = [
    coded(409, 'MEETING_FULL'),
    coded(403, 'NOT_ALLOWED'),
    coded(503, 'MEDIA_UNAVAILABLE'),
    textOf(new ApiError(429, {}, undefined)),
    textOf(new ApiError(500, { error: 'secret detail' }, undefined)),
    textOf(new Unreachable()),
    textOf(new SessionEnded()),
    textOf(new TypeError('secret detail')),
  ];
  expect(new Set(texts).size).toBe(texts.length);
  expect(texts.join()).not.toContain('secret');
});
