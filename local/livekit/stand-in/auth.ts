/** API keys and grants, checked in the server's order and with its words (pkg/service/auth.go). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { PlainError, TwirpError } from './errors.ts';

const BEARER = 'Bearer ';
/** protocol/auth/verifier.go: tokenLeeway. */
const LEEWAY_SECONDS = 60;

const VideoGrant = z.object({
  roomCreate: z.boolean().default(false),
  roomList: z.boolean().default(false),
  roomJoin: z.boolean().default(false),
  roomAdmin: z.boolean().default(false),
  roomRecord: z.boolean().default(false),
  room: z.string().default(''),
  canPublish: z.boolean().optional(),
  canSubscribe: z.boolean().optional(),
  canPublishData: z.boolean().optional(),
  canUpdateOwnMetadata: z.boolean().optional(),
  hidden: z.boolean().default(false),
  recorder: z.boolean().default(false),
  agent: z.boolean().default(false),
});

const Claims = z.object({
  iss: z.string().default(''),
  sub: z.string().default(''),
  jti: z.string().default(''),
  exp: z.number().optional(),
  nbf: z.number().optional(),
});

const Grants = z.object({
  name: z.string().default(''),
  kind: z.string().default(''),
  metadata: z.string().default(''),
  attributes: z.record(z.string(), z.string()).default({}),
  video: VideoGrant.optional(),
  roomConfig: z.unknown().optional(),
});

export type VideoGrant = z.infer<typeof VideoGrant>;
/** What a verified token says. `undefined` where the request carried no token at all. */
export type Caller = z.infer<typeof Grants> & { identity: string };

/** Throws a PlainError 401 for a token that does not verify; no token is no error yet. */
export function authenticate(
  header: string | undefined,
  accessToken: string | null,
  apiKeys: Record<string, string>,
): Caller | undefined {
  if (header !== undefined && header !== '' && !header.startsWith(BEARER)) {
    throw new PlainError(401, `invalid authorization header. Must start with ${BEARER}`);
  }
  const token = header ? header.slice(BEARER.length) : (accessToken ?? '');
  return token === '' ? undefined : verify(token, apiKeys);
}

/** Throws a PlainError 401, whose message holds the token where the server's does. */
export function verify(token: string, apiKeys: Record<string, string>): Caller {
  const [head = '', body = '', signature = '', ...rest] = token.split('.');
  const header = z.object({ alg: z.string() }).safeParse(decode(head));
  const payload = decode(body);
  const claims = Claims.safeParse(payload);
  if (!header.success || !claims.success || rest.length > 0 || token.split('.').length !== 3) {
    throw new PlainError(401, 'invalid authorization token');
  }
  const { iss, sub, jti, exp, nbf } = claims.data;
  const secret = Object.hasOwn(apiKeys, iss) ? apiKeys[iss] : undefined;
  if (!secret) throw new PlainError(401, `invalid API key: ${iss}`);

  const refuse = (reason: string) =>
    new PlainError(401, `invalid token: ${token}, error: ${reason}`);
  const { alg } = header.data;
  if (alg !== 'HS256') {
    throw refuse(`token signature is invalid: signing method ${alg} is invalid`);
  }
  const expected = createHmac('sha256', secret).update(`${head}.${body}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw refuse('token signature is invalid: signature is invalid');
  }
  const nowSeconds = Date.now() / 1000;
  if (exp !== undefined && nowSeconds >= exp + LEEWAY_SECONDS) {
    throw refuse('token has invalid claims: token is expired');
  }
  if (nbf !== undefined && nowSeconds < nbf - LEEWAY_SECONDS) {
    throw refuse('token has invalid claims: token is not valid yet');
  }
  const grants = Grants.safeParse(payload);
  if (!grants.success) throw refuse('token is malformed: could not JSON decode claim');
  return { ...grants.data, identity: sub || jti };
}

/** A missing grant is 401 and not 403, with or without a token. */
const denied = () => new TwirpError('unauthenticated', 'permissions denied');

export function ensureCreate(caller: Caller | undefined): void {
  if (!caller?.video?.roomCreate) throw denied();
}

export function ensureList(caller: Caller | undefined): void {
  if (!caller?.video?.roomList) throw denied();
}

/** Of no room: it is the right to record all of them. */
export function ensureRecord(caller: Caller | undefined): void {
  if (!caller?.video?.roomRecord) throw denied();
}

export function ensureAdmin(caller: Caller | undefined, roomName: string): void {
  if (!caller?.video?.roomAdmin || caller.video.room !== roomName) throw denied();
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}
