/** What the parameters of a stage must be; refused.slow.test.ts shows that osls asks. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { problemsOf, type StageSettings, type Values } from '../../deploy/parameters.ts';
import { NEEDED } from './package.ts';

const read = async (path: string) => parse(await readFile(path, 'utf8'), { logLevel: 'silent' });
const defaults: Values = {
  ...(await read('deploy/stages/default.yml')),
  // As osls resolves them.
  livekitParameter: '/reading-club-meetings/prod/livekit',
  alarmTopic: { Ref: 'AWS::NoValue' },
};
const service: {
  functions: Record<string, { environment?: Record<string, string> }>;
} = await read('serverless.yml');

/** As osls resolves serverless.yml: every variable that is a parameter has its value. */
function settingsOf(given: Values, { stage = 'prod', ofStage = {} as Values } = {}): StageSettings {
  const values: Values = { ...defaults, ...ofStage, ...given };
  const functions = Object.entries(service.functions).map(([name, { environment = {} }]) => ({
    name: `reading-club-meetings-${stage}-${name}`,
    environment: Object.fromEntries(
      Object.entries(environment).map(([variable, value]) => {
        const [, parameter] = /^\$\{param:(\w+)\}$/.exec(value) ?? expect.fail(`${variable}`);
        return [variable, values[parameter ?? '']];
      }),
    ),
  }));
  return { stage, defaults, ofStage, given, functions };
}

const problems = (change: Values, options = {}) =>
  problemsOf(settingsOf({ ...NEEDED, ...change }, options));

const EXISTING = {
  userPoolId: 'eu-west-1_AbCdEfGhI',
  userPoolClientIds: 'web',
  userPoolDomain: 'https://login.example.org',
};

const PAGE = {
  web: 'true',
  webDomain: 'club.example',
  webCertificate: 'arn:aws:acm:us-east-1:123456789012:certificate/6f1e2d3c-aaaa',
};

describe('a stage that says which pool and which pages', () => {
  test.each<[string, Values]>([
    ['a pool that the stack makes', {}],
    ['a pool of another region, with its domain', EXISTING],
    ['a pool without a domain', { ...EXISTING, userPoolDomain: '' }],
    ['several app clients', { ...EXISTING, userPoolClientIds: 'web,ios,android' }],
    ['several app clients as a list', { ...EXISTING, userPoolClientIds: ['web', 'ios'] }],
    ['several pages', { webOrigins: ['https://club.example', 'http://localhost:5173'] }],
    ['several pages by --param', { webOrigins: 'https://a.example, https://b.example:8443' }],
    ['headers of tracing', { tracingHeaders: 'baggage,sentry-trace,traceparent' }],
    ['numbers as text', { tokenTtlSeconds: '60', throttlingRate: '5', reservedConcurrency: '1' }],
    ['numbers', { tokenTtlSeconds: 60, throttlingRate: 5, reservedConcurrency: 1 }],
    ['text for yes and no', { isTableProtected: 'false', selfSignUp: 'true' }],
    ['records that go with the stack', { isTableProtected: false, tableDeletionPolicy: 'Delete' }],
    ['a page at a name of CloudFront', { web: true }],
    ['a page', { ...PAGE, userPoolId: 'new' }],
    ['a page that logs people in elsewhere', { ...EXISTING, ...PAGE }],
    [
      'a LiveKit of your own',
      { livekitOrigins: 'https://livekit.example,wss://livekit.example:7880' },
    ],
    ['a topic', { alarmTopic: 'arn:aws:sns:eu-central-1:123456789012:alarms' }],
    ['what CloudFormation computes', { alarmTopic: { Ref: 'Topic' } }],
    ['another parameter', { livekitParameter: '/a/b.c/d_e-f' }],
    [
      'a slow cleanup, and rooms that outlive it',
      {
        cleanupRate: 'rate(15 minutes)',
        roomEmptyTimeoutSeconds: '3300',
        roomDepartureTimeoutSeconds: 3300,
      },
    ],
    [
      'rooms that last as long as a vacant meeting and its last token',
      {
        cleanupGraceSeconds: 300,
        cleanupRate: 'rate(1 minute)',
        tokenTtlSeconds: '60',
        roomEmptyTimeoutSeconds: 480,
      },
    ],
    ['a fast cleanup', { cleanupRate: 'rate(1 minute)' }],
  ])('is accepted with %s', (_, given) => {
    expect(problems(given)).toEqual([]);
  });
});

describe('refused is', () => {
  test('a stage that says neither, in words that say what to do', () => {
    expect(problemsOf(settingsOf({}))).toEqual([
      'userPoolId is missing: the id of your user pool, or "new" for one that the stack makes',
      'webOrigins is missing: the origins of the pages that call the API, as https://club.example',
    ]);
  });

  test.each<[string, unknown]>([
    ['userPoolId', 'AbCdEfGhI'],
    ['userPoolId', 'New'],
    ['userPoolId', 'arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_A'],
    ['selfSignUp', 'yes'],
    ['webOrigins', '*'],
    ['webOrigins', ','],
    ['webOrigins', 'club.example'],
    ['webOrigins', 'https://club.example/'],
    ['webOrigins', 'https://club.example/app'],
    ['webOrigins', 'http://club.example'],
    ['webOrigins', 'https://Club.example'],
    ['webOrigins', ['https://club.example', 'https://*.club.example']],
    ['tracingHeaders', 'Baggage'],
    ['tracingHeaders', 'baggage traceparent'],
    ['livekitParameter', 'livekit'],
    ['livekitParameter', '/a//b'],
    ['livekitParameter', '/a*'],
    ['cleanupRate', 'rate(1 minutes)'],
    ['cleanupRate', 'rate(0 minutes)'],
    ['cleanupRate', 'rate(1 hour)'],
    ['cleanupRate', 'cron(0 12 * * ? *)'],
    ['isTableProtected', 'no'],
    ['tableDeletionPolicy', 'Snapshot'],
    ['throttlingRate', '0'],
    ['throttlingBurst', 'many'],
    ['reservedConcurrency', 0],
    ['alarmTopic', 'alarms'],
    ['web', 'yes'],
    ['livekitOrigins', 'livekit.example'],
    ['livekitOrigins', 'ws://livekit.example'],
  ])('%s %j', (name, value) => {
    expect(problems({ [name]: value })).toEqual([expect.stringMatching(`^${name} must be `)]);
  });

  test.each<[string, Values, string]>([
    [
      'app clients of a pool that the stack makes',
      { userPoolClientIds: 'web' },
      'userPoolClientIds',
    ],
    ['the domain of one', { userPoolDomain: EXISTING.userPoolDomain }, 'userPoolDomain'],
    ['a pool without its clients', { ...EXISTING, userPoolClientIds: '' }, 'userPoolClientIds'],
    [
      'a domain with a path',
      { ...EXISTING, userPoolDomain: 'https://x.example/login' },
      'userPoolDomain',
    ],
    ['a client with a space', { ...EXISTING, userPoolClientIds: 'a b' }, 'userPoolClientIds'],
    ['a protected table that is to go', { tableDeletionPolicy: 'Delete' }, 'tableDeletionPolicy'],
    ['a page without a login', { ...EXISTING, userPoolDomain: '', web: true }, 'userPoolDomain'],
    ['a domain without a certificate', { ...PAGE, webCertificate: '' }, 'webDomain'],
    [
      'a page that may not call the API',
      { ...PAGE, webOrigins: 'https://other.example' },
      'webOrigins',
    ],
    ['a host with a path', { ...PAGE, webDomain: 'club.example/app', web: false }, 'webDomain'],
    [
      'a certificate of another region',
      { ...PAGE, webCertificate: PAGE.webCertificate.replace('us-east-1', 'eu-central-1') },
      'webCertificate',
    ],
    [
      'a cleanup that runs too rarely for its alarm',
      {
        cleanupRate: 'rate(16 minutes)',
        roomEmptyTimeoutSeconds: 9000,
        roomDepartureTimeoutSeconds: 9000,
      },
      'cleanupRate',
    ],
    ['a name that is no parameter', { corsOrigins: 'https://club.example' }, 'corsOrigins'],
  ])('%s', (_, given, name) => {
    expect(problems(given)).toEqual([expect.stringMatching(`^${name} `)]);
  });

  test.each<[string, Values, string[]]>([
    [
      'rooms that no participant joined',
      { roomEmptyTimeoutSeconds: 2099 },
      ['roomEmptyTimeoutSeconds'],
    ],
    [
      'rooms that every participant left',
      { roomDepartureTimeoutSeconds: '2099' },
      ['roomDepartureTimeoutSeconds'],
    ],
    ...[
      { cleanupGraceSeconds: 901 },
      { tokenTtlSeconds: 601 },
      { cleanupRate: 'rate(6 minutes)' },
    ].map((change): [string, Values, string[]] => [
      `rooms, by ${JSON.stringify(change)}`,
      change,
      ['roomEmptyTimeoutSeconds', 'roomDepartureTimeoutSeconds'],
    ]),
  ])('%s that close while tokens for them work', (_, given, names) => {
    // With this rate the defaults are just enough.
    expect(problems({ cleanupRate: 'rate(5 minutes)', ...given })).toEqual(
      names.map((name) => expect.stringMatching(`^${name} must be 2\\d{3} or more: `)),
    );
  });

  test('a name that is no parameter in the file of the stage, too', () => {
    expect(problems({}, { ofStage: { tokenTTLSeconds: 300 } })).toEqual([
      'tokenTTLSeconds is no parameter',
    ]);
  });

  test('all that is wrong at once', () => {
    expect(problems({ selfSignUp: 'yes', tokenTtlSeconds: 5, moderatorGrants: 'Full' })).toEqual([
      'selfSignUp must be "true" or "false"',
      'tokenTtlSeconds must be a whole number from 60 to 86400',
      'moderatorGrants must be "full", "room" or "none"',
    ]);
  });

  const ofFunctions = Object.values(service.functions).flatMap(({ environment = {} }) =>
    Object.values(environment).map((value) => /\$\{param:(\w+)/.exec(value)?.[1] ?? value),
  );

  test.each([...new Set(ofFunctions)])(
    'a value of %s with which functions do not start',
    (name) => {
      expect(problems({ [name]: 'nonsense' })).toEqual([
        expect.stringMatching(`^${name} must be `),
      ]);
    },
  );

  test.each([
    [24, 'fits', []],
    [25, 'is too long', ['stage', '64 characters', 'may have 24']],
  ])(
    'a name of the stage with which function names are too long: one of %i %s',
    (length, _, words) => {
      const found = problems({}, { stage: 's'.repeat(length) });
      expect(found).toHaveLength(words.length > 0 ? 1 : 0);
      for (const word of words) expect(found[0]).toContain(word);
    },
  );
});
