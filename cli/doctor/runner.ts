/** One check after another. What one finds, others may need. */
import { reasonOf } from './reasons.ts';

/** For one check; and for all of them, but each has a moment, so that the last can clear up. */
const CHECK_WITHIN_MS = 30_000;
const ALL_WITHIN_MS = 120_000;
const A_MOMENT_MS = 5_000;

export type Outcome = 'ok' | 'warning' | 'failure' | 'skipped';

export interface Finding {
  outcome: Outcome;
  sentence: string;
  /** What to do about it. */
  remedy?: string;
}

export interface Report extends Finding {
  check: string;
}

/** With what the checks that need this one go on from; they are skipped where it is missing. */
export type Found<T> = Finding & { found?: T };

/**
 * @param tell called with each check's report
 * @param stop skips what is left, except for the checks that always run
 */
export function createRunner(tell: (report: Report) => void, stop: AbortSignal | undefined) {
  const reports: Report[] = [];
  const startedAt = performance.now();

  return {
    reports,

    /** Never throws: what `look` throws is what it found. */
    async check<T, Needs = object>(
      check: string,
      needs: { [Name in keyof Needs]: Needs[Name] | undefined },
      look: (needs: Needs) => Promise<Found<T>>,
      { evenIfStopped = false } = {},
    ): Promise<T | undefined> {
      const leftMs = stop?.aborted ? 0 : ALL_WITHIN_MS - (performance.now() - startedAt);
      const withinMs = Math.max(A_MOMENT_MS, Math.min(CHECK_WITHIN_MS, leftMs));
      const { found, ...finding } = isComplete(needs)
        ? await within(withinMs, evenIfStopped ? undefined : stop, () => look(needs))
        : skippedFor(needs);
      const report = { check, ...finding };
      reports.push(report);
      tell(report);
      return found;
    },
  };
}

const isComplete = <Needs>(
  needs: {
    [Name in keyof Needs]: Needs[Name] | undefined;
  },
): needs is Needs & typeof needs => !Object.values(needs).includes(undefined);

function skippedFor(needs: object): Found<never> {
  const missing = Object.entries(needs).filter(([, value]) => value === undefined);
  const names = missing.map(([name]) => name).join(' and ');
  return { outcome: 'skipped', sentence: `Needs ${names}` };
}

async function within<T>(
  ms: number,
  stop: AbortSignal | undefined,
  look: () => Promise<Found<T>>,
): Promise<Found<T>> {
  const late: Finding = { outcome: 'failure', sentence: `Not done within ${ms / 1000} s` };
  const stopped: Finding = { outcome: 'skipped', sentence: 'Stopped' };
  if (stop?.aborted) return stopped;
  const { promise: given, resolve: giveUp } = Promise.withResolvers<Finding>();
  const timer = setTimeout(giveUp, ms, late);
  const onStop = () => giveUp(stopped);
  stop?.addEventListener('abort', onStop);
  try {
    return await Promise.race([look(), given]);
  } catch (error) {
    return { outcome: 'failure', sentence: `Could not be checked: ${reasonOf(error)}` };
  } finally {
    clearTimeout(timer);
    stop?.removeEventListener('abort', onStop);
  }
}
