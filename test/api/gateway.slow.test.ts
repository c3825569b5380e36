/** How the gateway and the functions answer requests that are not as they should be. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { issuerOf } from '../../local/identity.ts';
import { accessClaims, jwt, newKeyPair, rs256 } from '../harness/issuer.ts';
import { fetchNoting, noteHttp } from '../harness/openapi.ts';
import { createPerson, itemsOf, type Person, stack } from './support/clubs.ts';

const BASE_PATH = new URL(stack.apiUrl).pathname;

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** The path goes out as it is: `fetch` would resolve `..` and encode what is not allowed. */
function send(method: string, path: string, headers: Record<string, string> = {}, body = '') {
  const { hostname, port } = new URL(stack.apiUrl);
  return new Promise<Answer>((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers }, (response) => {
      text(response)
        .then((answer) => {
          const { statusCode: status = 0, headers: sent } = response;
          noteHttp(method, new URL(path, stack.apiUrl).href, {
            status,
            headers: sent,
            body: answer,
          });
          resolve({ status, headers: sent, body: answer });
        })
        .catch(reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

let person: Person;
let authorization: string;
beforeAll(async () => {
  person = await createPerson('person');
  authorization = `Bearer ${person.accessToken}`;
});

describe('Paths', () => {
  it.each([
    ['a raw / in the id', '/a/b/status'],
    ['.. for the id', '/../status'],
    ['an encoded .. for the id, which clients resolve as well', '/%2e%2e/status'],
    ['.. after an id', '/a/../status'],
    ['no id', '//status'],
    ['an encoded / in the id, which divides it', '/a%2Fb/status'],
    ['an encoded ../', '/..%2F../status'],
    ['a / at the end', '/a/status/'],
    ['no route', '/a'],
    ['another route', '/a/recordings'],
    ['nothing', ''],
  ])('with %s are the gateway’s 404', async (_, path) => {
    const { status, body } = await send('GET', `${BASE_PATH}${path}`, { authorization });
    expect({ status, body }).toEqual({ status: 404, body: '{"message":"Not Found"}' });
  });

  it.each([
    ['PATCH', '/a/status'],
    ['HEAD', '/a/status'],
    ['OPTIONS', '/a/status'],
    ['POST', '/a/status'],
    ['GET', '/a/start'],
    ['GET', '/token'],
  ])('that exist, asked by %s %s, are the gateway’s 404', async (method, path) => {
    const { status, body } = await send(method, `${BASE_PATH}${path}`, { authorization });
    expect(status).toBe(404);
    expect(body).toBe(method === 'HEAD' ? '' : '{"message":"Not Found"}');
  });

  it.each([
    ['a twice encoded /', 'a%252Fb'],
    ['%00', 'a%00b'],
    ['#', 'a%23b'],
    ['a space', 'a%20b'],
    ['an emoji', '%F0%9F%93%9A'],
    ['65 characters', 'a'.repeat(65)],
  ])('with %s in the id are 400, in a sentence that names it', async (_, id) => {
    const { status, body } = await send('GET', `${BASE_PATH}/${id}/status`, { authorization });
    expect({ status, ...JSON.parse(body) }).toMatchObject({
      status: 400,
      code: 'INVALID_REQUEST',
      error: 'clubId must be 1 to 64 letters, digits, "-" or "_"',
    });
  });

  it.each(['%', '%zz', '%ff'])('that are no UTF-8 (%s) are 400', async (id) => {
    const { status, body } = await send('GET', `${BASE_PATH}/${id}/status`, { authorization });
    expect({ status, body }).toEqual({ status: 400, body: '{"message":"Bad Request"}' });
  });

  it('with 64 characters in the id are as good as any', async () => {
    const { status, body } = await send('GET', `${BASE_PATH}/${'a'.repeat(64)}/status`, {
      authorization,
    });
    expect({ status, ...JSON.parse(body) }).toMatchObject({ status: 404, code: 'CLUB_NOT_FOUND' });
  });
});

describe('Bodies', () => {
  it.each([
    ['none', '', 'readingClubId is missing'],
    ['no JSON', '{', 'body must be JSON'],
    ['an array', '[]', 'body must be a JSON object'],
    ['a forged id', '{"readingClubId":"a#CLUB"}', 'readingClubId must be'],
    ['an unknown field', '{"readingClubId":"a","roomAdmin":true}', 'roomAdmin is not known'],
    ['an empty name', '{"readingClubId":"a","participantName":" "}', 'participantName must be'],
  ])('for a token: %s is 400, in a sentence that names it', async (_, body, sentence) => {
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await send('POST', `${BASE_PATH}/token`, headers, body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({
      code: 'INVALID_REQUEST',
      error: expect.stringContaining(sentence),
    });
    expect(await itemsOf('a')).toEqual([]);
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
    const { status, body } = await send(method, `${BASE_PATH}${path}`);
    expect({ status, body }).toEqual({ status: 401, body: '{"message":"Unauthorized"}' });
  });

  it.each(ROUTES)('with a token of another key are refused: %s %s', async (method, path) => {
    const forged = rs256(newKeyPair('CognitoLocal'), claims());
    const answer = await send(method, `${BASE_PATH}${path}`, { authorization: `Bearer ${forged}` });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('signature is invalid');
  });

  it.each(ROUTES)(
    'with an ID token, which the gateway passes, are refused by the function: %s %s',
    async (method, path) => {
      const { status, body } = await send(method, `${BASE_PATH}${path}`, {
        authorization: `Bearer ${person.idToken}`,
      });
      expect({ status, ...JSON.parse(body) }).toMatchObject({
        status: 401,
        code: 'UNAUTHENTICATED',
      });
    },
  );

  it.each([
    ['alg: none', () => jwt({ alg: 'none' }, claims(), () => '')],
    ['a token with another signature', () => `${person.accessToken.slice(0, -8)}AAAAAAAA`],
    ['an expired token', () => rs256(newKeyPair('k'), { ...claims(), exp: 1_700_000_000 })],
    ['another client’s token', () => rs256(newKeyPair('k'), { ...claims(), client_id: 'other' })],
    ['no JWT', () => 'nonsense'],
  ])('with %s are refused', async (_, token) => {
    const { status } = await send('GET', `${BASE_PATH}/a/status`, {
      authorization: `Bearer ${token()}`,
    });
    expect(status).toBe(401);
  });

  /** What Cognito would say of this person. */
  const claims = () => ({
    ...accessClaims(issuerOf(stack.cognito), person),
    client_id: stack.cognito.clientId,
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
    send('OPTIONS', `${BASE_PATH}/token`, {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    });

  it('of the configured origin may call, with a token and JSON', async () => {
    const { origin } = new URL(stack.webUrl);
    const { status, headers } = await preflight(origin);
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization,content-type,if-none-match',
      'access-control-allow-methods': 'GET,POST,PUT,DELETE,OPTIONS',
      'access-control-max-age': '3600',
    });
  });

  it('that show the page of the API may call it from there', async () => {
    const { status, headers } = await preflight(stack.referenceUrl);
    expect(status).toBe(204);
    expect(headers['access-control-allow-origin']).toBe(stack.referenceUrl);
  });

  it('of another origin may not', async () => {
    const { headers } = await preflight('https://example.org');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });
});
