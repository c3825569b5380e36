/** A user pool as far as the service sees one: a key set over HTTP, and tokens signed with its key. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

export const CLIENT_ID = '1example23456789client';

export interface KeyPair {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export const newKeyPair = (kid: string): KeyPair => ({
  kid,
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }),
});

/** The key of a whole test run, since a new one takes up to half a second, and a new one elsewhere. */
function usualKeyPair(): KeyPair {
  const { TEST_ISSUER_KEY: pem } = process.env;
  if (!pem) return newKeyPair('the-key');
  const privateKey = createPrivateKey(pem);
  return { kid: 'the-key', privateKey, publicKey: createPublicKey(privateKey) };
}

export type Issuer = Awaited<ReturnType<typeof startIssuer>>;

export async function startIssuer() {
  const key = usualKeyPair();
  const published = [key];
  const server = createServer((_, response) => {
    const keys = published.map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      alg: 'RS256',
      use: 'sig',
    }));
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    key,
    /** From now on this key is in the set as well. */
    publish: (other: KeyPair) => published.push(other),
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface User {
  userId: string;
  username: string;
}

/** The claims of an access token as Cognito makes them. */
export function accessClaims(issuer: string, { userId, username }: User): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return {
    sub: userId,
    iss: issuer,
    client_id: CLIENT_ID,
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin',
    auth_time: now,
    iat: now,
    exp: now + 3600,
    jti: `${userId}-${now}`,
    username,
  };
}

/** Any header, claims and signature, including invalid ones. */
export function jwt(
  header: Record<string, unknown>,
  claims: unknown,
  signature: (input: string) => string,
): string {
  const input = `${segment(header)}.${segment(claims)}`;
  return `${input}.${signature(input)}`;
}

export const rs256 = (key: KeyPair, claims: unknown, header: Record<string, unknown> = {}) =>
  jwt({ alg: 'RS256', kid: key.kid, ...header }, claims, (input) =>
    sign('RSA-SHA256', Buffer.from(input), key.privateKey).toString('base64url'),
  );

const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What a JWT says, unverified. */
export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
