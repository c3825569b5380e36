/** `npm run doctor` on the development stack, with everything that it looks at broken in turn. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
} from '@aws-sdk/client-dynamodb';
import { RoomServiceClient } from 'livekit-server-sdk';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { run } from '../../cli/doctor/run.ts';
import type { Outcome, Report } from '../../cli/doctor/runner.ts';
import { stackTarget, type Target } from '../../cli/doctor/targets.ts';
import type { LiveKitSettings } from '../../lib/livekit/settings.ts';
import {
  localClient,
  readItems,
  readTableDefinition,
  startDatabase,
} from '../../local/dynamodb.ts';
import { issuerOf } from '../../local/identity.ts';
import { findLiveKitServer, startLiveKitServer } from '../../local/livekit/server.ts';
import { type StandIn, startStandIn } from '../../local/livekit/stand-in.ts';
import type { StackDescription } from '../../local/stack-file.ts';
import {
  containing,
  expectFindings,
  type Findings,
  failure,
  matching,
  ok,
  reportsOf,
  skipped,
  warning,
} from '../cli/findings.ts';
import { printed } from '../cli/terminal.ts';
import { answer, cut, edit, late, lost, on, silence, twirp } from '../harness/faults.ts';
import { nowhere, serveHttp } from '../harness/http-server.ts';
import { expectNoSecret } from '../harness/secrets.ts';
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

type Waiting = { settings?: LiveKitSettings; eventsWithinMs?: number; stop?: AbortSignal };

/** With the stack as it is but for these parts; nothing may be left of it. */
async function expectToFind(
  findings: Findings,
  change: Partial<Parts> = {},
  { settings, ...waiting }: Waiting = {},
): Promise<Report[]> {
  const target = stackTarget({ ...stack, ...change });
  const readSettings: Target['readSettings'] = async () => ({
    ...(await target.readSettings()),
    ...(settings && { found: settings }),
  });
  const { checks } = await reportsOf(
    [],
    { connect: async () => ({ ...target, readSettings }), ...waiting },
    [stack.livekit.apiSecret, OTHER_SECRET],
  );
  expectFindings(checks, HEALTHY, findings);
  expect(await itemsLeft()).toEqual([]);
  expect(await roomsLeft(stack.livekit)).toEqual([]);
  return checks;
}

const itemsLeft = async () =>
  (await readItems(stack.dynamodb)).filter(({ pk }) => String(pk).startsWith('DOCTOR#'));

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
  it('passes every check in order, and the doctor leaves nothing behind', () => expectToFind({}));

  it('prints one line per check, with the remedy below it', async () => {
    const { out } = await printed((to) =>
      run([], { ...to, connect: async () => stackTarget(stack) }),
    );
    expectNoSecret([['the output', out]], [stack.livekit.apiSecret]);
    expect(out, 'a token').not.toMatch(/eyJ[\w-]+\.[\w-]+/);
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
    await expectToFind({ whip: ok(containing(reason)) }, { livekit });
  });
});

describe('without a stack', () => {
  it('one check fails, and says how to start one', async () => {
    const { exit, out } = await printed((to) => run([], { ...to, connect: async () => undefined }));
    expect(exit).toBe(1);
    expect(out).toMatch(/^failure {2}configuration .*\n +→ .*npm run dev.*\n$/);
  });

  it('whose description is unreadable, one check fails and says why', async () => {
    const sentence = '.local/stack.json is not as it should be';
    const connect = () => Promise.reject(new Error(sentence));
    const { target, checks } = await reportsOf([], { connect }, []);
    expect(target).toBeNull();
    expect(checks).toEqual([
      {
        check: 'configuration',
        ...failure(`The development stack cannot be found: ${sentence}`, containing('npm run dev')),
      },
    ]);
  });

  it.each([
    ['--stages', 'Unknown option'],
    ['prod', 'Unexpected argument'],
    ['--stage=a/b', '--stage must be'],
    ['--region=eu-west-1', '--region and --profile belong to a --stage'],
  ])('%s is not understood: exit code 2', async (argument, sentence) => {
    const connect = () => Promise.reject(new Error('Nothing is to be asked'));
    const { exit, err } = await printed((to) => run([argument], { ...to, connect }));
    expect({ exit, err }).toEqual({ exit: 2, err: containing(sentence) });
  });
});

const OF_LIVEKIT = ['rights', 'auto-create', 'whip', 'recorder', 'events'];
const WITHOUT_RIGHTS = skipped('auto-create', 'whip', 'recorder', 'events');

describe('LiveKit', () => {
  it('that is unreachable fails, and dependent checks are skipped', async () => {
    const wsUrl = (await nowhere()).replace('http:', 'ws:');
    await expectToFind(
      {
        ...skipped('livekit-clock', ...OF_LIVEKIT),
        livekit: failure(containing('ECONNREFUSED')),
        key: { outcome: 'skipped', sentence: 'Needs livekit' },
      },
      { livekit: { ...stack.livekit, wsUrl } },
    );
  });

  it('that does not know the secret fails, and so does the API’s webhook', async () => {
    await expectToFind(
      {
        ...skipped(...OF_LIVEKIT),
        key: failure('LiveKit refuses the key, or its secret: LiveKit answered 401'),
        webhook: failure(
          containing('refuses events that are signed with the key'),
          containing('five minutes'),
        ),
      },
      { livekit: { ...stack.livekit, apiSecret: OTHER_SECRET } },
    );
  });

  it.each([
    ['CreateRoom', 'The key may not make rooms'],
    ['ListParticipants', 'The key may not administer rooms'],
  ] as const)('whose key lacks the right to %s fails', async (method, sentence) => {
    const { livekit } = await throughWire(on(method, twirp(401, 'unauthenticated')));
    const rights = failure(`${sentence}: LiveKit answered 401 unauthenticated`);
    await expectToFind({ ...WITHOUT_RIGHTS, rights }, { livekit });
    expect(await roomsLeft(livekit)).toEqual([]);
  });

  it('that fails while a room is made is not said to refuse that', async () => {
    const { livekit } = await throughWire(on('CreateRoom', answer(503, '')));
    const rights = failure('The room API cannot be used: LiveKit answered 503');
    await expectToFind({ ...WITHOUT_RIGHTS, rights }, { livekit });
  });

  it('whose key cannot delete rooms fails, and names what may be left', async () => {
    const own = await startOwn('stand-in');
    const { livekit } = await throughWire(on('DeleteRoom', answer(401, '')), own.livekit);
    const checks = await expectToFind(
      {
        ...WITHOUT_RIGHTS,
        rights: 'failure',
        'left-behind': warning(undefined, containing('by itself')),
      },
      { livekit },
    );
    const [left, ...others] = await roomsLeft(livekit);
    expect(others).toEqual([]);
    expect(checks.find(({ check }) => check === 'left-behind')?.sentence).toContain(left);
  });

  it('that never answers a call fails within a check’s time', async () => {
    const { livekit } = await throughWire(on('ListRooms', silence));
    const key = failure('The room API cannot be used: no answer in time');
    await expectToFind({ ...skipped(...OF_LIVEKIT), key }, { livekit });
  });

  describe.each(LIVEKITS)('(%s)', (kind) => {
    /** One of these has no recorder. */
    const ofKind = kind === 'server' ? 'warning' : 'ok';
    const OF_KIND = { whip: ofKind, recorder: ofKind } as const;

    it.skipIf(isMissing(kind) || kind === 'stand-in')(
      'without Redis is a warning: nothing can be recorded',
      async () => {
        const { livekit } = await startOwn(kind);
        const sentence = containing('Nothing can be recorded: LiveKit answered 5');
        const recorder = warning(sentence, containing('Redis'));
        await expectToFind({ ...OF_KIND, recorder }, { livekit });
      },
    );

    it.skipIf(isMissing(kind))('with auto_create on fails, and makes no room of it', async () => {
      const { livekit } = await startOwn(kind, { autoCreate: true });
      const autoCreate = failure(undefined, containing('room.auto_create: false'));
      await expectToFind({ ...OF_KIND, 'auto-create': autoCreate }, { livekit });
      expect(await roomsLeft(livekit)).toEqual([]);
    });

    it.skipIf(isMissing(kind)).each([
      ['has no webhook', null],
      ['sends its webhooks elsewhere', 'http://127.0.0.1:9/api/livekit/webhook'],
    ])('that %s fails, though the API would take events', async (_, tells) => {
      const { livekit } = await startOwn(kind, { tells });
      const events = failure(containing('no webhook arrived'), containing(webhookUrl));
      await expectToFind({ ...OF_KIND, events }, { livekit }, { eventsWithinMs: EVENTS_WITHIN_MS });
      expect(await roomsLeft(livekit)).toEqual([]);
    });
  });

  it('whose validation is kept away from us is a warning: nothing is proved', async () => {
    const { livekit } = await throughWire(on('validate', answer(404, 'not here')));
    const autoCreate = warning(containing('answered 404 where there is a room, and 404'));
    await expectToFind({ 'auto-create': autoCreate }, { livekit });
  });

  it('whose event of a room’s end is lost is a warning', async () => {
    const tells = await webhooksThroughWire(on('room_finished', lost));
    const { livekit } = await startOwn('stand-in', { tells });
    // The webhook of the start must arrive in that time.
    const eventsWithinMs = 3 * EVENTS_WITHIN_MS;
    await expectToFind({ whip: 'ok', events: 'warning' }, { livekit }, { eventsWithinMs });
  });

  it('whose webhooks do not arrive can be stopped: Ctrl-C deletes what was made', async () => {
    const { livekit } = await startOwn('stand-in', { tells: null });
    const stopped = new AbortController();
    const examined = expectToFind(
      { whip: 'ok', events: 'skipped' },
      { livekit },
      { stop: stopped.signal },
    );
    await vi.waitUntil(
      async () => (await roomsLeft(livekit)).length > 0 && (await itemsLeft()).length > 0,
      { timeout: 10_000 },
    );
    stopped.abort();
    await examined;
    expect(await roomsLeft(livekit)).toEqual([]);
  });

  it('whose webhooks arrive after the check leaves nothing', async () => {
    const events = late({ side: 'webhook' }, lost);
    const tells = await webhooksThroughWire(events.fault);
    const { livekit, standIn } = await startOwn('stand-in', { tells });
    await expectToFind(
      { whip: 'ok', events: 'failure' },
      { livekit },
      { eventsWithinMs: EVENTS_WITHIN_MS },
    );
    await standIn?.webhooks.settled();
    expect((await events.arrive()).map(({ status }) => status)).toContain(200);
    expect(await itemsLeft()).toEqual([]);
  });
});

describe('the API', () => {
  const WITHOUT_API = { cors: 'failure', events: 'skipped' } as const;

  it('whose clock differs is reported', async () => {
    const { url: apiUrl } = await serveHttp(() => ({
      status: 401,
      headers: { date: new Date(Date.now() - 70_000).toUTCString() },
    }));
    const remedy = matching(/^Set the clocks first: the API's is [67]\d s behind here/);
    await expectToFind({ ...WITHOUT_API, webhook: failure(undefined, remedy) }, { apiUrl });
  });

  it('that is down fails', async () => {
    const apiUrl = `${await nowhere()}/api/reading-clubs/meeting`;
    const webhook = failure(containing('ECONNREFUSED'));
    await expectToFind({ ...WITHOUT_API, webhook }, { apiUrl });
  });

  it('that is another server fails', async () => {
    const { url: apiUrl } = await serveHttp(() => ({
      status: 404,
      body: { message: 'Not Found' },
    }));
    const sentence = `${apiUrl}/api/livekit/webhook is not the webhook: it answers 404`;
    await expectToFind({ ...WITHOUT_API, webhook: failure(sentence) }, { apiUrl });
  });

  it.each([
    ['MEDIA_UNAVAILABLE', 'read and decrypt'],
    ['STORE_UNAVAILABLE', 'log'],
  ])('that answers 503 %s fails, and it is said where to look', async (code, remedy) => {
    const { url: apiUrl } = await serveHttp(() => ({ status: 503, body: { error: '', code } }));
    const sentence = `The API cannot take events: it answers 503 ${code}`;
    const webhook = failure(sentence, containing(remedy));
    await expectToFind({ ...WITHOUT_API, webhook }, { apiUrl });
  });

  it('of another table fails, and the doctor leaves nothing in that table', async () => {
    const other = await startDatabase({ port: 0 });
    onTestFinished(() => other.stop());
    const webhook = failure(containing('wrote nothing into this table'));
    await expectToFind({ webhook, events: 'skipped' }, { dynamodb: other });
    expect(await readItems(other)).toEqual([]);
  });

  it('that does not know the previous key fails', async () => {
    const previous = { apiKey: 'a-key-before', apiSecret: OTHER_SECRET };
    const webhook = failure(containing('the previous key'));
    const settings = { ...stack.livekit, previous };
    await expectToFind({ webhook, events: 'skipped' }, {}, { settings });
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
    const clock = { outcome, sentence: matching(sentence) };
    await expectToFind({ 'livekit-clock': clock }, { livekit });
  });

  it('of LiveKit are measured also where the key is refused, and said to be why', async () => {
    const { livekit } = await throughWire(on('', dateOff(-120_000)));
    const remedy = matching(/^Set the clocks first: LiveKit's is 1[12]\d s behind here/);
    await expectToFind(
      {
        ...skipped(...OF_LIVEKIT),
        webhook: 'failure',
        key: failure(undefined, remedy),
        'livekit-clock': failure(matching(/1[12]\d s behind here/)),
      },
      { livekit: { ...livekit, apiSecret: OTHER_SECRET } },
    );
  });

  it.each([
    ['ok', 10_000],
    ['warning', 60_000],
    ['failure', -400_000],
  ] as const)('of the pool: %s when it is off by %i ms', async (outcome, ms) => {
    const { cognito } = await throughWire(on('GetKeys', dateOff(ms)));
    const sentence = containing(ms > 0 ? 's ahead of here' : 's behind here');
    await expectToFind({ 'pool-clock': { outcome, sentence } }, { cognito });
  });
});

describe('the key set', () => {
  const KEY_SET = issuerOf({ ...stack.cognito, endpoint: '' });

  it('that is unreachable fails', async () => {
    const endpoint = await nowhere();
    await expectToFind(
      { 'key-set': failure(containing('ECONNREFUSED')), 'pool-clock': 'skipped' },
      { cognito: { ...stack.cognito, endpoint } },
    );
  });

  it.each([
    ['is not there', { status: 404 }, 'is answered 404'],
    ['is no JSON', { body: '<html>' }, 'has no RSA keys for signatures'],
    ['is empty', { body: { keys: [] } }, 'has no RSA keys for signatures'],
    [
      'holds other keys',
      { body: { keys: [{ kid: 'a', kty: 'EC' }] } },
      'has no RSA keys for signatures',
    ],
  ])('that %s fails', async (_, response, sentence) => {
    const { url: endpoint } = await serveHttp(() => response);
    const keySet = failure(`${endpoint}${KEY_SET}/.well-known/jwks.json ${sentence}`);
    await expectToFind(
      { 'key-set': keySet, 'pool-clock': 'skipped' },
      { cognito: { ...stack.cognito, endpoint } },
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
  const WITHOUT_WEBHOOK = { webhook: 'failure', events: 'skipped' } as const;

  it('that is not there fails, and what needs it is skipped', async () => {
    await expectToFind(
      {
        ...skipped('index', 'webhook', 'events'),
        table: failure(containing('no-such-table cannot be described')),
      },
      { dynamodb: { ...stack.dynamodb, tableName: 'no-such-table' } },
    );
  });

  it('of an unreachable database fails', async () => {
    await expectToFind(
      { ...skipped('index', 'webhook', 'events'), table: 'failure' },
      { dynamodb: { ...stack.dynamodb, endpoint: await nowhere() } },
    );
  });

  it('with other keys fails', async () => {
    const dynamodb = await otherTable(withKeys('sk', 'pk'));
    const table = failure(containing('has the keys sk and pk, not pk and sk'));
    await expectToFind({ ...skipped('index', 'webhook', 'events'), table }, { dynamodb });
  });

  it('without the index fails', async () => {
    const dynamodb = await otherTable({
      GlobalSecondaryIndexes: undefined,
      AttributeDefinitions: definition.AttributeDefinitions?.slice(0, 2),
    });
    const index = failure(containing('activeMeetings is missing'));
    await expectToFind({ ...WITHOUT_WEBHOOK, index }, { dynamodb });
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
    const wrong = failure(containing(sentence));
    await expectToFind({ ...WITHOUT_WEBHOOK, index: wrong }, { dynamodb });
  });
});
