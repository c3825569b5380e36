/** Latency of each route where every call takes its time on the way, as it does on AWS. */
import { startBehindProxies } from '../behind-proxies.ts';
import type { Chart } from '../charts.ts';
import type { Implementation } from '../implementations.ts';
import { CASES, takeTurns } from '../measure.ts';
import { ms, type Report, ratio } from '../report.ts';
import { distributionOf } from '../statistics.ts';
import type { World } from '../world.ts';
import { aimOf } from './routes.ts';

/** DynamoDB promises single-digit milliseconds; LiveKit's API is across the Internet. */
const DELAYS_MS = { dynamodb: 5, livekit: 25 };
const ROUNDS = 6;
const REQUESTS = 25;

export async function network(world: World): Promise<Report> {
  const [ours, plain] = await Promise.all([
    startBehindProxies(world, 'ours', DELAYS_MS),
    startBehindProxies(world, 'plain', DELAYS_MS),
  ]);
  try {
    const options = { pace: { atATime: 1 } };
    const resultsOf = await takeTurns(
      world,
      [
        { name: 'ours', worker: ours.worker, options },
        { name: 'plain', worker: plain.worker, options },
      ],
      { rounds: ROUNDS, requests: REQUESTS },
    );
    const lines = CASES.flat().map(({ name }) => {
      const of = (way: Implementation) =>
        // The first round warms up.
        distributionOf(
          resultsOf(name, way)
            .slice(1)
            .flatMap(({ latenciesMs }) => [...latenciesMs]),
        );
      return { name, ours: of('ours'), plain: of('plain') };
    });
    const title = `Each call to DynamoDB ${DELAYS_MS.dynamodb} ms away, to LiveKit ${DELAYS_MS.livekit} ms`;
    const chart: Chart = {
      name: 'network',
      title: `${title}: latency at p50`,
      unit: 'ms',
      pairs: lines.map(({ name, ours, plain }) => ({
        label: name,
        ours: ours.p50,
        plain: plain.p50,
      })),
    };
    return {
      tables: [
        {
          title,
          head: ['route', 'p50 ms', 'p99 ms', 'plain p50 ms', 'p99 ms', 'p50 ratio'],
          rows: lines.map(({ name, ours, plain }) => [
            name,
            ...[ours, plain].flatMap(({ p50, p99 }) => [ms(p50), ms(p99)]),
            ratio(ours.p50, plain.p50),
          ]),
        },
      ],
      aims: lines.map(({ name, ours, plain }) => aimOf(name, ours.p50, plain.p50)),
      charts: [chart],
    };
  } finally {
    await Promise.all([ours.stop(), plain.stop()]);
  }
}
