import { expect, it } from 'vitest';
import { planOf } from './generator.ts';

it('is the same for the same seed, and another for another', () => {
  expect(planOf('a seed', 600)).toEqual(planOf('a seed', 600));
  expect(planOf('another', 600).clubs).not.toEqual(planOf('a seed', 600).clubs);
});

it.each([45, 60, 600])('of %i seconds has the API killed, and LiveKit crash', (seconds) => {
  const { kills, errands } = planOf('any', seconds);
  expect(kills.length).toBeGreaterThan(0);
  expect(errands.flat().map(({ does }) => does)).toContain('crash');
});
