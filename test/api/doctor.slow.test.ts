/** `npm run doctor` on the development stack, with everything that it looks at broken in turn. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
} from '@aws-sdk/client-dynamodb';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { run } from '../../cli/doctor/run.ts';
import type { Outcome, Report } from '../../cli/doctor/runner.ts';
import { stackTarget, type Target } from '../../cli/doctor/targets.ts';
import type { LiveKitSettings } from '../../lib/livekit/settings.ts';
import {
  documentClient,
  localClient,
  readTableDefinition,
  startDatabase,
} from '../../local/dynamodb.ts';
import { issuerOf } from '../../local/identity.ts';
import { findLiveKitServer, startLiveKitServer } from '../../local/livekit/server.ts';
import { type StandIn, startStandIn } from '../../local/livekit/stand-in.ts';
import type { StackDescription } from '../../local/stack-file.ts';
import { answer, cut, edit, late, lost, on, silence, twirp } from '../harness/faults.ts';
import { nowhere, serveHttp } from '../harness/http-server.ts';
import { type Fault, startWire } from '../harness/wire.ts';
import { isMissing, LIVEKITS, type LiveKitKind } from '../harness/world.ts';
import { hasRealLiveKit, stack } from './support/clubs.ts';

type Parts = Pick<StackDescription, 'webUrl' | 'apiUrl' | 'livekit' | 'cognito' | 'dynamodb'>;

/** For events that do not come. */
const EVENTS_WITHIN_MS = 1_000;
const OTHER_SECRET = 'a-secret-that-this-livekit-does-not-know';
const webhookUrl = new URL('/api/livekit/webhook', stack.apiUrl).href;

/** Each check of a healthy stack, in its order. */
const HEALTHY: Record<string, Outcome> = {
  configuration: 'ok',
  functions: 'skipped',
  parameter: 'skipped',
  livekit: 'ok',
  key: 'ok',
  rights: 'ok',
  'livekit-clock': 'ok',
  'auto-create': 'ok',
  whip: hasRealLiveKit ? 'warning' : 'ok',
  recorder: 'ok',
  'key-set': 'ok',
  'pool-clock': 'ok',
  cors: 'ok',
  token: 'skipped',
  page: 'skipped',
  table: 'ok',
  index: 'ok',
  expiry: 'skipped',
  recovery: 'skipped',
  uploads: 'skipped',
  retention: 'skipped',
  webhook: 'ok',
  events: 'ok',
  'left-behind': 'ok',
};

const skipped = (...checks: string[]) =>
  Object.fromEntries(checks.map((check) => [check, 'skipped' as const]));

/** Everything that was printed: no secret may be in it, whatever is wrong. */
let printed = '';
const secrets = [stack.livekit.apiSecret, OTHER_SECRET];
afterEach(() => {
  const text = printed;
  printed = '';
  for (const secret of secrets) expect(text).not.toContain(secret);
  expect(text, 'a token').not.toMatch(/eyJ[\w-]+\.[\w-]+/);
});

/** With the stack as it is but for these parts; nothing may be left of it. */
async function doctor(
  change: Partial<Parts> = {},
  {
    settings,
    ...waiting
  }: { settings?: LiveKitSettings; eventsWithinMs?: number; stop?: AbortSignal } = {},
) {
  const target = stackTarget({ ...stack, ...change });
  const readSettings: Target['readSettings'] = async () => ({
    ...(await target.readSettings()),
    ...(settings && { found: settings }),
  });
  let out = '';
  const exit = await run(['--json'], {
    env: {},
    connect: async () => ({ ...target, readSettings }),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      printed += text;
    },
    ...waiting,
  });
  printed += out;
  const { checks }: { checks: Report[] } = JSON.parse(out);
  expect(await itemsLeft()).toEqual([]);
  expect(await roomsLeft(stack.livekit)).toEqual([]);
  return {
    exit,
    outcomes: Object.fromEntries(checks.map(({ check, outcome }) => [check, outcome])),
    sentenceOf: (name: string) => checks.find(({ check }) => check === name)?.sentence,
    remedyOf: (name: string) => checks.find(({ check }) => check === name)?.remedy,
  };
}

async function itemsLeft(): Promise<unknown[]> {
  const documents = documentClient(stack.dynamodb.endpoint);
  const { Items = [] } = await documents.send(
    new ScanCommand({
      TableName: stack.dynamodb.tableName,
      FilterExpression: 'begins_with(pk, :pk)',
      ExpressionAttributeValues: { ':pk': 'DOCTOR#' },
    }),
  );
  documents.destroy();
  return Items;
}

async function roomsLeft(livekit: LiveKitSettings): Promise<string[]> {
  const service = new RoomServiceClient(livekit.wsUrl, livekit.apiKey, livekit.apiSecret);
  const rooms = await service.listRooms();
  return rooms.map(({ name }) => name).filter((name) => name.includes('.doctor'));
}

/** A LiveKit of the test's own, which has the stack's key and sends its webhooks to the stack's API. */
async function startOwn(
  kind: LiveKitKind,
  { autoCreate = false, tells = webhookUrl }: { autoCreate?: boolean; tells?: string | null } = {},
): Promise<{ livekit: Parts['livekit']; standIn?: StandIn }> {
  const { apiKey, apiSecret } = stack.livekit;
  const settings = {
    apiKeys: { [apiKey]: apiSecret },
    autoCreate,
    ...(tells !== null && { webhook: { urls: [tells], apiKey } }),
  };
  if (kind === 'stand-in') {
    const standIn = await startStandIn(settings);
    onTestFinished(() => standIn.close());
    return { livekit: { kind, wsUrl: standIn.wsUrl, apiKey, apiSecret }, standIn };
  }
  const server = await startLiveKitServer({ binary: findLiveKitServer() ?? '', ...settings });
  onTestFinished(async () => {
    await server.stop();
  });
  return { livekit: { kind, wsUrl: server.wsUrl, apiKey, apiSecret } };
}

/** The stack's own pool and LiveKit, or another LiveKit, with this wrong between here and them. */
async function throughWire(fault: Fault, livekit = stack.livekit) {
  const wire = await startWire({
    store: stack.dynamodb.endpoint,
    media: livekit.wsUrl.replace('ws:', 'http:'),
    identity: stack.cognito.endpoint,
  });
  onTestFinished(() => wire.close());
  wire.set(fault);
  const wsUrl = wire.urlOf('media').replace('http:', 'ws:');
  return {
    livekit: { ...livekit, wsUrl },
    cognito: { ...stack.cognito, endpoint: wire.urlOf('identity') },
  };
}

/** Where LiveKit sends its events, so that this happens to them on their way to the API. */
async function webhooksThroughWire(fault: Fault): Promise<string> {
  const { origin, pathname } = new URL(webhookUrl);
  const wire = await startWire({ webhook: origin });
  onTestFinished(() => wire.close());
  wire.set(fault);
  return new URL(pathname, wire.urlOf('webhook')).href;
}

const dateOff =
  (ms: number): Fault =>
  async (_, pass) => {
    const { headers, ...rest } = await pass();
    return { ...rest, headers: { ...headers, date: new Date(Date.now() + ms).toUTCString() } };
  };

describe('a healthy stack', () => {
  it('passes every check in order, and the doctor leaves nothing behind', async () => {
    const { exit, outcomes } = await doctor();
    expect(outcomes).toEqual(HEALTHY);
    expect(Object.keys(outcomes)).toEqual(Object.keys(HEALTHY));
    expect(exit).toBe(0);
  });

  it('prints one line per check, with the remedy below it', async () => {
    let out = '';
    await run([], {
      env: {},
      connect: async () => stackTarget(stack),
      out: (text) => {
        out += text;
      },
      err: () => undefined,
    });
    printed += out;
    const lines = out.split('\n').filter((line) => line !== '' && !line.startsWith(' '));
    expect(lines.map((line) => line.split(/ +/, 2))).toEqual(
      Object.entries(HEALTHY).map(([check, outcome]) => [outcome, check]),
    );
    const remedies = out.split('\n').filter((line) => /^ +→ /.test(line));
    expect(remedies).toHaveLength(hasRealLiveKit ? 1 : 0);
  });

  it.each([
    ['refuses it', answer(403, 'no'), 'answered 403'],
    ['hangs up', cut, 'other side closed'],
  ])('has /whip closed where a proxy %s', async (_, fault, reason) => {
    const { livekit } = await throughWire(on('v1', fault));
    const { outcomes, sentenceOf } = await doctor({ livekit });
    expect(outcomes).toEqual({ ...HEALTHY, whip: 'ok' });
    expect(sentenceOf('whip')).toContain(reason);
  });
});

describe('without a stack', () => {
  it('one check fails, and says how to start one', async () => {
    let out = '';
    const exit = await run([], {
      env: {},
      connect: async () => undefined,
      out: (text) => {
        out += text;
      },
      err: () => undefined,
    });
    expect(exit).toBe(1);
    expect(out).toMatch(/^failure {2}configuration .*\n +→ .*npm run dev.*\n$/);
  });

  it('whose description is unreadable, one check fails and says why', async () => {
    let out = '';
    const exit = await run(['--json'], {
      env: {},
      connect: async () => {
        throw new Error('.local/stack.json is not as it should be');
      },
      out: (text) => {
        out += text;
      },
      err: () => undefined,
    });
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toEqual({
      target: null,
      checks: [
        {
          check: 'configuration',
          outcome: 'failure',
          sentence:
            'The development stack cannot be found: .local/stack.json is not as it should be',
          remedy: expect.stringContaining('npm run dev'),
        },
      ],
    });
  });

  it.each([
    ['--stages', 'Unknown option'],
    ['prod', 'Unexpected argument'],
    ['--stage=a/b', '--stage must be'],
    ['--region=eu-west-1', '--region and --profile belong to a --stage'],
  ])('%s is not understood: exit code 2', async (argument, sentence) => {
    let err = '';
    const exit = await run([argument], {
      env: {},
      connect: async () => {
        throw new Error('Nothing is to be asked');
      },
      out: () => undefined,
      err: (text) => {
        err += text;
      },
    });
    expect({ exit, err }).toEqual({ exit: 2, err: expect.stringContaining(sentence) });
  });
});

const OF_LIVEKIT = ['rights', 'auto-create', 'whip', 'recorder', 'events'];

describe('LiveKit', () => {
  it('that is unreachable fails, and dependent checks are skipped', async () => {
    const wsUrl = (await nowhere()).replace('http:', 'ws:');
    const { exit, outcomes, sentenceOf } = await doctor({ livekit: { ...stack.livekit, wsUrl } });
    expect(outcomes).toEqual({
      ...HEALTHY,
      livekit: 'failure',
      ...skipped('key', 'livekit-clock', ...OF_LIVEKIT),
    });
    expect(sentenceOf('livekit')).toContain('ECONNREFUSED');
    expect(sentenceOf('key')).toBe('Needs livekit');
    expect(exit).toBe(1);
  });

  it('that does not know the secret fails, and so does the API’s webhook', async () => {
    const livekit = { ...stack.livekit, apiSecret: OTHER_SECRET };
    const { exit, outcomes, sentenceOf, remedyOf } = await doctor({ livekit });
    expect(outcomes).toEqual({
      ...HEALTHY,
      key: 'failure',
      webhook: 'failure',
      ...skipped(...OF_LIVEKIT),
    });
    expect(sentenceOf('key')).toBe('LiveKit refuses the key, or its secret: LiveKit answered 401');
    expect(sentenceOf('webhook')).toContain('refuses events that are signed with the key');
    expect(remedyOf('webhook')).toContain('five minutes');
    expect(exit).toBe(1);
  });

  it.each([
    ['CreateRoom', 'The key may not make rooms'],
    ['ListParticipants', 'The key may not administer rooms'],
  ] as const)('whose key lacks the right to %s fails', async (method, sentence) => {
    const { livekit } = await throughWire(on(method, twirp(401, 'unauthenticated')));
    const { outcomes, sentenceOf } = await doctor({ livekit });
    expect(outcomes).toEqual({
      ...HEALTHY,
      rights: 'failure',
      ...skipped('auto-create', 'whip', 'recorder', 'events'),
    });
    expect(sentenceOf('rights')).toBe(`${sentence}: LiveKit answered 401 unauthenticated`);
    expect(await roomsLeft(livekit)).toEqual([]);
  });

  it('that fails while a room is made is not said to refuse that', async () => {
    const { livekit } = await throughWire(on('CreateRoom', answer(503, '')));
    const { outcomes, sentenceOf } = await doctor({ livekit });
    expect(outcomes).toMatchObject({ key: 'ok', rights: 'failure', 'auto-create': 'skipped' });
    expect(sentenceOf('rights')).toBe('The room API cannot be used: LiveKit answered 503');
  });

  it('whose key cannot delete rooms fails, and names what may be left', async () => {
    const own = await startOwn('stand-in');
    const { livekit } = await throughWire(on('DeleteRoom', answer(401, '')), own.livekit);
    const { outcomes, sentenceOf, remedyOf } = await doctor({ livekit });
    expect(outcomes).toEqual({
      ...HEALTHY,
      rights: 'failure',
      ...skipped('auto-create', 'whip', 'recorder', 'events'),
      'left-behind': 'warning',
    });
    const [left] = await roomsLeft(livekit);
    expect(left).toBeDefined();
    expect(sentenceOf('left-behind')).toContain(left);
    expect(remedyOf('left-behind')).toContain('by itself');
  });

  it('that never answers a call fails within a check’s time', async () => {
    const { livekit } = await throughWire(on('ListRooms', silence));
    const { outcomes, sentenceOf } = await doctor({ livekit });
    expect(outcomes).toMatchObject({ livekit: 'ok', key: 'failure', rights: 'skipped' });
    expect(sentenceOf('key')).toBe('The room API cannot be used: no answer in time');
  });

  describe.each(LIVEKITS)('(%s)', (kind) => {
    const ofKind =
      kind === 'server'
        ? ({ whip: 'warning', recorder: 'warning' } as const)
        : ({ whip: 'ok', recorder: 'ok' } as const);

    it.skipIf(isMissing(kind) || kind === 'stand-in')(
      'without Redis is a warning: nothing can be recorded',
      async () => {
        const { livekit } = await startOwn(kind);
        const { outcomes, sentenceOf, remedyOf } = await doctor({ livekit });
        expect(outcomes['recorder']).toBe('warning');
        expect(sentenceOf('recorder')).toContain('Nothing can be recorded: LiveKit answered 5');
        expect(remedyOf('recorder')).toContain('Redis');
      },
    );

    it.skipIf(isMissing(kind))('with auto_create on fails, and makes no room of it', async () => {
      const { livekit } = await startOwn(kind, { autoCreate: true });
      const { exit, outcomes, remedyOf } = await doctor({ livekit });
      expect(outcomes).toEqual({
        ...HEALTHY,
        ...ofKind,
        'auto-create': 'failure',
      });
      expect(remedyOf('auto-create')).toContain('room.auto_create: false');
      expect(exit).toBe(1);
      expect(await roomsLeft(livekit)).toEqual([]);
    });

    it.skipIf(isMissing(kind)).each([
      ['has no webhook', null],
      ['sends its webhooks elsewhere', 'http://127.0.0.1:9/api/livekit/webhook'],
    ])('that %s fails, though the API would take events', async (_, tells) => {
      const { livekit } = await startOwn(kind, { tells });
      const { exit, outcomes, sentenceOf, remedyOf } = await doctor(
        { livekit },
        { eventsWithinMs: EVENTS_WITHIN_MS },
      );
      expect(outcomes).toEqual({
        ...HEALTHY,
        ...ofKind,
        events: 'failure',
      });
      expect(sentenceOf('events')).toContain('no webhook arrived');
      expect(remedyOf('events')).toContain(webhookUrl);
      expect(exit).toBe(1);
      expect(await roomsLeft(livekit)).toEqual([]);
    });
  });

  it('whose validation is kept away from us is a warning: nothing is proved', async () => {
    const { livekit } = await throughWire(on('validate', answer(404, 'not here')));
    const { outcomes, sentenceOf } = await doctor({ livekit });
    expect(outcomes).toEqual({ ...HEALTHY, 'auto-create': 'warning' });
    expect(sentenceOf('auto-create')).toContain('answered 404 where there is a room, and 404');
  });

  it('whose event of a room’s end is lost is a warning', async () => {
    const tells = await webhooksThroughWire(on('room_finished', lost));
    const { livekit } = await startOwn('stand-in', { tells });
    // The webhook of the start must arrive in that time.
    const { outcomes } = await doctor({ livekit }, { eventsWithinMs: 3 * EVENTS_WITHIN_MS });
    expect(outcomes).toEqual({ ...HEALTHY, whip: 'ok', events: 'warning' });
  });

  it('whose webhooks do not arrive can be stopped: Ctrl-C deletes what was made', async () => {
    const { livekit } = await startOwn('stand-in', { tells: null });
    const stopped = new AbortController();
    const examined = doctor({ livekit }, { stop: stopped.signal });
    await vi.waitUntil(
      async () => (await roomsLeft(livekit)).length > 0 && (await itemsLeft()).length > 0,
      { timeout: 10_000 },
    );
    stopped.abort();
    const { exit, outcomes } = await examined;
    expect(exit).toBe(130);
    expect(outcomes).toEqual({ ...HEALTHY, whip: 'ok', events: 'skipped' });
    expect(await roomsLeft(livekit)).toEqual([]);
  });

  it('whose webhooks arrive after the check leaves nothing', async () => {
    const events = late({ side: 'webhook' }, lost);
    const tells = await webhooksThroughWire(events.fault);
    const { livekit, standIn } = await startOwn('stand-in', { tells });
    const { outcomes } = await doctor({ livekit }, { eventsWithinMs: EVENTS_WITHIN_MS });
    expect(outcomes).toMatchObject({ events: 'failure' });
    await standIn?.webhooks.settled();
    expect((await events.arrive()).map(({ status }) => status)).toContain(200);
    expect(await itemsLeft()).toEqual([]);
  });
});

describe('the API', () => {
  it('whose clock differs is reported', async () => {
    const { url: apiUrl } = await serveHttp(() => ({
      status: 401,
      headers: { date: new Date(Date.now() - 70_000).toUTCString() },
    }));
    const { remedyOf } = await doctor({ apiUrl });
    expect(remedyOf('webhook')).toMatch(/^Set the clocks first: the API's is [67]\d s behind here/);
  });

  it('that is down fails', async () => {
    const apiUrl = `${await nowhere()}/api/reading-clubs/meeting`;
    const { outcomes, sentenceOf } = await doctor({ apiUrl });
    expect(outcomes).toEqual({
      ...HEALTHY,
      cors: 'failure',
      webhook: 'failure',
      events: 'skipped',
    });
    expect(sentenceOf('webhook')).toContain('ECONNREFUSED');
  });

  it('that is another server fails', async () => {
    const { url: apiUrl } = await serveHttp(() => ({
      status: 404,
      body: { message: 'Not Found' },
    }));
    const { outcomes, sentenceOf } = await doctor({ apiUrl });
    expect(outcomes).toEqual({
      ...HEALTHY,
      cors: 'failure',
      webhook: 'failure',
      events: 'skipped',
    });
    expect(sentenceOf('webhook')).toBe(
      `${apiUrl}/api/livekit/webhook is not the webhook: it answers 404`,
    );
  });

  it.each([
    ['MEDIA_UNAVAILABLE', 'read and decrypt'],
    ['STORE_UNAVAILABLE', 'log'],
  ])('that answers 503 %s fails, and it is said where to look', async (code, remedy) => {
    const { url: apiUrl } = await serveHttp(() => ({ status: 503, body: { error: '', code } }));
    const { sentenceOf, remedyOf } = await doctor({ apiUrl });
    expect(sentenceOf('webhook')).toBe(`The API cannot take events: it answers 503 ${code}`);
    expect(remedyOf('webhook')).toContain(remedy);
  });

  it('of another table fails, and the doctor leaves nothing in that table', async () => {
    const other = await startDatabase({ port: 0 });
    onTestFinished(() => other.stop());
    const { outcomes, sentenceOf } = await doctor({ dynamodb: other });
    expect(outcomes).toEqual({ ...HEALTHY, webhook: 'failure', events: 'skipped' });
    expect(sentenceOf('webhook')).toContain('wrote nothing into this table');
    const documents = documentClient(other.endpoint);
    onTestFinished(() => documents.destroy());
    const { Items } = await documents.send(new ScanCommand({ TableName: other.tableName }));
    expect(Items).toEqual([]);
  });

  it('that does not know the previous key fails', async () => {
    const previous = { apiKey: 'a-key-before', apiSecret: OTHER_SECRET };
    const { outcomes, sentenceOf } = await doctor({}, { settings: { ...stack.livekit, previous } });
    expect(outcomes).toMatchObject({ key: 'ok', webhook: 'failure', events: 'skipped' });
    expect(sentenceOf('webhook')).toContain('the previous key');
  });
});

describe('the clocks', () => {
  it.each([
    ['ok', 20_000, /\d s ahead of here$/],
    ['warning', 45_000, /\d+ s ahead of here: webhooks are refused from/],
    ['failure', 75_000, /\d+ s ahead of here: webhooks are refused as/],
    ['warning', -50_000, /\d+ s behind here: new rooms/],
    ['failure', -90_000, /\d+ s behind here: LiveKit refuses/],
  ] as const)('of LiveKit: %s when it is off by %i ms', async (outcome, ms, sentence) => {
    const { livekit } = await throughWire(
      on(
        'CreateRoom',
        edit((room) => ({ ...room, creation_time_ms: String(Date.now() + ms) })),
      ),
    );
    const { outcomes, sentenceOf } = await doctor({ livekit });
    expect(outcomes).toEqual({ ...HEALTHY, 'livekit-clock': outcome });
    expect(sentenceOf('livekit-clock')).toMatch(sentence);
  });

  it('of LiveKit are measured also where the key is refused, and said to be why', async () => {
    const { livekit } = await throughWire(on('', dateOff(-120_000)));
    const { outcomes, sentenceOf, remedyOf } = await doctor({
      livekit: { ...(livekit ?? stack.livekit), apiSecret: OTHER_SECRET },
    });
    expect(outcomes).toMatchObject({ key: 'failure', 'livekit-clock': 'failure' });
    expect(sentenceOf('livekit-clock')).toMatch(/1[12]\d s behind here/);
    expect(remedyOf('key')).toMatch(/^Set the clocks first: LiveKit's is 1[12]\d s behind here/);
  });

  it.each([
    ['ok', 10_000],
    ['warning', 60_000],
    ['failure', -400_000],
  ] as const)('of the pool: %s when it is off by %i ms', async (outcome, ms) => {
    const { cognito } = await throughWire(on('GetKeys', dateOff(ms)));
    const { outcomes, sentenceOf } = await doctor(cognito && { cognito });
    expect(outcomes).toEqual({ ...HEALTHY, 'pool-clock': outcome });
    expect(sentenceOf('pool-clock')).toMatch(ms > 0 ? /s ahead of here/ : /s behind here/);
  });
});

describe('the key set', () => {
  const KEY_SET = issuerOf({ ...stack.cognito, endpoint: '' });

  it('that is unreachable fails', async () => {
    const { outcomes, sentenceOf } = await doctor({
      cognito: { ...stack.cognito, endpoint: await nowhere() },
    });
    expect(outcomes).toEqual({ ...HEALTHY, 'key-set': 'failure', 'pool-clock': 'skipped' });
    expect(sentenceOf('key-set')).toContain('ECONNREFUSED');
  });

  it.each([
    ['is not there', { status: 404 }, 'is answered 404'],
    ['is no JSON', { body: '<html>' }, 'has no RSA keys'],
    ['is empty', { body: { keys: [] } }, 'has no RSA keys'],
    ['holds other keys', { body: { keys: [{ kid: 'a', kty: 'EC' }] } }, 'has no RSA keys'],
  ])('that %s fails', async (_, response, sentence) => {
    const { url: endpoint } = await serveHttp(() => response);
    const { outcomes, sentenceOf } = await doctor({ cognito: { ...stack.cognito, endpoint } });
    expect(outcomes).toEqual({ ...HEALTHY, 'key-set': 'failure', 'pool-clock': 'skipped' });
    expect(sentenceOf('key-set')).toBe(
      `${endpoint}${KEY_SET}/.well-known/jwks.json ${sentence}${sentence.endsWith('keys') ? ' for signatures' : ''}`,
    );
  });
});

describe('the table', () => {
  let definition: Awaited<ReturnType<typeof readTableDefinition>>;
  beforeAll(async () => {
    definition = await readTableDefinition();
  });

  /** In the stack's database, as it is deployed but for this. */
  async function otherTable(change: Partial<CreateTableCommandInput>): Promise<Parts['dynamodb']> {
    const { endpoint } = stack.dynamodb;
    const client = localClient(endpoint);
    const tableName = `doctor-${Date.now()}`;
    const input = { ...definition, ...change, TableName: tableName };
    await client.send(new CreateTableCommand(input));
    onTestFinished(async () => {
      await client.send(new DeleteTableCommand({ TableName: tableName }));
      client.destroy();
    });
    return { endpoint, tableName };
  }
  const withKeys = (hash: string, range: string) => ({
    KeySchema: [
      { AttributeName: hash, KeyType: 'HASH' as const },
      { AttributeName: range, KeyType: 'RANGE' as const },
    ],
  });
  const withoutWebhook = { webhook: 'failure', events: 'skipped' };

  it('that is not there fails, and what needs it is skipped', async () => {
    const { outcomes, sentenceOf } = await doctor({
      dynamodb: { ...stack.dynamodb, tableName: 'no-such-table' },
    });
    expect(outcomes).toEqual({
      ...HEALTHY,
      table: 'failure',
      ...skipped('index', 'webhook', 'events'),
    });
    expect(sentenceOf('table')).toContain('no-such-table cannot be described');
  });

  it('of an unreachable database fails', async () => {
    const { outcomes } = await doctor({
      dynamodb: { ...stack.dynamodb, endpoint: await nowhere() },
    });
    expect(outcomes).toMatchObject({ table: 'failure', webhook: 'skipped', 'left-behind': 'ok' });
  });

  it('with other keys fails', async () => {
    const dynamodb = await otherTable(withKeys('sk', 'pk'));
    const { outcomes, sentenceOf } = await doctor({ dynamodb });
    expect(outcomes).toMatchObject({ table: 'failure', index: 'skipped', webhook: 'skipped' });
    expect(sentenceOf('table')).toContain('has the keys sk and pk, not pk and sk');
  });

  it('without the index fails', async () => {
    const dynamodb = await otherTable({
      GlobalSecondaryIndexes: undefined,
      AttributeDefinitions: definition.AttributeDefinitions?.slice(0, 2),
    });
    const { outcomes, sentenceOf } = await doctor({ dynamodb });
    expect(outcomes).toEqual({ ...HEALTHY, index: 'failure', ...withoutWebhook });
    expect(sentenceOf('index')).toContain('activeMeetings is missing');
  });

  it.each([
    ['other keys', withKeys('activeSince', 'activeShard'), 'has the keys activeSince and'],
    ['another projection', { Projection: { ProjectionType: 'ALL' as const } }, 'projects ALL'],
  ])('whose index has %s fails', async (_, change, sentence) => {
    const [index] = definition.GlobalSecondaryIndexes ?? [];
    const IndexName = index?.IndexName;
    const dynamodb = await otherTable({
      GlobalSecondaryIndexes: [
        { KeySchema: undefined, Projection: undefined, ...index, IndexName, ...change },
      ],
    });
    const { outcomes, sentenceOf } = await doctor({ dynamodb });
    expect(outcomes).toEqual({ ...HEALTHY, index: 'failure', ...withoutWebhook });
    expect(sentenceOf('index')).toContain(sentence);
  });
});
