/** Whatever comes in at the one route that has no authorizer. */
import { randomUUID } from 'node:crypto';
import { Room, WebhookEvent } from '@livekit/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eventBody, sign, webhookPost } from '../harness/livekit-events.ts';
import { worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot();
const club = await world.createMeeting();
const bodyOf = (event: Parameters<typeof eventBody>[0]) =>
  eventBody(event, {
    room: { name: club.meeting.roomName, sid: 'RM_fuzz', createdAtMs: Date.now() },
    participant: { identity: club.member.userId, sid: 'PA_fuzz', joinedAtMs: Date.now() },
    at: Date.now(),
  });
/** A body that LiveKit would send about this very meeting. */
const genuine = bodyOf('participant_joined');
const { body: join } = await service.call('token', club.owner, { clubId: club.clubId });
/** Tokens that LiveKit, or this service, did sign: for something else. */
const signed = [await sign('another body'), join.token, await sign(genuine, { ttlSeconds: -60 })];

const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.json({ maxDepth: 4 }),
  fc.constant(null).map(() => genuine),
  fc
    .constantFrom('room_started', 'room_finished', 'participant_left')
    .map((event) => bodyOf(event as 'room_started')),
  fc.record({ event: fc.string(), room: fc.anything(), participant: fc.anything() }).map(json),
);

const tokens = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.nat().map((index) => signed[index % signed.length] ?? ''),
  // Parts of what was signed, put together anew.
  fc
    .tuple(fc.nat(), fc.nat(), fc.nat())
    .map((picks) =>
      picks.map((pick, part) => signed[pick % signed.length]?.split('.')[part]).join('.'),
    ),
  fc
    .tuple(fc.nat(), fc.nat(), fc.string({ minLength: 1, maxLength: 3 }))
    .map(([pick, at, text]) => {
      const token = signed[pick % signed.length] ?? '';
      return `${token.slice(0, at % token.length)}${text}${token.slice(at % token.length)}`;
    }),
  fc
    .tuple(fc.json(), fc.json(), fc.string())
    .map(([header, claims, signature]) =>
      [header, claims, signature].map((part) => Buffer.from(part).toString('base64url')).join('.'),
    ),
);

const headers = fc.oneof(
  { weight: 4, arbitrary: tokens.map((authorization): object => ({ authorization })) },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.string({ maxLength: 12 }), fc.string({ maxLength: 20 })),
  },
  { weight: 1, arbitrary: tokens.map((Authorization): object => ({ Authorization })) },
);

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '{}';
  }
}

it('without a signature is answered 401 or 400 without a read or write: 10,000 of it', async () => {
  const before = await world.scan();
  const rooms = await world.standIn.rooms();
  service.wire.forget();
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(
      bodies,
      headers,
      fc.boolean(),
      fc.boolean(),
      async (body, sent, isBase64Encoded, encode) => {
        const event = webhookPost({ body });
        const { status } = await service.post({
          ...event,
          headers: { ...event.headers, ...sent },
          // Also what claims to be base64 and is not, and the other way round.
          body: encode ? Buffer.from(body).toString('base64') : String(body),
          isBase64Encoded,
        });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        expect([400, 401]).toContain(status);
      },
    ),
    { numRuns: 10_000 },
  );
  expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(
    10_000,
  );
  expect(service.wire.operations(), 'asked for').toEqual([]);
  expect(await world.scan()).toEqual(before);
  expect(await world.standIn.rooms()).toEqual(rooms);
}, 120_000);

it('that is signed and makes no sense is never a 5xx, and leaves a club that can be read', async () => {
  const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constant(''));
  const number = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(0n, 1n, BigInt(Date.now()), 253_402_300_800n, 253_402_300_800_000n),
  );
  const kinds = [
    'room_started',
    'room_finished',
    'participant_joined',
    'participant_left',
    'participant_connection_aborted',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds),
      fc.record({ sid: text, ms: number, seconds: number }),
      fc.record({ sid: text, ms: number, seconds: number, identity: text, isMember: fc.boolean() }),
      number,
      async (event, room, who, createdAt) => {
        const { meeting, ...created } = await world.createMeeting();
        const message = WebhookEvent.fromJsonString(genuine);
        message.event = event;
        message.createdAt = createdAt;
        message.room = new Room({
          name: meeting.roomName,
          sid: room.sid,
          creationTime: room.seconds,
          creationTimeMs: room.ms,
        });
        if (message.participant) {
          message.participant.sid = who.sid;
          message.participant.identity = who.isMember ? created.member.userId : who.identity;
          message.participant.joinedAt = who.seconds;
          message.participant.joinedAtMs = who.ms;
        }
        const body = message.toJsonString();
        const { status } = await service.sendWebhook(body);
        expect([200, 401]).toContain(status);

        const { status: readable } = await service.call('status', created.member, created);
        expect(readable).toBe(200);
        const { clubId } = created;
        await service.call('end', created.owner, created);
        const details = await service.call('meeting', created.member, {
          clubId,
          meetingId: meeting?.meetingId ?? '',
        });
        expect(details.status).toBe(200);
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

it('that is a request as no gateway makes it is a 401, too', async () => {
  const event = webhookPost({ body: genuine });
  const { headers: _, ...headless } = event;
  for (const strange of [
    { ...event, headers: {} },
    { ...headless, headers: {}, body: '' },
    { ...event, body: 'A'.repeat(1_000_000) },
    { ...event, headers: { authorization: 'a'.repeat(100_000) } },
    { ...event, requestContext: { ...event.requestContext, requestId: randomUUID() } },
  ]) {
    expect((await service.post(strange)).status).toBe(401);
  }
});
