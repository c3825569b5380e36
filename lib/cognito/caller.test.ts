import { inspect } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Answer, serveHttp } from '../../test/harness/http-server.ts';
import { type KeyPair, newKeyPair, rs256 } from '../../test/harness/issuer.ts';
import { IdentityUnavailable, Unauthenticated } from '../errors.ts';
import { createCallerVerifier, type IdentityOptions } from './caller.ts';

const USER_ID = '7d1f9a52-3c4e-4b6a-9f00-2a1b3c4d5e6f';
const FAILURES: [string, Answer | 'drop'][] = [
  ['500', { status: 500 }],
  ['404', { status: 404 }],
  ['nothing', 'drop'],
  ['no JSON', { body: '<html>' }],
  ['no key set', { body: { message: 'Not found' } }],
];

let key: KeyPair;
let otherKey: KeyPair;
beforeAll(() => {
  key = newKeyPair('key-1');
  otherKey = newKeyPair('key-2');
});

const keySetOf = (...pairs: KeyPair[]): Answer => ({
  body: {
    keys: pairs.map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      alg: 'RS256',
      use: 'sig',
    })),
  },
});

/** A user pool on loopback whose key set is answered as `pool.answer` says, and a verifier for it. */
async function createWorld(
  options: Partial<IdentityOptions> = {},
  answer: Answer | 'drop' | Promise<Answer> = keySetOf(key),
) {
  const pool = { answer };
  const server = await serveHttp(() => pool.answer);
  const issuer = `${server.url}/local_1`;
  const seconds = Math.floor(Date.now() / 1000);
  const common = { sub: USER_ID, iss: issuer, iat: seconds, exp: seconds + 3600 };
  const verify = createCallerVerifier({
    issuer,
    clientIds: ['web'],
    tokenUse: 'access',
    ...options,
  });
  return {
    pool,
    issuer,
    verify,
    fetched: server.requests,
    access: { ...common, token_use: 'access', client_id: 'web', username: 'ada' },
    id: {
      ...common,
      token_use: 'id',
      aud: 'web',
      'cognito:username': 'ada',
      email: 'ada@x.example',
    },
    verifyClaims: (claims: unknown, by = key) => verify(`Bearer ${rs256(by, claims)}`),
  };
}

async function refusalOf(verified: Promise<unknown>): Promise<Error> {
  const error = await verified.then(
    (caller) => expect.fail(`It was accepted: ${inspect(caller)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) expect.fail(`No error: ${inspect(error)}`);
  return error;
}

describe('a token', () => {
  test('of a user becomes the caller: the subject and the user name, and nothing else', async () => {
    const { verifyClaims, access } = await createWorld();
    expect(await verifyClaims({ ...access, 'cognito:groups': ['admin'] })).toEqual({
      userId: USER_ID,
      username: 'ada',
    });
  });

  test.each(['Bearer', 'bearer', 'BEARER'])('may follow the word %s', async (word) => {
    const { verify, access } = await createWorld();
    expect((await verify(`${word} ${rs256(key, access)}`)).userId).toBe(USER_ID);
  });

  test.each([
    ['no header', () => undefined],
    ['an empty header', () => ''],
    ['the token alone', (token: string) => token],
    ['another scheme', (token: string) => `Basic ${token}`],
    ['two tokens', (token: string) => `Bearer ${token}, Bearer ${token}`],
    ['two tokens without a space', (token: string) => `Bearer ${token},${token}`],
    ['something after it', (token: string) => `Bearer ${token} x`],
    ['a line after it', (token: string) => `Bearer ${token}\n`],
    ['no signature', (token: string) => `Bearer ${token.split('.').slice(0, 2).join('.')}`],
    ['an empty signature', (token: string) => `Bearer ${token.split('.').slice(0, 2).join('.')}.`],
    ['no token', () => 'Bearer '],
  ])('is refused with %s, and the pool is not asked', async (_, headerOf) => {
    const { verify, access, pool, fetched } = await createWorld();
    await verify(`Bearer ${rs256(key, access)}`);
    pool.answer = 'drop';
    const error = await refusalOf(verify(headerOf(rs256(key, access))));
    expect(error).toBeInstanceOf(Unauthenticated);
    expect(fetched).toHaveLength(1);
  });

  test.each([
    ['without an end', { exp: undefined }],
    ['expired', { exp: Math.floor(Date.now() / 1000) - 1 }],
    ['not yet valid', { nbf: Math.floor(Date.now() / 1000) + 60 }],
    ['of another issuer', { iss: 'http://127.0.0.1:1/local_1' }],
    ['of an issuer that only begins like ours', { iss: 'http://127.0.0.1/local_1x' }],
    ['without an issuer', { iss: undefined }],
    ['without a subject', { sub: undefined }],
    ['of a subject that could forge a key', { sub: 'ada#CLUB' }],
    ['without a user name', { username: undefined }],
    ['with a user name that is no text', { username: ['ada'] }],
  ])('that is %s is refused', async (_, change) => {
    const { verifyClaims, access } = await createWorld();
    expect(await refusalOf(verifyClaims({ ...access, ...change }))).toBeInstanceOf(Unauthenticated);
  });

  test('does not log its claims when it is refused', async () => {
    const { verifyClaims, access } = await createWorld();
    const token = { ...access, username: 'a-private-name', exp: 1 };
    const error = await refusalOf(verifyClaims(token));
    expect(inspect(error, { depth: 9 })).not.toContain('a-private-name');
  });
});

describe('the use of a token', () => {
  test('is access by default: an ID token is refused', async () => {
    const { verifyClaims, id } = await createWorld();
    expect(await refusalOf(verifyClaims(id))).toBeInstanceOf(Unauthenticated);
  });

  test('is ID where that is configured, with its own claim for the user name', async () => {
    const { verifyClaims, id } = await createWorld({ tokenUse: 'id' });
    expect(await verifyClaims(id)).toEqual({ userId: USER_ID, username: 'ada' });
  });

  test('is ID where that is configured: an access token is refused', async () => {
    const { verifyClaims, access } = await createWorld({ tokenUse: 'id' });
    expect(await refusalOf(verifyClaims(access))).toBeInstanceOf(Unauthenticated);
  });

  test.each(['refresh', '', undefined, ['access']])('cannot be %j', async (token_use) => {
    const { verifyClaims, access } = await createWorld();
    expect(await refusalOf(verifyClaims({ ...access, token_use }))).toBeInstanceOf(Unauthenticated);
  });
});

describe('the client of a token', () => {
  test('can be any of those that are configured', async () => {
    const { verifyClaims, access } = await createWorld({ clientIds: ['web', 'ios'] });
    for (const client_id of ['web', 'ios']) {
      expect((await verifyClaims({ ...access, client_id })).userId).toBe(USER_ID);
    }
  });

  test.each(['android', 'we', 'web,ios', '', undefined, ['web']])(
    'cannot be %j',
    async (client_id) => {
      const { verifyClaims, access } = await createWorld({ clientIds: ['web', 'ios'] });
      expect(await refusalOf(verifyClaims({ ...access, client_id }))).toBeInstanceOf(
        Unauthenticated,
      );
    },
  );

  test('is the audience of an ID token', async () => {
    const { verifyClaims, id } = await createWorld({ tokenUse: 'id' });
    const foreign = { ...id, aud: 'android', client_id: 'web' };
    expect(await refusalOf(verifyClaims(foreign))).toBeInstanceOf(Unauthenticated);
  });

  test('is not the audience of an access token', async () => {
    const { verifyClaims, access } = await createWorld();
    const foreign = { ...access, client_id: 'android', aud: 'web' };
    expect(await refusalOf(verifyClaims(foreign))).toBeInstanceOf(Unauthenticated);
  });
});

describe('the key set', () => {
  test('is fetched while the function initialises, before any token is seen', async () => {
    const { fetched } = await createWorld();
    await vi.waitFor(() => expect(fetched).toHaveLength(1));
    expect(fetched[0]).toMatchObject({ method: 'GET', path: '/local_1/.well-known/jwks.json' });
  });

  test('is fetched once for all tokens, also for those that arrive during the fetch', async () => {
    const { verifyClaims, access, fetched } = await createWorld();
    await Promise.all(Array.from({ length: 10 }, () => verifyClaims(access)));
    await verifyClaims(access);
    expect(fetched).toHaveLength(1);
  });

  test.each(FAILURES)(
    'answered with %s at the start breaks nothing, and the first token fetches it',
    async (_, failure) => {
      const { verifyClaims, access, pool, fetched } = await createWorld({}, failure);
      await vi.waitFor(() => expect(fetched).toHaveLength(1));
      pool.answer = keySetOf(key);
      expect((await verifyClaims(access)).userId).toBe(USER_ID);
    },
  );

  test('that fails while the first tokens wait for it is fetched once more for them', async () => {
    let fail: (answer: Answer) => void = () => undefined;
    const failure = new Promise<Answer>((resolve) => {
      fail = resolve;
    });
    const { verifyClaims, access, pool, fetched } = await createWorld({}, failure);
    await vi.waitFor(() => expect(fetched).toHaveLength(1));
    const waiting = [verifyClaims(access), verifyClaims(access), verifyClaims(access)];
    pool.answer = keySetOf(key);
    fail({ status: 500 });
    for (const { userId } of await Promise.all(waiting)) expect(userId).toBe(USER_ID);
    expect(fetched).toHaveLength(2);
  });

  test.each(FAILURES)(
    'that was only ever answered with %s is an outage, and tokens are checked once it is there',
    async (_, failure) => {
      const { verifyClaims, access, pool } = await createWorld({}, failure);
      expect(await refusalOf(verifyClaims(access))).toBeInstanceOf(IdentityUnavailable);
      expect(await refusalOf(verifyClaims(access))).toBeInstanceOf(IdentityUnavailable);
      pool.answer = keySetOf(key);
      expect((await verifyClaims(access)).userId).toBe(USER_ID);
    },
  );

  test.each<[string, Answer | Promise<Answer>]>([
    ['no answer', new Promise<Answer>(() => undefined)],
    ['half an answer', { headers: { 'content-length': '5000' }, body: '{"keys":[' }],
  ])('that takes longer than 2 s, twice, is an outage: %s', async (_, answer) => {
    const { verifyClaims, access } = await createWorld({}, answer);
    const startedAt = performance.now();
    expect(await refusalOf(verifyClaims(access))).toBeInstanceOf(IdentityUnavailable);
    expect(performance.now() - startedAt).toBeGreaterThan(3900);
    expect(performance.now() - startedAt).toBeLessThan(6000);
  });

  test('that was never fetched is not needed to refuse what is no token', async () => {
    const { verify, access } = await createWorld({}, { status: 500 });
    const noKeyId = rs256(key, access, { kid: undefined });
    for (const header of [undefined, 'Bearer x', 'Bearer a.b.c', `Bearer ${noKeyId}`]) {
      expect(await refusalOf(verify(header))).toBeInstanceOf(Unauthenticated);
    }
  });

  test('that is known goes on working when the pool does not answer any more', async () => {
    const { verifyClaims, access, pool } = await createWorld();
    await verifyClaims(access);
    pool.answer = 'drop';
    expect((await verifyClaims(access)).userId).toBe(USER_ID);
  });

  test('that is known makes an unknown key the mistake of the caller, also when it is down', async () => {
    const { verifyClaims, access, pool } = await createWorld();
    await verifyClaims(access);
    pool.answer = 'drop';
    expect(await refusalOf(verifyClaims(access, otherKey))).toBeInstanceOf(Unauthenticated);
  });

  test('is fetched again for an unknown key, but not for each one that follows', async () => {
    const { verifyClaims, access, fetched } = await createWorld();
    await verifyClaims(access);
    for (let count = 0; count < 5; count += 1) {
      expect(await refusalOf(verifyClaims(access, otherKey))).toBeInstanceOf(Unauthenticated);
    }
    expect(fetched).toHaveLength(2);
    expect((await verifyClaims(access)).userId).toBe(USER_ID);
  });

  test('is fetched again when the pool has rotated its key', async () => {
    const { verifyClaims, access, pool } = await createWorld();
    await verifyClaims(access);
    pool.answer = keySetOf(key, otherKey);
    expect((await verifyClaims(access, otherKey)).userId).toBe(USER_ID);
  });

  test('that fails at the start leaves no rejection behind that would end the process', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    const { fetched } = await createWorld({}, 'drop');
    await vi.waitFor(() => expect(fetched).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(rejections).toEqual([]);
  });
});
