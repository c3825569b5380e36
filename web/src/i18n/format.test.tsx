import { act } from 'react';
import { expect, test, vi } from 'vitest';
import { mountHook } from '../testing.tsx';
import { useFormat } from './format.ts';
import { chooseLocale, LOCALES, type Locale } from './i18n.ts';

test('durations are in whole units, from a minute on in the nearest minute', async () => {
  const { result } = await mountHook(useFormat);
  const { duration } = result.current;
  expect([0, 59.9, 60, 165, 3_599, 3_600, 5_460].map(duration)).toEqual([
    '0 sec',
    '59 sec',
    '1 min',
    '3 min',
    '1 hr',
    '1 hr',
    '1 hr 31 min',
  ]);
});

test('times are as the reader’s own region has them', async () => {
  vi.stubGlobal('navigator', { languages: ['en-GB', 'es-ES'] });
  const { result } = await mountHook(useFormat);
  const noon = new Date(2026, 10, 26, 13, 5).toISOString();
  expect(result.current.time(noon)).toBe('13:05');
  vi.unstubAllGlobals();
});

test.each(Object.keys(LOCALES))('in %s there are words for lists and days', async (locale) => {
  const { result } = await mountHook(useFormat);
  await act(() => chooseLocale(locale as Locale));
  expect(result.current.list(['A', 'B', 'C'])).toMatch(/^A, B,? \S+ C$/);
  await act(() => chooseLocale('en'));
});
