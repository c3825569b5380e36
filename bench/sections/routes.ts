/** Requests per second and latency of each route, called as Lambda would call it. */
import { CASES, takeTurns } from '../measure.ts';
import { type Aim, ms, type Report, ratio, type Table } from '../report.ts';
import { distributionOf, median } from '../statistics.ts';
import type { RoundResult } from '../worker.ts';
import type { World } from '../world.ts';

const CONCURRENCIES = [1, 16];
const ROUNDS = 8;
const REQUESTS = 100;

export async function routes(world: World): Promise<Report> {
  const tables: Table[] = [];
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
    const slower = lines.filter(({ ours, plain }) => ours.p50 > plain.p50);
    aims.push({
      aim: `no route slower than the plain way, ${atATime} at a time (p50)`,
      measured:
        slower.map(({ name, ours, plain }) => `${name} ${ratio(ours.p50, plain.p50)}`).join(', ') ||
        'none is',
      met: slower.length === 0,
    });
  }
  return { tables, aims };
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
