import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as end from '../../functions/end.ts';
import * as meeting from '../../functions/meeting.ts';
import * as meetings from '../../functions/meetings.ts';
import * as start from '../../functions/start.ts';
import * as status from '../../functions/status.ts';
import * as token from '../../functions/token.ts';
import * as webhook from '../../functions/webhook.ts';
import {
  identity,
  limits,
  livekit,
  loadConfig,
  recording,
  rooms,
  store,
  tokens,
} from '../../lib/config.ts';
import { createDeps, createWebhookDeps } from '../../lib/deps.ts';
import { apiClient } from '../../local/client.ts';
import { issuerOf, logIn } from '../../local/identity.ts';
import { StackDescription } from '../../local/stack-file.ts';
import { eventually } from '../harness/eventually.ts';
import { invoke } from '../harness/lambda.ts';
import { RECORDING_ENV } from '../harness/no-recordings.ts';
import { fetchNoting } from '../harness/openapi.ts';
import { joinAs } from '../harness/people.ts';
import { expectNoSecret } from '../harness/secrets.ts';
import { isMissing } from '../harness/world.ts';
import { descendantsOf, isRunning } from './processes.ts';

// What is unexpected is seen.
process.env['POWERTOOLS_LOG_LEVEL'] ??= 'ERROR';

const READY_TEXT = 'Ready after';
/** Some 12 s on an idle machine with two cores, and 60 s at a load of 20. */
const READY_MS = 240_000;
const RECORDED_WITHIN_MS = 30_000;

const repository = fileURLToPath(new URL('../../', import.meta.url));
const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** A checkout of its own, so that a stack which runs in this one is not touched. */
let checkout: string;

beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'checkout-'));
  const parts = 'local lib functions deploy events web serverless.yml package.json tsconfig.json';
  for (const part of parts.split(' ')) {
    await cp(join(repository, part), join(checkout, part), { recursive: true });
  }
  await symlink(join(repository, 'node_modules'), join(checkout, 'node_modules'));
});

afterAll(() => rm(checkout, { recursive: true, force: true }));

/** `npm run dev`, with nothing of the tests' environment. */
function startDev(env: NodeJS.ProcessEnv, ...args: string[]) {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['local/dev.ts', ...args], {
    cwd: checkout,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ready = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes(READY_TEXT)) ready.resolve();
    });
  }
  const closed = once(child, 'close');
  const { pid = -1 } = child;
  return {
    pid,
    output: () => output,
    closed: closed.then(([code]: unknown[]) => code),
    ready: async () => {
      await Promise.race([ready.promise, closed]);
      expect(output).toContain(READY_TEXT);
    },
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
    stop: async () => {
      child.kill('SIGINT');
      await closed;
    },
  };
}

/** The lock, which is empty, and Vite's cache stay. */
const filesLeft = async () =>
  (await readdir(join(checkout, '.local'))).filter((name) => !['dev.lock', 'vite'].includes(name));

const stackJson = () => readFile(join(checkout, '.local/stack.json'), 'utf8');

describe('npm run dev', { timeout: READY_MS + 20_000 }, () => {
  describe('with the stand-in, a usual port taken, and settings for other places around it', () => {
    const squatter = createServer();
    let dev: ReturnType<typeof startDev>;
    let stack: StackDescription;

    beforeAll(async () => {
      // If another process has the port already, it is taken as well.
      await new Promise<unknown>((resolve) => {
        squatter.once('error', resolve).listen(9229, '127.0.0.1', () => resolve(undefined));
      });
      // The file of a stack that was killed, with a process id that now belongs to another process.
      await mkdir(join(checkout, '.local'), { recursive: true });
      await writeFile(join(checkout, '.local/dev.pid'), `${process.pid}`);
      const elsewhere = {
        AWS_USE_FIPS_ENDPOINT: 'true',
        HTTP_PROXY: 'http://127.0.0.1:9',
        NODE_USE_ENV_PROXY: '1',
      };
      dev = startDev({ LIVEKIT: 'stand-in', ...elsewhere }, '--verbose');
      await dev.ready();
      stack = StackDescription.parse(JSON.parse(await stackJson()));
    }, READY_MS);

    afterAll(async () => {
      await dev.stop();
      squatter.close();
    });

    it('describes itself in .local/stack.json, exactly as promised', async () => {
      expect(JSON.parse(await stackJson())).toEqual(stack);
      expect(stack.livekit.kind).toBe('stand-in');
      expect(stack.users.map(({ clubId, role }) => `${clubId} ${role}`)).toEqual([
        'novels moderator',
        'novels moderator',
        'novels member',
        'novels member',
        'poems moderator',
        'poems member',
        'null outsider',
      ]);
    });

    it('says that LiveKit is a stand-in and how to get the real one', () => {
      expect(dev.output()).toContain('STAND-IN');
      expect(dev.output()).toContain('npm run livekit:install');
    });

    it('says which port is another than usual', () => {
      expect(stack.cognito.endpoint).not.toContain(':9229');
      expect(dev.output()).toMatch(/Port 9229 is taken: cognito is on \d+\./);
    });

    it('lets everybody log in, and members see the status of their club', async () => {
      for (const { username, password, clubId } of stack.users) {
        const { accessToken } = await logIn(stack.cognito, username, password);
        const answer = await fetchNoting(`${stack.apiUrl}/${clubId ?? 'novels'}/status`, {
          headers: { authorization: `Bearer ${accessToken}` },
        });
        expect([username, answer.status]).toEqual([username, clubId === null ? 403 : 200]);
      }
    });

    it.skipIf(!hasCurl)('prints curl lines that work as they are', async () => {
      const [, lines = ''] = /Try it[^\n]*\n(.*?)\n\n/s.exec(dev.output()) ?? [];
      const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', lines]);
      const [start, token, status, present, end, history, last] = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(start).toMatchObject({ success: true });
      expect(token).toMatchObject({ isModerator: false, roomName: start.roomName });
      expect(status).toMatchObject({ isActive: false, roomName: start.roomName });
      expect(present).toEqual({ participants: [], barred: [] });
      expect(end).toMatchObject({ success: true, roomName: start.roomName });
      expect(history).toMatchObject({ meetings: [{ meetingId: start.meetingId }] });
      expect(last).toMatchObject({ meeting: { meetingId: start.meetingId }, attendance: [] });
    });

    it.skipIf(!hasCurl)('prints a login function that reports a refused password', async () => {
      const [line = ''] = /^ +login\(\).*$/m.exec(dev.output()) ?? [];
      const script = `${line}\nTOKEN=$(login ada wrong) || echo "refused: <$TOKEN>"`;
      const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script]);
      expect(stdout).toBe('refused: <>\n');
      expect(stderr).toMatch(/^login: .*InvalidPassword/);
    });

    it('shows what its parts say, and no secret or token in it', async () => {
      const [ada] = stack.users;
      const { accessToken } = await logIn(stack.cognito, ada?.username ?? '', ada?.password ?? '');
      const api = apiClient(stack.apiUrl, accessToken);
      await api.start('novels');
      const { body } = await api.token('novels');
      const { body: refused } = await api.token('poems');
      await api.end('novels');
      expect(body.token).toMatch(/^ey/);
      await vi.waitFor(() => expect(dev.output()).toContain(refused.requestId));
      expect(dev.output()).toContain('"code":"NOT_A_MEMBER"');
      expectNoSecret(
        [['the output', dev.output()]],
        [stack.livekit.apiSecret, accessToken, body.token],
      );
    });

    it('serves the page to meet on, and prints its address before all others', async () => {
      const own = dev.output().replaceAll(/^\w+ \| .*$/gm, '');
      const [first] = /https?:\/\/\S+/.exec(own) ?? [];
      expect(first).toBe(stack.webUrl);
      expect(new URL(stack.webUrl).hostname).toBe('localhost');
      const page = await fetch(`${stack.webUrl}/clubs/novels`);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('<div id="root">');
      const config = await (await fetch(`${stack.webUrl}/config.json`)).json();
      expect(config).toMatchObject({
        apiUrl: stack.apiUrl,
        identity: { clientId: stack.cognito.clientId },
        livekit: 'stand-in',
      });
    });

    it('says where the API is a page', async () => {
      expect(dev.output()).toContain(stack.referenceUrl);
      expect((await fetch(stack.referenceUrl)).status).toBe(200);
    });

    it('says when the scheduled cleanup runs', () => {
      expect(dev.output()).toContain('cron */1 * * * * by');
    });

    it('writes every sample event, with the club, and with a token where there is one', async () => {
      const events = await readdir(join(checkout, '.local/events'));
      expect(events).toEqual(await readdir(join(checkout, 'events')));
      for (const file of events) {
        const sample = await readFile(join(checkout, 'events', file), 'utf8');
        const text = await readFile(join(checkout, '.local/events', file), 'utf8');
        expect(text.includes('"Bearer ey'), file).toBe(sample.includes('Bearer not.a.token'));
        expect(text.includes('novels'), file).toBe(sample.includes('my-club'));
        expect(text).not.toMatch(/my-club|not\.a\.token/);
      }
    });

    // Each takes seconds, so these two are for all: the functions get their events as Lambda does.
    it('writes events for `serverless invoke local`', { timeout: 120_000 }, async () => {
      const invokeLocally = async (...args: string[]) => {
        const { PATH, HOME } = process.env;
        const invocation = promisify(execFile)(
          process.execPath,
          ['node_modules/serverless/bin/serverless.js', 'invoke', 'local', '-f', ...args],
          { cwd: checkout, env: { PATH, HOME } },
        );
        // Without an event it takes one from there, and waits for its end.
        invocation.child.stdin?.end();
        const { stdout } = await invocation;
        // After the function's own log lines.
        return JSON.parse(stdout.slice(stdout.indexOf('\n{\n') + 1));
      };
      const { statusCode, body } = await invokeLocally('start', '-p', '.local/events/start.json');
      expect({ statusCode, ...JSON.parse(body) }).toMatchObject({
        statusCode: 200,
        alreadyActive: false,
      });
      expect(await invokeLocally('cleanup')).toMatchObject({ active: 1, vacant: 1, failed: 0 });
    });

    it('writes events that the functions answer', async () => {
      const config = loadConfig(
        { store, livekit, identity, rooms, tokens, limits, recording },
        {
          ...RECORDING_ENV,
          TABLE_NAME: stack.dynamodb.tableName,
          DYNAMODB_ENDPOINT: stack.dynamodb.endpoint,
          LIVEKIT_WS_URL: stack.livekit.wsUrl,
          LIVEKIT_API_KEY: stack.livekit.apiKey,
          LIVEKIT_API_SECRET: stack.livekit.apiSecret,
          COGNITO_ISSUER: issuerOf(stack.cognito),
          COGNITO_CLIENT_IDS: stack.cognito.clientId,
        },
      );
      const deps = { ...createDeps(config), ...createWebhookDeps(config) };
      const answers: string[] = [];
      for (const [file, handler] of Object.entries({
        start: start.createHandler(deps),
        token: token.createHandler(deps),
        status: status.createHandler(deps),
        end: end.createHandler(deps),
        meetings: meetings.createHandler(deps),
        meeting: meeting.createHandler(deps),
        webhook: webhook.createHandler(deps),
      })) {
        const event = await readFile(join(checkout, `.local/events/${file}.json`), 'utf8');
        const { status: code } = await invoke(handler, JSON.parse(event));
        answers.push(`${file} ${code}`);
      }
      expect(answers).toEqual([
        'start 200',
        'token 200',
        'status 200',
        'end 200',
        'meetings 200',
        'meeting 404', // The sample's meeting is none of this club's.
        'webhook 401', // LiveKit did not sign it.
      ]);
    });

    it('is refused a second time, and the first goes on', async () => {
      const before = await stackJson();
      const second = startDev({ LIVEKIT: 'stand-in' });
      expect(await second.closed).toBe(1);
      expect(second.output()).toContain(`runs here already (process ${dev.pid}`);
      expect(second.output()).not.toContain('is not running');
      expect(await stackJson()).toBe(before);
    });

    it('stops on Ctrl-C, leaving no process and no file', async () => {
      const parts = descendantsOf(dev.pid);
      expect(parts.length).toBeGreaterThanOrEqual(2);
      await dev.stop();
      expect(await dev.closed).toBe(0);
      expect(parts.filter(({ pid }) => isRunning(pid))).toEqual([]);
      expect(await filesLeft()).toEqual([]);
    });
  });

  describe.skipIf(isMissing('server'))('with the real server', () => {
    let dev: ReturnType<typeof startDev>;
    let stack: StackDescription;

    beforeAll(async () => {
      dev = startDev({ LIVEKIT: 'server' });
      await dev.ready();
      stack = StackDescription.parse(JSON.parse(await stackJson()));
    }, READY_MS);
    afterAll(() => dev.stop());

    it('records a meeting, and gives its sound to a moderator', async () => {
      const [ada] = stack.users;
      const { accessToken } = await logIn(stack.cognito, ada?.username ?? '', ada?.password ?? '');
      const api = apiClient(stack.apiUrl, accessToken, fetchNoting);
      await api.start('novels');
      const { token, serverUrl, meetingId } = (await api.token('novels')).body;
      const person = await joinAs(serverUrl, token);
      expect((await api.recordingStart('novels')).status).toBe(200);
      const recordingId = await eventually(
        async () => {
          const { recording: on } = (await api.status('novels')).body;
          return on?.state === 'active' ? on.recordingId : undefined;
        },
        'does not record',
        RECORDED_WITHIN_MS,
      );
      expect((await api.recordingStop('novels')).status).toBe(200);
      await eventually(
        async () => {
          const [kept] = (await api.recordings('novels', meetingId)).body.recordings;
          return kept?.state === 'completed' ? true : undefined;
        },
        'is not completed',
        RECORDED_WITHIN_MS,
      );
      const { body: file } = await api.recordingDownload('novels', meetingId, recordingId);
      const sound = await fetch(file.url);
      expect(sound.headers.get('content-type')).toBe('audio/ogg');
      expect((await sound.text()).slice(0, 4)).toBe('OggS');
      await person.leave();
    });
  });

  it('ends with a message that names the part that died', async () => {
    const dev = startDev({ LIVEKIT: 'stand-in' });
    await dev.ready();
    const parts = descendantsOf(dev.pid);
    const api = parts.find(({ args }) => args.includes('serverless.js'));
    process.kill(api?.pid ?? Number.NaN, 'SIGKILL');
    expect(await dev.closed).toBe(1);
    expect(dev.output()).toContain('API (serverless-offline) ended unexpectedly (SIGKILL).');
    expect(parts.filter(({ pid }) => isRunning(pid))).toEqual([]);
    expect(await filesLeft()).toEqual([]);
  });

  describe('that is stopped while it starts', () => {
    // It accepts connections, and never answers.
    const database = createServer((socket) => socket.resume().on('error', () => undefined));
    let asked: Promise<unknown>;
    let dev: ReturnType<typeof startDev>;
    beforeEach(async () => {
      asked = once(database, 'connection');
      await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve));
      const address = database.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      dev = startDev({ LIVEKIT: 'stand-in', DYNAMODB_ENDPOINT: `http://127.0.0.1:${port}` });
      await asked;
      return async () => {
        await dev.kill();
        await new Promise<void>((resolve) => database.close(() => resolve()));
      };
    });

    it('ends without a second signal, and leaves no process and no file', async () => {
      const parts = descendantsOf(dev.pid);
      await dev.stop();
      expect(await dev.closed).toBe(0);
      expect(parts.filter(({ pid }) => isRunning(pid))).toEqual([]);
      expect(await filesLeft()).toEqual([]);
    });

    it('and signalled again ends at once, and every part with it', async () => {
      const parts = descendantsOf(dev.pid);
      const isStopping = vi.waitUntil(() => dev.output().includes('Stopping'));
      process.kill(dev.pid, 'SIGINT');
      await isStopping;
      // Later than npm would pass on the first one.
      await sleep(600);
      process.kill(dev.pid, 'SIGTERM');
      expect(await dev.closed).toBe(143);
      await vi.waitUntil(() => !parts.some(({ pid }) => isRunning(pid)));
    });
  });

  it('whose start fails ends, and prints the reason', async () => {
    const dev = startDev({ LIVEKIT: 'stand-in', DYNAMODB_ENDPOINT: 'http://127.0.0.1:9' });
    expect(await dev.closed).toBe(1);
    expect(dev.output()).toContain('The development stack is not running.');
    expect(dev.output()).toContain('ECONNREFUSED');
    expect(await filesLeft()).toEqual([]);
  });

  it('says so when the requested LiveKit is missing', async () => {
    const nowhere = join(checkout, 'nowhere');
    const dev = startDev({ LIVEKIT: 'server', PATH: nowhere, XDG_CACHE_HOME: nowhere });
    expect(await dev.closed).toBe(1);
    expect(dev.output()).toContain('LIVEKIT=server, but there is none');
    expect(await filesLeft()).toEqual([]);
  });
});
