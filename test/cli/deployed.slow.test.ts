/** The command line against a deployed function: the Lambda API on loopback. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_REGION } from '../../cli/arguments.ts';
import { deployedTarget } from '../../cli/targets.ts';
import { type Answer, serveHttp } from '../harness/http-server.ts';
import type { Process } from '../harness/process.ts';
import { startWorld, type World } from '../harness/world.ts';
import { createProfile, outputOf, PROFILE, signerOf, start, stubEnvironment } from './aws.ts';
import { typed } from './terminal.ts';

const MEMBERS = 200;

interface Invocation {
  path: string;
  keyId: string | undefined;
  region: string | undefined;
  command: { command: string };
}

let world: World;
let service: Process;
let profile: Awaited<ReturnType<typeof createProfile>>;
let environment: Record<string, string>;
let close: () => Promise<void>;
const invocations: Invocation[] = [];
/** Instead of the function's. */
let answer: Answer | undefined;

beforeAll(async () => {
  world = await startWorld();
  service = await world.boot();
  profile = await createProfile();
  // Lambda's Invoke, with the real function behind it.
  const lambda = await serveHttp(
    async ({ path, headers, body }) => {
      const command = JSON.parse(body);
      invocations.push({ path, ...signerOf(headers), command });
      return answer ?? { body: await service.manage(command) };
    },
    () => undefined,
  );
  close = lambda.close;
  environment = { AWS_ENDPOINT_URL_LAMBDA: lambda.url, ...profile.environment };
});
beforeEach(() => {
  invocations.length = 0;
  answer = undefined;
  return stubEnvironment(environment);
});
afterAll(async () => {
  await close();
  await world.close();
  await profile.remove();
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
const refused = (status: number, type: string, Message: string): Answer => ({
  status,
  headers: { 'x-amzn-errortype': type },
  body: { Message },
});
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
        keyId: 'AKIDBOOKS',
        region: 'eu-north-1',
        command: { command: 'show', clubId },
      },
    ]);
  });

  it('is as good for the program itself: answers on stdout, errors on stderr, its exit code', async () => {
    const child = start('clubs.ts', ['show', 'no-club', '--json', ...PROFILE], environment);
    const { exit, out, err } = await outputOf(child);
    const error = 'Reading club not found';
    expect({ exit, err }).toEqual({ exit: 1, err: `${error}\nTarget: ${TARGET}\n` });
    expect(JSON.parse(out)).toEqual({ error, code: 'CLUB_NOT_FOUND', target: TARGET });
  });

  it('is invoked as the profile, whatever the environment names', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDOTHER');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'none');
    await clubs('show', 'no-club', ...PROFILE);
    expect(invocations.map(({ keyId }) => keyId)).toEqual(['AKIDBOOKS']);
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
        headers: { 'x-amz-function-error': 'Unhandled' },
        body: {
          errorType: 'StoreUnavailable',
          errorMessage: 'The club records cannot be reached',
        },
      },
      'The club records cannot be reached',
    ],
    [
      'does not exist',
      refused(404, 'ResourceNotFoundException', 'Function not found'),
      'Function not found',
    ],
    [
      'may not be invoked',
      refused(403, 'AccessDeniedException', 'not authorized'),
      'not authorized',
    ],
    ['answers something else', { body: { hello: 'world' } }, 'does not understand'],
  ])('that %s is exit code 3', async (_, ofLambda, sentence) => {
    answer = ofLambda;
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
  // Four hundred invocations, and a program that starts: a busy machine takes its time.
  it('and repeated has the result of one that was not', { timeout: 90_000 }, async () => {
    const [clubId, whole] = [`club-${randomUUID()}`, `club-${randomUUID()}`];
    const members = Array.from({ length: MEMBERS }, (_, index) => ({
      userId: `user-${index}`,
      displayName: `Person ${index}`,
      role: index % 50 === 0 ? 'moderator' : 'member',
    }));
    const fileOf = async (id: string) => {
      const file = join(profile.folder, `${id}.json`);
      const club = { clubId: id, name: 'Novels', moderatorId: 'ada', members };
      await writeFile(file, JSON.stringify({ clubs: [club] }));
      return file;
    };
    const written = () =>
      invocations.filter(({ command }) => command.command === 'put-member').length;

    const file = await fileOf(clubId);
    const child = start('clubs.ts', ['import', file, ...PROFILE], environment);
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
