import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { harmlessEventOf } from '../../cli/doctor/functions.ts';
import { startDatabase } from '../../local/dynamodb.ts';
import { startStandIn } from '../../local/livekit/stand-in.ts';
import { accessClaims, CLIENT_ID, rs256, startIssuer } from '../harness/issuer.ts';
import { RECORDING_ENV } from '../harness/no-recordings.ts';
import { eventOf } from '../harness/routes.ts';
import { expectNoSecret } from '../harness/secrets.ts';
import { resolveTemplate } from './intrinsics.ts';
import {
  invokeLocally,
  NEEDED,
  type Package,
  packageService,
  type Resource,
  SECRETS_OF_THE_SHELL,
} from './package.ts';

const BUNDLE_LIMIT_BYTES = 400_000;

/** The most that `cleanupRate` may be. */
const LONGEST_RATE_SECONDS = 15 * 60;

/** What a function imports when it needs it, and never does: see serverless.yml. */
const LEFT_OUT = [
  '@aws-sdk/credential-provider-http',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
  '@smithy/core/event-streams',
  '@smithy/credential-provider-imds',
];

const LIVEKIT_SETTINGS = {
  LIVEKIT_WS_URL: 'ws://127.0.0.1:7880',
  LIVEKIT_API_KEY: 'devkey',
  LIVEKIT_API_SECRET: 'a-secret-of-at-least-32-characters',
};

const CERTIFICATE = 'arn:aws:acm:us-east-1:123456789012:certificate/6f1e2d3c';

const STACK_ID =
  'arn:aws:cloudformation:eu-central-1:123456789012:stack/Any/6f1e2d3c-aaaa-11ef-8888-0a1b2c3d4e5f';
const WEBHOOK = 'POST /api/livekit/webhook/6f1e2d3c-aaaa-11ef-8888-0a1b2c3d4e5f';

/** Every route of members, and the function behind it. */
const OF_MEMBERS = {
  'POST /token': 'token',
  'POST /{clubId}/start': 'start',
  'POST /{clubId}/end': 'end',
  'GET /{clubId}/status': 'status',
  'GET /{clubId}/meetings': 'meetings',
  'GET /{clubId}/meetings/{meetingId}': 'meeting',
  'GET /clubs': 'myClubs',
  'GET /{clubId}/members': 'members',
  'GET /{clubId}/participants': 'participants',
  'POST /{clubId}/participants/mute': 'muteAll',
  'POST /{clubId}/participants/{userId}/mute': 'mute',
  'POST /{clubId}/participants/{userId}/remove': 'remove',
  'DELETE /{clubId}/participants/{userId}/removal': 'readmit',
  'PUT /{clubId}/members/{userId}/role': 'role',
  'POST /{clubId}/recording/start': 'recordingStart',
  'POST /{clubId}/recording/stop': 'recordingStop',
  'POST /{clubId}/recording/consent': 'recordingConsent',
  'GET /{clubId}/meetings/{meetingId}/recordings': 'recordings',
  'GET /{clubId}/meetings/{meetingId}/recordings/{recordingId}/download': 'recordingDownload',
  'DELETE /{clubId}/meetings/{meetingId}/recordings/{recordingId}': 'recordingDelete',
};

/** Every route, the function behind it, and who may call it. */
const ROUTES: Record<string, [name: string, callers: string]> = {
  ...Object.fromEntries(
    Object.entries(OF_MEMBERS).map(([route, name]) => [
      route.replace(' ', ' /api/reading-clubs/meeting'),
      [name, 'members'],
    ]),
  ),
  [WEBHOOK]: ['webhook', 'senders with a LiveKit signature'],
};

const TABLE = 'Table.Arn';
const INDEX = 'Table.Arn/index/activeMeetings';
const LIVEKIT =
  'arn:AWS::Partition:ssm:AWS::Region:AWS::AccountId:parameter/reading-club-meetings/prod/livekit';
const onTable = (...operations: string[]) =>
  operations.map((operation) => `dynamodb:${operation} ${TABLE}`);
const FILES = 'RecordingsBucket.Arn/recordings/*';
const findsFiles = ['s3:ListBucket RecordingsBucket.Arn'];
const changesMeetings = onTable(
  ...['BatchGetItem', 'DeleteItem', 'GetItem', 'PutItem', 'UpdateItem'],
);
const readsLiveKitSettings = [`ssm:GetParameter ${LIVEKIT}`];

/** What each function may do, action by action, besides writing its own log. */
const PERMISSIONS: Record<string, string[]> = {
  token: [...changesMeetings, ...readsLiveKitSettings],
  start: [...changesMeetings, ...readsLiveKitSettings],
  end: [...changesMeetings, ...readsLiveKitSettings],
  status: [...onTable('BatchGetItem', 'GetItem'), ...readsLiveKitSettings],
  meetings: onTable('BatchGetItem', 'Query'),
  meeting: onTable('BatchGetItem', 'GetItem', 'Query'),
  myClubs: [...onTable('BatchGetItem'), `dynamodb:Query ${TABLE}/index/clubsOfPerson`],
  members: onTable('BatchGetItem', 'Query'),
  participants: [...onTable('BatchGetItem'), ...readsLiveKitSettings],
  mute: [...onTable('BatchGetItem'), ...readsLiveKitSettings],
  muteAll: [...onTable('BatchGetItem'), ...readsLiveKitSettings],
  remove: [...onTable('BatchGetItem', 'GetItem', 'UpdateItem'), ...readsLiveKitSettings],
  readmit: onTable('BatchGetItem', 'GetItem', 'UpdateItem'),
  role: onTable('BatchGetItem', 'GetItem', 'UpdateItem'),
  recordingStart: [...changesMeetings, ...findsFiles, ...readsLiveKitSettings],
  recordingStop: [...onTable('BatchGetItem', 'GetItem', 'UpdateItem'), ...readsLiveKitSettings],
  recordingConsent: onTable('BatchGetItem', 'DeleteItem', 'PutItem'),
  recordings: onTable('BatchGetItem', 'GetItem', 'Query'),
  recordingDownload: [...onTable('BatchGetItem', 'GetItem'), `s3:GetObject ${FILES}`],
  recordingDelete: [
    ...onTable('BatchGetItem', 'BatchWriteItem', 'GetItem', 'Query', 'UpdateItem'),
    `s3:DeleteObject ${FILES}`,
  ],
  clubs: [
    ...changesMeetings,
    ...onTable('BatchWriteItem', 'Query', 'Scan'),
    'sqs:SendMessage DeadLetterQueue.Arn',
    ...readsLiveKitSettings,
  ],
  webhook: [
    ...onTable('BatchGetItem', 'DeleteItem', 'GetItem', 'UpdateItem'),
    ...findsFiles,
    ...readsLiveKitSettings,
  ],
  cleanup: [
    ...changesMeetings,
    ...onTable('BatchWriteItem', 'Query'),
    `dynamodb:Query ${INDEX}`,
    ...findsFiles,
    `s3:DeleteObject ${FILES}`,
    ...readsLiveKitSettings,
  ],
};

/** Every variable in the functions' environments. Before you add one, ask: is it a secret? */
const ENVIRONMENT = [
  'CLEANUP_GRACE_SECONDS',
  'CLEANUP_MAX_LIVEKIT_CALLS',
  'COGNITO_CLIENT_IDS',
  'COGNITO_ISSUER',
  'COGNITO_TOKEN_USE',
  'LIVEKIT_PARAMETER',
  'MEETING_MAX_DURATION_SECONDS',
  'MODERATOR_GRANTS',
  'POWERTOOLS_SERVICE_NAME',
  'RECORDINGS_BUCKET',
  'RECORDING_DEFAULT',
  'RECORDING_RETENTION_DAYS',
  'ROOM_DEPARTURE_TIMEOUT_SECONDS',
  'ROOM_EMPTY_TIMEOUT_SECONDS',
  'ROOM_MAX_PARTICIPANTS',
  'TABLE_NAME',
  'TOKEN_TTL_SECONDS',
];

const run = promisify(execFile);

/** `ours` is packaged with the needed parameters only, `configured` with the optional ones as well. */
let ours: Package;
let configured: Package;

beforeAll(async () => {
  [ours, configured] = await Promise.all([
    packageService(NEEDED),
    packageService(
      {
        userPoolId: 'eu-west-1_Given',
        userPoolClientIds: 'web, ios',
        userPoolDomain: 'https://login.example.org',
        webOrigins: 'https://club.example,https://other.example:8443',
        tracingHeaders: 'baggage,sentry-trace,traceparent',
        web: 'true',
        webDomain: 'club.example',
        webCertificate: CERTIFICATE,
        livekitOrigins: 'https://livekit.example,wss://livekit.example',
        throttlingRate: '7',
        recordingRetentionDays: '7',
        reservedConcurrency: '5',
        alarmTopic: 'arn:aws:sns:eu-central-1:123456789012:alarms',
      },
      'a folder/of Zoë/checkout',
    ),
  ]);
}, 300_000);

const of = (type: string, { resources } = ours): [string, Resource][] =>
  Object.entries(resources).filter(([, resource]) => resource.Type === type);

/** The one resource of its type. */
function only(type: string, stack = ours): Resource {
  const found = of(type, stack).map(([, resource]) => resource);
  expect(found).toHaveLength(1);
  return found[0] ?? expect.fail(type);
}

/** The properties of the resource of this name. */
const propertiesOf = (logicalId: string, { resources } = ours): Resource['Properties'] =>
  (resources[logicalId] ?? expect.fail(`There is no ${logicalId}`)).Properties;

const PRIVATE_BUCKET = {
  OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
  PublicAccessBlockConfiguration: {
    BlockPublicAcls: true,
    BlockPublicPolicy: true,
    IgnorePublicAcls: true,
    RestrictPublicBuckets: true,
  },
};
const KEPT = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' };

/** `token` for `TokenLambdaFunction`. */
const nameOf = (logicalId: string): string => {
  const name = logicalId.replace(/LambdaFunction$/, '');
  return name.charAt(0).toLowerCase() + name.slice(1);
};
const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const functions = () =>
  of('AWS::Lambda::Function').map(([id, each]) => [nameOf(id), each] as const);

describe('the API', () => {
  test('has these routes, and every one that people call verifies their token first', () => {
    const [[authorizerId] = ['']] = of('AWS::ApiGatewayV2::Authorizer');
    const routes = of('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => {
      const { RouteKey, Target, AuthorizationType = 'NONE', AuthorizerId } = Properties;
      const integration: string = resolveTemplate(Target).replace('integrations/', '');
      const target = ours.resources[integration]?.Properties.IntegrationUri;
      const isForMembers =
        AuthorizationType === 'JWT' && resolveTemplate(AuthorizerId) === authorizerId;
      const callers = isForMembers ? 'members' : 'senders with a LiveKit signature';
      expect(isForMembers || AuthorizationType === 'NONE').toBe(true);
      return [
        resolveTemplate(RouteKey, { 'AWS::StackId': STACK_ID }),
        [nameOf(resolveTemplate(target).split('.')[0]), callers],
      ];
    });
    expect(Object.fromEntries(routes)).toEqual(ROUTES);
  });

  test('verifies tokens of the pool that the stack makes', () => {
    const authorizer = only('AWS::ApiGatewayV2::Authorizer').Properties;
    expect(authorizer).toMatchObject({
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
    });
    expect(resolveTemplate(authorizer.JwtConfiguration)).toEqual({
      Issuer: 'https://cognito-idp.AWS::Region.amazonaws.com/UserPool',
      Audience: ['UserPoolClient'],
    });
  });

  test('verifies tokens of the pool that is given', () => {
    const authorizer = only('AWS::ApiGatewayV2::Authorizer', configured).Properties;
    expect(authorizer.JwtConfiguration).toEqual({
      Issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Given',
      Audience: ['web', 'ios'],
    });
  });

  test('has a limit for every route, set only once the route is there', () => {
    const { Properties, DependsOn } = only('AWS::ApiGatewayV2::Stage');
    const { DefaultRouteSettings, RouteSettings } = Properties;
    const limits = { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 };
    // The webhook's alone: its name is known in the stack only.
    expect(DefaultRouteSettings).toMatchObject(limits);
    const named = Object.keys(ROUTES).filter((route) => route !== WEBHOOK);
    expect(RouteSettings).toEqual(
      Object.fromEntries(named.map((route) => [route, expect.objectContaining(limits)])),
    );
    const routeIds = of('AWS::ApiGatewayV2::Route').map(([id]) => id);
    expect(DependsOn).toEqual(expect.arrayContaining(routeIds));
  });

  test('takes webhooks at an address that a stranger cannot guess', () => {
    const refs = { 'AWS::StackId': STACK_ID };
    const url = resolveTemplate(ours.outputs['WebhookUrl']?.Value, refs);
    expect(url).toBe(`HttpApi.ApiEndpoint${WEBHOOK.slice('POST '.length)}`);
  });

  test('has a limit that is a number, also when it is given as text', () => {
    const { RouteSettings } = only('AWS::ApiGatewayV2::Stage', configured).Properties;
    const rates = Object.values<Record<string, unknown>>(RouteSettings);
    expect(new Set(rates.map(({ ThrottlingRateLimit }) => ThrottlingRateLimit))).toEqual(
      new Set([7]),
    );
  });

  test('may be called by pages of the configured origins only', () => {
    const corsOf = (stack: Package) =>
      only('AWS::ApiGatewayV2::Api', stack).Properties.CorsConfiguration;
    const methods = Object.keys(ROUTES).map((route) => route.split(' ')[0] ?? '');
    const cors = {
      AllowHeaders: ['authorization', 'content-type', 'if-none-match'],
      ExposeHeaders: ['etag', 'retry-after'],
      AllowMethods: expect.toSatisfy((allowed: string[]) => {
        expect(allowed.toSorted()).toEqual([...new Set([...methods, 'OPTIONS'])].toSorted());
        return true;
      }),
      MaxAge: 3600,
    };
    expect(corsOf(ours)).toEqual({ ...cors, AllowOrigins: ['https://club.example'] });
    expect(corsOf(configured)).toEqual({
      ...cors,
      AllowOrigins: ['https://club.example', 'https://other.example:8443'],
      AllowHeaders: [...cors.AllowHeaders, 'baggage', 'sentry-trace', 'traceparent'],
    });
  });
});

describe('the functions', () => {
  test('run on Node 24 and arm64', () => {
    for (const [name, { Properties }] of functions()) {
      expect(Properties, name).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
    }
    expect(
      functions()
        .map(([name]) => name)
        .toSorted(),
    ).toEqual(Object.keys(PERMISSIONS).toSorted());
  });

  test('have a role each, which no other function has', () => {
    const roles = functions().map(([, { Properties }]) => resolveTemplate(Properties.Role));
    expect(roles.toSorted()).toEqual(
      of('AWS::IAM::Role')
        .map(([id]) => `${id}.Arn`)
        .toSorted(),
    );
    expect(new Set(roles).size).toBe(roles.length);
  });

  test('can be assumed by Lambda alone', () => {
    for (const [id, { Properties }] of of('AWS::IAM::Role')) {
      expect(Properties.AssumeRolePolicyDocument.Statement, id).toEqual([
        {
          Effect: 'Allow',
          Principal: { Service: 'lambda.amazonaws.com' },
          Action: 'sts:AssumeRole',
        },
      ]);
      expect(Properties.ManagedPolicyArns, id).toBeUndefined();
    }
    expect(of('AWS::IAM::Policy').concat(of('AWS::IAM::ManagedPolicy'))).toEqual([]);
  });

  test('may do exactly what they do, action by action', () => {
    const permissions = functions().map(([name, { Properties }]) => {
      const role = ours.resources[resolveTemplate(Properties.Role).split('.')[0]];
      return [name, grantsOf(role).toSorted()];
    });
    const expected = Object.entries(PERMISSIONS).map(([name, grants]) => {
      const log = `${capitalized(name)}LogGroup.Arn`;
      const own = [`logs:CreateLogStream ${log}`, `logs:PutLogEvents ${log}`];
      return [name, [...own, ...grants].toSorted()];
    });
    expect(Object.fromEntries(permissions)).toEqual(Object.fromEntries(expected));
  });

  test('have no wildcard in any action, and in a resource only for files', () => {
    const statements = of('AWS::IAM::Role').flatMap(([, role]) => statementsOf(role));
    expect(statements.length).toBeGreaterThan(0);
    for (const { Effect, Action, Resource, ...rest } of statements) {
      expect(Effect).toBe('Allow');
      const { Condition, ...others } = rest;
      expect(others).toEqual({}); // neither NotAction nor NotResource
      const isListing = String(Action) === 's3:ListBucket';
      expect(Condition).toEqual(
        isListing ? { StringLike: { 's3:prefix': 'recordings/*' } } : undefined,
      );
      expect(JSON.stringify(Action)).not.toContain('*');
      if (resolveTemplate(Resource) !== FILES) expect(JSON.stringify(Resource)).not.toContain('*');
    }
  });

  test('have no instances reserved for them, unless a number is given', () => {
    const reserved = (stack: Package) =>
      of('AWS::Lambda::Function', stack).map(
        ([, { Properties }]) => Properties.ReservedConcurrentExecutions,
      );
    expect(new Set(reserved(ours))).toEqual(new Set([undefined]));
    expect(new Set(reserved(configured))).toEqual(new Set([5]));
  });

  test('have no secret in their environment, and nothing that could be one', () => {
    const names = functions().flatMap(([, { Properties }]) =>
      Object.keys(Properties.Environment.Variables),
    );
    expect([...new Set(names)].toSorted()).toEqual(ENVIRONMENT);
    expect(names.filter((name) => /SECRET|PASSWORD|API_KEY|PRIVATE|CREDENTIAL/.test(name))).toEqual(
      [],
    );
    expect(ours.text).not.toContain('LIVEKIT_API');
  });

  test('have the given pool in their environment', () => {
    const { Environment } = propertiesOf('TokenLambdaFunction', configured);
    expect(resolveTemplate(Environment.Variables)).toMatchObject({
      COGNITO_ISSUER: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Given',
      COGNITO_CLIENT_IDS: 'web,ios',
    });
  });

  test('start with exactly their environment, and do nothing for an event of the doctor', async () => {
    const refs = {
      'AWS::Region': 'eu-central-1',
      Table: 'clubs',
      UserPool: 'eu-central-1_Made',
      UserPoolClient: 'made-client',
      RecordingsBucket: 'made-bucket',
    };
    const starts = functions().map(async ([name, { Properties }]) => {
      const variables = resolveTemplate(Properties.Environment.Variables, refs);
      const { LIVEKIT_PARAMETER, ...others } = variables;
      const env = { ...others, NODE_OPTIONS: '', AWS_REGION: 'eu-central-1' };
      const event = JSON.parse(await harmlessEventOf(name));
      // The webhook reads LiveKit's settings before it refuses.
      const livekit = name === 'webhook' ? LIVEKIT_SETTINGS : { LIVEKIT_PARAMETER };
      return [name, await runBundle(name, { ...env, ...livekit }, [event])];
    });
    const refused = { statusCode: 401 };
    const expected = functions().map(([name]) => {
      if (name === 'cleanup') return [name, ['started']];
      return [name, [name === 'clubs' ? { code: 'INVALID_REQUEST' } : refused]];
    });
    expect(await Promise.all(starts)).toMatchObject(expected);
    // A process for each function, on a busy machine.
  }, 90_000);

  test('work by themselves, where there is no module but those of Node', async () => {
    const [database, media, issuer] = await Promise.all([
      startDatabase({ port: 0 }),
      startStandIn({ apiKeys: { devkey: LIVEKIT_SETTINGS.LIVEKIT_API_SECRET } }),
      startIssuer(),
    ]);
    onTestFinished(async () => {
      await Promise.all([database.stop(), media.close(), issuer.stop()]);
    });
    const env = {
      ...RECORDING_ENV,
      TABLE_NAME: database.tableName,
      DYNAMODB_ENDPOINT: database.endpoint,
      ...LIVEKIT_SETTINGS,
      LIVEKIT_WS_URL: media.wsUrl,
      COGNITO_ISSUER: issuer.url,
      COGNITO_CLIENT_IDS: CLIENT_ID,
    };
    const ada = { userId: 'ada', username: 'ada' };
    const club = { clubId: 'novels', name: 'Novels on Monday', moderatorId: ada.userId };
    const authorization = `Bearer ${rs256(issuer.key, accessClaims(issuer.url, ada))}`;

    const managed = await runBundle('clubs', env, [
      { command: 'put-club', ...club },
      { command: 'put-member', clubId: 'novels', userId: 'ben' },
      { command: 'set-role', clubId: 'novels', userId: 'nobody', role: 'moderator' }, // a condition fails
      { command: 'show', clubId: 'novels' },
    ]);
    expect(managed).toMatchObject([
      { done: true },
      { done: true },
      { code: 'MEMBER_NOT_FOUND' },
      { ...club, members: [{ userId: 'ben', role: 'member' }] },
    ]);
    const startEvent = eventOf('start', authorization, { clubId: 'novels' });
    expect(await runBundle('start', env, [startEvent])).toMatchObject([{ statusCode: 200 }]);
    expect(await media.rooms()).toHaveLength(1);
    expect(await runBundle('cleanup', env, [{}])).toEqual([expect.any(Object)]);
    expect(await runBundle('clubs', env, [{ command: 'remove-club', clubId: 'novels' }])).toEqual([
      { done: true },
    ]);
    expect(await media.rooms()).toEqual([]);
  });
});

describe('the bundles', () => {
  const packed = () =>
    [...ours.zips].flatMap(([name, files]) =>
      [...files].map(([file, content]) => ({ name, file, content })),
    );
  const bundles = () => packed().filter(({ file }) => !file.endsWith('.map'));

  test('are one a function, with its source map and nothing else', () => {
    for (const [name, files] of ours.zips) {
      const [path] = String(propertiesOf(`${capitalized(name)}LambdaFunction`).Handler).split('.');
      expect([...files.keys()].toSorted(), name).toEqual([`${path}.cjs`, `${path}.cjs.map`]);
    }
    expect([...ours.zips.keys()].toSorted()).toEqual(Object.keys(PERMISSIONS).toSorted());
  });

  test.each(Object.keys(PERMISSIONS))('of %s is below 400 kB', (name) => {
    const [bundle] = bundles().filter((each) => each.name === name);
    expect(bundle?.content.length).toBeGreaterThan(0);
    expect(bundle?.content.length).toBeLessThan(BUNDLE_LIMIT_BYTES);
  });

  test('import nothing but Node and the credential providers that are left out', async () => {
    const imported = new Set<string>();
    const noteImports: Plugin = {
      name: 'note-imports',
      setup: ({ onResolve }) =>
        onResolve({ filter: /.*/ }, ({ path }) => {
          imported.add(path);
          return { path, external: true };
        }),
    };
    for (const { content } of bundles()) {
      const stdin = { contents: content.toString() };
      await build({ stdin, bundle: true, write: false, platform: 'node', plugins: [noteImports] });
    }
    expect([...imported].filter((path) => !isBuiltin(path)).toSorted()).toEqual(LEFT_OUT);
  });

  test('hold no schema of an answer: the rules import types of the contract only', () => {
    const maps = packed().filter(({ file }) => file.endsWith('.map'));
    expect(maps).toHaveLength(ours.zips.size);
    for (const { name, content } of maps) {
      expect(content.includes('lib/meetings/model.ts'), name).toBe(true);
      expect(content.includes('lib/contract/'), name).toBe(false);
    }
  });

  test('are the same bytes wherever the checkout lies, and whatever the parameters are', () => {
    for (const { name, file, content } of packed()) {
      expect(configured.zips.get(name)?.get(file)?.equals(content), `${name}/${file}`).toBe(true);
    }
  });

  test('hold neither the sources nor paths of this machine', () => {
    for (const { name, file, content } of packed()) {
      expect(content.includes(tmpdir()), `${name}/${file}`).toBe(false);
      expect(content.includes('"sourcesContent"'), `${name}/${file}`).toBe(false);
    }
  });
});

describe('the alarms', () => {
  const topicsOf = (stack: Package) => {
    const alarms = of('AWS::CloudWatch::Alarm', stack);
    return new Set(
      alarms.flatMap(([, { Properties }]) => resolveTemplate(Properties.AlarmActions)),
    );
  };

  test('only show, unless a topic is given', () => {
    expect(topicsOf(ours)).toEqual(new Set(['AWS::NoValue']));
    expect(topicsOf(configured)).toEqual(new Set(['arn:aws:sns:eu-central-1:123456789012:alarms']));
  });

  test('about refused webhooks counts what the access log has of them, and nothing else', () => {
    const { AccessLogSettings } = only('AWS::ApiGatewayV2::Stage').Properties;
    const { LogGroupName, FilterPattern, MetricTransformations } =
      propertiesOf('WebhooksRefusedFilter');
    expect(resolveTemplate(AccessLogSettings.DestinationArn)).toBe(`${LogGroupName.Ref}.Arn`);
    const alarm = propertiesOf('WebhooksRefusedAlarm');
    expect(MetricTransformations).toEqual([
      { MetricNamespace: alarm.Namespace, MetricName: alarm.MetricName, MetricValue: '1' },
    ]);

    const isCounted = (route: string, status: string) => {
      const line: Record<string, string> = JSON.parse(
        AccessLogSettings.Format.replace('$context.routeKey', route).replace(
          '$context.status',
          status,
        ),
      );
      // As much of the syntax as this pattern uses: { ($.field = "text*") && … }
      const terms = [...FilterPattern.matchAll(/\(\$\.(\w+) = "([^"]+)\*"\)/g)];
      expect(`{ ${terms.map(([term]) => term).join(' && ')} }`).toBe(FilterPattern);
      return terms.every(([, field = '', start = '']) => line[field]?.startsWith(start));
    };
    for (const status of ['401', '413', '429']) expect(isCounted(WEBHOOK, status)).toBe(true);
    expect(isCounted(WEBHOOK, '200')).toBe(false);
    expect(isCounted('POST /api/reading-clubs/meeting/token', '401')).toBe(false);
  });

  test('about postponed work counts what the cleanup reports of a run', async () => {
    const { Environment } = propertiesOf('CleanupLambdaFunction');
    const { POWERTOOLS_SERVICE_NAME } = Environment.Variables;
    const env = {
      ...RECORDING_ENV,
      POWERTOOLS_SERVICE_NAME,
      TABLE_NAME: 'clubs',
      DYNAMODB_ENDPOINT: 'http://127.0.0.1:1',
      ...LIVEKIT_SETTINGS,
      LIVEKIT_WS_URL: 'ws://127.0.0.1:1',
    };
    const lines = await linesOfBundle('cleanup', env, [{}]);
    const { _aws, ...reported } = JSON.parse(lines.find((line) => line.includes('"_aws"')) ?? '');
    const [{ Namespace, Dimensions: sets }] = _aws.CloudWatchMetrics;

    const alarm = propertiesOf('CleanupPostponedAlarm');
    expect(alarm.Namespace).toBe(Namespace);
    expect(sets).toEqual([expect.toSatisfy((names) => names.length === alarm.Dimensions.length)]);
    expect(reported).toMatchObject(
      Object.fromEntries([
        [alarm.MetricName, 0],
        ...alarm.Dimensions.map(({ Name, Value }: Record<string, string>) => [Name, Value]),
      ]),
    );
  });

  test('about server errors divides them by the requests', () => {
    const { Metrics } = propertiesOf('ServerErrorsAlarm');
    expect(Metrics).toMatchObject([
      { Expression: 'errors / requests', ReturnData: true },
      { Id: 'errors', MetricStat: { Metric: { MetricName: '5xx' }, Stat: 'Sum' } },
      { Id: 'requests', MetricStat: { Metric: { MetricName: 'Count' }, Stat: 'Sum' } },
    ]);
  });

  test('about the cleanup wait for two runs at least, however seldom it may run', () => {
    const secondsOf = (name: string) => {
      const { Period, EvaluationPeriods } = propertiesOf(name);
      return Period * EvaluationPeriods;
    };
    expect(secondsOf('CleanupDidNotRunAlarm')).toBeGreaterThanOrEqual(2 * LONGEST_RATE_SECONDS);
    const { Threshold } = propertiesOf('CleanupFailedAlarm');
    expect(secondsOf('CleanupFailedAlarm')).toBeGreaterThanOrEqual(
      Threshold * LONGEST_RATE_SECONDS,
    );
    expect(secondsOf('CleanupPostponedAlarm')).toBeGreaterThanOrEqual(2 * LONGEST_RATE_SECONDS);
  });
});

test('the cleanup is neither retried, nor begun later than a period after its time', () => {
  const [config] = of('AWS::Lambda::EventInvokeConfig')
    .map(([, { Properties }]) => Properties)
    .filter(({ FunctionName }) => FunctionName.Ref === 'CleanupLambdaFunction');
  expect(config).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 300 });
});

test('a package holds no secret of the shell in which it is made', () => {
  for (const { everything } of [ours, configured]) {
    expect([...everything.keys()]).toEqual(
      expect.arrayContaining(['what it printed', 'serverless-state.json', 'token.zip']),
    );
    expectNoSecret(everything, Object.values(SECRETS_OF_THE_SHELL));
  }
});

describe('the recordings', () => {
  const bucket = (stack = ours) => stack.resources['RecordingsBucket'] ?? expect.fail();

  test('are in a private, encrypted bucket, which stays when the stack goes', () => {
    expect(bucket()).toMatchObject(KEPT);
    expect(bucket().Properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
        ],
      },
      ...PRIVATE_BUCKET,
    });
    expect(bucket().Properties.VersioningConfiguration).toBeUndefined();
  });

  test('go after as many days as the record keeps them', () => {
    const daysOf = (stack: Package) =>
      bucket(stack).Properties.LifecycleConfiguration.Rules[0].ExpirationInDays;
    expect([daysOf(ours), daysOf(configured)]).toEqual([30, 7]);
    const { Variables } = propertiesOf('WebhookLambdaFunction', configured).Environment;
    expect(Variables.RECORDING_RETENTION_DAYS).toBe('7');
  });

  test('are put there by a user who can do nothing else, and has no key of the stack', () => {
    const { Policies, ManagedPolicyArns, Groups } = only('AWS::IAM::User').Properties;
    expect({ ManagedPolicyArns, Groups }).toEqual({});
    expect(Policies).toHaveLength(1);
    expect(resolveTemplate(Policies[0].PolicyDocument.Statement)).toEqual([
      { Effect: 'Allow', Action: ['s3:PutObject'], Resource: FILES },
    ]);
    expect(of('AWS::IAM::AccessKey')).toEqual([]);
  });

  test('travel over TLS alone', () => {
    const { PolicyDocument } = propertiesOf('RecordingsBucketPolicy');
    expect(PolicyDocument.Statement).toMatchObject([
      { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    ]);
  });

  test('have the time that LiveKit takes to find no recorder', () => {
    expect(propertiesOf('RecordingStartLambdaFunction').Timeout).toBe(29);
  });
});

describe('the table', () => {
  test('has its keys, the sparse indexes, on-demand capacity and a time to live', () => {
    expect(only('AWS::DynamoDB::Table').Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: ['pk', 'sk', 'activeShard', 'activeSince', 'personId'].map(
        (AttributeName) => ({ AttributeName, AttributeType: 'S' }),
      ),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'activeMeetings',
          KeySchema: [
            { AttributeName: 'activeShard', KeyType: 'HASH' },
            { AttributeName: 'activeSince', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
        {
          IndexName: 'clubsOfPerson',
          KeySchema: [
            { AttributeName: 'personId', KeyType: 'HASH' },
            { AttributeName: 'pk', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
  });
});

describe('what is kept', () => {
  test('are the records: not deleted by accident, and restorable to any moment', () => {
    expect(only('AWS::DynamoDB::Table')).toMatchObject({
      ...KEPT,
      Properties: {
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    });
  });

  test('are the logs, for a limited time', () => {
    const groups = of('AWS::Logs::LogGroup');
    expect(groups.length).toBeGreaterThanOrEqual(functions().length);
    for (const [id, { Properties }] of groups) expect(Properties.RetentionInDays, id).toBe(90);
  });
});

describe('the user pool', () => {
  const POOL = 'AWS::Cognito::UserPool';
  const CLIENT = 'AWS::Cognito::UserPoolClient';
  const DOMAIN = 'AWS::Cognito::UserPoolDomain';
  const STYLE = 'AWS::Cognito::ManagedLoginBranding';

  test('is made, with all that a login needs, when it is to be new', () => {
    for (const type of [POOL, CLIENT, DOMAIN, STYLE]) only(type);
  });

  test('is not made when one is given', () => {
    const made = Object.values(configured.resources).filter(({ Type }) =>
      Type.startsWith('AWS::Cognito'),
    );
    expect(made).toEqual([]);
  });

  test('treats Ada@x and ada@x as one user', () => {
    expect(only(POOL).Properties).toMatchObject({
      UsernameAttributes: ['email'],
      UsernameConfiguration: { CaseSensitive: false },
    });
  });

  test('is kept as the records are, and so is its client', () => {
    expect(only(POOL)).toMatchObject(KEPT);
    expect(only(POOL).Properties.DeletionProtection).toBe('ACTIVE');
    expect(only(CLIENT)).toMatchObject(KEPT);
  });

  test('lets administrators make accounts, whose owners can reset their passwords', () => {
    expect(only(POOL).Properties).toMatchObject({
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      AutoVerifiedAttributes: ['email'],
      AccountRecoverySetting: { RecoveryMechanisms: [{ Name: 'verified_email', Priority: 1 }] },
    });
  });

  test('has a client without a secret, which does not reveal who has an account', () => {
    const { Properties } = only(CLIENT);
    expect(Properties.GenerateSecret).toBeUndefined();
    expect(Properties.PreventUserExistenceErrors).toBe('ENABLED');
  });

  test('logs people in on its own page, by the code flow, for the configured pages alone', () => {
    expect(only(CLIENT).Properties).toMatchObject({
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid'],
      SupportedIdentityProviders: ['COGNITO'],
      CallbackURLs: ['https://club.example/callback'],
      LogoutURLs: ['https://club.example/'],
    });
    expect(only(DOMAIN).Properties.ManagedLoginVersion).toBe(2);
    expect(only(STYLE).Properties).toEqual({
      UserPoolId: { Ref: 'UserPool' },
      ClientId: { Ref: 'UserPoolClient' },
      UseCognitoProvidedValues: true,
    });
  });

  test('has a domain that no other stack has, of letters that a domain may have', () => {
    const { Domain } = resolveTemplate(only(DOMAIN).Properties, {
      'AWS::StackId': STACK_ID,
    });
    expect(Domain).toBe('reading-club-meetings-6f1e2d3c');
    expect(Domain).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
  });

  test('is among the outputs, by its domain, whether it is made or given', () => {
    const domainOf = ({ outputs }: Package) => resolveTemplate(outputs['UserPoolDomain']?.Value);
    expect(domainOf(ours)).toBe('https://UserPoolDomain.auth.AWS::Region.amazoncognito.com');
    expect(domainOf(configured)).toBe('https://login.example.org');
  });
});

describe('the page', () => {
  const POLICY = 'AWS::CloudFront::ResponseHeadersPolicy';
  const DISTRIBUTION = 'AWS::CloudFront::Distribution';

  test('is made when the parameter says so, and not else', () => {
    const made = Object.entries(ours.resources).filter(
      ([id, { Type }]) => Type.startsWith('AWS::CloudFront') || id === 'WebBucket',
    );
    expect(made).toEqual([]);
    only(DISTRIBUTION, configured);
  });

  test('has a bucket that its own distribution alone may read', () => {
    expect(propertiesOf('WebBucket', configured)).toMatchObject(PRIVATE_BUCKET);
    const { PolicyDocument } = propertiesOf('WebBucketPolicy', configured);
    expect(resolveTemplate(PolicyDocument.Statement)).toEqual([
      {
        Effect: 'Allow',
        Principal: { Service: 'cloudfront.amazonaws.com' },
        Action: 's3:GetObject',
        Resource: 'WebBucket.Arn/*',
        Condition: {
          StringEquals: {
            'AWS:SourceArn':
              'arn:AWS::Partition:cloudfront::AWS::AccountId:distribution/WebDistribution',
          },
        },
      },
    ]);
    const { Origins } = only(DISTRIBUTION, configured).Properties.DistributionConfig;
    expect(Origins).toEqual([
      expect.objectContaining({ OriginAccessControlId: { Ref: 'WebAccess' } }),
    ]);
  });

  test('is served over https alone, at its own domain', () => {
    const { DistributionConfig } = only(DISTRIBUTION, configured).Properties;
    expect(DistributionConfig).toMatchObject({
      Aliases: ['club.example'],
      ViewerCertificate: {
        AcmCertificateArn: CERTIFICATE,
        SslSupportMethod: 'sni-only',
        MinimumProtocolVersion: 'TLSv1.2_2021',
      },
      DefaultCacheBehavior: { ViewerProtocolPolicy: 'redirect-to-https' },
    });
    expect(resolveTemplate(configured.outputs['WebUrl']?.Value)).toBe('https://club.example');
  });

  test('may connect to the API, the login and LiveKit, play recordings, and run no script but its own', () => {
    const { ResponseHeadersPolicyConfig } = only(POLICY, configured).Properties;
    const { SecurityHeadersConfig } = ResponseHeadersPolicyConfig;
    const policy = resolveTemplate(
      SecurityHeadersConfig.ContentSecurityPolicy.ContentSecurityPolicy,
    );
    const directives: string[] = policy.split('; ');
    expect(directives).toContain(
      "connect-src 'self' HttpApi.ApiEndpoint https://login.example.org https://livekit.example wss://livekit.example",
    );
    expect(directives).toContain(
      "media-src 'self' blob: https://RecordingsBucket.RegionalDomainName",
    );
    expect(directives).toContain("default-src 'none'");
    expect(directives).toContain("script-src 'self'");
    expect(directives).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    for (const { Override } of Object.values<{ Override: boolean }>(SecurityHeadersConfig)) {
      expect(Override).toBe(true);
    }
  });

  test.each([
    ['/', '/index.html'],
    ['/clubs/novels', '/index.html'],
    ['/callback', '/index.html'],
    ['/config.json', '/config.json'],
    ['/assets/index-B1a2.js', '/assets/index-B1a2.js'],
  ])('answers %s with %s', (uri, file) => {
    const { FunctionCode } = only('AWS::CloudFront::Function', configured).Properties;
    const handler = new Function(`${FunctionCode}; return handler;`)();
    expect(handler({ request: { method: 'GET', uri } })).toEqual({ method: 'GET', uri: file });
  });
});

describe('a sample event', () => {
  test.each(['token', 'start', 'end', 'status'])(
    'of %s, without a stack or an account, is answered with a clean 401',
    { concurrent: true, timeout: 300_000 },
    async (name) => {
      const printed = await invokeLocally(name);
      const answer = JSON.parse(printed.slice(printed.indexOf('{\n')));
      expect(answer).toEqual({
        statusCode: 401,
        headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
        body: expect.any(String),
      });
      expect(JSON.parse(answer.body)).toEqual({
        error: 'A valid access token is required',
        code: 'UNAUTHENTICATED',
        requestId: 'JKJaXmPLvHcESHA=',
      });
    },
  );
});

interface Statement {
  Effect: string;
  Action: string[];
  Resource: unknown;
  Condition?: unknown;
}

const statementsOf = (role: Resource | undefined): Statement[] =>
  role?.Properties.Policies.flatMap(
    ({ PolicyDocument }: { PolicyDocument: { Statement: Statement[] } }) =>
      PolicyDocument.Statement,
  ) ?? [];

const grantsOf = (role: Resource | undefined): string[] =>
  statementsOf(role).flatMap(({ Action, Resource }) =>
    [Action]
      .flat()
      .flatMap((action) =>
        [Resource].flat().map((resource) => `${action} ${resolveTemplate(resource)}`),
      ),
  );

/** What a function's bundle answers to each of these events, in a process and a folder of its own. */
async function runBundle(
  name: string,
  env: Record<string, string>,
  events: unknown[],
): Promise<unknown[]> {
  return JSON.parse((await linesOfBundle(name, env, events)).at(-1) ?? '');
}

/** What it writes meanwhile, and its answers as the last line. */
async function linesOfBundle(
  name: string,
  env: Record<string, string>,
  events: unknown[],
): Promise<string[]> {
  const [[file, code] = ['', '']] = [...(ours.zips.get(name) ?? [])];
  const folder = await mkdtemp(join(tmpdir(), `bundle-${name}-`));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'bundle.cjs'), code);
  await writeFile(join(folder, 'events.json'), JSON.stringify(events));
  const { stdout } = await run(process.execPath, ['-e', CALL_HANDLER], { cwd: folder, env });
  expect(file).toMatch(/\.cjs$/);
  return stdout.split('\n');
}

/** What Lambda does, as far as it matters here. */
const CALL_HANDLER = `
  const { handler } = require('./bundle.cjs');
  const context = { awsRequestId: 'r-1', getRemainingTimeInMillis: () => 60_000 };
  (async () => {
    const answers = [];
    for (const event of require('./events.json')) answers.push(await handler(event, context).catch(String));
    process.stdout.write('\\n' + JSON.stringify(answers), () => process.exit());
  })();
`;
