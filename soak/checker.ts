/** Whether everything that the service invariants was so in a run. */
import { ANSWERS } from './invariants/answers.ts';
import { ATTENDANCE } from './invariants/attendance.ts';
import type { Broken, Case, Run } from './invariants/invariant.ts';
import { RECORD } from './invariants/record.ts';
import { RECORDINGS } from './invariants/recordings.ts';
import { ROOMS } from './invariants/rooms.ts';
import { storiesOf } from './stories.ts';

export interface CheckResult {
  broken: Broken[];
  /** How many cases of each invariant were looked at. */
  looked: Record<string, number>;
}

export function checkRun(run: Run): CheckResult {
  const people = run.clubs.flatMap((club) => Object.values(club.people));
  const { stories, sightings } = storiesOf(run.history, run.outcome);
  const whole: Case = {
    ...run,
    stories,
    sightings,
    personOf: (userId) => people.find((person) => person.userId === userId),
    events: run.outcome.events,
  };
  const result: CheckResult = { broken: [], looked: {} };
  for (const { invariant, check } of [
    ...RECORD,
    ...ROOMS,
    ...ATTENDANCE,
    ...RECORDINGS,
    ...ANSWERS,
  ]) {
    const { looked, broken } = check(whole);
    result.looked[invariant] = looked;
    result.broken.push(...broken.map((one) => ({ invariant, ...one })));
  }
  return result;
}
