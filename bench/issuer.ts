import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const TOKEN_SECONDS = 3_600;

export interface Issuer {
  url: string;
  clientId: string;
  /** An access token with the claims that Cognito gives one, signed with RS256. */
  accessToken(userId: string, username: string): string;
  stop(): Promise<void>;
}

/** A user pool as far as a verifier sees one: a key set on loopback and tokens that it signs. */
export async function startIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  const clientId = 'bench-client';
  const keySet = JSON.stringify({
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }],
  });
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(keySet);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/bench-pool`;
  return {
    url,
    clientId,
    accessToken(userId, username) {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        sub: userId,
        iss: url,
        client_id: clientId,
        token_use: 'access',
        scope: 'aws.cognito.signin.user.admin',
        auth_time: now,
        iat: now,
        exp: now + TOKEN_SECONDS,
        jti: randomUUID(),
        username,
      };
      const signed = [{ alg: 'RS256', kid }, claims].map(base64url).join('.');
      return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const base64url = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
