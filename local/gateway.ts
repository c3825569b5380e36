/**
 * API Gateway's HTTP API, as far as this service uses one: routes, the JWT authorizer, CORS, events of
 * payload format 2.0, and the gateway's own answers. What AWS documents is followed; where its documentation
 * is silent, what others saw of the real one is (docs/decisions.md, "The development stack's gateway").
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import * as z from 'zod';
import { closeNow, listen, readBody } from './listen.ts';

/** Of the request line and the headers together. */
const MAX_HEAD_BYTES = 10_240;
const MAX_BODY_BYTES = 10 * 1024 * 1024;
/** Lambda's, of an event. */
const MAX_EVENT_BYTES = 6 * 1024 * 1024;
const FUNCTION_TIMEOUT_MS = 30_000;
const KEYS_TIMEOUT_MS = 1_500;
/** Longer than clients keep a connection, so that none is closed under a request. */
const KEEP_ALIVE_MS = 60_000;
/** Bodies of other types are base64 in the event, and so are bodies without one. */
const IS_TEXT = /^(text\/[^;]*|application\/(json|javascript|xml))\s*(;|$)/i;

export type GatewayEvent = Omit<APIGatewayProxyEventV2WithJWTAuthorizer, 'requestContext'> & {
  requestContext: Omit<
    APIGatewayProxyEventV2WithJWTAuthorizer['requestContext'],
    'authorizer' | 'authentication'
  > & {
    authorizer?: { jwt: { claims: Record<string, string>; scopes: string[] | null } };
  };
};

export interface Route {
  /** In upper case. */
  method: string;
  /** With `{name}` for a segment. */
  path: string;
  isGuarded: boolean;
  /** Handed to `invoke`. */
  functionName: string;
}

export interface GatewayOptions {
  host: string;
  /** 0 for any that is free. */
  port: number;
  routes: Route[];
  authorizer: { issuer: string; audience: string[] };
  cors: {
    allowedOrigins: string[];
    allowedHeaders: string[];
    allowedMethods: string[];
    exposedResponseHeaders: string[];
    maxAge: number;
  };
  /** What the function returns. Rejects when it fails, or cannot be reached. */
  invoke: (functionName: string, event: GatewayEvent, signal: AbortSignal) => Promise<unknown>;
  /** Gets a line about each request. */
  onLine?: (line: string) => void;
}

export interface Gateway {
  url: string;
  stop(): Promise<void>;
}

/** The gateway's own answer: a status, its sentence as JSON, and no code. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

interface Answer {
  status: number;
  headers: Record<string, string | string[]>;
  body: string | Buffer;
}

/** A function's answer in payload format 2.0. */
const FunctionAnswer = z.object({
  statusCode: z.int().min(100).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  cookies: z.array(z.string()).default([]),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

/** @throws the server's error when it cannot listen, as for a port that is taken */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { host, port, routes, cors, onLine } = options;
  const authorize = createAuthorizer(options.authorizer);

  async function answerTo(request: IncomingMessage, requestId: string): Promise<Answer> {
    if (isPreflight(request)) return { status: 204, headers: preflightHeaders(cors), body: '' };
    const { target, pathParameters, route } = routeOf(request, routes);
    const jwt = route.isGuarded ? await authorize(request.headersDistinct['authorization']) : null;
    const body = await readBody(request, MAX_BODY_BYTES);
    if (!body) throw tooLarge();
    const event = eventOf(request, { target, pathParameters, route, requestId, jwt }, body);
    if (Buffer.byteLength(JSON.stringify(event)) > MAX_EVENT_BYTES) throw tooLarge();
    return answerOf(await invoke(route.functionName, event));
  }

  async function invoke(functionName: string, event: GatewayEvent): Promise<unknown> {
    const signal = AbortSignal.timeout(FUNCTION_TIMEOUT_MS);
    try {
      return await options.invoke(functionName, event, signal);
    } catch (error) {
      onLine?.(`${functionName}: ${error}`);
      throw signal.aborted ? new Refusal(503, 'Service Unavailable') : failed();
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const requestId = randomBytes(11).toString('base64');
    const answer = await answerTo(request, requestId).catch(answerOfGateway);
    const { status, headers, body } = withCors(answer, request, cors);
    response.writeHead(status, {
      ...headers,
      ...(status !== 204 && status !== 304 && { 'content-length': Buffer.byteLength(body) }),
      'apigw-requestid': requestId,
      // What was refused unread would be taken for the next request.
      ...(request.complete ? {} : { connection: 'close' }),
    });
    response.end(body);
    const durationMs = Math.round(performance.now() - startedAt);
    onLine?.(`${request.method} ${request.url} ${status} ${durationMs} ms (${requestId})`);
  }

  const server = createServer(
    { maxHeaderSize: MAX_HEAD_BYTES, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => {
      serve(request, response).catch((error: unknown) => {
        onLine?.(`${request.method} ${request.url}: ${error}`);
        response.destroy();
      });
    },
  );
  server.on('clientError', refuseUnparsed);
  return {
    url: `http://${host}:${await listen(server, port, host)}`,
    stop: () => closeNow(server),
  };
}

const tooLarge = () => new Refusal(413, 'Request Entity Too Large');
const failed = () => new Refusal(500, 'Internal Server Error');

function answerOfGateway(error: unknown): Answer {
  if (!(error instanceof Refusal)) throw error;
  const { status, message, headers } = error;
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ message }),
  };
}

/** What is no HTTP, or has too much of it before the body, never becomes a request. */
function refuseUnparsed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) return;
  const refusal =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new Refusal(431, 'Request Header Fields Too Large')
      : new Refusal(400, 'Bad Request');
  const body = JSON.stringify({ message: refusal.message });
  const head = [
    `HTTP/1.1 ${refusal.status} ${refusal.message}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** The path is decoded before it is matched, so an encoded `/` divides it, too. */
function routeOf(request: IncomingMessage, routes: Route[]) {
  const { url = '' } = request;
  // Not with a base: a path that begins with `//` would be a host.
  const target = url.startsWith('/') ? URL.parse(`http://gateway${url}`) : null;
  if (!target) throw new Refusal(400, 'Bad Request');
  const path = decoded(target.pathname);
  const [found] = routes
    .filter(({ method }) => method === request.method)
    .flatMap((route) => {
      const pathParameters = parametersOf(path, route.path);
      return pathParameters ? [{ target, path, pathParameters, route }] : [];
    })
    .sort((a, b) => Object.keys(a.pathParameters).length - Object.keys(b.pathParameters).length);
  if (!found) throw new Refusal(404, 'Not Found');
  return found;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new Refusal(400, 'Bad Request');
  }
}

function parametersOf(path: string, pattern: string): Record<string, string> | undefined {
  const values = path.split('/');
  const names = pattern.split('/');
  if (values.length !== names.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const value = values[index] ?? '';
    const [, parameter] = /^\{(\w+)\}$/.exec(name) ?? [];
    if (parameter ? value === '' : value !== name) return undefined;
    if (parameter) parameters[parameter] = value;
  }
  return parameters;
}

interface Matched {
  target: URL;
  pathParameters: Record<string, string>;
  route: Route;
  requestId: string;
  jwt: JWTPayload | null;
}

function eventOf(request: IncomingMessage, matched: Matched, body: Buffer): GatewayEvent {
  const { target, pathParameters, route, requestId, jwt } = matched;
  const { cookie, 'transfer-encoding': _, ...distinct } = request.headersDistinct;
  const { host = '', 'user-agent': userAgent = '' } = request.headers;
  const sourceIp = request.socket.remoteAddress ?? '';
  const now = new Date();
  const isBase64Encoded = !IS_TEXT.test(request.headers['content-type'] ?? '');
  const query = queryOf(target.searchParams);
  const path = decodeURIComponent(target.pathname);
  const routeKey = `${route.method} ${route.path}`;
  const domainName = host.replace(/:\d+$/, '');
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: target.search.slice(1),
    ...(cookie && { cookies: cookie.join('; ').split('; ') }),
    headers: {
      ...Object.fromEntries(
        Object.entries(distinct).map(([name, values]) => [name, (values ?? []).join(',')]),
      ),
      'content-length': `${body.length}`,
      'x-amzn-trace-id': `Root=1-${hex(4)}-${hex(12)}`,
      'x-forwarded-for': sourceIp,
      'x-forwarded-port': `${request.socket.localPort}`,
      'x-forwarded-proto': 'http',
    },
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    ...(Object.keys(pathParameters).length > 0 && { pathParameters }),
    requestContext: {
      accountId: '123456789012',
      apiId: 'local',
      ...(jwt && { authorizer: { jwt: { claims: textsOf(jwt), scopes: null } } }),
      domainName,
      domainPrefix: domainName.split('.')[0] ?? '',
      http: {
        method: route.method,
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp,
        userAgent,
      },
      requestId,
      routeKey,
      stage: '$default',
      time: commonLogTime(now),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    isBase64Encoded: body.length > 0 && isBase64Encoded,
  };
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** `24/Nov/2026:20:06:59 +0000` */
function commonLogTime(date: Date): string {
  const [, day, month, year, time] = date.toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

/** What is repeated is one text, with commas. */
function queryOf(parameters: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]),
  );
}

/** Claims are texts in the event, whatever they are in the token. */
const textsOf = (claims: JWTPayload): Record<string, string> =>
  Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [
      name,
      Array.isArray(value) ? `[${value.join(' ')}]` : String(value),
    ]),
  );

/** An answer without `statusCode` is the body of a 200. */
function answerOf(result: unknown): Answer {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    const body = typeof result === 'string' ? result : JSON.stringify(result ?? null);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const parsed = FunctionAnswer.safeParse(result);
  if (!parsed.success) throw failed();
  const { statusCode, headers, cookies, body, isBase64Encoded } = parsed.data;
  return {
    status: statusCode,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      ...Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
      ),
      ...(cookies.length > 0 && { 'set-cookie': cookies }),
    },
    body: isBase64Encoded ? Buffer.from(body, 'base64') : body,
  };
}

const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' &&
  headers.origin !== undefined &&
  headers['access-control-request-method'] !== undefined;

const preflightHeaders = (cors: GatewayOptions['cors']): Record<string, string> => ({
  'access-control-allow-headers': cors.allowedHeaders.join(','),
  'access-control-allow-methods': cors.allowedMethods.join(','),
  'access-control-max-age': `${cors.maxAge}`,
});

const IS_CORS = /^access-control-/;

/** A function's own CORS headers are ignored. Origins that are not configured get none. */
function withCors(answer: Answer, request: IncomingMessage, cors: GatewayOptions['cors']): Answer {
  const { origin } = request.headers;
  const isAllowed = origin !== undefined && cors.allowedOrigins.includes(origin);
  const isOwn = isPreflight(request) && isAllowed;
  const kept = Object.entries(answer.headers).filter(([name]) => isOwn || !IS_CORS.test(name));
  return {
    ...answer,
    headers: {
      ...Object.fromEntries(kept),
      ...(isAllowed && {
        'access-control-allow-origin': origin,
        'access-control-expose-headers': cors.exposedResponseHeaders.join(','),
      }),
    },
  };
}

/** What API Gateway documents that it checks: signature, `iss`, `aud` or `client_id`, and times. */
function createAuthorizer({ issuer, audience }: GatewayOptions['authorizer']) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), {
    timeoutDuration: KEYS_TIMEOUT_MS,
  });

  /** @throws Refusal that says what is wrong in `www-authenticate` */
  return async (authorization: string[] = []): Promise<JWTPayload> => {
    const token = authorization.join(',').replace(/^Bearer(\s+|$)/i, '');
    if (token === '') throw unauthorized('Bearer');
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        algorithms: ['RS256', 'RS384', 'RS512'],
        requiredClaims: ['exp'],
      });
      const { aud = payload['client_id'] } = payload;
      if (![aud].flat().some((each) => audience.includes(String(each)))) {
        throw new errors.JWTClaimValidationFailed('', payload, 'aud');
      }
      return payload;
    } catch (error) {
      const description = descriptionOf(error);
      throw unauthorized(
        `Bearer scope="" error="invalid_token" error_description="${description}"`,
      );
    }
  };
}

const unauthorized = (challenge: string) =>
  new Refusal(401, 'Unauthorized', { 'www-authenticate': challenge });

function descriptionOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'aud'
      ? 'the token does not have a valid audience'
      : `the token does not have a valid ${error.claim}`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature is invalid';
  if (error instanceof errors.JOSEError && error.code !== 'ERR_JWKS_TIMEOUT') {
    return 'the token cannot be verified';
  }
  return 'OIDC discovery endpoint communication error';
}
