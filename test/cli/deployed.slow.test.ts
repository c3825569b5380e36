/** The command line against a deployed function: the Lambda API on loopback. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_REGION } from '../../cli/arguments.ts';
import { deployedTarget } from '../../cli/targets.ts';
import type { Process } from '../harness/process.ts';
import { startWorld, type World } from '../harness/world.ts';
import { typed } from './terminal.ts';

const MEMBERS = 200;
const program = fileURLToPath(new URL('../../cli/clubs.ts', import.meta.url));
const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));

interface Invocation {
  path: string;
  accessKeyId: string | undefined;
  region: string | undefined;
  command: { command: string };
}

let world: World;
let service: Process;
let folder: string;
let endpoint: string;
const invocations: Invocation[] = [];
/** Instead of the function: Lambda's status, headers and body. */
let lambda: ((command: unknown) => { status: number; error?: string; body: string }) | undefined;

/** Lambda's Invoke, with the real function behind it. */
const server = createServer(async (request, response) => {
  const command = JSON.parse(await text(request));
  const [, accessKeyId, region] =
    /Credential=(.*?)\/\d+\/(.*?)\//.exec(request.headers.authorization ?? '') ?? [];
  invocations.push({ path: request.url ?? '', accessKeyId, region, command });
  if (lambda) {
    const { status, error, body } = lambda(command);
    const headers = { 'content-type': 'application/json' };
    response
      .writeHead(status, {
        ...headers,
        ...(error &&
          (status === 200 ? { 'x-amz-function-error': error } : { 'x-amzn-errortype': error })),
      })
      .end(body);
    return;
  }
  const answer = await service.manage(command);
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
});

beforeAll(async () => {
  world = await startWorld();
  service = await world.boot();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  folder = await mkdtemp(join(tmpdir(), 'clubs-'));
  await writeFile(
    join(folder, 'credentials'),
    '[books]\naws_access_key_id = AKIDBOOKS\naws_secret_access_key = none\n',
  );
  await writeFile(join(folder, 'config'), '[profile books]\nregion = eu-west-3\n');
});
beforeEach(() => {
  invocations.length = 0;
  lambda = undefined;
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'AWS_REGION']) {
    vi.stubEnv(name, undefined);
  }
  for (const [name, value] of Object.entries(environment())) vi.stubEnv(name, value);
  return () => vi.unstubAllEnvs();
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await world.close();
  await rm(folder, { recursive: true });
});

/** The environment has no AWS account but the profile of these files. */
const environment = () => ({
  AWS_ENDPOINT_URL_LAMBDA: endpoint,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
  AWS_CONFIG_FILE: join(folder, 'config'),
});

/** As its own process. */
const start = (...args: string[]) =>
  spawn(node, [program, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...environment() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** In this process, which is faster. */
const clubs = (...args: string[]) => clubsIn({}, ...args);

const clubsIn = (env: NodeJS.ProcessEnv, ...args: string[]) =>
  typed(
    args,
    async (deployment) => {
      if (!deployment) throw new Error('The development stack is not meant');
      return deployedTarget(deployment);
    },
    env,
  );
const PROFILE = ['--stage', 'prod', '--profile', 'books'];
const TARGET = 'reading-club-meetings-prod-clubs in eu-central-1';

describe('a deployed function', () => {
  it('is invoked by stage, with the profile’s credentials', async () => {
    const { clubId } = await world.createClub();
    const { exit, out } = await clubs(
      'show',
      clubId,
      '--json',
      ...PROFILE,
      '--region',
      'eu-north-1',
    );
    expect({ exit, shown: JSON.parse(out) }).toEqual({
      exit: 0,
      shown: {
        target: 'reading-club-meetings-prod-clubs in eu-north-1',
        ...(await service.show(clubId)),
      },
    });
    expect(invocations).toEqual([
      {
        path: '/2015-03-31/functions/reading-club-meetings-prod-clubs/invocations',
        accessKeyId: 'AKIDBOOKS',
        region: 'eu-north-1',
        command: { command: 'show', clubId },
      },
    ]);
  });

  it('is as good for the program itself: answers on stdout, errors on stderr, its exit code', async () => {
    const child = start('show', 'no-club', '--json', ...PROFILE);
    const [out, err, [exit]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    const error = 'Reading club not found';
    expect({ exit, err }).toEqual({ exit: 1, err: `${error}\nTarget: ${TARGET}\n` });
    expect(JSON.parse(out)).toEqual({ error, code: 'CLUB_NOT_FOUND', target: TARGET });
  });

  it('is invoked as the profile, whatever the environment names', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDOTHER');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'none');
    await clubs('show', 'no-club', ...PROFILE);
    expect(invocations.map(({ accessKeyId }) => accessKeyId)).toEqual(['AKIDBOOKS']);
  });

  it('that refuses is exit code 1', async () => {
    expect(await clubs('show', 'no-club', ...PROFILE)).toEqual({
      exit: 1,
      out: '',
      err: `Reading club not found\nTarget: ${TARGET}\n`,
    });
  });

  it.each([
    [
      'throws',
      {
        status: 200,
        error: 'Unhandled',
        body: '{"errorType":"StoreUnavailable","errorMessage":"The club records cannot be reached"}',
      },
      'The club records cannot be reached',
    ],
    [
      'does not exist',
      { status: 404, error: 'ResourceNotFoundException', body: '{"Message":"Function not found"}' },
      'Function not found',
    ],
    [
      'may not be invoked',
      { status: 403, error: 'AccessDeniedException', body: '{"Message":"not authorized"}' },
      'not authorized',
    ],
    ['answers something else', { status: 200, body: '{"hello":"world"}' }, 'does not understand'],
  ])('that %s is exit code 3', async (_, answer, sentence) => {
    lambda = () => answer;
    const { exit, out, err } = await clubs('show', 'a-club', ...PROFILE);
    expect({ exit, out }).toEqual({ exit: 3, out: '' });
    expect(err).toContain(sentence);
    expect(err.trim().split('\n')).toEqual([expect.any(String), `Target: ${TARGET}`]);
  });

  it.each([
    ['an unknown profile', ['--profile', 'nobody'], 'credentials'],
    ['no credentials', [], 'credentials'],
  ])('with %s is exit code 3, in one sentence', async (_, options, sentence) => {
    const { exit, out, err } = await clubs('show', 'a', '--stage', 'prod', ...options);
    expect({ exit, out, err }).toEqual({
      exit: 3,
      out: '',
      err: expect.stringContaining(sentence),
    });
    expect(err.trim().split('\n')).toEqual([expect.any(String), `Target: ${TARGET}`]);
    expect(invocations).toEqual([]);
  });

  it.each([
    ['--region', { AWS_REGION: 'us-east-1' }, ['--region', 'eu-north-1'], 'eu-north-1'],
    ['AWS_REGION', { AWS_REGION: 'us-east-1' }, [], 'us-east-1'],
    ['nothing, whatever the profile has', {}, [], 'eu-central-1'],
    ['nothing but an empty variable', { AWS_REGION: '' }, [], 'eu-central-1'],
  ])('is where `serverless deploy` puts it by %s', async (_, env, options, region) => {
    const { err } = await clubsIn(env, 'show', 'no-club', ...PROFILE, ...options);
    expect(err).toContain(`Target: reading-club-meetings-prod-clubs in ${region}\n`);
    expect(invocations).toMatchObject([{ region }]);
  });

  it('has the region that serverless.yml has by default', async () => {
    const service = await readFile(new URL('../../serverless.yml', import.meta.url), 'utf8');
    expect(service).toContain(`region: \${opt:region, env:AWS_REGION, '${DEFAULT_REGION}'}`);
  });
});

describe('an import that is killed', () => {
  it('and repeated has the result of one that was not', async () => {
    const [clubId, whole] = [`club-${randomUUID()}`, `club-${randomUUID()}`];
    const members = Array.from({ length: MEMBERS }, (_, index) => ({
      userId: `user-${index}`,
      displayName: `Person ${index}`,
      role: index % 50 === 0 ? 'moderator' : 'member',
    }));
    const fileOf = async (id: string) => {
      const file = join(folder, `${id}.json`);
      const club = { clubId: id, name: 'Novels', moderatorId: 'ada', members };
      await writeFile(file, JSON.stringify({ clubs: [club] }));
      return file;
    };
    const written = () =>
      invocations.filter(({ command }) => command.command === 'put-member').length;

    const file = await fileOf(clubId);
    const child = start('import', file, ...PROFILE);
    while (written() < MEMBERS / 3) await new Promise((resolve) => setTimeout(resolve, 2));
    child.kill('SIGKILL');
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe('SIGKILL');
    const { members: part } = await service.show(clubId);
    expect(part.length).toBeGreaterThan(MEMBERS / 4);
    expect(part.length).toBeLessThan(MEMBERS);

    const again = await clubs('import', file, ...PROFILE);
    expect(again).toMatchObject({ exit: 0, err: expect.stringContaining('200 of 200 members') });
    // What was there, and whole, is not written again; some were on their way.
    expect(written()).toBeLessThanOrEqual(MEMBERS + 32);
    await clubs('import', await fileOf(whole), ...PROFILE);

    const facts = async (id: string) => {
      const { clubId: _, createdAt: __, members: all, ...rest } = await service.show(id);
      return { ...rest, members: all.map(({ joinedAt: ___, ...member }) => member) };
    };
    expect(await facts(clubId)).toEqual(await facts(whole));
  });
});
