/** What a request costs in the process that handles it, apart from waiting for others. */
import { CASES, takeTurns } from '../measure.ts';
import { ms, type Report, ratio } from '../report.ts';
import { distributionOf } from '../statistics.ts';
import type { RoundResult } from '../worker.ts';
import type { World } from '../world.ts';

const ROUNDS = 4;
const REQUESTS = 100;
const AIM_MS = 1;
const ONE = { atATime: 1 };

export async function work(world: World): Promise<Report> {
  const { ours, plain } = world.workers;
  const resultsOf = await takeTurns(
    world,
    [
      { name: 'own', worker: ours, options: { pace: ONE, waiting: 'ports' } },
      { name: 'ours', worker: ours, options: { pace: ONE, waiting: 'wire' } },
      { name: 'plain', worker: plain, options: { pace: ONE, waiting: 'wire' } },
    ],
    { rounds: ROUNDS, requests: REQUESTS },
  );
  const lines = CASES.flat().map(({ name }) => ({
    name,
    own: busyOf(resultsOf(name, 'own')),
    ours: busyOf(resultsOf(name, 'ours')),
    plain: busyOf(resultsOf(name, 'plain')),
    cpu: cpuOf(resultsOf(name, 'ours')),
    plainCpu: cpuOf(resultsOf(name, 'plain')),
  }));
  const slowest = lines.toSorted((a, b) => b.own.p50 - a.own.p50)[0];
  return {
    tables: [
      {
        title: 'Own work of a request, in milliseconds, one at a time',
        head: [
          'route',
          'our code p50',
          'p99',
          'with the SDKs p50',
          'p99',
          'CPU',
          'plain p50',
          'p99',
          'CPU',
          'p50 ratio',
        ],
        rows: lines.map(({ name, own, ours, plain, cpu, plainCpu }) => [
          name,
          ms(own.p50),
          ms(own.p99),
          ms(ours.p50),
          ms(ours.p99),
          ms(cpu),
          ms(plain.p50),
          ms(plain.p99),
          ms(plainCpu),
          ratio(ours.p50, plain.p50),
        ]),
      },
    ],
    aims: [
      {
        aim: `our own code under ${AIM_MS} ms at p50`,
        measured: `${ms(slowest?.own.p50 ?? Number.NaN)} ms at most (${slowest?.name})`,
        met: lines.every(({ own }) => own.p50 < AIM_MS),
      },
    ],
  };
}

const busyOf = (results: RoundResult[]) =>
  distributionOf(results.flatMap(({ busyMs }) => [...busyMs]));

/** Milliseconds of user and system time a request, on all of the process's threads. */
function cpuOf(results: RoundResult[]): number {
  const requests = results.reduce((sum, { latenciesMs }) => sum + latenciesMs.length, 0);
  return results.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / requests;
}
