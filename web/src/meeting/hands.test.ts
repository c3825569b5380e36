import { expect, test } from 'vitest';
import { raisedHands } from './hands.ts';

const NOW = 1_000_000;
const person = (identity: string, hand?: string) => ({
  identity,
  attributes: hand === undefined ? {} : { hand },
});
const order = (...people: ReturnType<typeof person>[]) =>
  raisedHands(people, NOW).map(({ identity }) => identity);

test('hands are in the order in which they went up, whatever the order of the people', () => {
  expect(order(person('c', '300'), person('a', '100'), person('b', '200'))).toEqual([
    'a',
    'b',
    'c',
  ]);
});

test('a hand that is down, or never went up, is not among them', () => {
  expect(order(person('down', ''), person('never'), person('up', '5'))).toEqual(['up']);
});

test('what is no time in the past counts as now', () => {
  const cheats = ['0', '-1', 'first!', 'Infinity', String(NOW + 1)];
  for (const hand of cheats) {
    expect(order(person('cheat', hand), person('honest', String(NOW - 1)))).toEqual([
      'honest',
      'cheat',
    ]);
  }
});

test('hands of the same moment are in the same order for everybody', () => {
  expect(order(person('b', '5'), person('a', '5'))).toEqual(['a', 'b']);
  expect(order(person('a', '5'), person('b', '5'))).toEqual(['a', 'b']);
});
