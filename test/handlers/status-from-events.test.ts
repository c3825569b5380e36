/** Status reads presence from LiveKit's events where they arrive, and asks LiveKit where they do not. */
import { beforeEach, describe, expect, it } from 'vitest';
import { internalError, late, lost, on, unavailable } from '../harness/faults.ts';
import { startWorld, type TestClub, worldOfFile } from '../harness/world.ts';

let club: TestClub;
let roomName: string;

/** With webhooks, the service receives the events of what happens after this. */
async function startMeeting({ webhooks }: { webhooks: boolean }) {
  await world.sendWebhooksTo(webhooks ? service : undefined);
  const { body } = await service.call('start', club.owner, club);
  ({ roomName } = body);
  await world.standIn.webhooks.settled();
}
const join = async (identity: string) => {
  const joined = await world.standIn.join(roomName, { identity });
  await world.standIn.webhooks.settled();
  return joined;
};
const leave = async (sid: string) => {
  await world.standIn.leave(roomName, sid);
  await world.standIn.webhooks.settled();
};

/** What status says, and what it asked for to say it. */
async function status() {
  service.wire.forget();
  const answer = await service.call('status', club.member, club);
  expect(answer.status).toBe(200);
  return { ...answer.body, asked: service.wire.operations().toSorted() };
}
const FROM_EVENTS = ['BatchGetItem'];
const ASKED = ['BatchGetItem', 'ListParticipants', 'ListRooms'];

const world = await worldOfFile();
const service = await world.boot();
// The key set is fetched once, at the start.
await service.call('status', undefined, { clubId: 'warm' });
beforeEach(async () => {
  club = await world.createClub();
});

describe('With webhooks, status', () => {
  it('makes one read and no LiveKit call, from the room’s start to its end', async () => {
    await startMeeting({ webhooks: true });
    expect(await status()).toMatchObject({
      asked: FROM_EVENTS,
      observedBy: 'events',
      state: 'waiting',
      isActive: false,
      participantCount: 0,
      roomName,
    });
    const { sid } = await join(club.member.userId);
    await join(club.owner.userId);
    expect(await status()).toMatchObject({
      asked: FROM_EVENTS,
      observedBy: 'events',
      state: 'live',
      isActive: true,
      participantCount: 2,
      roomName,
    });
    await leave(sid);
    expect(await status()).toMatchObject({
      asked: FROM_EVENTS,
      participantCount: 1,
      state: 'live',
    });

    await world.standIn.finishRoom(roomName);
    await world.standIn.webhooks.settled();
    expect(await status()).toMatchObject({
      asked: FROM_EVENTS,
      observedBy: 'events',
      state: 'waiting',
      participantCount: 0,
      roomName: null,
    });
    expect(await world.meetingOf(club.clubId)).toBeDefined();

    await service.call('end', club.owner, club);
    expect(await status()).toMatchObject({
      asked: FROM_EVENTS,
      observedBy: 'record',
      state: 'idle',
    });
  });

  it('polled two hundred times makes no LiveKit call', async () => {
    await startMeeting({ webhooks: true });
    await join(club.member.userId);
    service.wire.forget();
    await Promise.all(Array.from({ length: 200 }, () => service.call('status', club.member, club)));
    expect(service.wire.operations('media')).toEqual([]);
  });

  it('says when it was observed', async () => {
    await startMeeting({ webhooks: true });
    const before = Date.now();
    await join(club.member.userId);
    const { observedAt } = await status();
    // An event’s time is in whole seconds.
    expect(Date.parse(observedAt)).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000);
    expect(Date.parse(observedAt)).toBeLessThanOrEqual(Date.now());
  });

  it('counts a person with two devices once: LiveKit lets only one in', async () => {
    await startMeeting({ webhooks: true });
    await join(club.member.userId);
    await join(club.member.userId);
    expect(await status()).toMatchObject({ asked: FROM_EVENTS, participantCount: 1 });
  });

  it('counts no machines', async () => {
    await startMeeting({ webhooks: true });
    await world.standIn.join(roomName, { identity: 'notes', kind: 'AGENT' });
    await world.standIn.join(roomName, { identity: 'tape', kind: 'EGRESS' });
    await world.standIn.webhooks.settled();
    expect(await status()).toMatchObject({
      asked: FROM_EVENTS,
      participantCount: 0,
      state: 'waiting',
    });
  });

  it('is about the next meeting only, once that is on', async () => {
    await startMeeting({ webhooks: true });
    await join(club.member.userId);
    await service.call('end', club.owner, club);
    await world.sendWebhooksTo(undefined);
    const { body } = await service.call('start', club.owner, club);
    expect(await status()).toMatchObject({
      asked: ASKED,
      observedBy: 'query',
      participantCount: 0,
      meetingId: body.meetingId,
    });
  });

  it('is about the next room when the server lost the first', async () => {
    await startMeeting({ webhooks: true });
    await join(club.member.userId);
    await world.sendWebhooksTo(undefined);
    await world.standIn.finishRoom(roomName);
    await world.sendWebhooksTo(service);
    const later = await world.boot({ now: () => new Date(Date.now() + 3_000) });
    const { clubId } = club;
    const { body } = await later.call('token', club.owner, {
      clubId,
      body: { readingClubId: clubId, roomMissing: true },
    });
    await world.standIn.joinWithToken(body.token);
    await world.standIn.webhooks.settled();
    expect(await status()).toMatchObject({
      asked: FROM_EVENTS,
      participantCount: 1,
      state: 'live',
    });
  });
});

describe('Without webhooks, status', () => {
  it('asks LiveKit for the room, and for its people', async () => {
    await startMeeting({ webhooks: false });
    expect(await status()).toMatchObject({ asked: ASKED, observedBy: 'query', state: 'waiting' });
    await join(club.member.userId);
    expect(await status()).toMatchObject({
      asked: ASKED,
      observedBy: 'query',
      state: 'live',
      participantCount: 1,
    });
  });

  it('asks LiveKit on each call, however often the cleanup looked at the meeting', async () => {
    await startMeeting({ webhooks: false });
    await join(club.member.userId);
    for (let runs = 0; runs < 3; runs++) await service.cleanUp();
    expect(await status()).toMatchObject({ asked: ASKED, participantCount: 1 });
    expect(await world.recordOf(club.clubId)).not.toHaveProperty('presence');
  });
});

describe('When the room’s start was lost, status', () => {
  it('asks LiveKit until the cleanup adopts the meeting, then uses events', async () => {
    await startMeeting({ webhooks: false });
    await join(club.owner.userId);
    await world.sendWebhooksTo(service);
    await join(club.member.userId);
    expect(await status()).toMatchObject({ asked: ASKED, participantCount: 2 });
    await service.cleanUp();
    expect(await status()).toMatchObject({
      asked: FROM_EVENTS,
      observedBy: 'events',
      participantCount: 2,
    });
  });

  it('uses events at once when it was only late', async () => {
    const starts = late('room_started', lost);
    const heal = world.wire.set(starts.fault);
    await startMeeting({ webhooks: true });
    heal();
    expect(await status()).toMatchObject({ asked: ASKED });
    await join(club.member.userId);
    expect(await starts.arrive()).toHaveLength(1);
    expect(await status()).toMatchObject({ asked: FROM_EVENTS, participantCount: 1 });
  });

  it('asks when only a departure is known', async () => {
    await startMeeting({ webhooks: false });
    const { sid } = await join(club.member.userId);
    await join(club.owner.userId);
    await world.sendWebhooksTo(service);
    await leave(sid);
    expect(await status()).toMatchObject({ asked: ASKED, participantCount: 1 });
  });
});

describe('Status from events', () => {
  it('makes no LiveKit call: an outage does not show', async () => {
    await startMeeting({ webhooks: true });
    await join(club.member.userId);
    const heal = service.wire.set(on({ side: 'media' }, unavailable));
    expect(await status()).toMatchObject({ asked: FROM_EVENTS, participantCount: 1 });
    heal();
  });

  it('is right again after a webhook that failed was sent again', async () => {
    const own = await startWorld({ webhookRetryDelaysMs: [20] });
    try {
      let failures = 3;
      const process = await own.boot({
        faults: [
          on('UpdateItem', (request, pass) => {
            const isJoin = String(request.body).includes('ADD presentSids');
            return isJoin && failures-- > 0 ? internalError(request, pass) : pass();
          }),
        ],
      });
      const there = await own.createClub();
      const { body } = await process.call('start', there.owner, there);
      await own.sendWebhooksTo(process);
      await own.standIn.join(body.roomName, { identity: there.member.userId });
      await own.standIn.webhooks.settled();
      const deliveries = await own.standIn.webhooks.deliveries();
      expect(deliveries.at(-1)).toMatchObject({
        event: 'participant_joined',
        attempts: 2,
        outcome: 'delivered',
      });
      expect((await own.recordOf(there.clubId)).presentSids?.size).toBe(1);
    } finally {
      await own.close();
    }
  });
});
