/**
 * The stack's gateway before the functions: which callers it lets through on each route. What it makes of paths and
 * tokens is in test/local/gateway.test.ts, what the functions refuse in test/handlers.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { issuerOf } from '../../local/identity.ts';
import { accessClaims, newKeyPair, rs256 } from '../harness/issuer.ts';
import { fetchNoting } from '../harness/openapi.ts';
import { createPerson, type Person, stack } from './support/clubs.ts';

/** Of the routes' URLs. */
const send = (method: string, path: string, headers: Record<string, string> = {}) =>
  fetchNoting(`${stack.apiUrl}${path}`, { method, headers });

let person: Person;
beforeAll(async () => {
  person = await createPerson('person');
});

it('An id in a path is decoded once, and refused by the function in a sentence that names it', async () => {
  const authorization = `Bearer ${person.accessToken}`;
  const answer = await send('GET', '/a%252Fb/status', { authorization });
  expect({ status: answer.status, body: await answer.json() }).toMatchObject({
    status: 400,
    body: {
      code: 'INVALID_REQUEST',
      error: 'clubId must be 1 to 64 letters, digits, "-" or "_"',
    },
  });
});

describe('Callers', () => {
  const ROUTES = [
    ['POST', '/token'],
    ['POST', '/a/start'],
    ['POST', '/a/end'],
    ['GET', '/a/status'],
    ['GET', '/clubs'],
    ['GET', '/a/members'],
    ['GET', '/a/meetings'],
    ['GET', '/a/meetings/01ARZ3NDEKTSV4RRFFQ69G5FAV'],
  ] as const;

  it.each(ROUTES)('without a token are refused by the gateway: %s %s', async (method, path) => {
    const answer = await send(method, path);
    expect({ status: answer.status, body: await answer.text() }).toEqual({
      status: 401,
      body: '{"message":"Unauthorized"}',
    });
  });

  it.each(ROUTES)(
    'with an ID token, which the gateway passes, are refused by the function: %s %s',
    async (method, path) => {
      const answer = await send(method, path, { authorization: `Bearer ${person.idToken}` });
      expect({ status: answer.status, body: await answer.json() }).toMatchObject({
        status: 401,
        body: { code: 'UNAUTHENTICATED' },
      });
    },
  );

  it('with a token of another key are refused by the gateway', async () => {
    const forged = rs256(newKeyPair('CognitoLocal'), {
      ...accessClaims(issuerOf(stack.cognito), person),
      client_id: stack.cognito.clientId,
    });
    const answer = await send('GET', '/a/status', { authorization: `Bearer ${forged}` });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('signature is invalid');
  });
});

describe('LiveKit’s webhook', () => {
  const url = stack.apiUrl.replace('/reading-clubs/meeting', '/livekit/webhook');

  it.each([
    ['no signature', {}],
    ['a caller’s token for a signature', { authorization: 'Bearer' }],
  ])('has no authorizer, and with %s is refused by the function', async (_, headers) => {
    const answer = await fetchNoting(url, {
      method: 'POST',
      headers: { 'content-type': 'application/webhook+json', ...headers },
      body: '{"event":"room_started"}',
    });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('Browsers', () => {
  const preflight = (origin: string) =>
    send('OPTIONS', '/token', {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    });

  it('of the configured origin may call, with a token and JSON', async () => {
    const { origin } = new URL(stack.webUrl);
    const { status, headers } = await preflight(origin);
    expect(status).toBe(204);
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization,content-type,if-none-match',
      'access-control-allow-methods': 'GET,POST,PUT,DELETE,OPTIONS',
      'access-control-max-age': '3600',
    });
  });

  it('that show the page of the API may call it from there', async () => {
    const { status, headers } = await preflight(stack.referenceUrl);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(stack.referenceUrl);
  });

  it('of another origin may not', async () => {
    const { headers } = await preflight('https://example.org');
    expect(headers.has('access-control-allow-origin')).toBe(false);
  });
});
