/** How much comes through the API of the development stack before it gets slow, and what it is that ends. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import getPort from 'get-port';
import { startApi } from '../../local/api.ts';
import { ms, type Report, type Table } from '../report.ts';
import { distributionOf } from '../statistics.ts';
import type { Call, RoundResult } from '../worker.ts';
import { startWorker, type Worker } from '../worker-client.ts';
import type { World } from '../world.ts';

const RATES = [50, 100, 150, 200, 300, 400, 600, 800];
/** The functions' first instances start in the warm-up, as a deployed API that is in use has them. */
const WARM_UP_SECONDS = 5;
const SECONDS = 10;
const LIMIT_MS = 100;
/** One stall of the machine is no limit: a rate that is too much is tried again. */
const ATTEMPTS = 2;

/** What people who meet ask for, in every hundred requests; the others ask for the status. */
const MIX = { token: 8, startAndEnd: 1 };

export async function load(world: World): Promise<Report> {
  await world.settled();
  const [httpPort, lambdaPort] = await Promise.all([getPort(), getPort()]);
  const api = await startApi({
    httpPort,
    lambdaPort,
    settings: world.environment(),
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const generator = await startWorker('api', { API_ORIGIN: new URL(api.url).origin });
  try {
    return {
      tables: [
        await climb(world, generator, { title: 'The API, over HTTP', apiPid: api.pid }),
        await climb(world, world.workers.ours, { title: 'The same functions, in the generator' }),
      ],
      aims: [],
    };
  } finally {
    await Promise.all([generator.stop(), api.stop()]);
  }
}

async function climb(
  world: World,
  worker: Worker,
  { title, apiPid }: { title: string; apiPid?: number },
): Promise<Table> {
  const rows: string[][] = [];
  for (const perSecond of RATES) {
    const { row, isTooMuch } = await bestOf(ATTEMPTS, async () => {
      const run = (seconds: number) =>
        worker.run({
          calls: mixOf(world, perSecond * seconds),
          accessToken: world.accessToken,
          pace: { perSecond },
        });
      await run(WARM_UP_SECONDS);
      const cpu = cpuMeter(world, apiPid);
      const result = await run(SECONDS);
      const { p50, p99 } = distributionOf(result.latenciesMs);
      return {
        row: [
          `${perSecond}`,
          (result.latenciesMs.length / (result.durationMs / 1000)).toFixed(0),
          ms(p50),
          ms(p99),
          `${result.failures}`,
          ...cpu(result),
        ],
        isTooMuch: p99 > LIMIT_MS || result.failures > 0,
      };
    });
    rows.push(row);
    if (isTooMuch) break;
  }
  return {
    title,
    head: [
      'sent a second',
      'answered a second',
      'p50 ms',
      'p99 ms',
      'failed',
      'cores: API',
      'database',
      'LiveKit',
      'generator',
      `all, of ${cpus().length}`,
    ],
    rows,
  };
}

/** The first that is not too much, or else the last. */
async function bestOf<T extends { isTooMuch: boolean }>(
  attempts: number,
  measure: () => Promise<T>,
): Promise<T> {
  const measured = await measure();
  return measured.isTooMuch && attempts > 1 ? bestOf(attempts - 1, measure) : measured;
}

/** In an order that repeats. A start is of a club that the end half a round before left without a meeting. */
function mixOf({ clubs: { reported, cycled } }: World, requests: number): Call[] {
  return Array.from({ length: requests }, (_, index) => {
    const hundred = Math.floor(index / 100);
    const clubId = reported[index % reported.length] ?? '';
    const cycledClub = cycled[hundred % cycled.length] ?? '';
    switch (index % 100) {
      case 0:
        return { route: 'start', clubId: cycledClub };
      case 50:
        return { route: 'end', clubId: cycledClub };
      default:
        return { route: index % Math.floor(100 / MIX.token) === 1 ? 'token' : 'status', clubId };
    }
  });
}

const TICKS_PER_SECOND = 100;

/** User and system time of a process so far, in milliseconds, where the system says so (Linux). */
function cpuMsOf(pid: number | undefined): number {
  if (pid === undefined || process.platform !== 'linux') return Number.NaN;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000;
}

function busyMsOfMachine(): number {
  return cpus().reduce(
    (sum, { times: { user, sys, nice, irq } }) => sum + user + sys + nice + irq,
    0,
  );
}

/** How many cores each part kept busy since this was called; the database is in this process. */
function cpuMeter({ livekit }: World, apiPid: number | undefined) {
  const read = () => ({
    api: cpuMsOf(apiPid),
    database: process.cpuUsage(),
    livekit: cpuMsOf(livekit.pid),
    machine: busyMsOfMachine(),
  });
  const before = read();
  return ({ cpuMs, durationMs }: RoundResult): string[] => {
    const after = read();
    const { user, system } = process.cpuUsage(before.database);
    return [
      after.api - before.api,
      (user + system) / 1000,
      after.livekit - before.livekit,
      cpuMs,
      after.machine - before.machine,
    ].map((usedMs) => (Number.isNaN(usedMs) ? '' : (usedMs / durationMs).toFixed(2)));
  };
}
