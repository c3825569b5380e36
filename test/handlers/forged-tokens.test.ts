/** A caller without a valid access token gets a 401, and no request goes to the database or LiveKit. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { accessClaims, jwt, newKeyPair, rs256 } from '../harness/issuer.ts';
import type { Process } from '../harness/process.ts';
import { ROUTES } from '../harness/routes.ts';
import { worldOfFile } from '../harness/world.ts';

const HOUR_SECONDS = 3600;
const stranger = newKeyPair('the-key');
const unknown = newKeyPair('an-unpublished-key');
const now = () => Math.floor(Date.now() / 1000);

const world = await worldOfFile();
const club = await world.startMeeting();

/** The `Authorization` header of the club's moderator, if it were theirs. */
const forgeries: Record<string, (service: Process) => string | undefined> = {
  'no header at all': () => undefined,
  'an empty header': () => '',
  'the scheme alone': () => 'Bearer ',
  'a word that is no token': () => 'Bearer not-a-token',
  'three words that are no token': () => 'Bearer not.a.token',
  'another scheme': (service) => `Basic ${service.tokenFor(club.moderator)}`,
  'no scheme': (service) => service.tokenFor(club.moderator),
  'two tokens in one header': (service) => {
    const token = service.tokenFor(club.moderator);
    return `Bearer ${token}, Bearer ${token}`;
  },
  'a valid token after a forged one': (service) =>
    `Bearer a, Bearer ${service.tokenFor(club.moderator)}`,
  'alg none': ({ issuer }) =>
    bearer(jwt({ alg: 'none', kid: 'the-key' }, moderatorOf(issuer), () => '')),
  'alg none, with the signature of a valid token': (service) => {
    const signature = service.tokenFor(club.moderator).split('.')[2] ?? '';
    const claims = moderatorOf(service.issuer);
    return bearer(jwt({ alg: 'none', kid: 'the-key' }, claims, () => signature));
  },
  'HS256 with the public key as the secret': ({ issuer }) => {
    const pem = world.issuer.key.publicKey.export({ format: 'pem', type: 'spki' });
    return bearer(
      jwt({ alg: 'HS256', kid: 'the-key' }, moderatorOf(issuer), (input) =>
        createHmac('sha256', pem).update(input).digest('base64url'),
      ),
    );
  },
  'the key of another pool under our key id': ({ issuer }) =>
    bearer(rs256(stranger, moderatorOf(issuer))),
  'its own key in the header': ({ issuer }) =>
    bearer(
      rs256(stranger, moderatorOf(issuer), { jwk: stranger.publicKey.export({ format: 'jwk' }) }),
    ),
  'claims that were changed after signing': (service) => {
    const [header, , signature] = service.tokenFor(club.member).split('.');
    const claims = Buffer.from(JSON.stringify(moderatorOf(service.issuer))).toString('base64url');
    return bearer([header, claims, signature].join('.'));
  },
  'the issuer of another pool': (service) =>
    bearer(
      service.tokenFor(club.moderator, {
        iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example00',
      }),
    ),
  'another client': (service) =>
    bearer(service.tokenFor(club.moderator, { client_id: 'another-client' })),
  'no client': (service) => bearer(service.tokenFor(club.moderator, { client_id: undefined })),
  'an ID token': (service) =>
    bearer(
      service.tokenFor(club.moderator, {
        token_use: 'id',
        client_id: undefined,
        username: undefined,
        aud: '1example23456789client',
        'cognito:username': club.moderator.username,
      }),
    ),
  'an expired token': (service) => bearer(service.tokenFor(club.moderator, { exp: now() - 1 })),
  'a token that is not valid yet': (service) =>
    bearer(service.tokenFor(club.moderator, { nbf: now() + HOUR_SECONDS })),
  'no key id': ({ issuer }) =>
    bearer(rs256(world.issuer.key, moderatorOf(issuer), { kid: undefined })),
  'a key id that is unknown': ({ issuer }) => bearer(rs256(unknown, moderatorOf(issuer))),
  'a sub that is no id': (service) => bearer(service.tokenFor(club.moderator, { sub: 'ada#CLUB' })),
  'a sub that is no text': (service) => bearer(service.tokenFor(club.moderator, { sub: 42 })),
  'no sub': (service) => bearer(service.tokenFor(club.moderator, { sub: undefined })),
  'no user name': (service) => bearer(service.tokenFor(club.moderator, { username: undefined })),
};

const moderatorOf = (issuer: string) => accessClaims(issuer, club.moderator);
const bearer = (token: string) => `Bearer ${token}`;

describe('401, and no call to the database or LiveKit, for', () => {
  it.each(Object.entries(forgeries))('%s', async (_, forge) => {
    const service = await world.boot();
    for (const route of ROUTES) {
      const { status, headers, body } = await service.call(route, forge(service), club);
      expect({ status, body }, route).toEqual({
        status: 401,
        body: {
          error: 'A valid access token is required',
          code: 'UNAUTHENTICATED',
          requestId: expect.any(String),
        },
      });
      expect(headers['content-type']).toBe('application/json');
    }
    expect(service.wire.operations().filter((name) => name !== 'GetKeys')).toEqual([]);
  });

  it('a second key id that is unknown, within the waiting period of the first', async () => {
    const service = await world.boot();
    await service.call('status', club.moderator, club);
    service.wire.forget();
    for (const kid of ['unknown-1', 'unknown-2', 'unknown-1']) {
      const token = rs256({ ...unknown, kid }, moderatorOf(service.issuer));
      const { status } = await service.call('status', bearer(token), club);
      expect(status, kid).toBe(401);
    }
    // Unknown key ids cause one request to the pool, not one each.
    expect(service.wire.operations()).toEqual(['GetKeys']);
    expect((await service.call('status', club.moderator, club)).status).toBe(200);
  });

  it('an unknown key id while the key set cannot be fetched again', async () => {
    const service = await world.boot();
    await service.call('status', club.moderator, club);
    await service.wire.refuse('identity');
    const token = rs256(unknown, moderatorOf(service.issuer));
    expect((await service.call('status', bearer(token), club)).status).toBe(401);
  });

  it('a bad request as well: who asks comes before what is asked', async () => {
    const { call, wire } = await world.boot();
    const { status } = await call('token', undefined, { body: 'not JSON' });
    expect(status).toBe(401);
    expect(wire.operations()).not.toContain('BatchGetItem');
  });
});

describe('Accepted is', () => {
  it('an access token of the pool and the client', async () => {
    expect((await world.call('status', club.moderator, club)).status).toBe(200);
  });

  it.each(['bearer', 'BEARER'])('the scheme as "%s": its case does not matter', async (scheme) => {
    const service = await world.boot();
    const header = `${scheme} ${service.tokenFor(club.moderator)}`;
    expect((await service.call('status', header, club)).status).toBe(200);
  });

  it('a key that the pool added since the key set was fetched', async () => {
    const service = await world.boot();
    await service.call('status', club.moderator, club);
    const rotated = newKeyPair('the-next-key');
    world.issuer.publish(rotated);
    const token = rs256(rotated, moderatorOf(service.issuer));
    expect((await service.call('status', bearer(token), club)).status).toBe(200);
  });

  it('any of several clients', async () => {
    const service = await world.boot({ env: { COGNITO_CLIENT_IDS: 'the-web, the-phone' } });
    for (const client_id of ['the-web', 'the-phone']) {
      const token = service.tokenFor(club.moderator, { client_id });
      expect((await service.call('status', bearer(token), club)).status, client_id).toBe(200);
    }
  });

  it('an ID token, and no access token, under COGNITO_TOKEN_USE=id', async () => {
    const service = await world.boot({ env: { COGNITO_TOKEN_USE: 'id' } });
    const idToken = service.tokenFor(club.owner, {
      token_use: 'id',
      client_id: undefined,
      username: undefined,
      aud: '1example23456789client',
      'cognito:username': club.owner.username,
    });
    const { status, body } = await service.call('token', bearer(idToken), {
      clubId: club.clubId,
    });
    expect({ status, name: body.participantName }).toEqual({
      status: 200,
      name: club.owner.username,
    });
    expect((await service.call('status', club.owner, club)).status).toBe(401);
  });
});
