import { JwtVerifier } from 'aws-jwt-verify';
import { validateCognitoJwtFields } from 'aws-jwt-verify/cognito-verifier';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import type { RequestHandler } from 'express';

const { COGNITO_ISSUER = '', COGNITO_CLIENT_IDS = '' } = process.env;

/** `CognitoJwtVerifier`, were the issuer a pool on AWS: what that class checks, over plain http. */
const verifier = JwtVerifier.create(
  {
    issuer: COGNITO_ISSUER,
    audience: null,
    jwksUri: `${COGNITO_ISSUER}/.well-known/jwks.json`,
    customJwtCheck: ({ payload }) =>
      validateCognitoJwtFields(payload, { tokenUse: 'access', clientId: COGNITO_CLIENT_IDS }),
  },
  {
    jwksCache: new SimpleJwksCache({
      fetcher: { fetch: async (uri) => (await fetch(uri)).arrayBuffer() },
    }),
  },
);

/** Leaves the caller's id in `res.locals`. */
export const authenticate: RequestHandler = async (req, res, next) => {
  const [scheme, token] = (req.headers.authorization ?? '').split(' ');
  if (scheme !== 'Bearer' || !token) {
    res.status(401).json({ error: 'Authentication required' });
    return;
  }
  try {
    const { sub } = await verifier.verify(token);
    res.locals['userId'] = sub;
  } catch {
    res.status(401).json({ error: 'Invalid token' });
    return;
  }
  next();
};
