import http from 'node:http';
import https from 'node:https';
import { arrayBuffer } from 'node:stream/consumers';
import { JwtVerifier } from 'aws-jwt-verify';
import { validateCognitoJwtFields } from 'aws-jwt-verify/cognito-verifier';
import { JwtParseError, JwtWithoutValidKidError } from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { IdentityUnavailable, Unauthenticated } from '../errors.ts';
import { Caller } from '../meetings/model.ts';

const KEYS_TIMEOUT_MS = 2000;

/** One bearer token and nothing else: two headers reach the function joined by a comma. */
const BEARER = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i;

export interface IdentityOptions {
  /** Of the user pool, or of a local stand-in for one; the key set is at `/.well-known/jwks.json`. */
  issuer: string;
  clientIds: string[];
  tokenUse: 'access' | 'id';
}

/**
 * Verifies the caller from the `Authorization` header.
 * @throws Unauthenticated for every token that does not verify
 * @throws IdentityUnavailable while no key set could ever be fetched
 */
export type VerifyCaller = (authorization: string | undefined) => Promise<Caller>;

/** The pool's key set, cached by the library; `isKnown` once it could be fetched. */
class KeySet extends SimpleJwksCache {
  isKnown = false;

  override async getJwks(uri: string) {
    const jwks = await super.getJwks(uri);
    this.isKnown = true;
    return jwks;
  }
}

/**
 * The library's own fetcher is HTTPS only, and a local issuer is plain http. Not `fetch`, whose first use
 * loads undici: a tenth of a cold start, where the AWS SDK has loaded these two already.
 */
const fetcher = {
  fetch: (uri: string): Promise<ArrayBuffer> =>
    new Promise((resolve, reject) => {
      const { get } = uri.startsWith('https:') ? https : http;
      const signal = AbortSignal.timeout(KEYS_TIMEOUT_MS);
      const request = get(uri, { signal }, (response) => {
        if (response.statusCode === 200) arrayBuffer(response).then(resolve, reject);
        else request.destroy(new Error(`The key set was answered ${response.statusCode}`));
      });
      request.on('error', reject);
    }),
};

/**
 * Starts fetching the key set at once, so that a cold start has it when the first request is parsed.
 * That fetch may fail: the first request then tries again.
 */
export function createCallerVerifier({
  issuer,
  clientIds,
  tokenUse,
}: IdentityOptions): VerifyCaller {
  const keySet = new KeySet({ fetcher });
  const verifier = JwtVerifier.create(
    {
      issuer,
      audience: null, // access tokens have none: customJwtCheck looks at the client id of both kinds
      jwksUri: `${issuer}/.well-known/jwks.json`,
      customJwtCheck: ({ payload }) => {
        validateCognitoJwtFields(payload, { tokenUse, clientId: clientIds });
        if (payload.exp === undefined) throw new Error('The token never expires');
      },
    },
    { jwksCache: keySet },
  );
  const initialised = verifier.hydrate().catch(() => undefined);

  return async (authorization) => {
    const [, token] = BEARER.exec(authorization ?? '') ?? [];
    if (!token) throw new Unauthenticated();
    // A token that shared that fetch would share its failure, and not try again.
    await initialised;
    try {
      const { sub, username, 'cognito:username': idTokenUsername } = await verifier.verify(token);
      return Caller.parse({ userId: sub, username: username ?? idTokenUsername });
    } catch (cause) {
      if (keySet.isKnown || isMalformed(cause)) throw new Unauthenticated({ cause });
      throw new IdentityUnavailable({ cause });
    }
  };
}

/** No key set is needed to refuse these. */
const isMalformed = (error: unknown): boolean =>
  error instanceof JwtParseError || error instanceof JwtWithoutValidKidError;
