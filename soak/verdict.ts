/** Whether everything that the service promises was so in a run. */
import { ANSWERS } from './promises/answers.ts';
import { ATTENDANCE } from './promises/attendance.ts';
import type { Broken, Case, Run } from './promises/promise.ts';
import { RECORD } from './promises/record.ts';
import { ROOMS } from './promises/rooms.ts';
import { storiesOf } from './stories.ts';

export interface Verdict {
  broken: Broken[];
  /** How many cases of each promise were looked at. */
  looked: Record<string, number>;
}

export function judge(run: Run): Verdict {
  const people = run.clubs.flatMap((club) => Object.values(club.people));
  const { stories, sightings } = storiesOf(run.ledger, run.outcome);
  const whole: Case = {
    ...run,
    stories,
    sightings,
    personOf: (userId) => people.find((person) => person.userId === userId),
    events: [...run.ledger.events.values()],
  };
  const verdict: Verdict = { broken: [], looked: {} };
  for (const { promise, check } of [...RECORD, ...ROOMS, ...ATTENDANCE, ...ANSWERS]) {
    const { looked, broken } = check(whole);
    verdict.looked[promise] = looked;
    verdict.broken.push(...broken.map((one) => ({ promise, ...one })));
  }
  return verdict;
}
