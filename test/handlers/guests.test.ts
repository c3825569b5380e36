/** Guests of a meeting, who have no account: callers by telephone (SIP) and from other networks. */
import { beforeEach, describe, expect, it } from 'vitest';
import { edit, lost, on, once } from '../harness/faults.ts';
import { later, minutes } from '../harness/process.ts';
import { type StartedClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot();
beforeEach(() => world.sendWebhooksTo(undefined));

/** A club whose meeting has just been started; LiveKit's events reach the service. */
async function startedClub(process = service): Promise<StartedClub> {
  await world.sendWebhooksTo(process);
  const club = await world.startMeeting(process);
  await world.standIn.webhooks.settled();
  return club;
}

const callIn = async (
  { meeting }: StartedClub,
  kind: 'SIP' | 'CONNECTOR' = 'SIP',
  identity = 'sip_+49301234567',
) => {
  const joined = await world.standIn.join(meeting.roomName, {
    identity,
    kind,
    name: 'Phone +49 30 1234567',
  });
  await world.standIn.webhooks.settled();
  return joined;
};

const hangUp = async ({ meeting }: StartedClub, sid: string) => {
  await world.standIn.leave(meeting.roomName, sid);
  await world.standIn.webhooks.settled();
};

describe.each(['SIP', 'CONNECTOR'] as const)('A guest of the kind %s', (kind) => {
  it.each(['events', 'query'] as const)(
    'counts as a participant in the status by %s',
    async (by) => {
      const club = await startedClub();
      if (by === 'query') await world.putRecord(club.clubId, { presence: undefined });
      if (by === 'query') await world.sendWebhooksTo(undefined);
      const { sid } = await callIn(club, kind);
      const { body } = await service.call('status', club.member, club);
      expect(body).toMatchObject({ state: 'live', participantCount: 1, observedBy: by });
      await hangUp(club, sid);
      const after = await service.call('status', club.member, club);
      expect(after.body).toMatchObject({ state: 'waiting', participantCount: 0 });
    },
  );

  it.each([true, false])(
    'keeps the meeting on for as long as they stay; webhooks arrive: %s',
    async (arrive) => {
      const club = await startedClub();
      if (!arrive) await world.sendWebhooksTo(undefined);
      const { sid } = await callIn(club, kind);
      for (const minute of [0, 5, 10, 15, 20, 25]) {
        await (await world.boot(later(minutes(minute)))).cleanUp();
      }
      expect((await world.meetingOf(club.clubId))?.meetingId).toBe(club.meeting.meetingId);
      await hangUp(club, sid);
      await (await world.boot(later(minutes(30)))).cleanUp();
      await (await world.boot(later(minutes(50)))).cleanUp();
      expect((await world.recordOf(club.clubId)).lastMeeting).toMatchObject({
        meetingId: club.meeting.meetingId,
        reason: 'vacant',
      });
    },
  );

  it('whose arrival was lost is counted after the next cleanup', async () => {
    const club = await startedClub();
    world.wire.set(once('participant_joined', lost));
    await callIn(club, kind);
    expect((await service.call('status', club.member, club)).body.participantCount).toBe(0);
    expect(await service.cleanUp()).toMatchObject({ repaired: 1, failed: 0 });
    expect((await service.call('status', club.member, club)).body.participantCount).toBe(1);
  });

  it('takes one of the meeting’s places', async () => {
    const small = await world.boot({ env: { ROOM_MAX_PARTICIPANTS: '1' } });
    const club = await startedClub(small);
    await callIn(club, kind);
    const refused = await small.call('token', club.member, {
      body: { readingClubId: club.clubId },
    });
    expect(refused).toMatchObject({ status: 409, body: { code: 'MEETING_FULL' } });
  });

  it('is counted in the attendance, and named nowhere in the table', async () => {
    const club = await startedClub();
    const { sid } = await callIn(club, kind);
    await world.standIn.join(club.meeting.roomName, { identity: club.member.userId });
    await world.standIn.webhooks.settled();
    await hangUp(club, sid);
    await callIn(club, kind);
    await service.call('end', club.owner, club);
    await world.standIn.webhooks.settled();
    const { clubId, meeting } = club;
    const { body } = await service.call('meeting', club.member, {
      clubId,
      meetingId: meeting.meetingId,
    });
    expect(body.meeting).toMatchObject({ peopleCount: 1, guestCount: 2 });
    expect(body.attendance.map(({ userId }) => userId)).toEqual([club.member.userId]);
    expect(JSON.stringify(await world.itemsOf(clubId))).not.toContain('1234567');
  });
});

describe('A guest whose identity is a member’s user id', () => {
  it('is a guest: neither the member’s attendance nor their removal is theirs', async () => {
    const club = await startedClub();
    const { clubId, meeting } = club;
    await world.putRecord(clubId, { barredUserIds: new Set([club.member.userId]) });
    const { sid } = await callIn(club, 'SIP', club.member.userId);
    await service.cleanUp();
    expect((await service.call('status', club.owner, club)).body.participantCount).toBe(1);
    expect(await world.standIn.departures()).not.toContainEqual(expect.objectContaining({ sid }));
    await service.call('end', club.owner, club);
    const { body } = await service.call('meeting', club.owner, {
      clubId,
      meetingId: meeting.meetingId,
    });
    expect(body).toMatchObject({ meeting: { peopleCount: 0, guestCount: 1 }, attendance: [] });
  });

  it('does not open a full meeting to that member', async () => {
    const small = await world.boot({ env: { ROOM_MAX_PARTICIPANTS: '1' } });
    const club = await startedClub(small);
    await callIn(club, 'SIP', club.member.userId);
    const refused = await small.call('token', club.member, {
      body: { readingClubId: club.clubId },
    });
    expect(refused).toMatchObject({ status: 409, body: { code: 'MEETING_FULL' } });
  });
});

it.each(['AGENT', 'EGRESS', 'INGRESS', 'BRIDGE'] as const)(
  'A machine of the kind %s is no attendee: it neither counts nor keeps the meeting on',
  async (kind) => {
    const club = await startedClub();
    await world.standIn.join(club.meeting.roomName, { identity: club.member.userId, kind });
    await world.standIn.webhooks.settled();
    expect((await service.call('status', club.owner, club)).body).toMatchObject({
      state: 'waiting',
      participantCount: 0,
    });
    for (const minute of [0, 16]) {
      await (await world.boot(later(minutes(minute)))).cleanUp();
    }
    const { lastMeeting } = await world.recordOf(club.clubId);
    expect(lastMeeting).toMatchObject({ reason: 'vacant' });
    const { body } = await service.call('meeting', club.owner, {
      clubId: club.clubId,
      meetingId: club.meeting.meetingId,
    });
    expect(body.meeting).toMatchObject({ peopleCount: 0, guestCount: 0 });
  },
);

it('A participant of a kind that this version does not know is no attendee, by event or by list', async () => {
  const club = await startedClub();
  const { roomName } = club.meeting;
  await world.sendWebhooksTo({
    post: (event) => {
      // LiveKit signs what it sends, so its words are changed and signed again.
      const body = Buffer.from(event.body ?? '', 'base64').toString();
      return service.sendWebhook(body.replace('"kind":"BRIDGE"', '"kind":"HOLOGRAM"'));
    },
  });
  await world.standIn.join(roomName, { identity: club.member.userId, kind: 'BRIDGE' });
  await world.standIn.webhooks.settled();
  const { presentSids } = await world.recordOf(club.clubId);
  expect(presentSids).toBeUndefined();

  const hologram = on(
    'ListParticipants',
    edit((body) => JSON.parse(JSON.stringify(body).replaceAll('"BRIDGE"', '"HOLOGRAM"'))),
  );
  for (const minute of [0, 16]) {
    await (await world.boot({ ...later(minutes(minute)), faults: [hologram] })).cleanUp();
  }
  expect((await world.recordOf(club.clubId)).lastMeeting).toMatchObject({ reason: 'vacant' });
});
