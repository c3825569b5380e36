import { inspect } from 'node:util';
import { AwsV4Signer } from 'aws4fetch';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type Answer,
  nowhere,
  type Received,
  type Responder,
  serveHttp,
} from '../../test/harness/http-server.ts';
import { MediaUnavailable } from '../errors.ts';
import { settingsFromParameter } from './settings.ts';

const NAME = '/reading-club-meetings/prod/livekit';
const REGION = 'eu-west-1';
const CREDENTIALS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI',
  sessionToken: 'session-token',
};
const PROJECT = {
  wsUrl: 'wss://example.livekit.cloud',
  apiKey: 'APIkey',
  apiSecret: 'a-secret-never-to-log',
};
const ROTATED = { ...PROJECT, apiKey: 'APIrotated', apiSecret: 'another-secret' };
const MINUTE_MS = 60_000;

const parameter = (value: unknown): Answer => ({
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: {
    Parameter: {
      Name: NAME,
      Type: 'SecureString',
      Value: typeof value === 'string' ? value : JSON.stringify(value),
      Version: 1,
    },
  },
});

/** A parameter store that answers as `respond` says, a clock that is moved by hand, and a reader. */
async function createWorld(respond: Responder) {
  const store = await serveHttp(respond);
  const clock = { ms: 1_800_000_000_000 };
  const readSettings = settingsFromParameter(
    { name: NAME, region: REGION, endpoint: store.url },
    { credentials: async () => CREDENTIALS, now: () => clock.ms },
  );
  return { readSettings, clock, calls: store.requests, store };
}

async function failureOf(read: () => Promise<unknown>): Promise<MediaUnavailable> {
  const error = await read().then(
    () => new Error('The project was read'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MediaUnavailable);
  return error as MediaUnavailable;
}

const messageOf = ({ cause }: Error): string => (cause instanceof Error ? cause.message : '');

async function signatureOf({ method, path, headers, body }: Received): Promise<string | null> {
  const date = String(headers['x-amz-date']);
  const signer = new AwsV4Signer({
    url: `http://${headers.host}${path}`,
    method,
    body,
    headers: {
      'x-amz-target': String(headers['x-amz-target']),
      'x-amz-security-token': CREDENTIALS.sessionToken,
    },
    ...CREDENTIALS,
    region: REGION,
    service: 'ssm',
    datetime: date,
  });
  return (await signer.sign()).headers.get('authorization');
}

describe('reading the parameter', () => {
  test('returns the settings', async () => {
    const { readSettings } = await createWorld(() => parameter(PROJECT));
    expect(await readSettings()).toEqual(PROJECT);
  });

  test('asks for that one parameter, decrypted', async () => {
    const { readSettings, calls } = await createWorld(() => parameter(PROJECT));
    await readSettings();
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AmazonSSM.GetParameter',
      },
    });
    expect(JSON.parse(calls[0]?.body ?? '')).toEqual({ Name: NAME, WithDecryption: true });
  });

  test.each([
    ['eu-west-1', 'https://ssm.eu-west-1.amazonaws.com/'],
    ['us-gov-west-1', 'https://ssm.us-gov-west-1.amazonaws.com/'],
    ['cn-north-1', 'https://ssm.cn-north-1.amazonaws.com.cn/'],
  ])('asks the store of its own region: %s', async (region, endpoint) => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (request: Request) => {
      asked.push(request.url);
      return Response.json(parameter(PROJECT).body);
    });
    onTestFinished(() => void vi.unstubAllGlobals());
    await settingsFromParameter({ name: NAME, region }, { credentials: async () => CREDENTIALS })();
    expect(asked).toEqual([endpoint]);
  });

  test('is signed for SSM in the region, with the credentials of the function', async () => {
    const { readSettings, calls } = await createWorld(() => parameter(PROJECT));
    await readSettings();
    const [call] = calls;
    if (!call) throw new Error('SSM was not asked');
    expect(call.headers['x-amz-security-token']).toBe('session-token');
    expect(call.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/ssm\/aws4_request, SignedHeaders=\S*host;\S*x-amz-date;\S*x-amz-target, Signature=[0-9a-f]{64}$/,
    );
    expect(call.headers.authorization).toBe(await signatureOf(call));
    const sent = JSON.stringify([call.headers, call.body]);
    expect(sent).not.toContain(CREDENTIALS.secretAccessKey);
  });

  test('keeps nothing of the value but the three settings', async () => {
    const { readSettings } = await createWorld(() => parameter({ ...PROJECT, note: 'more' }));
    expect(await readSettings()).toEqual(PROJECT);
  });

  test('is done once by everybody who waits for it', async () => {
    const { readSettings, calls } = await createWorld(() => parameter(PROJECT));
    const projects = await Promise.all(Array.from({ length: 10 }, readSettings));
    expect(calls).toHaveLength(1);
    // The very same, so that the API client of a project is made once.
    expect(new Set(projects).size).toBe(1);
  });

  test.each<[string, Answer]>([
    ['fails', { status: 500 }],
    ['throttles', { status: 400, body: { __type: 'ThrottlingException' } }],
    [
      'throttles by its full name',
      { status: 400, body: { __type: 'com.amazon#ThrottlingException' } },
    ],
    ['is asked too often', { status: 429 }],
  ])('is repeated while SSM %s', async (_, failure) => {
    const answers = [failure, failure, failure, parameter(PROJECT)];
    const { readSettings, calls } = await createWorld(() => answers.shift() ?? failure);
    expect(await readSettings()).toEqual(PROJECT);
    expect(calls).toHaveLength(4);
  });

  test('succeeds for each of a burst of cold starts that SSM throttles', async () => {
    const ATTEMPTS_A_PERIOD = 8;
    let left = ATTEMPTS_A_PERIOD;
    const period = setInterval(() => {
      left = ATTEMPTS_A_PERIOD;
    }, 200);
    onTestFinished(() => clearInterval(period));
    const store = await serveHttp(() =>
      left-- > 0
        ? parameter(PROJECT)
        : { status: 400, body: { __type: 'ThrottlingException', message: 'Rate exceeded' } },
    );
    const coldStarts = Array.from({ length: 60 }, () =>
      settingsFromParameter(
        { name: NAME, region: REGION, endpoint: store.url },
        { credentials: async () => CREDENTIALS, budgetMs: 15_000 },
      )(),
    );
    expect(await Promise.all(coldStarts)).toEqual(Array(60).fill(PROJECT));
    expect(store.requests.length).toBeGreaterThan(60);
  });
});

describe('a project that was read', () => {
  test('counts for five minutes, without another call', async () => {
    const { readSettings, clock, calls } = await createWorld(() => parameter(PROJECT));
    await readSettings();
    clock.ms += 5 * MINUTE_MS - 1;
    await readSettings();
    expect(calls).toHaveLength(1);
    clock.ms += 1;
    await readSettings();
    expect(calls).toHaveLength(2);
  });

  test('is refreshed by one call of all who come after that', async () => {
    const { readSettings, clock, calls } = await createWorld(() => parameter(PROJECT));
    await readSettings();
    clock.ms += 5 * MINUTE_MS;
    await Promise.all(Array.from({ length: 10 }, readSettings));
    expect(calls).toHaveLength(2);
  });

  test('is replaced by a rotated key after five minutes at most', async () => {
    let current = PROJECT;
    const { readSettings, clock } = await createWorld(() => parameter(current));
    await readSettings();
    current = ROTATED;
    clock.ms += 5 * MINUTE_MS;
    expect(await readSettings()).toEqual(ROTATED);
  });

  test.each<[string, Answer | 'drop']>([
    ['fails', { status: 500 }],
    ['throttles', { status: 400, body: { __type: 'ThrottlingException' } }],
    ['denies access', { status: 400, body: { __type: 'AccessDeniedException' } }],
    ['drops the connection', 'drop'],
    ['holds a malformed value', parameter('{"wsUrl":')],
    ['answers with something else', { body: '<html>' }],
  ])('stays in use when SSM %s at the refresh', async (_, failure) => {
    let answer: Answer | 'drop' = parameter(PROJECT);
    const { readSettings, clock } = await createWorld(() => answer);
    await readSettings();
    answer = failure;
    clock.ms += 5 * MINUTE_MS;
    expect(await readSettings()).toEqual(PROJECT);
  });

  test('is not asked for again at each request after a refresh that failed', async () => {
    let answer = parameter(PROJECT);
    const { readSettings, clock, calls } = await createWorld(() => answer);
    await readSettings();
    answer = { status: 400 };
    clock.ms += 5 * MINUTE_MS;
    await readSettings();
    await readSettings();
    expect(calls).toHaveLength(2);
    answer = parameter(ROTATED);
    clock.ms += 5 * MINUTE_MS;
    expect(await readSettings()).toEqual(ROTATED);
  });
});

describe('a project that could never be read', () => {
  test('is an outage of the meeting server when SSM is unreachable', async () => {
    const readSettings = settingsFromParameter(
      { name: NAME, region: REGION, endpoint: await nowhere() },
      { credentials: async () => CREDENTIALS },
    );
    await failureOf(readSettings);
  });

  test('is an outage when SSM takes longer than 1.5 s', async () => {
    const { readSettings } = await createWorld(() => new Promise(() => undefined));
    expect((await failureOf(readSettings)).cause).toMatchObject({ name: 'TimeoutError' });
  });

  test('is an outage that names the throttling, when it does not end within the budget', async () => {
    const { url } = await serveHttp(() => ({
      status: 400,
      body: { __type: 'ThrottlingException', message: 'Rate exceeded' },
    }));
    const readSettings = settingsFromParameter(
      { name: NAME, region: REGION, endpoint: url },
      { credentials: async () => CREDENTIALS, budgetMs: 2_000 },
    );
    expect(messageOf(await failureOf(readSettings))).toBe(
      `SSM answered 400 ThrottlingException for ${NAME}`,
    );
  });

  test('is an outage when the function has no credentials', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const readSettings = settingsFromParameter({ name: NAME, region: REGION });
    expect(messageOf(await failureOf(readSettings))).toContain('credentials');
  });

  test('is an outage whose cause names the parameter that SSM does not have', async () => {
    const { readSettings } = await createWorld(() => ({
      status: 400,
      body: { __type: 'ParameterNotFound' },
    }));
    expect(messageOf(await failureOf(readSettings))).toBe(
      `SSM answered 400 ParameterNotFound for ${NAME}`,
    );
  });

  test('is read at the next request, as soon as SSM answers', async () => {
    let answer: Answer = { status: 400 };
    const { readSettings } = await createWorld(() => answer);
    await failureOf(readSettings);
    answer = parameter(PROJECT);
    expect(await readSettings()).toEqual(PROJECT);
  });

  test('is one failure for all who wait for it, and one call', async () => {
    const { readSettings, calls } = await createWorld(() => ({ status: 400 }));
    const results = await Promise.allSettled(Array.from({ length: 5 }, readSettings));
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
    expect(calls).toHaveLength(1);
  });
});

describe('a malformed value', () => {
  const { apiSecret } = PROJECT;

  const URL_RULE = 'must be a WebSocket URL, such as wss://example.livekit.cloud';

  test.each<[string, unknown, string]>([
    ['is no JSON', `${apiSecret}`, 'it must be a JSON object'],
    ['is JSON that was cut off', JSON.stringify(PROJECT).slice(0, -1), 'it must be a JSON object'],
    [
      'is JSON with the secret in the wrong place',
      `{"wsUrl":${apiSecret}}`,
      'it must be a JSON object',
    ],
    ['is a list', [apiSecret], 'it must be a JSON object'],
    ['is a string', JSON.stringify(apiSecret), 'it must be a JSON object'],
    ['is null', 'null', 'it must be a JSON object'],
    ['is empty', '', 'it must be a JSON object'],
    ['has no URL', { ...PROJECT, wsUrl: undefined }, 'wsUrl is missing'],
    ['has a URL for HTTP', { ...PROJECT, wsUrl: 'https://my.livekit.cloud' }, `wsUrl ${URL_RULE}`],
    ['has a URL without a host', { ...PROJECT, wsUrl: 'wss://' }, `wsUrl ${URL_RULE}`],
    [
      'has a URL with a path',
      { ...PROJECT, wsUrl: 'wss://my.livekit.cloud/room' },
      'wsUrl must have no path: the room API is at the root of its host',
    ],
    ['has no key', { ...PROJECT, apiKey: undefined }, 'apiKey is missing'],
    ['has an empty key', { ...PROJECT, apiKey: '' }, 'apiKey is empty'],
    ['has no secret', { wsUrl: PROJECT.wsUrl, apiKey: apiSecret }, 'apiSecret is missing'],
    ['has an empty secret', { ...PROJECT, apiSecret: '' }, 'apiSecret is empty'],
    [
      'has a key before it whose secret is empty, and would verify anything',
      { ...PROJECT, previous: { apiKey: 'APIbefore', apiSecret: '' } },
      'previous.apiSecret is empty',
    ],
    [
      'has a secret that is no text',
      { ...PROJECT, apiSecret: [apiSecret] },
      'apiSecret is missing',
    ],
    ['has nothing of it', {}, 'apiKey is missing; apiSecret is missing; wsUrl is missing'],
  ])('that %s is an error that says so, and nothing of the value', async (_, value, problem) => {
    const { readSettings } = await createWorld(() => parameter(value));
    const error = await failureOf(readSettings);
    expect(messageOf(error)).toBe(`${NAME} does not fit: ${problem}`);
    expectNothingOf(apiSecret, error);
  });

  test.each<[string, Answer]>([
    ['is no JSON', { body: `${apiSecret}` }],
    ['is cut off', { body: `{"Parameter":{"Value":"${apiSecret}` }],
    ['has the value in the wrong place', { body: `{"Parameter":${apiSecret}}` }],
    ['holds no parameter', { body: { Value: apiSecret } }],
    ['holds a list of values', { body: { Parameter: { Value: [apiSecret] } } }],
    ['is a refusal that holds it', { status: 400, body: { message: apiSecret } }],
  ])('in an answer of SSM that %s shows nothing of itself in the error', async (_, answer) => {
    const { readSettings } = await createWorld(() => answer);
    const error = await failureOf(readSettings);
    expect(messageOf(error)).toContain(NAME);
    expectNothingOf(apiSecret, error);
  });
});

/** Not even eight characters of it, anywhere that a log could show. */
function expectNothingOf(secret: string, error: Error): void {
  const shown = inspect(error, { depth: 9, showHidden: true });
  for (let start = 0; start + 8 <= secret.length; start += 1) {
    expect(shown).not.toContain(secret.slice(start, start + 8));
  }
}
