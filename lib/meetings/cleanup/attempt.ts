import { Postponed } from './call-budget.ts';
import type { Run } from './types.ts';

/** One failure does not stop the others. */
export async function attempt(
  { log, report }: Run,
  about: { clubId?: string; meetingId?: string },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Postponed) {
      report.postponed += 1;
    } else {
      report.failed += 1;
      log.error('cleanup failed', about, error);
    }
  }
}
