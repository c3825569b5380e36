/**
 * `npm run doctor -- --stage …`, on loopback: AWS's answers about a deployment, in AWS's protocols, with a
 * real table, pool and webhook function and the stand-in behind it. It has not run on AWS.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import type { Outcome } from '../../cli/doctor/runner.ts';
import { deployedTarget } from '../../cli/doctor/targets.ts';
import sample from '../../events/myClubs.json' with { type: 'json' };
import * as myClubs from '../../functions/my-clubs.ts';
import * as webhook from '../../functions/webhook.ts';
import { createClubCommandDeps, createRecordDeps, createWebhookDeps } from '../../lib/deps.ts';
import { runClubCommand } from '../../lib/meetings/club-commands.ts';
import { type Database, readItems, startDatabase } from '../../local/dynamodb.ts';
import { type StandIn, startStandIn } from '../../local/livekit/stand-in.ts';
import { contextOf } from '../harness/context.ts';
import { on, twirp } from '../harness/faults.ts';
import { type Answer, type Received, serveHttp } from '../harness/http-server.ts';
import { accessClaims, CLIENT_ID, type Issuer, rs256, startIssuer } from '../harness/issuer.ts';
import { noting } from '../harness/lambda.ts';
import { webhookPost } from '../harness/livekit-events.ts';
import { NO_RECORDINGS } from '../harness/no-recordings.ts';
import { type Fault, startWire } from '../harness/wire.ts';
import {
  ACCOUNT_SECRET,
  createProfile,
  outputOf,
  PROFILE,
  signerOf,
  start,
  stubEnvironment,
} from './aws.ts';
import {
  containing,
  expectFindings,
  type Findings,
  failure,
  ok,
  reportsOf,
  skipped,
  warning,
} from './findings.ts';
import { describedStack, refusedByCloudFormation } from './stacks.ts';

const PARAMETER = '/reading-club-meetings/prod/livekit';
const KEY = { apiKey: 'devkey', apiSecret: 'a-secret-that-only-these-tests-know' };
const PREVIOUS = { apiKey: 'key-before', apiSecret: 'another-secret-that-only-tests-know' };
const UPLOAD = { accessKey: 'AKIDUPLOAD', secret: 'the-secret-of-uploads', region: 'eu-west-3' };
const BUCKET = 'the-recordings-of-prod';
const PAGE = 'https://club.example';

/** Each check, in its order. */
const HEALTHY: Record<string, Outcome> = {
  configuration: 'ok',
  functions: 'ok',
  parameter: 'ok',
  livekit: 'ok',
  key: 'ok',
  rights: 'ok',
  'livekit-clock': 'ok',
  'auto-create': 'ok',
  whip: 'ok',
  recorder: 'ok',
  'key-set': 'ok',
  'pool-clock': 'ok',
  cors: 'ok',
  token: 'skipped',
  page: 'skipped',
  table: 'ok',
  index: 'ok',
  expiry: 'ok',
  recovery: 'ok',
  uploads: 'ok',
  retention: 'ok',
  webhook: 'ok',
  events: 'ok',
  'left-behind': 'ok',
};

let database: Database;
let standIn: StandIn;
let issuer: Issuer;
/** The project that the deployed functions read. */
let known: object;
let apiUrl: string;
let webhookUrl: string;
let environment: Record<string, string> = {};
let profile: Awaited<ReturnType<typeof createProfile>>;

const settings = (change: object = {}) => ({
  wsUrl: standIn.wsUrl,
  ...KEY,
  recordingUpload: UPLOAD,
  ...change,
});

const stored = (value: object) => ({ Type: 'SecureString', Value: JSON.stringify(value) });

const expiresAfter = (days: number, prefix = 'recordings/') =>
  `<Rule><ID>expire</ID><Status>Enabled</Status><Filter><Prefix>${prefix}</Prefix></Filter><Expiration><Days>${days}</Days></Expiration></Rule>`;
const UNFINISHED =
  '<Rule><ID>unfinished-uploads</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>';

/** What the account has; each test finds it as deployed, and may change it. */
const asDeployed = () => ({
  status: 'UPDATE_COMPLETE',
  outputs: {
    ApiUrl: apiUrl,
    WebhookUrl: webhookUrl,
    WebOrigins: PAGE,
    TableName: database.tableName,
    Issuer: issuer.url,
    UserPoolClientIds: `another-client,${CLIENT_ID}`,
    LiveKitParameter: PARAMETER,
    RecordingsBucketName: BUCKET,
    RecordingRetentionDays: '30',
  } as Record<string, string>,
  parameter: stored(settings()) as ReturnType<typeof stored> | undefined,
  expiry: { TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' } as object,
  recovery: 'ENABLED',
  isProtected: true,
  /** The operations on a file that each access key may do. The empty key is a request without credentials. */
  files: { AKIDUPLOAD: ['PUT'], AKIDBOOKS: ['DELETE'], '': [] } as Record<string, string[]>,
  /** The lifecycle of the bucket: rules in S3's XML. */
  lifecycle: [expiresAfter(30)],
  /** The page's. */
  config: { apiUrl } as object | undefined,
  /** Of these pages the API lets a browser call. */
  allowedOrigins: [PAGE, 'http://localhost:5173'],
  allowedHeaders: 'authorization,content-type',
  /** What functions throw when they start, by name. */
  broken: {} as Record<string, string>,
  /** Functions that may not be invoked. */
  closed: [] as string[],
  /** Operations that IAM does not let happen. */
  denied: [] as string[],
});
let account: ReturnType<typeof asDeployed>;
/** How long LiveKit's events are waited for: short where they do not come. */
let eventsWithinMs: number;
let requests: { operation: string; keyId: string | undefined; region: string | undefined }[] = [];

const error = (type: string, message: string): Answer => ({
  status: 400,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: { __type: type, message },
});

function noteRequest({ headers, body }: Received): string {
  const target = headers['x-amz-target'];
  const operation = String(target ?? new URLSearchParams(body).get('Action'))
    .split('.')
    .at(-1);
  requests.push({ operation: operation ?? '', ...signerOf(headers) });
  return operation ?? '';
}

function cloudFormation(received: Received): Answer {
  const operation = noteRequest(received);
  const name = new URLSearchParams(received.body).get('StackName');
  if (account.denied.includes(operation)) {
    return refusedByCloudFormation('AccessDenied', 'not authorized');
  }
  if (name !== 'reading-club-meetings-prod') {
    return refusedByCloudFormation('ValidationError', `Stack with id ${name} does not exist`);
  }
  return describedStack(name, account.status, account.outputs);
}

function ssm(received: Received): Answer {
  const operation = noteRequest(received);
  if (account.denied.includes(operation)) return error('AccessDeniedException', 'not authorized');
  const { Name, WithDecryption } = JSON.parse(received.body);
  if (Name !== PARAMETER || !WithDecryption || !account.parameter) {
    return error('ParameterNotFound', '');
  }
  return {
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: { Parameter: account.parameter },
  };
}

const files = new Set<string>();

/** A bucket, by its paths: who may do what is the account's. */
function s3({ method, path, headers }: Received): Answer {
  const { pathname, searchParams } = new URL(path, 'http://s3');
  const { keyId = '', region } = signerOf(headers);
  // The key of the person who runs the doctor. The other keys may only do what an upload needs.
  if (keyId === 'AKIDBOOKS') {
    const operation = method === 'DELETE' ? 'DeleteObject' : 'GetLifecycleConfiguration';
    requests.push({ operation, keyId, region });
  }
  const xml = (status: number, body: string): Answer => ({
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>${body}`,
  });
  const refused = (status: number, code: string) =>
    xml(status, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  if (!pathname.startsWith(`/${BUCKET}`)) return refused(404, 'NoSuchBucket');
  if (searchParams.has('lifecycle')) {
    if (account.denied.includes('GetLifecycleConfiguration')) return refused(403, 'AccessDenied');
    if (account.lifecycle.length === 0) return refused(404, 'NoSuchLifecycleConfiguration');
    const rules = [UNFINISHED, ...account.lifecycle].join('');
    return xml(200, `<LifecycleConfiguration>${rules}</LifecycleConfiguration>`);
  }
  expect(pathname).toMatch(new RegExp(`^/${BUCKET}/recordings/doctor/\\w{26}$`));
  if (!account.files[keyId]?.includes(method)) return refused(403, 'AccessDenied');
  if (method === 'PUT') files.add(pathname);
  if (method === 'DELETE') files.delete(pathname);
  return { status: method === 'DELETE' ? 204 : 200, headers: { etag: '"0"' }, body: '' };
}

let invocations: Record<string, unknown> = {};

function lambda(received: Received): Answer {
  const [, name = ''] = /^\/2015-03-31\/functions\/(.+)\/invocations$/.exec(received.path) ?? [];
  noteRequest({
    ...received,
    headers: { ...received.headers, 'x-amz-target': 'Lambda.InvokeFunction' },
  });
  const shortName = name.replace('reading-club-meetings-prod-', '');
  invocations[shortName] = JSON.parse(received.body);
  if (account.denied.includes('InvokeFunction') || account.closed.includes(shortName)) {
    return {
      status: 403,
      headers: { 'x-amzn-errortype': 'AccessDeniedException' },
      body: { Message: 'not authorized' },
    };
  }
  const errorMessage = account.broken[shortName];
  return errorMessage === undefined
    ? { body: { statusCode: 401 } }
    : { headers: { 'x-amz-function-error': 'Unhandled' }, body: { errorMessage } };
}

/** The gateway, with the real functions that the doctor calls behind it. */
async function api({ method, path, headers, body }: Received): Promise<Answer> {
  const { authorization, origin = '' } = headers;
  if (method === 'OPTIONS') {
    const isAllowed = account.allowedOrigins.includes(origin);
    return {
      status: 204,
      headers: isAllowed
        ? {
            'access-control-allow-origin': origin,
            'access-control-allow-headers': account.allowedHeaders,
            'access-control-allow-methods': 'DELETE,GET,OPTIONS,POST,PUT',
          }
        : {},
    };
  }
  if (path === '/config.json') {
    return account.config ? { body: account.config } : { status: 403 };
  }
  const answer = path.endsWith('/clubs')
    ? await noting(myClubs.createHandler(createRecordDeps({ store: database, identity: pool() })))(
        { ...sample, headers: { ...sample.headers, ...(authorization && { authorization }) } },
        contextOf(12_000),
      )
    : await noting(
        webhook.createHandler(
          createWebhookDeps({
            store: database,
            livekit: { settings: { ...settings(), ...known } },
            recording: NO_RECORDINGS,
          }),
        ),
      )(webhookPost({ body, authorization }), contextOf(12_000));
  return { status: answer.statusCode ?? 0, body: answer.body };
}

const pool = () => ({ issuer: issuer.url, clientIds: [CLIENT_ID], tokenUse: 'access' as const });

/** A real table, and what databases on this machine do not have. */
async function dynamodb(received: Received): Promise<Answer> {
  const operation = noteRequest(received);
  if (account.denied.includes(operation)) return error('AccessDeniedException', 'not authorized');
  const json = (body: object): Answer => ({
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body,
  });
  if (operation === 'DescribeTimeToLive') return json({ TimeToLiveDescription: account.expiry });
  if (operation === 'DescribeContinuousBackups') {
    return json({
      ContinuousBackupsDescription: {
        ContinuousBackupsStatus: 'ENABLED',
        PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: account.recovery },
      },
    });
  }
  const response = await fetch(database.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': String(received.headers['x-amz-target']),
      'x-amz-date': String(received.headers['x-amz-date']),
      authorization: received.headers.authorization ?? '',
    },
    body: received.body,
  });
  const body: { Table?: object } = JSON.parse(await response.text());
  if (body.Table) Object.assign(body.Table, { DeletionProtectionEnabled: account.isProtected });
  return { ...json(body), status: response.status };
}

const closing: (() => Promise<unknown>)[] = [];
const serve = (respond: (received: Received) => Answer | Promise<Answer>) =>
  serveHttp(respond, (close) => closing.push(close));

beforeAll(async () => {
  [database, issuer] = await Promise.all([startDatabase({ port: 0 }), startIssuer()]);
  const gateway = await serve(api);
  apiUrl = `${gateway.url}/api/reading-clubs/meeting`;
  webhookUrl = `${gateway.url}/api/livekit/webhook/6f1e2d3c-aaaa-11ef-8888-0a1b2c3d4e5f`;
  standIn = await startStandIn({
    apiKeys: { [KEY.apiKey]: KEY.apiSecret, [PREVIOUS.apiKey]: PREVIOUS.apiSecret },
    // As in a rotation: LiveKit signs with the key before.
    webhook: { urls: [webhookUrl], apiKey: PREVIOUS.apiKey },
  });
  const [stacks, parameters, tables, functions, buckets] = await Promise.all([
    serve(cloudFormation),
    serve(ssm),
    serve(dynamodb),
    serve(lambda),
    serve(s3),
  ]);
  profile = await createProfile();
  environment = {
    AWS_ENDPOINT_URL_CLOUDFORMATION: stacks.url,
    AWS_ENDPOINT_URL_SSM: parameters.url,
    AWS_ENDPOINT_URL_DYNAMODB: tables.url,
    AWS_ENDPOINT_URL_LAMBDA: functions.url,
    AWS_ENDPOINT_URL_S3: buckets.url,
    ...profile.environment,
  };
});
beforeEach(() => {
  known = { previous: PREVIOUS };
  account = asDeployed();
  requests = [];
  invocations = {};
  eventsWithinMs = 10_000;
  return stubEnvironment(environment);
});
afterAll(async () => {
  await Promise.all([...closing.map((close) => close()), standIn.close(), issuer.stop()]);
  await Promise.all([database.stop(), profile.remove()]);
});

/** Puts a fault between the doctor and the LiveKit of the stage. */
async function onLiveKit(fault: Fault): Promise<void> {
  const wire = await startWire({ media: standIn.url });
  onTestFinished(() => wire.close());
  wire.set(fault);
  account.parameter = stored(settings({ wsUrl: wire.urlOf('media').replace('http:', 'ws:') }));
}

/** Nothing may be left of it. */
async function doctor(args: string[]) {
  const itemsBefore = await readItems(database);
  const report = await reportsOf(
    args,
    { connect: async (deployment) => deployment && deployedTarget(deployment), eventsWithinMs },
    [KEY.apiSecret, PREVIOUS.apiSecret, ACCOUNT_SECRET, UPLOAD.secret],
  );
  await standIn.webhooks.settled();
  expect(await readItems(database)).toEqual(itemsBefore);
  expect([...files]).toEqual([]);
  expect(await standIn.rooms()).toEqual([]);
  return report;
}

/** Of the stage as it is by now; all other checks are as when it is healthy. */
const expectToFind = async (findings: Findings, ...options: string[]) =>
  expectFindings((await doctor([...PROFILE, ...options])).checks, HEALTHY, findings);

async function documentation(): Promise<string> {
  const page = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [section = ''] = /^## The doctor$.*?^## /ms.exec(page) ?? [];
  return section;
}

/** Of the policy that is given there. */
async function documentedOperations(): Promise<string[]> {
  const [, policy = ''] = /^```json$(.*?)^```$/ms.exec(await documentation()) ?? [];
  const { Statement }: { Statement: { Action: string | string[] }[] } = JSON.parse(policy);
  const actions = Statement.flatMap(({ Action }) => Action);
  return actions.map((action) => action.split(':')[1] ?? '').toSorted();
}

const OF_LIVEKIT = ['livekit', 'key', 'rights', 'livekit-clock', 'auto-create', 'whip', 'recorder'];
const NOTHING_BUT_CONFIGURATION: Findings = {
  ...skipped(...Object.keys(HEALTHY)),
  'left-behind': 'ok',
};

describe('a deployed stage', () => {
  it('that is healthy passes, also when LiveKit signs with the previous key', async () => {
    account.parameter = stored(settings({ previous: PREVIOUS }));
    const { target, checks } = await doctor(PROFILE);
    expectFindings(checks, HEALTHY, {
      webhook: ok(containing('with the key and with the previous key')),
    });
    expect(target).toBe('reading-club-meetings-prod in eu-central-1');
  });

  it('is asked as the profile, for exactly what the documents say', async () => {
    await doctor([...PROFILE, '--region', 'eu-north-1']);
    const operations = new Set(requests.map(({ operation }) => operation));
    expect([...operations].toSorted()).toEqual(await documentedOperations());
    expect(new Set(requests.map(({ keyId }) => keyId))).toEqual(new Set(['AKIDBOOKS']));
    expect(new Set(requests.map(({ region }) => region))).toEqual(new Set(['eu-north-1']));
  });

  it('is checked for what the documents explain, in that order', async () => {
    const rows = (await documentation()).match(/^\| `.*?(?= \|)/gm) ?? [];
    const names = rows.flatMap((row) => row.match(/[\w-]+/g) ?? []);
    expect(names).toEqual(Object.keys(HEALTHY));
  });

  it('works for the program itself, which then exits', async () => {
    account.parameter = undefined;
    const { exit, out, err } = await outputOf(start('doctor.ts', PROFILE, environment));
    expect({ exit, err }).toEqual({ exit: 1, err: '' });
    expect(out).toMatch(/^failure {2}parameter +There is no parameter \/reading-club/m);
    expect(out).toMatch(/^ok +left-behind +Nothing is left behind$/m);
  });

  it.each([
    ['is not there', ['--stage', 'pord'], 'does not exist'],
    [
      'is of an account that is not known',
      ['--profile', 'nobody', '--region', 'eu-west-3'],
      'reading-club-meetings-prod in eu-west-3 cannot be described: Could not load credentials',
    ],
  ])('that %s is one failure, and the rest is skipped', async (_, options, sentence) => {
    await expectToFind(
      {
        ...NOTHING_BUT_CONFIGURATION,
        configuration: failure(containing(sentence), containing('--stage')),
      },
      ...options,
    );
  });

  it('that may not be described is a failure that names the right', async () => {
    account.denied = ['DescribeStacks'];
    await expectToFind({
      ...NOTHING_BUT_CONFIGURATION,
      configuration: failure(
        containing('not authorized'),
        containing('cloudformation:DescribeStacks'),
      ),
    });
  });

  it('of an older version is a failure that names the missing outputs', async () => {
    const { LiveKitParameter: _, ...outputs } = account.outputs;
    account.outputs = outputs;
    await expectToFind({
      ...NOTHING_BUT_CONFIGURATION,
      configuration: failure(containing('has no output LiveKitParameter')),
    });
  });

  it('that is being deployed is a warning', async () => {
    account.status = 'UPDATE_IN_PROGRESS';
    await expectToFind({ configuration: 'warning' });
  });
});

describe('the functions of a deployed stage', () => {
  it('are all started, with events that they refuse', async () => {
    const { functions } = parse(await readFile('serverless.yml', 'utf8'), { logLevel: 'silent' });
    const names = Object.keys(functions);
    await expectToFind({ functions: ok(`All ${names.length} functions start`) });
    expect(Object.keys(invocations).toSorted()).toEqual(names.toSorted());
  });

  it('of which one does not start fail, with the reason', async () => {
    account.broken = { token: 'Environment: TOKEN_TTL_SECONDS must be a whole number' };
    await expectToFind({
      functions: failure(
        'token does not start: Environment: TOKEN_TTL_SECONDS must be a whole number',
      ),
    });
  });

  it('of which one may not be invoked are a warning that names it', async () => {
    account.closed = ['clubs'];
    await expectToFind({ functions: warning(containing('You may not invoke clubs,')) });
  });
});

describe('the recordings of a deployed stage', () => {
  it.each([
    [
      'LiveKit may not upload',
      { AKIDUPLOAD: [] },
      failure(`The key of recordingUpload may not write to ${BUCKET}: AccessDenied`),
    ],
    ['the public may read', { '': ['GET'] }, failure(`The public may read the files in ${BUCKET}`)],
    [
      'the key for uploads may read',
      { AKIDUPLOAD: ['PUT', 'GET'] },
      warning('The key of recordingUpload may read recordings, too, and LiveKit logs such keys'),
    ],
  ])('that %s are reported', async (_, change, uploads) => {
    Object.assign(account.files, change);
    await expectToFind({ uploads });
  });

  it('that a recorder of one’s own uploads cannot be tried', async () => {
    account.parameter = stored(settings({ recordingUpload: undefined }));
    await expectToFind({ uploads: 'skipped' });
  });

  it.each<[string, string, string[]]>([
    [
      'are kept for longer',
      'Files expire after 31 days, and recordings after 30',
      [expiresAfter(31)],
    ],
    [
      'go too soon, by a rule for everything',
      'Files expire after 7 days, and recordings after 30',
      [expiresAfter(30), expiresAfter(7, '')],
    ],
    [
      'never go, since the rule is for something else',
      'Files never expire, and recordings after 30 days',
      [expiresAfter(30, 'others/')],
    ],
    ['never go', 'Files never expire, and recordings after 30 days', []],
  ])('whose files %s fail', async (_, sentence, lifecycle) => {
    account.lifecycle = lifecycle;
    await expectToFind({ retention: failure(sentence) });
  });

  it('whose lifecycle may not be read say so', async () => {
    account.denied = ['GetLifecycleConfiguration'];
    await expectToFind({ retention: failure('Could not be checked: AccessDenied') });
  });

  it.each([
    [
      'that LiveKit does not list are a warning: nothing can be recorded',
      twirp(500, 'internal'),
      warning('Nothing can be recorded: LiveKit answered 500 internal'),
    ],
    [
      'that the key may not list are a failure',
      twirp(403, 'permission_denied'),
      failure(containing('The key may not record: LiveKit answered 403')),
    ],
  ])('%s', async (_, fault, recorder) => {
    await onLiveKit(on('ListEgress', fault));
    await expectToFind({ recorder });
  });
});

describe('the pages of a deployed stage', () => {
  it('that the API does not let call fail, by their origins', async () => {
    account.outputs['WebOrigins'] = `${PAGE},https://other.example`;
    await expectToFind({
      cors: failure('The API does not let pages call of https://other.example'),
    });
  });

  it('that may not send a token fail', async () => {
    account.allowedHeaders = 'content-type';
    await expectToFind({ cors: failure(containing(`${PAGE} (authorization)`)) });
  });

  it('that are all on localhost are a warning', async () => {
    account.outputs['WebOrigins'] = 'http://localhost:5173';
    await expectToFind({ cors: warning(undefined, containing('webOrigins')) });
  });
});

describe('the page of a deployed stage', () => {
  /** With a page, whose origin may call. */
  const withPage = () => {
    const pageUrl = new URL(apiUrl).origin;
    Object.assign(account.outputs, {
      WebUrl: pageUrl,
      WebOrigins: `${PAGE},${pageUrl}`,
      LiveKitOrigins: `${standIn.wsUrl} ${standIn.wsUrl.replace('ws:', 'http:')}`,
    });
    account.allowedOrigins.push(pageUrl);
  };

  it('that is there passes', async () => {
    withPage();
    await expectToFind({ page: 'ok' });
  });

  it.each<[string, () => void, string]>([
    [
      'whose origin may not call the API',
      () => Object.assign(account.outputs, { WebOrigins: PAGE }),
      'may not call the API',
    ],
    [
      'whose policy does not know LiveKit',
      () => Object.assign(account.outputs, { LiveKitOrigins: 'wss://*.livekit.cloud' }),
      'does not let it connect to ws://127.0.0.1',
    ],
    ['that was not put there', () => Object.assign(account, { config: undefined }), 'answered 403'],
    [
      'that is of another stage',
      () => Object.assign(account, { config: { apiUrl: 'https://other.example' } }),
      'not of this stage',
    ],
  ])('%s fails', async (_, change, sentence) => {
    withPage();
    change();
    await expectToFind({ page: failure(containing(sentence)) });
  });
});

describe("a person's token", () => {
  const ada = { userId: 'ada', username: 'ada' };
  const tokenWith = (change: object = {}) =>
    rs256(issuer.key, { ...accessClaims(issuer.url, ada), ...change });

  it('that is accepted is reported with the number of the user’s clubs', async () => {
    const manage = createClubCommandDeps({ store: database, livekit: { settings: settings() } });
    await runClubCommand(manage, {
      command: 'put-club',
      clubId: 'novels',
      name: 'Novels',
      moderatorId: ada.userId,
    });
    onTestFinished(async () => {
      await runClubCommand(manage, { command: 'remove-club', clubId: 'novels' });
    });
    const token = ok('The API accepts the token, whose owner is in 1 club');
    await expectToFind({ token }, '--token', tokenWith());
  });

  it('of a user who is in no club is a warning', async () => {
    const token = warning(undefined, containing('put-member'));
    await expectToFind({ token }, '--token', tokenWith());
  });

  it.each([
    ['is no token', () => 'Bearer', 'no token of a user pool'],
    ['is an ID token', () => tokenWith({ token_use: 'id' }), 'no access token'],
    [
      'is of another pool',
      () => tokenWith({ iss: 'https://other.example' }),
      'https://other.example',
    ],
    [
      'is of another client',
      () => tokenWith({ client_id: 'ios' }),
      'ios is none of another-client, 1',
    ],
    ['has expired', () => tokenWith({ exp: 1_000_000_000 }), 'has expired'],
  ])('that %s fails, with the reason', async (_, token, reason) => {
    await expectToFind({ token: failure(undefined, containing(reason)) }, '--token', token());
  });
});

describe('the parameter', () => {
  const WITHOUT = skipped(...OF_LIVEKIT, 'uploads', 'webhook', 'events');

  it('that is not there fails, and what needs it is skipped', async () => {
    account.parameter = undefined;
    await expectToFind({ ...WITHOUT, parameter: failure(`There is no parameter ${PARAMETER}`) });
  });

  it('that may not be read fails', async () => {
    account.denied = ['GetParameter'];
    const parameter = failure(containing('cannot be read: not authorized'));
    await expectToFind({ ...WITHOUT, parameter });
  });

  it.each([
    ['no JSON', () => KEY.apiSecret, 'it must be a JSON object'],
    [
      'JSON that is cut off',
      () => JSON.stringify(settings()).slice(0, -1),
      'it must be a JSON object',
    ],
    ['without a secret', () => JSON.stringify(settings({ apiSecret: '' })), 'apiSecret is empty'],
    [
      'with a URL for HTTP',
      () => JSON.stringify(settings({ wsUrl: 'https://x' })),
      'wsUrl must be a WebSocket URL, such as wss://example.livekit.cloud',
    ],
    [
      'with a URL that has a path',
      () => JSON.stringify(settings({ wsUrl: 'wss://x/livekit' })),
      'wsUrl must have no path: the room API is at the root of its host',
    ],
    [
      'with an unencrypted URL of another machine',
      () => JSON.stringify(settings({ wsUrl: 'ws://x' })),
      'wsUrl must begin with wss:// unless LiveKit is on this machine',
    ],
    [
      'with half a previous key',
      () => JSON.stringify(settings({ previous: { apiKey: 'x' } })),
      'previous.apiSecret is missing',
    ],
  ])('that is %s fails, and the problem is named', async (_, value, place) => {
    account.parameter = { Type: 'SecureString', Value: value() };
    await expectToFind({ ...WITHOUT, parameter: failure(`${PARAMETER} does not fit: ${place}`) });
  });

  it('that is not encrypted is a warning', async () => {
    account.parameter = { ...stored(settings()), Type: 'String' };
    await expectToFind({ parameter: warning(containing('is a String')) });
  });

  it('with a new key that the functions have not read yet fails at the webhook', async () => {
    account.parameter = stored(settings(PREVIOUS));
    known = { previous: undefined };
    const webhook = failure(undefined, containing('five minutes'));
    await expectToFind({ webhook, events: 'skipped' });
  });

  it('without the key by which LiveKit signs fails at the events', async () => {
    known = { previous: undefined };
    eventsWithinMs = 1_000;
    await expectToFind({ events: 'failure' });
  });
});

describe('the table of a deployed stage', () => {
  it.each([
    ['is off', { TimeToLiveStatus: 'DISABLED' }, 'Time to live is DISABLED'],
    ['is by another attribute', { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' }, 'by ttl'],
  ])('whose expiry %s fails', async (_, expiry, sentence) => {
    account.expiry = expiry;
    await expectToFind({ expiry: failure(containing(sentence)) });
  });

  it.each([
    ['recovery', { recovery: 'DISABLED' }, 'Off: point-in-time recovery'],
    ['protection', { isProtected: false }, 'Off: deletion protection'],
    [
      'recovery and protection',
      { recovery: 'DISABLED', isProtected: false },
      'Off: point-in-time recovery and deletion protection',
    ],
  ])('without %s is a warning', async (_, change, sentence) => {
    Object.assign(account, change);
    await expectToFind({ recovery: warning(sentence) });
  });

  it.each([
    ['DescribeTable', 'table', ['index', 'expiry', 'recovery', 'webhook', 'events']],
    ['DescribeTimeToLive', 'expiry', []],
    ['DescribeContinuousBackups', 'recovery', []],
    ['PutItem', 'webhook', ['events']],
  ])('on which %s is denied fails at %s', async (operation, check, others) => {
    account.denied = [operation];
    await expectToFind({ ...skipped(...others), [check]: failure(containing('not authorized')) });
  });
});
