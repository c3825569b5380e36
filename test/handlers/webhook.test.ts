/** Which webhooks are accepted, and their effect: API Gateway's event in, the table afterwards. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { AccessToken } from 'livekit-server-sdk';
import { ulid } from 'ulid';
import { beforeEach, describe, expect, it } from 'vitest';
import * as webhook from '../../functions/webhook.ts';
import { loadConfig, store } from '../../lib/config.ts';
import { createWebhookDeps } from '../../lib/deps.ts';
import { createProbeRepository } from '../../lib/dynamodb/probes.ts';
import { openTable } from '../../lib/dynamodb/table.ts';
import { roomNameOf } from '../../lib/meetings/model.ts';
import { doctorsRoomNameOf } from '../../lib/meetings/probes.ts';
import { cut, internalError, on, once, silence } from '../harness/faults.ts';
import { endedMeeting, endedRow } from '../harness/items.ts';
import { invoke } from '../harness/lambda.ts';
import {
  API_KEY,
  API_SECRET,
  eventBody,
  eventTime,
  type RoomFacts,
  type Signature,
  sign,
  webhookPost,
} from '../harness/livekit-events.ts';
import { NO_RECORDINGS } from '../harness/no-recordings.ts';
import { minutes } from '../harness/process.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot();

/** A club with a meeting on, its room by name only, and one event of that room. */
async function clubWithMeeting() {
  const { meeting, ...club } = await world.createMeeting();
  return { club, meeting, room: roomCalled(meeting.roomName) };
}

const roomCalled = (name: string): RoomFacts => ({
  name,
  sid: `RM_${randomUUID().slice(0, 12)}`,
  createdAtMs: Date.now() - 20_000,
});

const person = (userId: string, joinedAtMs = Date.now() - 10_000) => ({
  identity: userId,
  sid: `PA_${randomUUID().slice(0, 12)}`,
  joinedAtMs,
});

describe('API Gateway’s literal event', () => {
  it('with LiveKit’s signature is followed, its body encoded as the gateway encodes it', async () => {
    const { club, meeting, room } = await clubWithMeeting();
    const body = eventBody('room_started', { room, at: Date.now() });
    const event = {
      version: '2.0',
      routeKey: 'POST /api/livekit/webhook',
      rawPath: '/api/livekit/webhook',
      rawQueryString: '',
      headers: {
        'accept-encoding': 'gzip',
        authorization: await sign(body),
        'content-length': String(Buffer.byteLength(body)),
        'content-type': 'application/webhook+json',
        host: 'abcdefghij.execute-api.eu-central-1.amazonaws.com',
        'user-agent': 'Go-http-client/1.1',
        'x-amzn-trace-id': 'Root=1-68b2c1d0-0123456789abcdef01234567',
        'x-forwarded-for': '192.0.2.1',
        'x-forwarded-port': '443',
        'x-forwarded-proto': 'https',
      },
      requestContext: {
        accountId: '123456789012',
        apiId: 'abcdefghij',
        domainName: 'abcdefghij.execute-api.eu-central-1.amazonaws.com',
        domainPrefix: 'abcdefghij',
        http: {
          method: 'POST',
          path: '/api/livekit/webhook',
          protocol: 'HTTP/1.1',
          sourceIp: '192.0.2.1',
          userAgent: 'Go-http-client/1.1',
        },
        requestId: 'JKJaXmPLvHcESHA=',
        routeKey: 'POST /api/livekit/webhook',
        stage: '$default',
        time: '29/Aug/2025:20:40:00 +0000',
        timeEpoch: 1756500000000,
      },
      isBase64Encoded: true,
      body: Buffer.from(body).toString('base64'),
    };
    expect(await service.post(event)).toEqual({ status: 200, body: { result: 'followed' } });
    expect((await world.recordOf(club.clubId)).presence?.roomSid).toBe(room.sid);
    expect(room.name).toBe(meeting.roomName);
  });

  it('is followed as text, too, as serverless-offline passes it on', async () => {
    const { club, room } = await clubWithMeeting();
    const body = eventBody('room_started', { room, at: Date.now() });
    const event = webhookPost({ body, authorization: await sign(body), asText: true });
    expect(event).toMatchObject({ isBase64Encoded: false, body });
    expect((await service.post(event)).status).toBe(200);
    expect((await world.recordOf(club.clubId)).presence?.roomSid).toBe(room.sid);
  });

  it.each([false, true])('keeps names that are not ASCII, as text: %s', async (asText) => {
    const { club, room } = await clubWithMeeting();
    const participant = { ...person(club.member.userId), name: 'Zoë 🎉 — Ünïcode' };
    const body = eventBody('participant_joined', { room, participant, at: Date.now() });
    const { status } = await service.post(
      webhookPost({ body, authorization: await sign(body), asText }),
    );
    expect(status).toBe(200);
    const { presentSids } = await world.recordOf(club.clubId);
    expect(presentSids).toEqual(new Set([participant.sid]));
  });
});

describe('A webhook is answered 401 and writes nothing', () => {
  let room: RoomFacts;
  let body: string;
  let before: unknown;
  beforeEach(async () => {
    ({ room } = await clubWithMeeting());
    body = eventBody('room_started', { room, at: Date.now() });
    before = await world.scan();
    service.wire.forget();
  });

  const expectRefused = async (post: Parameters<typeof webhookPost>[0]) => {
    const { status, body: answer } = await service.post(webhookPost(post));
    expect({ status, code: answer.code }).toEqual({ status: 401, code: 'UNAUTHENTICATED' });
    expect(service.wire.operations(), 'asked for').toEqual([]);
    expect(await world.scan()).toEqual(before);
  };

  it('with any one byte of its body changed', async () => {
    const authorization = await sign(body);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (position, flip) => {
        const bytes = Buffer.from(body);
        const index = position % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ flip;
        const { status } = await service.post(webhookPost({ body: bytes, authorization }));
        expect(status).toBe(401);
      }),
      { numRuns: 200 },
    );
    await expectRefused({ body: `${body} `, authorization });
  });

  it.each([
    ['a byte-order mark before it', (bytes: Buffer) => Buffer.concat([BOM, bytes])],
    ['a byte that is not UTF-8 for the sign that stands for such', swapReplacement],
  ])('with %s', async (_, change) => {
    const participant = { ...person('ann'), name: 'a \uFFFD sign' };
    const signed = eventBody('participant_joined', { room, participant, at: Date.now() });
    await expectRefused({
      body: change(Buffer.from(signed)),
      authorization: await sign(signed),
    });
  });

  it.each<[string, Signature]>([
    ['a stale token', { ttlSeconds: -60 }],
    ['another key’s name and secret', { apiKey: 'another', apiSecret: 'x'.repeat(32) }],
    ['the key’s name and another secret', { apiSecret: 'x'.repeat(32) }],
    ['another key’s name and the secret', { apiKey: 'another' }],
    ['the signature of another body', { of: '{}' }],
  ])('with %s', async (_, signature) => {
    await expectRefused({ body, authorization: await sign(body, signature) });
  });

  it('with a join token in its place, also a moderator’s', async () => {
    const club = await world.createMeeting();
    const { body: join } = await service.call('token', club.owner, { clubId: club.clubId });
    expect(join.token).toBeTypeOf('string');
    before = await world.scan();
    service.wire.forget();
    await expectRefused({ body, authorization: join.token });
  });

  it('with a token that carries the body’s hash in another claim, or none', async () => {
    const token = new AccessToken(API_KEY, API_SECRET, { ttl: 60, metadata: 'sha256' });
    await expectRefused({ body, authorization: await token.toJwt() });
  });

  it('without the header, or with an empty one', async () => {
    await expectRefused({ body });
    await expectRefused({ body, authorization: '' });
  });

  it.each(['Bearer ', 'bearer ', 'Basic ', 'Bearer', ' Bearer '])(
    'with %j before the token, which LiveKit does not send',
    async (prefix) => {
      await expectRefused({ body, authorization: `${prefix}${await sign(body)}` });
    },
  );

  it('with two tokens, as two headers reach the function', async () => {
    const token = await sign(body);
    await expectRefused({ body, authorization: `${token},${token}` });
    await expectRefused({ body, authorization: `${token}, ${token}` });
  });

  it('with a token that says it needs no signature', async () => {
    const [, claims] = (await sign(body)).split('.');
    const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    await expectRefused({ body, authorization: `${header}.${claims}.` });
  });

  it('without a body', async () => {
    await expectRefused({ body: '', authorization: await sign(body) });
    const { body: _, ...event } = webhookPost({ body, authorization: await sign(body) });
    expect((await service.post(event)).status).toBe(401);
  });
});

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

function swapReplacement(bytes: Buffer): Buffer {
  const sign = Buffer.from('\uFFFD');
  const at = bytes.indexOf(sign);
  if (at < 0) throw new Error('no such sign');
  return Buffer.concat([
    bytes.subarray(0, at),
    Buffer.from([0xff]),
    bytes.subarray(at + sign.length),
  ]);
}

describe('During a rotation', () => {
  const previous = { apiKey: 'the-key-before', apiSecret: 'the-secret-of-the-key-before-it' };

  /** A process that knows two keys, as the parameter of the deployed service can name them. */
  async function rotating() {
    const { database, livekit } = world;
    const settings = { wsUrl: livekit.wsUrl, apiKey: API_KEY, apiSecret: API_SECRET, previous };
    const config = loadConfig(
      { store },
      { TABLE_NAME: database.tableName, DYNAMODB_ENDPOINT: database.endpoint },
    );
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const deps = {
      ...createWebhookDeps({ ...config, recording: NO_RECORDINGS, livekit: { settings } }),
      log,
    };
    return webhook.createHandler(deps);
  }

  it.each([
    ['the new key', {}, 200],
    ['the previous key', previous, 200],
    ['the previous key’s name and the new secret', { apiKey: previous.apiKey }, 401],
    ['the new key’s name and the previous secret', { apiSecret: previous.apiSecret }, 401],
    ['a third key', { apiKey: 'third', apiSecret: 'the-secret-of-an-unknown-third-key' }, 401],
  ])('%s is answered as it should be', async (_, signature, expected) => {
    const handler = await rotating();
    const { club, room } = await clubWithMeeting();
    const body = eventBody('room_started', { room, at: Date.now() });
    const { status } = await invoke(
      handler,
      webhookPost({ body, authorization: await sign(body, signature) }),
    );
    expect(status).toBe(expected);
    const { presence } = await world.recordOf(club.clubId);
    expect(presence?.roomSid).toBe(expected === 200 ? room.sid : undefined);
  });
});

describe('An irrelevant event is answered 200, ignored, and writes nothing:', () => {
  const now = Date.now();
  const unknown = { room: roomCalled(roomNameOf('no-such-club', ulid())), at: now };

  const expectIgnored = async (body: string) => {
    const before = await world.scan();
    const rooms = await world.standIn.rooms();
    expect(await service.sendWebhook(body)).toEqual({ status: 200, body: { result: 'ignored' } });
    expect(await world.scan()).toEqual(before);
    expect(await world.standIn.rooms()).toEqual(rooms);
  };

  it('one of a kind that it does not know', async () => {
    const { room, club } = await clubWithMeeting();
    await expectIgnored(
      eventBody('track_published', { room, participant: person(club.member.userId), at: now }),
    );
    await expectIgnored(JSON.stringify({ event: 'something_new', what: { is: 'this' } }));
    await expectIgnored(JSON.stringify({ event: 'egress_started', egressInfo: {} }));
  });

  it.each(['{}', '{"event":"room_started"}', '{"event":"room_started","room":{"name":"x"}}'])(
    'one that says next to nothing: %s',
    expectIgnored,
  );

  it('one of a room that is not named as ours', async () => {
    await expectIgnored(eventBody('room_started', { room: roomCalled('lobby'), at: now }));
    await expectIgnored(eventBody('room_started', { room: roomCalled('reading-club-'), at: now }));
  });

  it('one of a club that this table does not know', async () => {
    await expectIgnored(eventBody('room_started', unknown));
    await expectIgnored(eventBody('room_finished', unknown));
    const participant = person('the-user');
    await expectIgnored(eventBody('participant_joined', { ...unknown, participant }));
    await expectIgnored(eventBody('participant_left', { ...unknown, participant }));
  });

  it('one of an unknown meeting of a known club', async () => {
    const { club } = await clubWithMeeting();
    const room = roomCalled(roomNameOf(club.clubId, ulid()));
    const participant = person(club.member.userId);
    await expectIgnored(eventBody('room_started', { room, at: now }));
    await expectIgnored(eventBody('participant_joined', { room, participant, at: now }));
    await expectIgnored(eventBody('participant_left', { room, participant, at: now }));
  });

  it.each([
    ['an agent', { kind: 'AGENT' }],
    ['a recorder', { kind: 'EGRESS' }],
    ['an ingress', { kind: 'INGRESS' }],
    ['a hidden helper', { hidden: true }],
  ] as const)('one about %s', async (_, who) => {
    const { club, room } = await clubWithMeeting();
    const participant = { ...person(club.member.userId), ...who };
    for (const name of ['participant_joined', 'participant_left'] as const) {
      await expectIgnored(eventBody(name, { room, participant, at: now }));
    }
  });

  it.each(['', 'a b', 'ann@example.org', 'a#b', 'x'.repeat(65), '__proto__#'])(
    'one about a participant with a foreign identity: %j',
    async (identity) => {
      const { room } = await clubWithMeeting();
      const participant = { ...person('ann'), identity };
      await expectIgnored(eventBody('participant_joined', { room, participant, at: now }));
    },
  );
});

describe('The doctor’s room', () => {
  const probes = () => createProbeRepository(openTable(world.database));
  const roomOf = (probeId: string) => roomCalled(doctorsRoomNameOf(probeId));
  const report = (probeId: string, event: 'room_started' | 'room_finished') =>
    service.sendWebhook(eventBody(event, { room: roomOf(probeId), at: Date.now() }));
  const followed = { status: 200, body: { result: 'followed' } };
  const ignored = { status: 200, body: { result: 'ignored' } };

  it('is followed into the item that the doctor put, and that expires within ten minutes', async () => {
    const probeId = ulid();
    await probes().expectEvents(probeId, new Date());
    expect(await probes().listEvents(probeId)).toEqual([]);
    expect(await report(probeId, 'room_started')).toEqual(followed);
    expect(await report(probeId, 'room_started')).toEqual(followed);
    expect(await report(probeId, 'room_finished')).toEqual(followed);
    expect((await probes().listEvents(probeId))?.sort()).toEqual(['room_finished', 'room_started']);
    const [item] = (await world.scan()).filter(({ pk }) => pk === `DOCTOR#${probeId}`);
    const inTenMinutes = Date.now() / 1000 + 600;
    expect(Number(item?.['expiresAt'])).toBeGreaterThan(inTenMinutes - 60);
    expect(Number(item?.['expiresAt'])).toBeLessThanOrEqual(inTenMinutes);
    await probes().forgetEvents(probeId);
  });

  it('of another stage, or after the doctor finished, leaves nothing', async () => {
    const probeId = ulid();
    const before = await world.scan();
    expect(await report(probeId, 'room_started')).toEqual(ignored);
    await probes().expectEvents(probeId, new Date());
    await probes().forgetEvents(probeId);
    expect(await report(probeId, 'room_finished')).toEqual(ignored);
    expect(await probes().listEvents(probeId)).toBeUndefined();
    expect(await world.scan()).toEqual(before);
  });
});

describe('A room of a meeting that is over', () => {
  let club: TestClub;
  let name: string;
  beforeEach(async () => {
    club = await world.createClub();
    const last = endedMeeting(club.clubId);
    await world.putRecord(club.clubId, { lastMeeting: last });
    name = last.roomName;
    await world.openRoom(name);
  });

  it.each(['room_started', 'participant_joined'] as const)('goes at its %s', async (event) => {
    const participant = person(club.member.userId);
    const body = eventBody(event, { room: roomCalled(name), participant, at: Date.now() });
    expect(await service.sendWebhook(body)).toEqual({
      status: 200,
      body: { result: 'zombie-deleted' },
    });
    expect(await world.roomsOf(club.clubId)).toEqual([]);
    // And again: a repetition finds nothing to do.
    expect((await service.sendWebhook(body)).status).toBe(200);
  });

  it('goes when the meeting is one before the last, too', async () => {
    const earlier = endedMeeting(club.clubId, { startedAt: '2026-02-01T10:00:00.000Z' });
    await world.put(endedRow(club.clubId, earlier));
    await world.standIn.finishRoom(name);
    await world.openRoom(earlier.roomName);
    const room = roomCalled(earlier.roomName);
    const { body } = await service.sendWebhook(eventBody('room_started', { room, at: Date.now() }));
    expect(body.result).toBe('zombie-deleted');
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it.each(['room_finished', 'participant_left', 'participant_connection_aborted'] as const)(
    'is not asked to go at its %s, which says that it goes',
    async (event) => {
      const participant = person(club.member.userId);
      const body = eventBody(event, { room: roomCalled(name), participant, at: Date.now() });
      expect(await service.sendWebhook(body)).toEqual({
        status: 200,
        body: { result: 'followed' },
      });
      expect(await world.roomsOf(club.clubId)).toHaveLength(1);
    },
  );

  it.each([
    ['ends the connection', cut],
    ['does not answer within 3 s', silence],
  ])('is left to the cleanup when LiveKit %s, and LiveKit is answered 200', async (_, fault) => {
    const body = eventBody('room_started', { room: roomCalled(name), at: Date.now() });
    const broken = await world.boot({ faults: [on('DeleteRoom', fault)] });
    expect(await broken.sendWebhook(body)).toEqual({ status: 200, body: { result: 'postponed' } });
    expect(broken.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'left to the cleanup' }),
    );
    expect(await world.roomsOf(club.clubId)).toHaveLength(1);
    await service.cleanUp();
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it('does not change the record of the meeting that is on now', async () => {
    await service.call('start', club.owner, club);
    const before = await world.recordOf(club.clubId);
    const room = roomCalled(name);
    const participant = person(club.member.userId);
    for (const event of [
      'room_started',
      'participant_joined',
      'participant_left',
      'participant_connection_aborted',
      'room_finished',
    ] as const) {
      const { status } = await service.sendWebhook(
        eventBody(event, { room, participant, at: Date.now() }),
      );
      expect(status).toBe(200);
    }
    expect(await world.recordOf(club.clubId)).toEqual(before);
    expect(await world.roomsOf(club.clubId)).toEqual([before.meeting?.roomName]);
  });
});

describe('When its own work fails', () => {
  const step = (at: number) => {
    let store = 0;
    return on({ side: 'store' }, async (request, pass) => {
      store += 1;
      // Three times each: the SDK tries again by itself.
      return store > at && store <= at + 3 ? internalError(request, pass) : pass();
    });
  };

  it.each([0, 1, 2, 3])(
    'at the store after %i steps of a join, it is a 5xx or done, and a retry completes it',
    async (at) => {
      const { club, meeting, room } = await clubWithMeeting();
      const participant = person(club.member.userId);
      const body = eventBody('participant_joined', { room, participant, at: Date.now() });
      const broken = await world.boot({ faults: [step(at)] });
      const first = await broken.sendWebhook(body);
      expect(first.status).toBe(at < 4 ? 503 : 200);
      expect((await broken.sendWebhook(body)).status).toBe(200);
      const { presentSids, presence } = await world.recordOf(club.clubId);
      expect(presentSids).toEqual(new Set([participant.sid]));
      expect(presence?.roomSid).toBe(room.sid);
      expect(await world.sessionsOf(club.clubId, meeting.meetingId)).toHaveLength(1);
    },
  );

  it.each([0, 1, 2])(
    'at the store after %i steps of a departure, a retry completes it',
    async (at) => {
      const { club, meeting, room } = await clubWithMeeting();
      const participant = person(club.member.userId);
      await service.sendWebhook(
        eventBody('participant_joined', { room, participant, at: Date.now() }),
      );
      const body = eventBody('participant_left', { room, participant, at: Date.now() });
      const broken = await world.boot({ faults: [step(at)] });
      expect((await broken.sendWebhook(body)).status).toBe(503);
      expect((await broken.sendWebhook(body)).status).toBe(200);
      expect((await world.recordOf(club.clubId)).presentSids).toBeUndefined();
      const [session] = await world.sessionsOf(club.clubId, meeting.meetingId);
      expect(session?.leftAt).toBeDefined();
    },
  );

  it('because the store is silent, it answers 5xx in time for LiveKit to try again', async () => {
    const { room } = await clubWithMeeting();
    const silent = await world.boot({ faults: [on({ side: 'store' }, silence)] });
    const startedAt = Date.now();
    const { status } = await silent.sendWebhook(
      eventBody('room_started', { room, at: Date.now() }),
    );
    expect(status).toBe(503);
    expect(Date.now() - startedAt).toBeLessThan(8000);
  });

  it('because the store failed once, its retry succeeds', async () => {
    const { room } = await clubWithMeeting();
    const broken = await world.boot({ faults: [once('GetItem', internalError)] });
    expect(
      (await broken.sendWebhook(eventBody('room_started', { room, at: Date.now() }))).status,
    ).toBe(200);
  });
});

describe('A webhook costs, counted at the wire,', () => {
  const costOf = async (body: string) => {
    service.wire.forget();
    const { status, body: answer } = await service.sendWebhook(body);
    return [status, answer.result, ...service.wire.operations()].join(' ');
  };
  const at = Date.now();

  it('nothing when it does not verify, or is irrelevant', async () => {
    service.wire.forget();
    await service.post(webhookPost({ body: '{}' }));
    expect(service.wire.operations()).toEqual([]);
    expect(await costOf('{"event":"egress_started"}')).toBe('200 ignored');
    const participant = { ...person('ann'), kind: 'AGENT' } as const;
    const { room } = await clubWithMeeting();
    const agent = eventBody('participant_joined', { room, participant, at });
    expect(await costOf(agent)).toBe('200 ignored');
  });

  it('two reads for a room of another table', async () => {
    const room = roomCalled(roomNameOf('another-table', ulid()));
    expect(await costOf(eventBody('room_started', { room, at }))).toBe(
      '200 ignored GetItem GetItem',
    );
  });

  it('a read and two writes for a room’s start and its finish', async () => {
    const { room } = await clubWithMeeting();
    for (const event of ['room_started', 'room_finished'] as const) {
      expect(await costOf(eventBody(event, { room, at }))).toBe(
        '200 followed GetItem UpdateItem UpdateItem',
      );
    }
  });

  it('two reads around its writes, so that a person who is forgotten leaves no session', async () => {
    const { club, room } = await clubWithMeeting();
    const participant = person(club.member.userId);
    await service.sendWebhook(eventBody('room_started', { room, at }));
    const joined = await costOf(eventBody('participant_joined', { room, participant, at }));
    const left = await costOf(eventBody('participant_left', { room, participant, at }));
    const followed = '200 followed BatchGetItem UpdateItem UpdateItem';
    expect(joined).toBe(`${followed} GetItem BatchGetItem`);
    expect(left).toBe(`${followed} BatchGetItem`);
  });

  it('a read and a deletion for a room of the meeting that ended last', async () => {
    const club = await world.createClub();
    const last = endedMeeting(club.clubId);
    await world.putRecord(club.clubId, { lastMeeting: last });
    const room = roomCalled(last.roomName);
    expect(await costOf(eventBody('room_started', { room, at }))).toBe(
      '200 zombie-deleted GetItem DeleteRoom',
    );
  });

  it('one UpdateItem for an event of the doctor’s room', async () => {
    const room = roomCalled(doctorsRoomNameOf(ulid()));
    expect(await costOf(eventBody('room_started', { room, at: Date.now() }))).toBe(
      '200 ignored UpdateItem',
    );
  });
});

describe('The clock of an event', () => {
  it('sets the time of a departure, not that of its arrival', async () => {
    const { club, meeting, room } = await clubWithMeeting();
    const joinedAtMs = Date.now() - minutes(10);
    const participant = person(club.member.userId, joinedAtMs);
    const leftAtMs = joinedAtMs + minutes(4);
    await service.sendWebhook(
      eventBody('participant_joined', { room, participant, at: joinedAtMs }),
    );
    await service.sendWebhook(eventBody('participant_left', { room, participant, at: leftAtMs }));
    const [session] = await world.sessionsOf(club.clubId, meeting.meetingId);
    expect(session).toMatchObject({
      userId: club.member.userId,
      joinedAt: new Date(joinedAtMs).toISOString(),
      leftAt: eventTime(leftAtMs),
      displayName: club.displayNames.member,
    });
  });
});
