/** One run: runs a plan against its own stack, then checks what is left. */
import { takeMisfits } from '../test/harness/openapi.ts';
import { type CheckResult, checkRun } from './checker.ts';
import { startClock } from './clock.ts';
import { startNemesis } from './faults.ts';
import { planOf } from './generator.ts';
import { type Entry, openHistory } from './history.ts';
import { type Outcome, settle } from './outcome.ts';
import { timelineOf } from './timeline.ts';
import { playTraffic } from './traffic.ts';
import { startWorld } from './world.ts';

const PROGRESS_EVERY_MS = 10_000;

interface SoakOptions {
  seed: string;
  seconds: number;
  /** Progress, in sentences. */
  onProgress?: ((sentence: string) => void) | undefined;
  /** The API's own log lines. */
  onLine?: ((line: string) => void) | undefined;
}

interface SoakReport {
  result: CheckResult;
  /** The requests, answers and events of a club, in lines, oldest first. */
  storyOf(clubId: string): string[];
  /** What happened, by name. */
  counts: Record<string, number>;
}

export async function soak({
  seed,
  seconds,
  onProgress,
  onLine,
}: SoakOptions): Promise<SoakReport> {
  const plan = planOf(seed, seconds);
  // The least that each can be; meetings of a longer run last longer.
  const limits = { graceSeconds: 120, maxDurationSeconds: Math.max(60, Math.floor(seconds / 2)) };
  const world = await startWorld(plan, limits, onLine);
  let progress: NodeJS.Timeout | undefined;
  try {
    const history = openHistory();
    const clock = startClock();
    const nemesis = startNemesis(world.wire, plan, history, clock);
    progress = setInterval(() => {
      world.wire.forget();
      const { stays, events } = history;
      const progress = `${history.all().length} requests, ${stays.length} joins, ${events.size} webhooks`;
      onProgress?.(`${Math.round(clock.now() / 1000)} s: ${progress}`);
    }, PROGRESS_EVERY_MS);
    const traffic = await playTraffic(plan, world, nemesis, history, clock);
    onProgress?.(`${Math.round(clock.now() / 1000)} s: no more traffic; cleaning up`);
    const outcome = await settle(world, nemesis, history);
    onProgress?.(`${Math.round(clock.now() / 1000)} s: nothing left to clean up; comparing`);
    const result = checkRun({
      ...{ clubs: world.clubs, limits, history, outcome },
      misfits: takeMisfits(),
    });
    return {
      result,
      storyOf: (clubId) => timelineOf(history, world.clubs, clubId),
      counts: {
        requests: history.all().length,
        joins: history.stays.length,
        webhooks: history.events.size,
        ...sorted(traffic.counts),
        ...sorted(nemesis.counts),
        ...answersOf(history.all()),
        ...endsOf(outcome),
        ...recordingsOf(outcome),
        'last cleanups': outcome.cleanups.runs,
      },
    };
  } finally {
    clearInterval(progress);
    await world.stop();
  }
}

const sorted = (counts: Map<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].toSorted(([a], [b]) => a.localeCompare(b)));

const answersOf = (entries: Entry[]) =>
  countsOf(entries, ({ answer, trouble }) =>
    answer
      ? `answered ${answer.status} ${answer.body.code ?? ''}`.trim()
      : `not answered: ${trouble}`,
  );

const endsOf = ({ answers }: Outcome) =>
  countsOf(
    [...answers.values()].flatMap(({ listed }) => listed),
    ({ reason }) => `ended: ${reason}`,
  );

const recordingsOf = ({ recordings }: Outcome) =>
  countsOf(
    recordings.settled.flatMap(({ rows }) => rows),
    ({ state }) => `recordings: ${state}`,
  );

function countsOf<T>(items: T[], nameOf: (item: T) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return sorted(counts);
}
