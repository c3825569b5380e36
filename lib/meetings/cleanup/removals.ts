import { LATE_WITHIN_MS, repeatRemoval } from '../removals.ts';
import { attempt } from './attempt.ts';
import type { Run } from './types.ts';

/** Each may read all of a club's attendance. */
const AT_MOST = 10;

/** Repeats the removals of which no late write can come any more. */
export async function repeatRemovals(run: Run, hasTime: () => boolean): Promise<void> {
  const due = new Date(run.now().getTime() - LATE_WITHIN_MS).toISOString();
  for (const removal of await run.administration.listRemovals(due, AT_MOST)) {
    if (!hasTime()) {
      run.report.postponed += 1;
      continue;
    }
    await attempt(run, { clubId: removal.clubId }, async () => {
      await repeatRemoval(run, removal);
      await run.administration.dropRemoval(removal);
    });
  }
}
