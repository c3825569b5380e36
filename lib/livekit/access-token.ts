import { createHash } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { VideoGrant } from 'livekit-server-sdk';
import type { ApiKey } from './settings.ts';

/**
 * LiveKit's access tokens: JWTs signed with the API secret (https://docs.livekit.io/frontends/authentication/tokens).
 * As the SDK's `AccessToken` and `TokenVerifier` make and read them; these add 60 KB to each bundle, for
 * the messages that they come with.
 */

export type { VideoGrant };

export interface Claims {
  video?: VideoGrant;
  /** The participant's name. */
  name?: string;
  /** Of the body, for a webhook: base64. */
  sha256?: string;
  /** RoomConfiguration, as JSON: the limits of a room that this very join creates. */
  roomConfig?: object;
}

/** @param identity the participant's, for a join */
export function signToken(
  { apiKey, apiSecret }: ApiKey,
  claims: Claims,
  { ttlSeconds, identity }: { ttlSeconds: number; identity?: string },
): Promise<string> {
  const jwt = new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(apiKey)
    .setNotBefore(new Date())
    .setExpirationTime(`${ttlSeconds}s`);
  if (identity !== undefined) jwt.setSubject(identity);
  return jwt.sign(secretOf(apiSecret));
}

/**
 * Verifies that the key signed this body as a webhook.
 * @throws an error of jose, or an Error when the signature is for another body
 */
export async function verifyBody(
  { apiKey, apiSecret }: ApiKey,
  body: Uint8Array,
  token: string,
  clockToleranceSeconds: number,
): Promise<void> {
  const { payload } = await jwtVerify(token, secretOf(apiSecret), {
    issuer: apiKey,
    algorithms: ['HS256'],
    requiredClaims: ['exp'],
    clockTolerance: clockToleranceSeconds,
  });
  const hash = createHash('sha256').update(body).digest('base64');
  if (payload['sha256'] !== hash) throw new Error('The signature is for another body');
}

/** An empty secret would sign and verify anything. */
function secretOf(apiSecret: string): Uint8Array {
  if (apiSecret === '') throw new Error('The API secret is empty');
  return new TextEncoder().encode(apiSecret);
}
