/** Requests per second and latency of each route, called as Lambda would call it. */
import type { Chart } from '../charts.ts';
import { CASES, takeTurns } from '../measure.ts';
import { type Aim, ms, type Report, ratio, type Table } from '../report.ts';
import { distributionOf, median } from '../statistics.ts';
import type { RoundResult } from '../worker.ts';
import type { World } from '../world.ts';

const CONCURRENCIES = [1, 16];
const ROUNDS = 8;
const REQUESTS = 100;

/** At most so much of the plain way's p50; every other route at most as much. */
const AIMS: Record<string, number> = { token: 0.8, 'status, from webhooks': 0.6 };

export async function routes(world: World): Promise<Report> {
  const tables: Table[] = [];
  const charts: Chart[] = [];
  const aims: Aim[] = [];
  for (const atATime of CONCURRENCIES) {
    const { ours, plain } = world.workers;
    const resultsOf = await takeTurns(
      world,
      [
        { name: 'ours', worker: ours, options: { pace: { atATime } } },
        { name: 'plain', worker: plain, options: { pace: { atATime } } },
      ],
      { rounds: ROUNDS, requests: REQUESTS },
    );
    const lines = CASES.flat().map(({ name }) => ({
      name,
      ours: summaryOf(resultsOf(name, 'ours')),
      plain: summaryOf(resultsOf(name, 'plain')),
    }));
    tables.push({
      title: atATime === 1 ? 'One request at a time' : `${atATime} requests at a time`,
      head: ['route', 'req/s', 'p50 ms', 'p99 ms', 'plain req/s', 'p50 ms', 'p99 ms', 'p50 ratio'],
      rows: lines.map(({ name, ours, plain }) => [
        name,
        ...cellsOf(ours),
        ...cellsOf(plain),
        ratio(ours.p50, plain.p50),
      ]),
    });
    charts.push({
      name: `routes-${atATime}`,
      title: `Latency at p50, ${atATime === 1 ? 'one request' : `${atATime} requests`} at a time`,
      unit: 'ms',
      pairs: lines.map(({ name, ours, plain }) => ({
        label: name,
        ours: ours.p50,
        plain: plain.p50,
      })),
    });
    for (const { name, ours, plain } of lines) {
      aims.push(aimOf(name, ours.p50, plain.p50, `, ${atATime} at a time`));
    }
  }
  return { tables, aims, charts };
}

export function aimOf(route: string, ours: number, plain: number, how = ''): Aim {
  const most = AIMS[route] ?? 1;
  return {
    aim: `${route}${how}: at most ${most} of the plain way's p50`,
    measured: ratio(ours, plain),
    met: ours <= most * plain,
  };
}

/** The rate is the median of the rounds', so that one that was disturbed does not count. */
function summaryOf(results: RoundResult[]) {
  return {
    perSecond: median(
      results.map(({ latenciesMs, durationMs }) => (latenciesMs.length / durationMs) * 1000),
    ),
    ...distributionOf(results.flatMap(({ latenciesMs }) => [...latenciesMs])),
  };
}

const cellsOf = ({ perSecond, p50, p99 }: ReturnType<typeof summaryOf>): string[] => [
  perSecond.toFixed(0),
  ms(p50),
  ms(p99),
];
