import { readFileSync } from 'node:fs';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { ClubNotFound, MediaUnavailable, NotAMember, Unauthenticated } from '../errors.ts';
import { Caller } from '../meetings/model.ts';
import type { Log, LogFields, Meter } from '../meetings/ports.ts';
import { requestId } from '../observability.ts';
import { httpHandler } from './handler.ts';
import { ok } from './response.ts';

const sample: APIGatewayProxyEventV2 = JSON.parse(readFileSync('events/status.json', 'utf8'));
const ROUTE = { route: 'GET /{clubId}/status', failure: 'Failed to get meeting status' };
const INPUT = { path: z.object({ clubId: z.string() }) };
const ada = Caller.parse({ userId: 'ada', username: 'ada' });

type Line = {
  level: 'info' | 'warn' | 'error';
  message: string;
  fields: LogFields;
  error?: unknown;
};

/** A handler in a world of its own; `remainingMs` is what Lambda says is left of the time. */
function createWorld(
  handle: Parameters<typeof httpHandler<typeof INPUT>>[3],
  { verifyCaller = async () => ada, remainingMs = 12_000 } = {},
) {
  const lines: Line[] = [];
  const log: Log = {
    info: (message, fields) => lines.push({ level: 'info', message, fields }),
    warn: (message, fields, error) => lines.push({ level: 'warn', message, fields, error }),
    error: (message, fields, error) => lines.push({ level: 'error', message, fields, error }),
  };
  const measured: Parameters<Meter['request']>[0][] = [];
  const meter: Meter = { request: (request) => measured.push(request), run: () => undefined };
  const handler = httpHandler(ROUTE, { verifyCaller, log, meter }, INPUT, handle);
  const context = { getRemainingTimeInMillis: () => remainingMs } as Context;
  const call = async (change: Partial<APIGatewayProxyEventV2> = {}) => {
    const { statusCode, headers, body } = await handler({ ...sample, ...change }, context);
    return { statusCode, headers, body: JSON.parse(body ?? '') };
  };
  return { call, lines, measured };
}

const failing = (error: unknown) => () => Promise.reject(error);

describe('a request', () => {
  test('is answered as its rule says, and never to be stored', async () => {
    const { call } = createWorld(async ({ clubId, caller }) =>
      ok({ clubId, userId: caller.userId }),
    );
    expect(await call()).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
      body: { clubId: 'my-club', userId: 'ada' },
    });
  });

  test('with a query or a body that the route does not take is refused before its rule runs', async () => {
    let handled = 0;
    const { call } = createWorld(async () => {
      handled += 1;
      return ok({});
    });
    const refusals = [
      await call({ queryStringParameters: { x: '2' } }),
      await call({ body: '{"x":1}' }),
      await call({ body: 'eA==', isBase64Encoded: true }),
    ];
    expect(refusals.map(({ statusCode, body }) => [statusCode, body.error])).toEqual([
      [400, 'x is not known here'],
      [400, 'x is not known here'],
      [400, 'body must be JSON'],
    ]);
    expect(handled).toBe(0);
  });

  test('whose caller cannot be verified goes no further', async () => {
    let handled = 0;
    const { call } = createWorld(
      async () => {
        handled += 1;
        return ok({});
      },
      { verifyCaller: failing(new Unauthenticated()) },
    );
    expect((await call()).statusCode).toBe(401);
    expect(handled).toBe(0);
  });

  test('has its caller verified from the Authorization header, not from the gateway', async () => {
    const seen: unknown[] = [];
    const verifyCaller = async (authorization?: string) => {
      seen.push(authorization);
      return ada;
    };
    const { call } = createWorld(async () => ok({}), { verifyCaller });
    await call({ headers: { authorization: 'Bearer a.b.c' } });
    await call({ headers: {} });
    expect(seen).toEqual(['Bearer a.b.c', undefined]);
  });

  test('that fails carries the request id of the gateway in its answer', async () => {
    const { call } = createWorld(failing(new ClubNotFound()));
    expect((await call()).body).toEqual({
      error: 'Reading club not found',
      code: 'CLUB_NOT_FOUND',
      requestId: sample.requestContext.requestId,
    });
  });

  test('that throws an unknown error is a 500 without its message', async () => {
    const { call } = createWorld(failing(new TypeError('secret detail')));
    expect(await call()).toMatchObject({
      statusCode: 500,
      body: { error: 'Failed to get meeting status', code: 'INTERNAL' },
    });
  });

  test('whose rule throws synchronously is still answered', async () => {
    const { call } = createWorld(() => {
      throw new ClubNotFound();
    });
    expect((await call()).statusCode).toBe(404);
  });

  test('has its id in every log line below it, also beside others at once', async () => {
    const seen: Record<string, string | undefined> = {};
    const { call } = createWorld(async ({ clubId }) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen[clubId] = requestId();
      return ok({});
    });
    const { requestContext } = sample;
    await Promise.all(
      ['r-1', 'r-2', 'r-3'].map((id) =>
        call({
          pathParameters: { clubId: id },
          requestContext: { ...requestContext, requestId: id },
        }),
      ),
    );
    expect(seen).toEqual({ 'r-1': 'r-1', 'r-2': 'r-2', 'r-3': 'r-3' });
    expect(requestId()).toBeUndefined();
  });
});

describe('a function that is about to be cut off', () => {
  test('answers 503 half a second before, and says when to try again', async () => {
    const { call, lines } = createWorld(() => new Promise(() => undefined), { remainingMs: 530 });
    const startedAt = performance.now();
    expect(await call()).toMatchObject({
      statusCode: 503,
      headers: { 'retry-after': '2' },
      body: { code: 'TIMED_OUT', error: 'This took too long; please try again' },
    });
    expect(performance.now() - startedAt).toBeLessThan(400);
    expect(lines).toMatchObject([{ level: 'warn', fields: { status: 503, code: 'TIMED_OUT' } }]);
  });

  test('answers 503 when it hangs while the caller is verified', async () => {
    const verifyCaller = () => new Promise<Caller>(() => undefined);
    const { call } = createWorld(async () => ok({}), { verifyCaller, remainingMs: 530 });
    expect((await call()).statusCode).toBe(503);
  });

  test('answers at once when less than that is left', async () => {
    const { call } = createWorld(() => new Promise(() => undefined), { remainingMs: 100 });
    expect((await call()).statusCode).toBe(503);
  });

  test('is not answered a second time when its work fails after that answer', async () => {
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const { call, lines } = createWorld(() => late, { remainingMs: 501 });
    await call();
    fail(new Error('late')); // an unhandled rejection would fail this run
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(lines).toHaveLength(1);
  });
});

describe('the figures', () => {
  test('count each request by route and code', async () => {
    const { call, measured } = createWorld(async () => ok({}));
    await call();
    const refusing = createWorld(failing(new NotAMember()));
    await refusing.call();
    const { route } = ROUTE;
    expect(measured).toEqual([{ route, code: 'OK' }]);
    expect(refusing.measured).toMatchObject([{ route, code: 'NOT_A_MEMBER' }]);
  });
});

describe('the log', () => {
  test('has one line for a request that succeeds', async () => {
    const { call, lines } = createWorld(async () => ok({ token: 'secret' }));
    await call();
    expect(lines).toEqual([
      {
        level: 'info',
        message: 'request',
        fields: { route: ROUTE.route, status: 200, durationMs: expect.any(Number) },
      },
    ]);
    expect(lines[0]?.fields['durationMs']).toBeGreaterThanOrEqual(0);
  });

  test('has the time that a request took', async () => {
    const { call, lines } = createWorld(async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return ok({});
    });
    await call();
    expect(lines[0]?.fields['durationMs']).toBeGreaterThanOrEqual(25);
    expect(lines[0]?.fields['durationMs']).toBeLessThan(1000);
  });

  test('has a mistake of the caller at info, with its code and without a stack', async () => {
    const { call, lines } = createWorld(failing(new ClubNotFound()));
    await call();
    expect(lines).toEqual([
      {
        level: 'info',
        message: 'request',
        fields: {
          route: ROUTE.route,
          status: 404,
          code: 'CLUB_NOT_FOUND',
          durationMs: expect.any(Number),
        },
      },
    ]);
  });

  test('has an outage at warn, with its cause', async () => {
    const error = new MediaUnavailable({ cause: new Error('refused') });
    const { call, lines } = createWorld(failing(error));
    await call();
    expect(lines).toMatchObject([{ level: 'warn', fields: { code: 'MEDIA_UNAVAILABLE' }, error }]);
  });

  test('has an unknown error once, at error, with its stack', async () => {
    const error = new TypeError('detail');
    const { call, lines } = createWorld(failing(error));
    await call();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'error', fields: { status: 500, code: 'INTERNAL' } });
    expect(lines[0]?.error).toBe(error);
  });

  test('never has the event, the token or the answer in it', async () => {
    const { call, lines } = createWorld(async () => ok({ token: 'answered-secret' }));
    await call({ headers: { authorization: 'Bearer sent.secret.token' } });
    expect(JSON.stringify(lines)).not.toMatch(/secret|my-club|192\.0\.2/);
  });
});
