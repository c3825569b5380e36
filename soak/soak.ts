/** One run: a plan, played on a world of its own, and a verdict on what it left behind. */
import { takeMisfits } from '../test/support/openapi.ts';
import { chronicle } from './chronicle.ts';
import { startClock } from './clock.ts';
import { putWeather } from './faults.ts';
import { type Entry, openLedger } from './ledger.ts';
import { comeToRest, type Outcome } from './outcome.ts';
import { planOf } from './plan.ts';
import { playTraffic } from './traffic.ts';
import { judge, type Verdict } from './verdict.ts';
import { startWorld } from './world.ts';

const TELL_EVERY_MS = 10_000;

export interface SoakOptions {
  seed: string;
  seconds: number;
  /** Progress, in sentences. */
  tell?: ((sentence: string) => void) | undefined;
  /** The API's own log lines. */
  onLine?: ((line: string) => void) | undefined;
}

export interface SoakReport {
  verdict: Verdict;
  /** What was asked, answered and told in a club, in lines, oldest first. */
  storyOf(clubId: string): string[];
  /** What happened, by name. */
  counts: Record<string, number>;
}

export async function soak({ seed, seconds, tell, onLine }: SoakOptions): Promise<SoakReport> {
  const plan = planOf(seed, seconds);
  // The least that each can be; meetings of a longer run last longer.
  const limits = { graceSeconds: 120, maxDurationSeconds: Math.max(60, Math.floor(seconds / 2)) };
  const world = await startWorld(plan, limits, onLine);
  let progress: NodeJS.Timeout | undefined;
  try {
    const ledger = openLedger();
    const clock = startClock();
    const weather = putWeather(world.wire, plan, ledger, clock);
    progress = setInterval(() => {
      world.wire.forget();
      const { stays, events } = ledger;
      const told = `${ledger.all().length} requests, ${stays.length} joins, ${events.size} webhooks`;
      tell?.(`${Math.round(clock.now() / 1000)} s: ${told}`);
    }, TELL_EVERY_MS);
    const traffic = await playTraffic(plan, world, weather, ledger, clock);
    tell?.(`${Math.round(clock.now() / 1000)} s: no more traffic; coming to rest`);
    const outcome = await comeToRest(world, weather, ledger);
    tell?.(`${Math.round(clock.now() / 1000)} s: at rest; comparing`);
    const verdict = judge({
      ...{ clubs: world.clubs, limits, ledger, outcome },
      misfits: takeMisfits(),
    });
    return {
      verdict,
      storyOf: (clubId) => chronicle(ledger, world.clubs, clubId),
      counts: {
        requests: ledger.all().length,
        joins: ledger.stays.length,
        webhooks: ledger.events.size,
        ...sorted(traffic.counts),
        ...sorted(weather.counts),
        ...answersOf(ledger.all()),
        ...endsOf(outcome),
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

function countsOf<T>(items: T[], nameOf: (item: T) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return sorted(counts);
}
