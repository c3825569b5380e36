/** A cleanup, with another request between two of its calls. */
import { beforeEach, describe, expect, it } from 'vitest';
import { justAfter, justBefore } from '../harness/faults.ts';
import { endedMeeting } from '../harness/items.ts';
import { ago, hours, later, minutes } from '../harness/process.ts';
import type { Fault } from '../harness/wire.ts';
import { type TestMeeting, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot({ direct: true });
/** The process whose cleanup it is about: the moment that each test brings is put on its wire. */
const cleaner = await world.boot();
beforeEach(async () => {
  cleaner.wire.heal();
  await world.sendWebhooksTo(undefined);
  await world.clearAway();
});

/** A club whose meeting everybody left twenty minutes ago: due. */
async function due({ room = true } = {}) {
  const meeting = { startedAt: ago(hours(1)), vacantSince: ago(minutes(20)) };
  const club = await world.createMeeting(meeting);
  if (room) await world.openRoom(club.meeting.roomName);
  // From the second meeting on, an end puts the row of the one before.
  await world.putRecord(club.clubId, { lastMeeting: endedMeeting(club.clubId) });
  return club;
}

/** Every moment before the decision, in the order of the cleanup's calls. */
const beforeDeciding = (hasRoom: boolean): [string, (run: () => Promise<unknown>) => Fault][] => [
  ['before the index is read', (run) => justBefore('Query', run)],
  ['before the rooms are listed', (run) => justBefore('ListRooms', run)],
  ['after the rooms were listed', (run) => justAfter('ListRooms', run)],
  ['before the club is read', (run) => justBefore('BatchGetItem', run)],
  ['after the club was read', (run) => justAfter('BatchGetItem', run)],
  ['before LiveKit is asked who is there', (run) => justBefore('ListParticipants', run)],
  ['after LiveKit answered that the room is empty', (run) => justAfter('ListParticipants', run)],
  ...(hasRoom
    ? []
    : ([
        ['before the room is made sure of', (run) => justBefore('CreateRoom', run)],
        ['after the room was made sure of', (run) => justAfter('CreateRoom', run)],
      ] satisfies [string, (run: () => Promise<unknown>) => Fault][])),
  ['before the row of the meeting before is put', (run) => justBefore('PutItem', run)],
  ['after the row of the meeting before was put', (run) => justAfter('PutItem', run)],
  ['before it is decided', (run) => justBefore('UpdateItem', run)],
];

/** Gets a token, as a client does, and joins with it. */
async function comes(club: TestMeeting): Promise<void> {
  const { status, body } = await service.call('token', club.member, { clubId: club.clubId });
  expect(status).toBe(200);
  await world.standIn.joinWithToken(body.token);
}

describe.each([true, false])('A participant joins (the meeting has a room: %s)', (room) => {
  it.each(beforeDeciding(room))(
    '%s, and no webhook arrives: the meeting does not end',
    async (_, at) => {
      const club = await due({ room });
      let came = false;
      cleaner.wire.set(
        at(async () => {
          await comes(club);
          came = true;
        }),
      );
      expect(await cleaner.cleanUp()).toMatchObject({ endedVacant: 0, failed: 0 });
      expect(came, 'the moment came').toBe(true);
      expect((await world.meetingOf(club.clubId))?.meetingId).toBe(club.meeting.meetingId);
      expect((await world.standInRoomsOf(club.clubId))[0]?.participants).toHaveLength(1);
      // Nor does the next one end it, an hour later.
      await (await world.boot(later(hours(1)))).cleanUp();
      expect((await world.meetingOf(club.clubId))?.vacantSince).toBeUndefined();
    },
  );

  it.each(beforeDeciding(room).filter(([name]) => name.startsWith('before')))(
    '%s, with an older token, and the webhook arrives: the meeting does not end',
    async (_, at) => {
      const club = await due({ room });
      await world.sendWebhooksTo(service);
      cleaner.wire.set(
        at(async () => {
          // The token was asked for within a minute of the vacancy, and cleared nothing.
          if ((await world.roomsOf(club.clubId)).length === 0) {
            await world.openRoom(club.meeting.roomName);
          }
          await world.standIn.join(club.meeting.roomName, { identity: club.member.userId });
          await world.standIn.webhooks.settled();
        }),
      );
      expect(await cleaner.cleanUp()).toMatchObject({ endedVacant: 0, failed: 0 });
      const { meeting, presentSids } = await world.recordOf(club.clubId);
      expect(meeting?.meetingId).toBe(club.meeting.meetingId);
      expect(meeting?.vacantSince).toBeUndefined();
      expect(presentSids?.size).toBe(1);
    },
  );

  it('after it was decided: there is no token, and its room stays empty', async () => {
    const club = await due({ room });
    const statuses: unknown[] = [];
    cleaner.wire.set(
      justAfter('UpdateItem', async () => {
        const { status } = await service.call('token', club.member, { clubId: club.clubId });
        statuses.push(status);
      }),
    );
    expect(await cleaner.cleanUp()).toMatchObject({ endedVacant: 1 });
    expect(statuses).toEqual([409]);
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });
});

describe('A moderator starts the vacant meeting', () => {
  it.each(
    [true, false].flatMap((room) => beforeDeciding(room).map(([name, at]) => ({ room, name, at }))),
  )('$name (it has a room: $room): the meeting does not end', async ({ room, at }) => {
    const club = await due({ room });
    const answers: unknown[] = [];
    cleaner.wire.set(
      at(async () => {
        const { status, body } = await service.call('start', club.moderator, club);
        answers.push([status, body.meetingId]);
      }),
    );
    expect(await cleaner.cleanUp()).toMatchObject({ endedVacant: 0, failed: 0 });
    expect(answers).toEqual([[200, club.meeting.meetingId]]);
    expect(await world.meetingOf(club.clubId)).toMatchObject({ meetingId: club.meeting.meetingId });
    expect(await world.roomsOf(club.clubId)).toHaveLength(1);
  });

  it.each(['start', 'token'] as const)(
    'and the cleanup ends it after the %s read it: 409, and no room is left',
    async (route) => {
      const club = await due();
      const { call } = await world.boot({
        faults: [justBefore('UpdateItem', () => service.cleanUp())],
      });
      const { outcome } = await call(route, club.moderator, { clubId: club.clubId });
      expect(outcome).toBe('409 MEETING_NOT_ACTIVE');
      expect(await world.meetingOf(club.clubId)).toBeUndefined();
      expect(await world.roomsOf(club.clubId)).toEqual([]);
    },
  );

  it.each(['start', 'token'] as const)('and the %s costs one write more', async (route) => {
    const club = await due();
    const { call, wire } = await world.boot(later(minutes(1)));
    await call('status', club.moderator, { clubId: 'no-such-club' });
    wire.forget();
    const who = route === 'start' ? club.moderator : club.member;
    await call(route, who, { clubId: club.clubId });
    // Beside it, a start's refused claim, and a token's claim of the check of the room.
    const asked = wire.operations().toSorted();
    expect(asked).toEqual(['BatchGetItem', 'CreateRoom', 'UpdateItem', 'UpdateItem']);
  });
});

describe('A moderator ends the meeting', () => {
  it.each(
    [true, false].flatMap((room) => beforeDeciding(room).map(([name, at]) => ({ room, name, at }))),
  )(
    '$name (it has a room: $room): one end, the moderator’s, and no room is left',
    async ({ room, at }) => {
      const club = await due({ room });
      cleaner.wire.set(at(() => service.call('end', club.owner, club)));
      expect(await cleaner.cleanUp()).toMatchObject({ endedVacant: 0, failed: 0 });
      const { meeting, lastMeeting } = await world.recordOf(club.clubId);
      expect(meeting).toBeUndefined();
      expect(lastMeeting).toMatchObject({
        meetingId: club.meeting.meetingId,
        endedBy: club.owner.userId,
        reason: 'moderator',
      });
      expect(await world.roomsOf(club.clubId)).toEqual([]);
    },
  );

  it.each(beforeDeciding(false))(
    'and starts the next one %s: the next one goes on',
    async (_, at) => {
      const club = await due({ room: false });
      cleaner.wire.set(
        at(async () => {
          await service.call('end', club.owner, club);
          await service.call('start', club.owner, club);
        }),
      );
      expect(await cleaner.cleanUp()).toMatchObject({ endedVacant: 0, failed: 0 });
      const { meeting, lastMeeting } = await world.recordOf(club.clubId);
      expect(lastMeeting?.meetingId).toBe(club.meeting.meetingId);
      expect(meeting).toBeDefined();
      expect(await world.roomsOf(club.clubId)).toEqual([meeting?.roomName]);
    },
  );
});

describe('Another cleanup', () => {
  it.each(beforeDeciding(true))('%s ends the meeting: it has ended once', async (_, at) => {
    const club = await due();
    const reports: unknown[] = [];
    cleaner.wire.set(at(async () => reports.push(await service.cleanUp())));
    expect(await cleaner.cleanUp()).toMatchObject({ endedVacant: 0, failed: 0 });
    expect(reports).toMatchObject([{ endedVacant: 1, failed: 0 }]);
    expect(await world.itemsOf(club.clubId, 'MEETING#')).toHaveLength(1);
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });
});

describe('An index that lags', () => {
  const cleanerFor = (clubIds: string[]) =>
    world.boot({
      direct: true,
      cleanupDeps: (deps) => ({
        ...deps,
        clubs: { ...deps.clubs, listActiveClubIds: async () => clubIds },
      }),
    });

  it('and names clubs whose meeting is over, or that are gone, ends nothing wrongly', async () => {
    const over = await world.createClub();
    await world.putRecord(over.clubId, { lastMeeting: endedMeeting(over.clubId) });
    const never = await world.createClub();
    const before = await world.scan();
    const misled = await cleanerFor([over.clubId, never.clubId, 'no-such-club']);
    expect(await misled.cleanUp()).toMatchObject({ active: 0, endedVacant: 0, failed: 0 });
    expect(await world.scan()).toEqual(before);
  });

  it('and names a club whose next meeting is on already looks at that one', async () => {
    const club = await world.createClub();
    await world.putRecord(club.clubId, { lastMeeting: endedMeeting(club.clubId) });
    const { body } = await service.call('start', club.owner, club);
    await world.standIn.join(body.roomName, { identity: club.owner.userId });
    const misled = await cleanerFor([club.clubId]);
    expect(await misled.cleanUp()).toMatchObject({ active: 1, vacant: 0 });
    expect((await world.meetingOf(club.clubId))?.meetingId).toBe(body.meetingId);
  });

  it('and does not name a meeting that is on leaves its room alone', async () => {
    const club = await world.createClub();
    const { body } = await service.call('start', club.owner, club);
    const misled = await cleanerFor([]);
    expect(await misled.cleanUp()).toMatchObject({ active: 0, zombiesDeleted: 0 });
    expect(await world.roomsOf(club.clubId)).toEqual([body.roomName]);
  });
});

describe('A repair', () => {
  /** A join without its event, and a participant who left since: the room list shows the difference. */
  async function different() {
    const { meeting, ...club } = await world.createMeeting({ startedAt: ago(hours(1)) });
    await world.sendWebhooksTo(service);
    await world.openRoom(meeting.roomName);
    const gone = await world.standIn.join(meeting.roomName, { identity: club.owner.userId });
    await world.sendWebhooksTo(undefined);
    await world.standIn.leave(meeting.roomName, gone.sid);
    const there = await Promise.all(
      [club.member, club.nameless].map(({ userId }) =>
        world.standIn.join(meeting.roomName, { identity: userId }),
      ),
    );
    await world.sendWebhooksTo(service);
    return { ...club, meeting, there: there.map(({ sid }) => sid) };
  }
  const sids = async (clubId: string) =>
    [...((await world.recordOf(clubId)).presentSids ?? [])].sort();

  it('takes out who is gone, and takes in who is there', async () => {
    const club = await different();
    expect(await service.cleanUp()).toMatchObject({ repaired: 1 });
    expect(await sids(club.clubId)).toEqual(club.there.toSorted());
    const sessions = await world.sessionsOf(club.clubId, club.meeting.meetingId);
    expect(sessions.map(({ userId, displayName }) => ({ userId, displayName }))).toContainEqual({
      userId: club.member.userId,
      displayName: club.displayNames.member,
    });
  });

  const moments: [string, (run: () => Promise<unknown>) => Fault][] = [
    ['after the rooms were listed', (run) => justAfter('ListRooms', run)],
    ['before the club is read', (run) => justBefore('BatchGetItem', run)],
    ['after the club was read', (run) => justAfter('BatchGetItem', run)],
    ['after LiveKit said who is there', (run) => justAfter('ListParticipants', run)],
    ['before its first write', (run) => justBefore('UpdateItem', run)],
    ['after its first write', (run) => justAfter('UpdateItem', run)],
  ];

  it.each(moments)(
    'while a participant joins %s counts them, at the next run at the latest',
    async (_, at) => {
      const club = await different();
      cleaner.wire.set(
        at(async () => {
          const { roomName } = club.meeting;
          const { sid } = await world.standIn.join(roomName, { identity: club.owner.userId });
          await world.standIn.webhooks.settled();
          club.there.push(sid);
        }),
      );
      await cleaner.cleanUp();
      // The list of rooms was older than the join, so its count can equal the recorded presence.
      await service.cleanUp();
      expect(await sids(club.clubId)).toEqual(club.there.toSorted());
    },
  );

  it.each(moments)('while a participant leaves %s does not bring them back', async (_, at) => {
    const club = await different();
    const [leaving = '', ...staying] = club.there;
    cleaner.wire.set(
      at(async () => {
        await world.standIn.leave(club.meeting.roomName, leaving);
        await world.standIn.webhooks.settled();
      }),
    );
    await cleaner.cleanUp();
    expect(await sids(club.clubId)).toEqual(staying);
  });

  it.each(moments)(
    'while the server loses the room %s, and makes the next one, is about the next one',
    async (_, at) => {
      const club = await different();
      cleaner.wire.set(
        at(async () => {
          const { roomName } = club.meeting;
          await world.standIn.finishRoom(roomName);
          await world.openRoom(roomName);
          const { sid } = await world.standIn.join(roomName, { identity: club.owner.userId });
          await world.standIn.webhooks.settled();
          club.there = [sid];
        }),
      );
      await cleaner.cleanUp();
      const [room] = await world.standInRoomsOf(club.clubId);
      const record = await world.recordOf(club.clubId);
      expect(record.presence).toMatchObject({ roomSid: room?.sid, isFinished: false });
      expect(await sids(club.clubId)).toEqual(club.there);
    },
  );
});
