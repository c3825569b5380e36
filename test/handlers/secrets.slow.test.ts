/**
 * Every function as it runs on AWS: LiveKit's key from the parameter store, credentials in the
 * environment, and everything around it failing in its turn, with the secret in what it answers.
 * None may come out again, whether in an answer, in an error, in a log line or in a metric.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as cleanup from '../../functions/cleanup.ts';
import * as clubs from '../../functions/clubs.ts';
import * as webhook from '../../functions/webhook.ts';
import { createCleanupDeps, createClubCommandDeps, createWebhookDeps } from '../../lib/deps.ts';
import { createClub } from '../../local/demo-data.ts';
import { startDatabase } from '../../local/dynamodb.ts';
import { startStandIn } from '../../local/livekit/stand-in.ts';
import { configOf } from '../harness/config.ts';
import { contextOf } from '../harness/context.ts';
import { answer, breakOff, cut, edit, on, throttling } from '../harness/faults.ts';
import { type Answer, serveHttp } from '../harness/http-server.ts';
import { accessClaims, rs256, startIssuer, type User } from '../harness/issuer.ts';
import { noting } from '../harness/lambda.ts';
import { eventBody, sign, webhookPost } from '../harness/livekit-events.ts';
import { captureOutput } from '../harness/logs.ts';
import { createRouteDeps, createRoutes, type Route } from '../harness/routes.ts';
import { expectNoSecret, formsOf } from '../harness/secrets.ts';
import { type Fault, startWire } from '../harness/wire.ts';

const secret = (name: string) => `${name}-${randomBytes(24).toString('hex')}`;

const NOW = { apiKey: secret('key'), apiSecret: secret('secret') };
const PREVIOUS = { apiKey: secret('previous-key'), apiSecret: secret('previous-secret') };
const UNKNOWN = { apiKey: secret('unknown-key'), apiSecret: secret('unknown-secret') };
const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: secret('access-key-id'),
  AWS_SECRET_ACCESS_KEY: secret('secret-access-key'),
  AWS_SESSION_TOKEN: secret('session-token'),
};
const MEMBER_OF_EVENTS = '00000000-0000-4000-8000-000000000002';
const REMAINING_MS = 4000;
const JSON_1_0 = 'application/x-amz-json-1.0';

/** A failure of one of the parts around the service. */
interface Trouble {
  faults?: Fault[];
  /** What the parameter store makes of its answer. */
  parameter?: (value: string) => Answer | 'drop';
}

/** A failing server that echoes its request. */
const echo =
  (status: number, type: string, body: (text: string) => string): Fault =>
  (request, pass) =>
    answer(
      status,
      body(`denied: ${JSON.stringify(request.headers)} ${request.body}`),
      type,
    )(request, pass);
const plain = (text: string) => text;
const twirp = (text: string) => JSON.stringify({ code: 'unauthenticated', msg: text });
const validation = (text: string) =>
  JSON.stringify({ __type: 'ValidationException', message: text });
const serverError = (text: string) =>
  JSON.stringify({ __type: 'InternalServerError', message: text });

const inParameter = (Value: string) => ({ body: { Parameter: { Value } } });
const media = (fault: Fault): Trouble => ({ faults: [on({ side: 'media' }, fault)] });
const store = (fault: Fault): Trouble => ({ faults: [on({ side: 'store' }, fault)] });

const TROUBLES: Record<string, Trouble> = {
  nothing: {},
  'LiveKit refuses the token and quotes it as text': media(echo(401, 'text/plain', plain)),
  'LiveKit refuses the token and quotes it as JSON': media(echo(401, 'application/json', twirp)),
  'LiveKit finds the request bad and quotes it': media(echo(400, 'application/json', twirp)),
  'LiveKit fails and quotes the request': media(echo(500, 'text/html', plain)),
  'LiveKit ends the connection': media(cut),
  'LiveKit’s answer breaks off': media(breakOff()),
  'DynamoDB refuses the request and quotes it': store(echo(400, JSON_1_0, validation)),
  'DynamoDB fails and quotes the request': store(echo(500, JSON_1_0, serverError)),
  'DynamoDB throttles': store(throttling),
  'DynamoDB ends the connection': store(cut),
  'DynamoDB’s answer breaks off': store(breakOff()),
  'the club’s item is corrupt': {
    faults: [
      on(
        'BatchGetItem',
        edit((body) => JSON.parse(JSON.stringify(body).replaceAll('"createdAt":{"S":"', '$&the '))),
      ),
    ],
  },
  'the user pool quotes the request': {
    faults: [on({ side: 'identity' }, echo(500, 'text/html', plain))],
  },
  'SSM refuses, with the value in its sentence': {
    parameter: (value) => ({
      status: 400,
      body: { __type: 'AccessDeniedException', message: value },
    }),
  },
  'SSM fails': { parameter: (value) => ({ status: 500, body: value }) },
  'SSM ends the connection': { parameter: () => 'drop' },
  'SSM answers with something else': { parameter: (value) => ({ body: `<html>${value}</html>` }) },
  'the parameter breaks off': { parameter: (value) => inParameter(value.slice(0, -2)) },
  'the parameter is the secret alone': { parameter: () => inParameter(NOW.apiSecret) },
  'the parameter has a field of another name': {
    parameter: (value) => inParameter(value.replace('"wsUrl"', '"url"')),
  },
};

type World = Awaited<ReturnType<typeof startWorld>>;

async function startWorld() {
  const closing: (() => Promise<unknown>)[] = [];
  const [database, issuer, standIn] = await Promise.all([
    startDatabase({ port: 0 }),
    startIssuer(),
    startStandIn({ port: 0, apiKeys: { [NOW.apiKey]: NOW.apiSecret } }),
  ]);
  /** Everything secret that was in use: more with each call. */
  const secrets = new Set(
    [NOW, PREVIOUS, UNKNOWN, CREDENTIALS].flatMap((each) => Object.values(each)),
  );

  /** One cold start of every function in this trouble, and a call of each. What came out, by name. */
  async function run({ faults = [], parameter = inParameter }: Trouble) {
    const wire = await startWire({
      store: database.endpoint,
      media: standIn.url,
      identity: issuer.url,
    });
    const wsUrl = wire.urlOf('media').replace('http:', 'ws:');
    const value = JSON.stringify({ wsUrl, ...NOW, previous: PREVIOUS });
    const ssm = await serveHttp(
      () => parameter(value),
      (close) => closing.push(close),
    );
    closing.push(() => wire.close());
    for (const fault of faults) wire.set(fault);
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', wire.urlOf('store'));

    const trusted = `${wire.urlOf('identity')}/the-pool`;
    const config = {
      ...configOf({
        TABLE_NAME: database.tableName,
        LIVEKIT_PARAMETER: '/livekit',
        COGNITO_ISSUER: trusted,
      }),
      livekit: { parameter: { name: '/livekit', region: 'eu-central-1', endpoint: ssm.url } },
    };
    const routes = createRoutes(createRouteDeps(config));
    const receive = noting(webhook.createHandler(createWebhookDeps(config)));
    const manage = clubs.createHandler(createClubCommandDeps(config));
    const cleanUp = cleanup.createHandler(createCleanupDeps(config));

    const clubId = `club-${randomUUID().slice(0, 8)}`;
    const owner: User = { userId: randomUUID(), username: 'owner' };
    await createClub(database, {
      clubId,
      name: 'Readers',
      moderatorId: owner.userId,
      members: [{ userId: MEMBER_OF_EVENTS, role: 'member' }],
    });

    const came: [name: string, text: string][] = [];
    const call = async (name: string, work: (context: Context) => Promise<unknown>) => {
      try {
        const given = await work(contextOf(REMAINING_MS));
        came.push([name, withoutJoinToken(name, inspect(given, { depth: null }))]);
      } catch (error) {
        // As Lambda does, which writes what a function throws to its log.
        came.push([`the error of ${name}`, inspect(error, { depth: null })]);
      }
    };
    /** The one place for a join token is the answer of its route. From here on it is a secret. */
    const withoutJoinToken = (name: string, text: string): string => {
      const [, joinToken] = (name === 'token' && /"token":"([^"]+)"/.exec(text)) || [];
      if (!joinToken) return text;
      secrets.add(joinToken);
      return text.replace(joinToken, '');
    };

    const accessToken = rs256(issuer.key, accessClaims(trusted, owner));
    const expired = rs256(issuer.key, { ...accessClaims(trusted, owner), exp: 1 });
    for (const each of [accessToken, expired]) secrets.add(each);
    const callRoute = async (name: Route) => {
      const sample = await readFile(`events/${name}.json`, 'utf8');
      const event = JSON.parse(sample.replaceAll('my-club', clubId));
      for (const authorization of [`Bearer ${accessToken}`, `Bearer ${expired}`]) {
        const headers = { ...event.headers, authorization };
        await call(name, (context) => noting(routes[name])({ ...event, headers }, context));
      }
    };
    const callWebhook = async (key: typeof NOW) => {
      const name = `reading-club-${clubId}-01M82DWZHWSFNX08NJ1MQ1V3NQ`;
      const room = { name, sid: 'RM_1', createdAtMs: Date.now() };
      const body = eventBody('room_started', { room, at: Date.now() });
      const authorization = await sign(body, key);
      secrets.add(authorization);
      await call('webhook', (context) => receive(webhookPost({ body, authorization }), context));
    };
    const callClubs = async (command: string) => {
      const sample = await readFile(`events/clubs-${command}.json`, 'utf8');
      await call('clubs', (context) => manage({ ...JSON.parse(sample), clubId }, context));
    };

    const { start: _start, end: _end, ...others } = routes;
    await callRoute('start');
    await Promise.all([
      ...(Object.keys(others) as Route[]).map(callRoute),
      ...[NOW, PREVIOUS, UNKNOWN].map(callWebhook),
      call('cleanup', (context) => cleanUp({}, context)),
    ]);
    await callRoute('end');
    await Promise.all(['put-club', 'put-member', 'set-role', 'show'].map(callClubs));
    await callClubs('remove-club');
    for (const { side, headers } of wire.seen()) {
      if (side === 'media') secrets.add(String(headers.authorization).replace('Bearer ', ''));
    }
    return came;
  }

  return {
    run,
    secrets,
    async close() {
      await Promise.all(closing.map((close) => close()));
      await Promise.all([database.stop(), standIn.close(), issuer.stop()]);
    },
  };
}

describe('The output of the functions while everything around them fails', () => {
  let world: World;
  const came: [name: string, text: string][] = [];
  let lines: string[];

  beforeAll(async () => {
    for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value);
    vi.stubEnv('DYNAMODB_ENDPOINT', '');
    vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'DEBUG');
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
    world = await startWorld();
    const output = captureOutput();
    try {
      for (const [trouble, what] of Object.entries(TROUBLES)) {
        const texts = await world.run(what);
        came.push(
          ...texts.map(([name, text]): [string, string] => [`${name}, when ${trouble}`, text]),
        );
      }
    } finally {
      lines = output.stop();
      vi.unstubAllEnvs();
    }
  }, 240_000);
  afterAll(() => world.close());

  it('covers every kind: answers, errors, log lines with causes and stacks, metrics', () => {
    const all = [...came.map(([, text]) => text), ...lines].join('\n');
    for (const text of [
      'statusCode: 200',
      'UNAUTHENTICATED',
      'MEDIA_UNAVAILABLE',
      'STORE_UNAVAILABLE',
      'IDENTITY_UNAVAILABLE',
      'INTERNAL',
      '"token":""',
      '"result":"ignored"',
      'done: true',
      'LiveKit answered 401',
      'SSM answered 400',
      'SSM answered with something else',
      '/livekit does not fit: it must be a JSON object',
      '"stack"',
      '"_aws"',
      '"mediaMs":',
    ]) {
      expect(all, text).toContain(text);
    }
    expect(came.some(([name]) => name.startsWith('the error of cleanup'))).toBe(true);
    expect(came.some(([name]) => name.startsWith('the error of clubs'))).toBe(true);
    expect(world.secrets.size).toBeGreaterThan(100);
  });

  it('has no secret in an answer or an error', () => {
    expectNoSecret(came, world.secrets);
  });

  it('has no secret in a log line or a metric', () => {
    expectNoSecret(
      lines.map((line) => [line.slice(0, 200), line]),
      world.secrets,
    );
  });
});

describe('A secret', () => {
  it('is known in any place of a longer text, and in base64', () => {
    for (const before of ['', 'a', 'ab', 'abc', '{"x":"']) {
      const text = `${before}${NOW.apiSecret}>>?"}`;
      for (const form of [
        text,
        ...(['base64', 'base64url'] as const).map((e) => Buffer.from(text).toString(e)),
      ]) {
        expect(formsOf(NOW.apiSecret).some((each) => form.includes(each))).toBe(true);
        expect(() => expectNoSecret([['it', form]], [NOW.apiSecret])).toThrow('a secret is in it');
      }
    }
  });
});
