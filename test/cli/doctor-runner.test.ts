/** How the doctor goes through its checks, whatever they do. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRunner, type Report } from '../../cli/doctor/runner.ts';
import { MediaUnavailable } from '../../lib/errors.ts';

const ok = async () => ({ outcome: 'ok', sentence: 'Fine', found: 1 }) as const;
const never = () => new Promise<never>(() => undefined);

let reported: Report[];
beforeEach(() => {
  reported = [];
});
const begin = (stop?: AbortSignal) => createRunner((report) => reported.push(report), stop);

describe('a check', () => {
  it('is reported when it is done, and returns its result', async () => {
    const { check, reports } = begin();
    expect(await check('first', {}, ok)).toBe(1);
    expect(reported).toEqual([{ check: 'first', outcome: 'ok', sentence: 'Fine' }]);
    expect(reports).toEqual(reported);
  });

  it('that needs what is missing is skipped, and named', async () => {
    const { check } = begin();
    const look = vi.fn(ok);
    await check('second', { first: undefined, zeroth: 0, other: undefined }, look);
    expect(reported).toEqual([
      { check: 'second', outcome: 'skipped', sentence: 'Needs first and other' },
    ]);
    expect(look).not.toHaveBeenCalled();
  });

  it.each([
    ['an error', new Error('no idea'), 'no idea'],
    ['an outage, by its cause', new MediaUnavailable({ cause: new Error('gone') }), 'gone'],
    ['text', 'nothing', 'nothing'],
    [
      'JSON that breaks off, without a piece of it',
      new SyntaxError('Unexpected token s, "secret" is not valid JSON'),
      'an answer that is no JSON',
    ],
  ])('that throws %s has failed', async (_, error, reason) => {
    const { check } = begin();
    const found = await check('first', {}, async () => {
      throw error;
    });
    expect(found).toBeUndefined();
    expect(reported).toEqual([
      { check: 'first', outcome: 'failure', sentence: `Could not be checked: ${reason}` },
    ]);
  });
});

it('that is stopped skips the current and remaining checks, except those that always run', async () => {
  const stopped = new AbortController();
  const { check } = begin(stopped.signal);
  const first = check('first', {}, never);
  stopped.abort();
  expect(await first).toBeUndefined();
  const look = vi.fn(ok);
  await check('second', {}, look);
  expect(look).not.toHaveBeenCalled();
  expect(await check('last', {}, ok, { evenIfStopped: true })).toBe(1);
  expect(reported).toEqual([
    { check: 'first', outcome: 'skipped', sentence: 'Stopped' },
    { check: 'second', outcome: 'skipped', sentence: 'Stopped' },
    { check: 'last', outcome: 'ok', sentence: 'Fine' },
  ]);
});

describe('time', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is up for one check after half a minute, and the next is looked at', async () => {
    const { check } = begin();
    const first = check('first', {}, never);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await first).toBeUndefined();
    expect(await check('second', {}, ok)).toBe(1);
    expect(reported).toMatchObject([
      { outcome: 'failure', sentence: 'Not done within 30 s' },
      { outcome: 'ok' },
    ]);
  });

  it('is up for all after two minutes, but for a moment that each has', async () => {
    const { check } = begin();
    for (const name of ['1', '2', '3', '4', '5', '6']) {
      const looking = check(name, {}, never);
      await vi.advanceTimersByTimeAsync(30_000);
      await looking;
    }
    expect(reported.map(({ sentence }) => sentence)).toEqual([
      ...Array(4).fill('Not done within 30 s'),
      ...Array(2).fill('Not done within 5 s'),
    ]);
    expect(await check('last', {}, ok)).toBe(1);
  });
});
