/** The development stack's gateway answers as API Gateway's HTTP API is documented to. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Gateway, type GatewayEvent, startGateway } from '../../local/gateway.ts';
import {
  accessClaims,
  CLIENT_ID,
  type Issuer,
  newKeyPair,
  rs256,
  startIssuer,
} from '../harness/issuer.ts';

const ORIGIN = 'https://club.example';
const ADA = { userId: 'ada-1', username: 'ada' };

let issuer: Issuer;
let options: Parameters<typeof startGateway>[0];
let gateway: Gateway;
/** What the function was invoked with, and what it returns. */
let invoked: { functionName: string; event: GatewayEvent }[];
let result: unknown;

beforeAll(async () => {
  issuer = await startIssuer();
  options = {
    host: '127.0.0.1',
    port: 0,
    routes: [
      { method: 'GET', path: '/clubs', isGuarded: true, functionName: 'my-clubs' },
      { method: 'GET', path: '/{clubId}', isGuarded: false, functionName: 'club' },
      { method: 'GET', path: '/{clubId}/status', isGuarded: true, functionName: 'status' },
      { method: 'POST', path: '/{clubId}/start', isGuarded: true, functionName: 'start' },
      { method: 'POST', path: '/webhook', isGuarded: false, functionName: 'webhook' },
    ],
    authorizer: { issuer: issuer.url, audience: ['another', CLIENT_ID] },
    cors: {
      allowedOrigins: [ORIGIN],
      allowedHeaders: ['authorization', 'content-type'],
      allowedMethods: ['GET', 'POST', 'OPTIONS'],
      exposedResponseHeaders: ['retry-after'],
      maxAge: 3600,
    },
    invoke: async (functionName, event) => {
      invoked.push({ functionName, event });
      if (result instanceof Error) throw result;
      return result;
    },
  };
  gateway = await startGateway(options);
});
afterAll(async () => {
  await gateway.stop();
  await issuer.stop();
});
beforeEach(() => {
  invoked = [];
  result = { statusCode: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":1}' };
});

interface Sent {
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

/** The path goes out as it is: `fetch` would resolve and encode it. */
async function send(method: string, path: string, { headers = {}, body }: Sent = {}) {
  const { hostname, port } = new URL(gateway.url);
  const outgoing = request({ hostname, port, method, path, headers, agent: false });
  // What is refused unread closes the connection while it is sent.
  outgoing.on('error', () => undefined);
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  const bytes: Buffer = await buffer(response);
  const sent: IncomingHttpHeaders = response.headers;
  return { status: Number(response.statusCode), headers: sent, body: bytes.toString(), bytes };
}

/** As it is written, over a socket: what no client would send. */
async function sendRaw(head: string): Promise<string> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.write(head);
  return text(socket);
}

const token = (claims: object = {}, key = issuer.key) =>
  rs256(key, { ...accessClaims(issuer.url, ADA), ...claims });
const withToken = (value = token()) => ({ headers: { authorization: `Bearer ${value}` } });

async function eventOf(method: string, path: string, sent?: Sent): Promise<GatewayEvent> {
  await send(method, path, sent);
  const [only] = invoked;
  if (!only) throw new Error('The function was not invoked');
  return only.event;
}

const refusal = (status: number, message: string) => ({
  status,
  headers: expect.objectContaining({
    'content-type': 'application/json',
    'apigw-requestid': expect.stringMatching(/^[\w+/]{15}=$/),
  }),
  body: JSON.stringify({ message }),
  bytes: expect.anything(),
});

describe('Routes', () => {
  it.each([
    ['a path that is none', 'GET', '/a/nothing'],
    ['another method', 'PUT', '/a/status'],
    ['HEAD, which is not GET', 'HEAD', '/a/status'],
    ['OPTIONS that are no preflight', 'OPTIONS', '/a/status'],
    ['a slash at the end', 'GET', '/a/status/'],
    ['an empty segment', 'GET', '//status'],
    ['an encoded slash, which divides the path', 'GET', '/a%2Fb/status'],
    ['dots that lead elsewhere', 'GET', '/a/../status/x'],
    ['dots with an encoded slash', 'GET', '/..%2F../status'],
    ['another case', 'GET', '/a/Status'],
  ])('%s is 404', async (_, method, path) => {
    const { status, body } = await send(method, path, withToken());
    expect(status).toBe(404);
    expect(body).toBe(method === 'HEAD' ? '' : '{"message":"Not Found"}');
    expect(invoked).toEqual([]);
  });

  it.each(['/../novels', '/%2e%2e/novels', '/a/../novels'])(
    'dots are resolved before a route is looked for, and are no parameter: %s',
    async (path) => {
      const { pathParameters } = await eventOf('GET', path);
      expect(pathParameters).toEqual({ clubId: 'novels' });
    },
  );

  it('a segment that is named goes before one that is a parameter', async () => {
    await send('GET', '/clubs', withToken());
    await send('GET', '/novels');
    expect(invoked.map(({ functionName }) => functionName)).toEqual(['my-clubs', 'club']);
  });

  it.each(['/%', '/%zz/status', '/%ff/status', '/%C3%28'])(
    'a path that cannot be decoded is 400: %s',
    async (path) => {
      expect(await send('GET', path, withToken())).toEqual(refusal(400, 'Bad Request'));
    },
  );

  it('what is no HTTP is 400', async () => {
    const answer = await sendRaw('GET /a b HTTP/1.1\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]+\{"message":"Bad Request"\}$/);
  });

  it('more than 10,240 bytes of headers are 431', async () => {
    const answer = await sendRaw(`GET /a HTTP/1.1\r\nx: ${'y'.repeat(10_240)}\r\n\r\n`);
    expect(answer).toMatch(
      /^HTTP\/1\.1 431 [\s\S]+\{"message":"Request Header Fields Too Large"\}$/,
    );
  });
});

describe('The authorizer', () => {
  it('passes a token with and without `Bearer`, in any case of either', async () => {
    for (const prefix of ['Bearer ', 'bearer ', '']) {
      const headers = { AUTHORIZATION: `${prefix}${token()}` };
      expect((await send('GET', '/clubs', { headers })).status).toBe(200);
    }
  });

  it.each([
    ['nothing', {}],
    ['nothing after `Bearer`', { authorization: 'Bearer ' }],
  ])('asks for a token when there is %s', async (_, headers) => {
    const answer = await send('GET', '/clubs', { headers });
    expect(answer).toEqual(refusal(401, 'Unauthorized'));
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(invoked).toEqual([]);
  });

  const now = Math.floor(Date.now() / 1000);
  it.each([
    ['that is no JWT', () => 'nonsense', 'the token cannot be verified'],
    [
      'signed by another key of that id',
      () => token({}, newKeyPair('the-key')),
      'signature is invalid',
    ],
    [
      'signed by an unknown key',
      () => token({}, newKeyPair('other')),
      'the token cannot be verified',
    ],
    ['that has expired', () => token({ exp: now - 1 }), 'the token has expired'],
    ['that never expires', () => token({ exp: undefined }), 'the token does not have a valid exp'],
    ['that begins later', () => token({ nbf: now + 60 }), 'the token does not have a valid nbf'],
    [
      'of another issuer',
      () => token({ iss: 'https://x.example' }),
      'the token does not have a valid iss',
    ],
    [
      'of another client',
      () => token({ client_id: 'x' }),
      'the token does not have a valid audience',
    ],
    [
      'whose audience is another, whatever its client',
      () => token({ aud: 'x' }),
      'the token does not have a valid audience',
    ],
  ])('refuses a token %s, and says so', async (_, make, description) => {
    const answer = await send('GET', '/clubs', withToken(make()));
    expect(answer).toEqual(refusal(401, 'Unauthorized'));
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer scope="" error="invalid_token" error_description="${description}"`,
    );
    expect(invoked).toEqual([]);
  });

  it('refuses two tokens', async () => {
    const headers = { authorization: [`Bearer ${token()}`, `Bearer ${token()}`] };
    expect((await send('GET', '/clubs', { headers })).status).toBe(401);
  });

  it('goes by the audience where there is one', async () => {
    const ofAudience = token({ aud: ['x', CLIENT_ID], client_id: 'x' });
    expect((await send('GET', '/clubs', withToken(ofAudience))).status).toBe(200);
  });

  it('hands the claims on as texts', async () => {
    const { requestContext } = await eventOf(
      'GET',
      '/clubs',
      withToken(token({ exp: now + 60, groups: ['a', 'b'] })),
    );
    expect(requestContext.authorizer).toEqual({
      jwt: {
        claims: expect.objectContaining({ sub: 'ada-1', exp: `${now + 60}`, groups: '[a b]' }),
        scopes: null,
      },
    });
  });

  it('stands before guarded routes only', async () => {
    const { requestContext } = await eventOf('GET', '/novels', withToken('nonsense'));
    expect(requestContext).not.toHaveProperty('authorizer');
  });

  it('comes after the route: what is none is 404, with a token or without', async () => {
    expect((await send('GET', '/a/nothing')).status).toBe(404);
  });
});

describe('The event', () => {
  it('is of payload format 2.0', async () => {
    const event = await eventOf('POST', '/caf%C3%A9%20x/start?b=2&a=1', {
      headers: {
        ...withToken().headers,
        host: 'api.club.example:3000',
        'content-type': 'application/json',
        'user-agent': 'a test',
      },
      body: '{"x":1}',
    });
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'POST /{clubId}/start',
      rawPath: '/café x/start',
      rawQueryString: 'b=2&a=1',
      queryStringParameters: { a: '1', b: '2' },
      pathParameters: { clubId: 'café x' },
      headers: { 'content-length': '7', 'x-forwarded-for': '127.0.0.1' },
      body: '{"x":1}',
      isBase64Encoded: false,
      requestContext: {
        domainName: 'api.club.example',
        domainPrefix: 'api',
        http: { method: 'POST', path: '/café x/start', sourceIp: '127.0.0.1', userAgent: 'a test' },
        routeKey: 'POST /{clubId}/start',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
      },
    });
    expect(Math.abs(event.requestContext.timeEpoch - Date.now())).toBeLessThan(10_000);
  });

  it('leaves out the fields that the request does not have', async () => {
    const event = await eventOf('GET', '/clubs', withToken());
    for (const field of ['body', 'cookies', 'pathParameters', 'queryStringParameters']) {
      expect(event).not.toHaveProperty(field);
    }
    expect(event).toMatchObject({ isBase64Encoded: false, rawQueryString: '' });
  });

  it('has an id for each request, which the answer carries as well', async () => {
    const answers = [await send('GET', '/a'), await send('GET', '/a')];
    const ids = invoked.map(({ event }) => event.requestContext.requestId);
    expect(new Set(ids).size).toBe(2);
    expect(answers.map(({ headers }) => headers['apigw-requestid'])).toEqual(ids);
  });

  it('joins what is repeated with commas, and decodes it', async () => {
    const { queryStringParameters, rawQueryString } = await eventOf(
      'GET',
      '/a?x=1&y=&x=2%2C3&z=a+b%20%zz',
    );
    expect(queryStringParameters).toEqual({ x: '1,2,3', y: '', z: 'a b %zz' });
    expect(rawQueryString).toBe('x=1&y=&x=2%2C3&z=a+b%20%zz');
  });

  it('has header names in lower case, repeated ones joined, and cookies apart', async () => {
    const { headers, cookies } = await eventOf('GET', '/a', {
      headers: { 'X-Many': ['1', '2'], Accept: 'text/csv', Cookie: 'a=1; b=2' },
    });
    expect(headers).toMatchObject({ 'x-many': '1,2', accept: 'text/csv' });
    expect(headers).not.toHaveProperty('cookie');
    expect(cookies).toEqual(['a=1', 'b=2']);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'text/csv', 'Application/XML'])(
    'has a body of %s as text',
    async (type) => {
      const event = await eventOf('POST', '/webhook', {
        headers: { 'content-type': type },
        body: 'ü',
      });
      expect(event).toMatchObject({ body: 'ü', isBase64Encoded: false });
    },
  );

  it.each([
    'application/webhook+json',
    'application/x-www-form-urlencoded',
    'application/octet-stream',
    undefined,
  ])('has a body of %s in base64, byte for byte', async (type) => {
    const body = Buffer.from([0, 255, 10]);
    const event = await eventOf('POST', '/webhook', {
      headers: type === undefined ? {} : { 'content-type': type },
      body,
    });
    expect(event).toMatchObject({ body: body.toString('base64'), isBase64Encoded: true });
  });

  it.each([
    ['10 MB, the gateway’s limit', 10 * 1024 * 1024 + 1],
    ['6 MB as an event, Lambda’s limit', 6 * 1024 * 1024],
  ])('never has more than %s: 413', async (_, size) => {
    const answer = await send('POST', '/webhook', { body: Buffer.alloc(size) });
    expect(answer).toEqual(refusal(413, 'Request Entity Too Large'));
    expect(invoked).toEqual([]);
  });
});

describe('The answer', () => {
  it('is the function’s, with its headers’ names in lower case', async () => {
    result = {
      statusCode: 409,
      headers: { 'Content-Type': 'application/json', 'Retry-After': 3 },
      cookies: ['a=1', 'b=2'],
      body: '{"code":"X"}',
    };
    const { status, headers, body } = await send('GET', '/a');
    expect({ status, body }).toEqual({ status: 409, body: '{"code":"X"}' });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': '12',
      'retry-after': '3',
      'set-cookie': ['a=1', 'b=2'],
    });
  });

  it('is decoded from base64', async () => {
    const bytes = Buffer.from([0, 255, 10]);
    result = { statusCode: 200, body: bytes.toString('base64'), isBase64Encoded: true };
    expect((await send('GET', '/a')).bytes).toEqual(bytes);
  });

  it('is text when the function does not say what it is', async () => {
    result = { statusCode: 200, body: 'hello' };
    expect((await send('GET', '/a')).headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('is JSON with 200 when the function returns no status', async () => {
    result = { ok: true };
    expect(await send('GET', '/a')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"ok":true}',
    });
  });

  it.each([
    ['fails', new Error('it threw')],
    ['returns a status that is none', { statusCode: 'ok' }],
    ['returns a body that is no text', { statusCode: 200, body: { ok: true } }],
  ])('is 500 when the function %s', async (_, returned) => {
    result = returned;
    expect(await send('GET', '/a')).toEqual(refusal(500, 'Internal Server Error'));
  });
});

describe('CORS', () => {
  const preflight = (origin: string) => ({
    headers: { origin, 'access-control-request-method': 'POST' },
  });

  it('is answered before routes and authorizer, with what is configured', async () => {
    const { status, headers, body } = await send('OPTIONS', '/no/route/at/all', preflight(ORIGIN));
    expect({ status, body }).toEqual({ status: 204, body: '' });
    expect(headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET,POST,OPTIONS',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '3600',
    });
  });

  const corsHeadersOf = (headers: IncomingHttpHeaders) =>
    Object.keys(headers).filter((name) => name.startsWith('access-control-'));

  it('gives another origin nothing', async () => {
    const answers = [
      await send('OPTIONS', '/clubs', preflight('https://x.example')),
      await send('GET', '/a', { headers: { origin: 'https://x.example' } }),
      await send('GET', '/a'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([204, 200, 200]);
    expect(answers.flatMap(({ headers }) => corsHeadersOf(headers))).toEqual([]);
  });

  it('gives every answer the same two CORS headers, also the gateway’s own', async () => {
    for (const [path, status] of [
      ['/a', 200],
      ['/clubs', 401],
      ['/a/b/c', 404],
    ] as const) {
      const answer = await send('GET', path, { headers: { origin: ORIGIN } });
      expect(answer.status).toBe(status);
      expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN);
      expect(answer.headers['access-control-expose-headers']).toBe('retry-after');
      expect(corsHeadersOf(answer.headers)).toHaveLength(2);
    }
  });

  it('ignores what a function says about it', async () => {
    result = { statusCode: 200, headers: { 'Access-Control-Allow-Origin': '*' } };
    expect(corsHeadersOf((await send('GET', '/a')).headers)).toEqual([]);
  });
});

it('A connection serves many requests', async () => {
  const answers = await sendRaw(
    'GET /a HTTP/1.1\r\nhost: x\r\n\r\nGET /b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  );
  expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
});

it('A key set that cannot be fetched is 401, and says so', async () => {
  const lonely = await startGateway({
    ...options,
    authorizer: { issuer: 'http://127.0.0.1:9', audience: [CLIENT_ID] },
  });
  try {
    const { status, headers } = await fetch(`${lonely.url}/clubs`, withToken());
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toContain(
      'OIDC discovery endpoint communication error',
    );
  } finally {
    await lonely.stop();
  }
});
