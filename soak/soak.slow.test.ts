/** The short version of `npm run soak`. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { soak } from './soak.ts';

const SECONDS = 60;
const ON_A_BUSY_MACHINE_MS = 600_000;

// Another seed each time, so that many runs find more than one: none of them may find anything. A seed
// repeats who does what and what breaks, not how requests meet, so a fixed one would be no steadier.
const seed = randomBytes(4).toString('hex');

it(`leaves the state that its answers promised, whatever fails (again: npm run soak -- --minutes ${SECONDS / 60} --seed ${seed})`, {
  timeout: ON_A_BUSY_MACHINE_MS,
}, async () => {
  const { result, counts, storyOf } = await soak({ seed, seconds: SECONDS });
  const broken = result.broken.map((one) => ({ ...one, story: storyOf(one.clubId) }));
  expect(broken).toEqual([]);
  // A run in which nothing went on would have kept any invariant.
  for (const what of [
    'kill',
    'crash',
    'start',
    'end',
    'record',
    'joins',
    'webhooks',
    'answered 200',
  ]) {
    expect(counts[what], what).toBeGreaterThan(0);
  }
});
