/** Size of each function and what its cold start costs before it has a first answer. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFunctions, buildPlain, buildProbe } from '../build.ts';
import type { ProbeOrder, ProbeResult } from '../cold-probe.ts';
import { eventFor, ROUTES, type Route } from '../events.ts';
import type { Implementation } from '../implementations.ts';
import { kilobytes, ms, type Report, ratio } from '../report.ts';
import { median } from '../statistics.ts';
import { callsOf } from '../worker-client.ts';
import type { World } from '../world.ts';

const ROUNDS = 11;
/** On a busy machine, or with many functions: fewer rounds. */
const ROUNDS_WITHIN_MS = 60_000;
const MIN_ROUNDS = 5;
const ANSWERED_WITHIN_MS = 20_000;
const AIM_BYTES = 380_000;
const AIM_RATIO = 1 / 3;

interface Subject {
  name: string;
  way: Implementation;
  order: ProbeOrder;
  env: Record<string, string>;
}

export async function cold(world: World): Promise<Report> {
  const dir = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const folders = ['functions', 'plain', 'probe'].map((name) => join(dir, name));
    await Promise.all(folders.map((folder) => mkdir(folder)));
    const [functionsDir = '', plainDir = '', probeDir = ''] = folders;
    const bundles = await buildFunctions(functionsDir);
    const plainModule = await buildPlain(plainDir);
    const probe = await buildProbe(probeDir);

    const ourEnv = world.environment();
    const plainEnv = { ...ourEnv, NODE_ENV: 'production' };
    const adapter = createRequire(import.meta.url).resolve('@codegenie/serverless-express');
    const plainOrder = { module: plainModule, adapter };
    const ours: Subject[] = bundles.map(({ name, path }) => ({
      name,
      way: 'ours',
      order: { module: path, event: isRoute(name) ? eventOf(world, name) : undefined },
      env: ourEnv,
    }));
    const plains: Subject[] = ROUTES.map((route) => ({
      name: `plain ${route}`,
      way: 'plain',
      order: { ...plainOrder, event: eventOf(world, route) },
      env: plainEnv,
    }));
    const subjects = interleave(ours, plains);

    const loaded = new Map<string, ProbeResult>();
    for (const subject of subjects) {
      loaded.set(subject.name, await probeOnce(world, probe, subject, { countsFiles: true }));
    }
    const results = new Map<string, ProbeResult[]>();
    const giveUpAt = performance.now() + ROUNDS_WITHIN_MS;
    for (let round = 0; round < ROUNDS; round++) {
      if (round >= MIN_ROUNDS && performance.now() > giveUpAt) break;
      const inTurn = round % 2 === 0 ? subjects : subjects.toReversed();
      for (const subject of inTurn) {
        const result = await probeOnce(world, probe, subject);
        results.set(subject.name, [...(results.get(subject.name) ?? []), result]);
      }
    }

    const medianOf = (names: string[], figure: (result: ProbeResult) => number) =>
      median(names.flatMap((name) => (results.get(name) ?? []).map(figure)));
    const importOf = (names: string[]) => medianOf(names, ({ importMs }) => importMs);
    const answeredOf = (name: string) =>
      medianOf([name], ({ answeredMs = Number.NaN }) => answeredMs);
    const costOf = (names: string[]) => [
      ms(medianOf(names, ({ cpuMs }) => cpuMs)),
      (medianOf(names, ({ residentBytes }) => residentBytes) / 2 ** 20).toFixed(0),
    ];
    const plainImport = importOf(plains.map(({ name }) => name));
    const plainLoaded = loaded.get('plain token');
    const lines = bundles.map(({ name, bytes }) => ({
      name,
      bytes,
      files: loaded.get(name)?.files ?? 0,
      importMs: importOf([name]),
      answeredMs: answeredOf(name),
      plainAnsweredMs: answeredOf(`plain ${name}`),
    }));
    const largest = lines.toSorted((a, b) => b.bytes - a.bytes)[0];
    const slowest = lines.toSorted((a, b) => b.importMs - a.importMs)[0];
    return {
      tables: [
        {
          title: 'Cold start, medians',
          head: [
            'function',
            'code loaded',
            'files',
            'import ms',
            'ratio',
            'first answer ms',
            'plain ms',
            'ratio',
            'CPU ms',
            'memory MB',
          ],
          rows: [
            ...lines.map(({ name, bytes, files, importMs, answeredMs, plainAnsweredMs }) => [
              name,
              kilobytes(bytes),
              `${files}`,
              ms(importMs),
              ratio(importMs, plainImport),
              ...(isRoute(name)
                ? [ms(answeredMs), ms(plainAnsweredMs), ratio(answeredMs, plainAnsweredMs)]
                : ['', '', '']),
              ...costOf([name]),
            ]),
            [
              'plain, all four routes',
              kilobytes(plainLoaded?.bytes ?? 0),
              `${plainLoaded?.files ?? 0}`,
              ms(plainImport),
              '',
              '',
              '',
              '',
              ...costOf(plains.map(({ name }) => name)),
            ],
          ],
        },
      ],
      aims: [
        {
          aim: `bundles under ${kilobytes(AIM_BYTES)}`,
          measured: `${kilobytes(largest?.bytes ?? 0)} at most (${largest?.name})`,
          met: lines.every(({ bytes }) => bytes < AIM_BYTES),
        },
        {
          aim: "cold import at most a third of the plain way's",
          measured: `${ratio(slowest?.importMs ?? Number.NaN, plainImport)} at most (${slowest?.name})`,
          met: lines.every(({ importMs }) => importMs <= plainImport * AIM_RATIO),
        },
      ],
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const isRoute = (name: string): name is Route => (ROUTES as readonly string[]).includes(name);

/** About a meeting that is on. The one that end ends is started again before each run. */
const eventOf = ({ clubs, accessToken }: World, route: Route) =>
  eventFor(route, {
    clubId: (route === 'end' ? clubs.cycled : clubs.on)[0] ?? '',
    accessToken,
  });

async function startWhatEnds(
  { workers, clubs, accessToken }: World,
  way: Implementation,
): Promise<void> {
  await workers[way].run({
    calls: callsOf('start', clubs.cycled, 1),
    accessToken,
    pace: { atATime: 1 },
  });
}

function interleave<T>(a: T[], b: T[]): T[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, index) => [
    ...a.slice(index, index + 1),
    ...b.slice(index, index + 1),
  ]).flat();
}

async function probeOnce(
  world: World,
  probe: string,
  { way, order, env }: Subject,
  options: Pick<ProbeOrder, 'countsFiles'> = {},
): Promise<ProbeResult> {
  await startWhatEnds(world, way);
  const child = fork(probe, [JSON.stringify({ ...order, ...options })], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    timeout: ANSWERED_WITHIN_MS,
  });
  const exited = once(child, 'exit');
  const answered = once(child, 'message');
  const [result] = await Promise.race([
    answered,
    exited.then(([code, signal]) => {
      throw new Error(`Importing ${order.module} failed: ${signal ?? `code ${code}`}`);
    }),
  ]);
  await exited;
  const { statusCode } = result as ProbeResult;
  if (order.event && statusCode !== 200) {
    throw new Error(`${order.module} answered its first request with ${statusCode}`);
  }
  return result as ProbeResult;
}
