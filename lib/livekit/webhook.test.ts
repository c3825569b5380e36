import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { AccessToken } from 'livekit-server-sdk';
import { describe, expect, it, vi } from 'vitest';
import { MediaUnavailable, Unauthenticated } from '../errors.ts';
import { createWebhookVerifier } from './webhook.ts';

const key = { apiKey: 'devkey', apiSecret: 'a-secret-that-only-these-tests-know' };
const previous = { apiKey: 'oldkey', apiSecret: 'the-secret-that-is-being-replaced-now' };
const TTL_SECONDS = 60;
const wsUrl = 'ws://127.0.0.1:9';

async function signed(body: string, { apiKey, apiSecret } = key): Promise<string> {
  const token = new AccessToken(apiKey, apiSecret, { ttl: TTL_SECONDS });
  token.sha256 = createHash('sha256').update(body).digest('base64');
  return token.toJwt();
}

/** By a clock that is so many seconds ahead of ours. */
async function signedAt(seconds: number, body: string): Promise<string> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
  try {
    return await signed(body);
  } finally {
    vi.useRealTimers();
  }
}

const verify = createWebhookVerifier(async () => ({ wsUrl, ...key, previous }));
const read = async (event: object, by = key) => {
  const body = JSON.stringify(event);
  return verify(Buffer.from(body), await signed(body, by));
};

/** As LiveKit 1.13.5 sent it. */
const joined = {
  event: 'participant_joined',
  room: {
    sid: 'RM_zfxt7Yw2GuTo',
    name: 'a-room',
    emptyTimeout: 100,
    departureTimeout: 100,
    creationTime: '1795378304',
    creationTimeMs: '1795378304016',
    turnPassword: 'kHMPX4PW11NK46bBtLi7IUHxlWu7Pnj5ZO934pFuDzG',
    enabledCodecs: [{ mime: 'audio/opus' }],
  },
  participant: {
    sid: 'PA_Segmx4dNjjW4',
    identity: 'ann',
    state: 'ACTIVE',
    joinedAt: '1795378304',
    joinedAtMs: '1795378304238',
    version: 2,
    permission: { canSubscribe: true, canPublish: true, canPublishData: true },
    clientProtocol: 2,
    capabilities: ['CAP_PACKET_TRAILER'],
    somethingNew: { that: 'is not known here' },
  },
  id: 'EV_ovmiK3y5BNwQ',
  createdAt: '1795378305',
};

describe('an event of LiveKit’s', () => {
  it('is read as what the rules need, and its TURN password is not', async () => {
    const event = await read(joined);
    expect(event).toMatchObject({
      type: 'participant_joined',
      at: '2026-11-22T20:11:45.999Z',
      room: { name: 'a-room', sid: 'RM_zfxt7Yw2GuTo', createdAt: '2026-11-22T20:11:44.016Z' },
      participant: {
        identity: 'ann',
        sid: 'PA_Segmx4dNjjW4',
        kind: 'standard',
        joinedAt: '2026-11-22T20:11:44.238Z',
      },
    });
    expect(JSON.stringify(event)).not.toContain('kHMPX4PW11NK46');
  });

  it.each([
    [undefined, 'standard'],
    ['STANDARD', 'standard'],
    [0, 'standard'],
    ['SIP', 'sip'],
    [3, 'sip'],
    ['CONNECTOR', 'connector'],
    [7, 'connector'],
    ['AGENT', 'other'],
    ['EGRESS', 'other'],
    ['INGRESS', 'other'],
    ['BRIDGE', 'other'],
    ['HOLOGRAM', 'other'],
    [99, 'other'],
    ['constructor', 'other'],
  ])('is about a participant whose kind %j is “%s” here', async (kind, expected) => {
    const event = await read({ ...joined, participant: { ...joined.participant, kind } });
    expect(event).toMatchObject({ participant: { kind: expected } });
  });

  it('is about a hidden participant as about a machine', async () => {
    const participant = { ...joined.participant, permission: { hidden: true } };
    expect(await read({ ...joined, participant })).toMatchObject({
      participant: { kind: 'other' },
    });
  });

  it('is read with the API’s names of the fields as well', async () => {
    const { creationTime, creationTimeMs, ...room } = joined.room;
    const { joinedAt, joinedAtMs, ...participant } = joined.participant;
    const { createdAt, ...about } = joined;
    const renamed = {
      ...about,
      created_at: createdAt,
      room: { ...room, creation_time: creationTime, creation_time_ms: creationTimeMs },
      participant: { ...participant, joined_at: joinedAt, joined_at_ms: joinedAtMs },
    };
    expect(await read(renamed)).toEqual(await read(joined));
  });

  it('is read with either key of a rotation', async () => {
    expect(await read(joined, previous)).toEqual(await read(joined));
  });

  it.each([
    ['ahead', 50],
    ['behind', -TTL_SECONDS - 50],
  ])('is read when LiveKit’s clock is up to a minute %s', async (_, seconds) => {
    const body = JSON.stringify(joined);
    const event = await verify(Buffer.from(body), await signedAt(seconds, body));
    expect(event).toEqual(await read(joined));
  });

  it.each(['room_started', 'room_finished'])('%s has no participant', async (event) => {
    const { participant: _, ...about } = joined;
    expect(await read({ ...about, event })).toEqual({
      type: event,
      at: '2026-11-22T20:11:45.999Z',
      room: expect.objectContaining({ sid: 'RM_zfxt7Yw2GuTo' }),
    });
  });

  it.each([
    { ...joined, event: 'track_published' },
    { ...joined, event: 'PARTICIPANT_JOINED' },
    { ...joined, participant: undefined },
    { ...joined, room: undefined },
    { ...joined, room: { ...joined.room, sid: '' } },
    { ...joined, participant: { ...joined.participant, sid: '' } },
    { ...joined, participant: { ...joined.participant, sid: 'PA#1' } },
    { event: 'egress_ended', egressInfo: { egressId: '' } },
    { event: 'egress_stopped', egressInfo: { egressId: 'EG_1' } },
  ])('that says nothing that can be used is undefined: %#', async (event) => {
    expect(await read(event)).toBeUndefined();
  });
});

describe('a webhook that does not verify', () => {
  it('is Unauthenticated, for any bytes', async () => {
    const body = JSON.stringify(joined);
    const authorization = await signed(body);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.option(fc.oneof(fc.string(), fc.constant(authorization)), { nil: undefined }),
        async (bytes, header) => {
          await expect(verify(bytes, header)).rejects.toBeInstanceOf(Unauthenticated);
        },
      ),
    );
  });

  it('is Unauthenticated with any one bit of its signed body flipped', async () => {
    const body = Buffer.from(JSON.stringify(joined));
    const authorization = await signed(String(body));
    await fc.assert(
      fc.asyncProperty(fc.nat(body.length - 1), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
        const turned = Buffer.from(body);
        turned[at] = (turned[at] ?? 0) ^ (1 << bit);
        await expect(verify(turned, authorization)).rejects.toBeInstanceOf(Unauthenticated);
      }),
    );
  });

  it.each([
    ['not yet valid', 70],
    ['over', -TTL_SECONDS - 70],
  ])('is Unauthenticated when its token is %s, by more than a minute', async (_, seconds) => {
    const body = JSON.stringify(joined);
    const verdict = verify(Buffer.from(body), await signedAt(seconds, body));
    await expect(verdict).rejects.toBeInstanceOf(Unauthenticated);
  });

  it('is Unauthenticated when it is signed, and is no event', async () => {
    const noTimes = [
      { ...joined, room: { ...joined.room, creationTimeMs: '9223372036854775807' } },
      { ...joined, createdAt: '-1' },
      { ...joined, createdAt: '253402300800' },
    ].map((event) => JSON.stringify(event));
    const noEvents = ['', 'null', '[]', '1', '{', '{"event":1}', '{"room":"x"}'];
    for (const body of [...noEvents, ...noTimes]) {
      const verdict = verify(Buffer.from(body), await signed(body));
      await expect(verdict, body).rejects.toBeInstanceOf(Unauthenticated);
    }
  });
});

it('says nothing about a webhook while the project’s keys cannot be read', async () => {
  const outage = new MediaUnavailable();
  const blind = createWebhookVerifier(() => Promise.reject(outage));
  await expect(blind(Buffer.from('{}'), 'x')).rejects.toBe(outage);
});
