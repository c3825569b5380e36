import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  cleanup,
  identity,
  LARGEST_MEETING,
  limits,
  livekit,
  loadConfig,
  rooms,
  store,
  tokens,
} from './config.ts';

const ISSUER = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc123';
const IDENTITY = { COGNITO_ISSUER: ISSUER, COGNITO_CLIENT_IDS: 'web' };
const LIVEKIT = {
  LIVEKIT_WS_URL: 'wss://example.livekit.cloud',
  LIVEKIT_API_KEY: 'key',
  LIVEKIT_API_SECRET: 'secret',
};

const everything = { store, livekit, identity, rooms, tokens, limits, cleanup };

function problemsOf(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('The configuration was accepted');
}

const issuerIsAccepted = (issuer: string): boolean => {
  try {
    return (
      loadConfig({ identity }, { ...IDENTITY, COGNITO_ISSUER: issuer }).identity.issuer === issuer
    );
  } catch {
    return false;
  }
};

describe('loading the environment', () => {
  test('returns each part under its own names, with the documented defaults', () => {
    expect(loadConfig(everything, { TABLE_NAME: 'clubs', ...LIVEKIT, ...IDENTITY })).toEqual({
      store: { tableName: 'clubs', endpoint: undefined },
      livekit: {
        settings: { wsUrl: 'wss://example.livekit.cloud', apiKey: 'key', apiSecret: 'secret' },
      },
      identity: { issuer: ISSUER, clientIds: ['web'], tokenUse: 'access' },
      rooms: { emptyTimeoutSeconds: 2100, departureTimeoutSeconds: 2100, maxParticipants: 50 },
      tokens: { ttlSeconds: 600, moderatorGrants: 'none' },
      limits: { maxDurationSeconds: 43_200 },
      cleanup: { graceSeconds: 900, maxLiveKitCalls: 500 },
    });
  });

  test('takes what is given in place of each default', () => {
    const env = {
      TABLE_NAME: 'clubs',
      DYNAMODB_ENDPOINT: 'http://127.0.0.1:8000',
      LIVEKIT_PARAMETER: '/meetings/prod/livekit',
      AWS_REGION: 'eu-west-1',
      COGNITO_ISSUER: ISSUER,
      COGNITO_CLIENT_IDS: 'web, ios ,android',
      COGNITO_TOKEN_USE: 'id',
      ROOM_EMPTY_TIMEOUT_SECONDS: '60',
      ROOM_DEPARTURE_TIMEOUT_SECONDS: '120',
      ROOM_MAX_PARTICIPANTS: '8',
      TOKEN_TTL_SECONDS: '300',
      MODERATOR_GRANTS: 'none',
      MEETING_MAX_DURATION_SECONDS: '3600',
      CLEANUP_GRACE_SECONDS: '120',
      CLEANUP_MAX_LIVEKIT_CALLS: '20',
    };
    expect(loadConfig(everything, env)).toEqual({
      store: { tableName: 'clubs', endpoint: 'http://127.0.0.1:8000' },
      livekit: { parameter: { name: '/meetings/prod/livekit', region: 'eu-west-1' } },
      identity: { issuer: ISSUER, clientIds: ['web', 'ios', 'android'], tokenUse: 'id' },
      rooms: { emptyTimeoutSeconds: 60, departureTimeoutSeconds: 120, maxParticipants: 8 },
      tokens: { ttlSeconds: 300, moderatorGrants: 'none' },
      limits: { maxDurationSeconds: 3600 },
      cleanup: { graceSeconds: 120, maxLiveKitCalls: 20 },
    });
  });

  test('reads the environment of the process by default', () => {
    expect(loadConfig({ store }).store.tableName).toBe(process.env['TABLE_NAME']);
  });

  test('needs nothing of the parts that a function does not name', () => {
    expect(loadConfig({ store }, { TABLE_NAME: 'clubs' })).toEqual({
      store: { tableName: 'clubs', endpoint: undefined },
    });
  });
});

describe('a wrong environment', () => {
  test('with nothing in it names every variable that has no default, at once', () => {
    const problems = problemsOf(() => loadConfig(everything, {}));
    for (const name of [
      'TABLE_NAME',
      'LIVEKIT_WS_URL',
      'LIVEKIT_API_KEY',
      'LIVEKIT_API_SECRET',
      'COGNITO_ISSUER',
      'COGNITO_CLIENT_IDS',
    ]) {
      expect(problems).toContain(`${name} is missing`);
    }
    expect(problems.match(/is missing/g)).toHaveLength(6);
  });

  test('with bad values everywhere names every variable and echoes no value', () => {
    const bad = {
      DYNAMODB_ENDPOINT: 'ftp://v-endpoint',
      LIVEKIT_WS_URL: 'https://v-livekit.example',
      COGNITO_ISSUER: 'https://v-issuer.example',
      COGNITO_TOKEN_USE: 'v-use',
      ROOM_EMPTY_TIMEOUT_SECONDS: 'v-empty',
      ROOM_DEPARTURE_TIMEOUT_SECONDS: '1.5',
      ROOM_MAX_PARTICIPANTS: '0',
      TOKEN_TTL_SECONDS: '59',
      MODERATOR_GRANTS: 'v-grants',
      MEETING_MAX_DURATION_SECONDS: '604801',
      CLEANUP_GRACE_SECONDS: '119',
      CLEANUP_MAX_LIVEKIT_CALLS: 'v-calls',
    };
    const good = {
      TABLE_NAME: 'v-table',
      LIVEKIT_API_KEY: 'v-key',
      LIVEKIT_API_SECRET: 'v-secret',
      COGNITO_CLIENT_IDS: 'v-client',
    };
    const problems = problemsOf(() => loadConfig(everything, { ...bad, ...good }));
    const named = problems.match(/[A-Z]+(_[A-Z]+)+/g)?.toSorted();
    expect(named).toEqual(Object.keys(bad).toSorted());
    expect(problems).not.toContain('v-');
    expect(problems).not.toContain('undefined');
    expect(problems).not.toMatch(/\b(59|604801|119)\b/);
  });

  test('names each bad variable together with each missing one', () => {
    expect(
      problemsOf(() => loadConfig({ store, tokens }, { TOKEN_TTL_SECONDS: 'soon' })).split('; '),
    ).toEqual([
      'Environment: TABLE_NAME is missing',
      'TOKEN_TTL_SECONDS must be a whole number from 60 to 86400',
    ]);
  });

  test('never echoes a value', () => {
    const secret = fc.string({ minLength: 4 }).map((value) => `~${value}~`); // in no sentence of ours
    fc.assert(
      fc.property(secret, (value) => {
        const env = {
          TABLE_NAME: 'clubs',
          DYNAMODB_ENDPOINT: value,
          LIVEKIT_WS_URL: value,
          LIVEKIT_API_SECRET: value,
          COGNITO_ISSUER: value,
          COGNITO_CLIENT_IDS: value,
          COGNITO_TOKEN_USE: value,
          TOKEN_TTL_SECONDS: value,
          MODERATOR_GRANTS: value,
        };
        expect(problemsOf(() => loadConfig(everything, env))).not.toContain(value);
      }),
    );
  });

  test.each([
    'TABLE_NAME',
    'LIVEKIT_WS_URL',
    'LIVEKIT_API_KEY',
    'LIVEKIT_API_SECRET',
    'COGNITO_ISSUER',
    'COGNITO_CLIENT_IDS',
  ])('with an empty %s counts it as missing', (name) => {
    const env = { TABLE_NAME: 'clubs', ...LIVEKIT, ...IDENTITY, [name]: '' };
    expect(problemsOf(() => loadConfig(everything, env))).toBe(`Environment: ${name} is missing`);
  });

  test('with an empty optional variable takes its default', () => {
    const env = { TABLE_NAME: 'clubs', DYNAMODB_ENDPOINT: '', TOKEN_TTL_SECONDS: '' };
    expect(loadConfig({ store, tokens }, env)).toEqual({
      store: { tableName: 'clubs', endpoint: undefined },
      tokens: { ttlSeconds: 600, moderatorGrants: 'none' },
    });
  });

  test.each([
    ['ROOM_EMPTY_TIMEOUT_SECONDS', rooms],
    ['ROOM_DEPARTURE_TIMEOUT_SECONDS', rooms],
    ['ROOM_MAX_PARTICIPANTS', rooms],
  ])('with %s=0 is refused, since LiveKit reads 0 as its own default', (name, part) => {
    expect(problemsOf(() => loadConfig({ part }, { [name]: '0' }))).toContain(name);
  });

  test('with a meeting of more people than are supported is refused', () => {
    const withPeople = (count: number) =>
      loadConfig({ rooms }, { ROOM_MAX_PARTICIPANTS: String(count) });
    expect(withPeople(LARGEST_MEETING).rooms.maxParticipants).toBe(1000);
    expect(problemsOf(() => withPeople(LARGEST_MEETING + 1))).toContain('from 1 to 1000');
  });

  test.each([' ', ',', ' , ', 'web,', ',web', 'web,,ios'])(
    'with an empty client id in COGNITO_CLIENT_IDS=%j is refused',
    (clientIds) => {
      const env = { ...IDENTITY, COGNITO_CLIENT_IDS: clientIds };
      expect(problemsOf(() => loadConfig({ identity }, env))).toContain('COGNITO_CLIENT_IDS');
    },
  );
});

describe('LiveKit', () => {
  test('by parameter needs no key in the environment, but the region', () => {
    expect(
      problemsOf(() => loadConfig({ livekit }, { LIVEKIT_PARAMETER: '/meetings/livekit' })),
    ).toBe('Environment: AWS_REGION is missing');
  });

  test('by parameter leaves a key in the environment unread', () => {
    const env = { ...LIVEKIT, LIVEKIT_PARAMETER: '/meetings/livekit', AWS_REGION: 'eu-west-1' };
    expect(loadConfig({ livekit }, env)).toEqual({
      livekit: { parameter: { name: '/meetings/livekit', region: 'eu-west-1' } },
    });
  });

  test('with an empty parameter name falls back to the three variables', () => {
    expect(loadConfig({ livekit }, { ...LIVEKIT, LIVEKIT_PARAMETER: '' })).toHaveProperty(
      'livekit.settings.apiKey',
      'key',
    );
  });

  test('is also at LIVEKIT_URL, as LiveKit’s own tools name it', () => {
    const { LIVEKIT_WS_URL, ...key } = LIVEKIT;
    const env = { ...key, LIVEKIT_URL: LIVEKIT_WS_URL };
    expect(loadConfig({ livekit }, env)).toEqual(loadConfig({ livekit }, LIVEKIT));
    const both = { ...LIVEKIT, LIVEKIT_URL: 'wss://another.livekit.cloud' };
    expect(loadConfig({ livekit }, both)).toEqual(loadConfig({ livekit }, LIVEKIT));
    const bad = { ...key, LIVEKIT_URL: 'https://example.livekit.cloud' };
    expect(problemsOf(() => loadConfig({ livekit }, bad))).toBe(
      'Environment: LIVEKIT_URL must be a WebSocket URL, such as wss://example.livekit.cloud',
    );
  });
});

describe('an issuer', () => {
  test.each([
    'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc123',
    'https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc123',
    'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_aBcDeF9',
    'https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Abc123',
    'https://cognito-idp.eusc-de-east-1.amazonaws.eu/eusc-de-east-1_Abc123',
  ])('of a pool is accepted: %s', (issuer) => {
    expect(issuerIsAccepted(issuer)).toBe(true);
  });

  test.each([
    'http://127.0.0.1:9229/local_1',
    'http://localhost:9229/local_1',
    'http://[::1]:9229/local_1',
    'https://127.0.0.1/local_1',
    'http://127.0.0.1',
  ])('on this machine is accepted: %s', (issuer) => {
    expect(issuerIsAccepted(issuer)).toBe(true);
  });

  test.each([
    ['a domain that begins with a pool', `${ISSUER.replace('.com/', '.com.evil.example/')}`],
    ['a domain that ends with Cognito', 'https://evil-cognito-idp.eu-west-1.amazonaws.com/a_B'],
    ['a pool in the path', `https://evil.example/${ISSUER}`],
    ['a pool in the query', `https://evil.example/?${ISSUER}`],
    ['a pool in the fragment', `https://evil.example/#${ISSUER}`],
    ['a pool as user name', `https://cognito-idp.eu-west-1.amazonaws.com@evil.example/a_B`],
    ['another service of Amazon', 'https://s3.eu-west-1.amazonaws.com/eu-west-1_Abc123'],
    ['a bucket that looks like Cognito', 'https://cognito-idp.s3.eu-west-1.amazonaws.com/a_B'],
    ['a pool over http', ISSUER.replace('https', 'http')],
    ['a pool with a path', `${ISSUER}/.well-known/jwks.json`],
    ['a pool with a slash at the end', `${ISSUER}/`],
    ['a pool with a line after it', `${ISSUER}\nhttps://evil.example`],
    ['a pool on another port', ISSUER.replace('.com/', '.com:444/')],
    ['a user name before a pool', ISSUER.replace('//', '//evil.example@')],
    ['a pool with a query', `${ISSUER}?a=b`],
    ['no pool', 'https://cognito-idp.eu-west-1.amazonaws.com/'],
    ['a dot for any character', 'https://cognito-idpXeu-west-1.amazonaws.com/eu-west-1_Abc123'],
    ['a domain that begins with loopback', 'http://127.0.0.1.evil.example'],
    ['a domain that begins with localhost', 'http://localhost.evil.example'],
    ['a domain that ends with localhost', 'http://evil-localhost'],
    ['loopback as user name', 'http://127.0.0.1@evil.example'],
    ['loopback as user name and password', 'http://127.0.0.1:80@evil.example/local_1'],
    ['loopback in the path', 'http://evil.example/127.0.0.1'],
    ['every address of this machine', 'http://0.0.0.0:9229/local_1'],
    ['a private network', 'http://10.0.0.1/local_1'],
    ['the metadata of the machine', 'http://169.254.169.254/local_1'],
    ['another scheme', 'ftp://127.0.0.1/local_1'],
    ['a file', 'file://localhost/etc/passwd'],
    ['no URL', 'eu-west-1_Abc123'],
  ])('that is %s is refused', (_, issuer) => {
    expect(issuerIsAccepted(issuer)).toBe(false);
  });

  test('of any pool in any region is accepted', () => {
    const region = fc.stringMatching(/^[a-z]{2,4}(-[a-z]{2,4})?-[a-z]{4,9}-[1-9]$/);
    const pool = fc.stringMatching(/^[A-Za-z0-9]{1,55}$/);
    const host = fc.constantFrom('cognito-idp', 'issuer-cognito-idp');
    const suffix = fc.constantFrom('com', 'com.cn', 'eu');
    fc.assert(
      fc.property(region, pool, host, suffix, (r, p, h, s) =>
        issuerIsAccepted(`https://${h}.${r}.amazonaws.${s}/${r}_${p}`),
      ),
    );
  });

  test('on any other host is refused, whatever stands before, after or around it', () => {
    const word = fc.constantFrom(
      'cognito-idp.eu-west-1.amazonaws.com',
      '127.0.0.1',
      'localhost',
      '[::1]',
      'evil.example',
      'https:',
      '//',
      '/',
      '@',
      ':',
      '?',
      '#',
      '\\',
      '.',
      '%2f',
      '%00',
      '\t',
      ' ',
      'eu-west-1_Abc123',
    );
    const trusted = ['cognito-idp.eu-west-1.amazonaws.com', '127.0.0.1', 'localhost', '[::1]'];
    const url = fc
      .tuple(fc.constantFrom('http://', 'https://'), fc.array(word, { minLength: 1 }))
      .map(([scheme, words]) => scheme + words.join(''));
    fc.assert(
      fc.property(url, (issuer) => {
        fc.pre(issuerIsAccepted(issuer));
        const keySet = `${issuer}/.well-known/jwks.json`;
        fc.pre(URL.canParse(keySet)); // nothing can be fetched from what is no URL
        expect(trusted).toContain(new URL(keySet).hostname);
      }),
      { numRuns: 200, maxSkipsPerRun: 1000 },
    );
  });
});
