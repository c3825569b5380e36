/** Attendance of those whose departure LiveKit does not report: each session has a bound. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MediaUnavailable } from '../../lib/errors.ts';
import { emptyList, justAfter, on, unavailable } from '../harness/faults.ts';
import {
  eventBody,
  eventTime,
  type ParticipantFacts,
  type RoomFacts,
} from '../harness/livekit-events.ts';
import { type BootOptions, hours, minutes } from '../harness/process.ts';
import { type TestClub, type TestMeeting, worldOfFile } from '../harness/world.ts';

let club: TestMeeting;
let room: RoomFacts;
let meetingId: string;
/** When the meeting started, in the past by LiveKit's clock. */
let start: number;
/** The clock of the service. */
let clock: number;

const world = await worldOfFile();
const boot = (options: BootOptions) =>
  world.boot({
    now: () => new Date(clock),
    env: { CLEANUP_GRACE_SECONDS: '86400' },
    ...options,
  });
const service = await boot({ direct: true });
beforeEach(async () => {
  await world.sendWebhooksTo(undefined);
  await world.clearAway();
});

/**
 * A meeting whose room has started, and whose events the test sends: what happens at LiveKit happens now,
 * and the events date it back. LiveKit's clock is at `minutesSince` the start.
 */
async function meetingOn({ minutesSince = 10 } = {}) {
  start = Math.floor(Date.now() / 1000) * 1000 - minutes(minutesSince);
  at(0);
  club = await world.createMeeting({ startedAt: new Date(start).toISOString() });
  ({ meetingId } = club.meeting);
  const { name, sid } = await world.openRoom(club.meeting.roomName);
  room = { name, sid, createdAtMs: start };
  await send('room_started', 0);
}

const at = (minute: number) => {
  clock = start + minutes(minute);
};
const cleanUpAt = (minute: number, by = service) => {
  at(minute);
  return by.cleanUp();
};
const send = async (
  event: Parameters<typeof eventBody>[0],
  minute: number,
  facts: { room?: RoomFacts; participant?: ParticipantFacts } = {},
) => {
  const body = eventBody(event, { room, ...facts, at: start + minutes(minute) });
  expect(await service.sendWebhook(body)).toMatchObject({ status: 200 });
  return body;
};
/** The person is in LiveKit's room; no event says so. */
const comeIn = async (who: TestClub['member'], minute: number): Promise<ParticipantFacts> => {
  const { sid } = await world.standIn.join(room.name, { identity: who.userId });
  return { sid, identity: who.userId, joinedAtMs: start + minutes(minute) };
};
const join = async (who: TestClub['member'], minute: number) => {
  const participant = await comeIn(who, minute);
  await send('participant_joined', minute, { participant });
  return participant;
};
const leaveWithoutEvent = ({ sid }: ParticipantFacts) => world.standIn.leave(room.name, sid);
/** LiveKit loses the room and everybody in it. */
const crash = () => world.standIn.finishRoom(room.name);
/** The next room of the name, known by its events only. */
const nextRoom = (minute: number): RoomFacts => ({
  name: room.name,
  sid: 'RM_next',
  createdAtMs: start + minutes(minute),
});

const sids = async () => [...((await world.recordOf(club.clubId)).presentSids ?? [])].sort();

/** The attendance after an end at this minute: each person's stays, in minutes. */
async function endedAt(minute: number) {
  at(minute);
  await service.call('end', club.owner, club);
  await world.standIn.webhooks.settled();
  return attendance();
}
async function attendance() {
  const { body } = await service.call('meeting', club.member, { clubId: club.clubId, meetingId });
  const rounded = (value: string) => Math.round((Date.parse(value) - start) / 60_000);
  return Object.fromEntries(
    body.attendance.map(({ userId, stays, secondsPresent }) => [
      userId,
      {
        present: Math.round(secondsPresent / 60),
        stays: stays.map(({ joinedAt, leftAt, isEstimated }) =>
          [rounded(joinedAt), rounded(leftAt), ...(isEstimated ? ['estimated'] : [])].join(' '),
        ),
      },
    ]),
  );
}
const only = (...stays: string[]) => {
  const [from, to] = (stays[0] ?? '').split(' ').map(Number);
  return { present: (to ?? 0) - (from ?? 0), stays };
};

describe('A room that LiveKit lost ends the sessions in it', () => {
  it('when the cleanup finds it gone, and not at the end of the meeting', async () => {
    await meetingOn({ minutesSince: 10 });
    await join(club.member, 1);
    await join(club.owner, 2);
    await crash();
    await cleanUpAt(10);
    expect(await sids()).toEqual([]);
    expect(await endedAt(180)).toEqual({
      [club.member.userId]: only('1 10 estimated'),
      [club.owner.userId]: only('2 10 estimated'),
    });
  });

  it('when the next room starts, with one write for all of them', async () => {
    await meetingOn();
    await join(club.member, 1);
    await join(club.owner, 2);
    await crash();
    await send('room_started', 10, { room: nextRoom(10) });
    const rows = await world.sessionsOf(club.clubId, meetingId);
    expect(rows.map(({ leftAt }) => leftAt)).toEqual([undefined, undefined]);
    expect(await endedAt(180)).toEqual({
      [club.member.userId]: only('1 10 estimated'),
      [club.owner.userId]: only('2 10 estimated'),
    });
  });

  it('when a person joins the next room, also if its start is not reported', async () => {
    await meetingOn();
    await join(club.member, 1);
    await crash();
    const again = {
      room: nextRoom(9),
      participant: {
        identity: club.member.userId,
        sid: 'PA_again',
        joinedAtMs: start + minutes(10),
      },
    };
    await send('participant_joined', 10, again);
    await send('participant_left', 20, again);
    expect(await endedAt(180)).toEqual({
      [club.member.userId]: { present: 19, stays: ['1 10 estimated', '10 20'] },
    });
  });

  it('15 minutes after its last sign of life, if the cleanup finds it gone hours later', async () => {
    await meetingOn({ minutesSince: 170 });
    await join(club.member, 1);
    await cleanUpAt(5);
    await crash();
    const broken = await boot({ faults: [on({ side: 'media' }, unavailable)] });
    for (const minute of [10, 60, 120]) {
      await expect(cleanUpAt(minute, broken)).rejects.toThrow(MediaUnavailable);
    }
    await cleanUpAt(170);
    expect(await endedAt(180)).toEqual({ [club.member.userId]: only('1 20 estimated') });
  });

  it('15 minutes after its last sign of life, if the meeting ends before the cleanup runs', async () => {
    await meetingOn();
    await join(club.member, 1);
    await cleanUpAt(5);
    await crash();
    expect(await endedAt(180)).toEqual({ [club.member.userId]: only('1 20 estimated') });
  });

  it('but not those in a room that the cleanup sees', async () => {
    await meetingOn();
    await join(club.member, 1);
    for (let minute = 5; minute < 180; minute += 5) await cleanUpAt(minute);
    expect(await endedAt(180)).toEqual({ [club.member.userId]: only('1 180 estimated') });
  });
});

describe('A departure that is lost', () => {
  it('is dated by the first cleanup that does not find the person', async () => {
    await meetingOn();
    const member = await join(club.member, 1);
    await join(club.owner, 2);
    await leaveWithoutEvent(member);
    for (const minute of [10, 15, 20, 25]) await cleanUpAt(minute);
    expect(await sids()).toHaveLength(1);
    expect(await endedAt(30)).toMatchObject({ [club.member.userId]: only('1 10 estimated') });
  });

  it('has the time that LiveKit reports, once it does', async () => {
    await meetingOn();
    const member = await join(club.member, 1);
    await join(club.owner, 2);
    await leaveWithoutEvent(member);
    await cleanUpAt(10);
    await send('participant_left', 7, { participant: member });
    const rows = await world.sessionsOf(club.clubId, meetingId);
    for (const row of rows) expect(row).not.toHaveProperty('isEstimated');
    expect(await endedAt(30)).toMatchObject({ [club.member.userId]: only('1 7') });
  });

  it('is taken back by the next cleanup that finds the person in the room', async () => {
    await meetingOn({ minutesSince: 1 });
    const { sid } = await join(club.member, 1);
    // A participant whose event is lost makes the cleanup list the room.
    await comeIn(club.owner, 2);
    await cleanUpAt(10, await boot({ faults: [on('ListParticipants', emptyList)] }));
    expect(await sids()).toEqual([]);
    await cleanUpAt(15);
    expect(await sids()).toContain(sid);
    expect(await sids()).toHaveLength(2);
    expect(await endedAt(20)).toMatchObject({ [club.member.userId]: only('1 20 estimated') });
  });

  it('keeps its estimate when the join is delivered again', async () => {
    await meetingOn();
    const participant = await comeIn(club.member, 1);
    const joined = await send('participant_joined', 1, { participant });
    await leaveWithoutEvent(participant);
    await cleanUpAt(10);
    expect(await service.sendWebhook(joined)).toMatchObject({ status: 200 });
    expect(await sids()).toEqual([]);
    expect(await endedAt(30)).toEqual({ [club.member.userId]: only('1 10 estimated') });
  });
});

describe('A departure that is reported', () => {
  it('is not rounded against the person', async () => {
    await meetingOn();
    const participant = await comeIn(club.member, 1);
    await send('participant_joined', 1, { participant });
    const leftAtMs = start + minutes(7) + 600;
    await service.sendWebhook(eventBody('participant_left', { room, participant, at: leftAtMs }));
    await endedAt(30);
    const { body } = await service.call('meeting', club.member, { clubId: club.clubId, meetingId });
    const [stay] = body.attendance[0]?.stays ?? [];
    expect(stay).toEqual({
      joinedAt: new Date(start + minutes(1)).toISOString(),
      leftAt: eventTime(leftAtMs),
      isEstimated: false,
    });
    expect(Date.parse(stay?.leftAt ?? '')).toBeGreaterThanOrEqual(leftAtMs);
  });
});

describe('The cleanup adopts the room that LiveKit has', () => {
  /** Presence is about a room that was created by the clock of a node that is an hour ahead. */
  async function lostRoomOfTheFuture() {
    await meetingOn();
    const createdAtMs = Date.now() + hours(1);
    const ahead = { name: room.name, sid: 'RM_ahead', createdAtMs };
    const participant = { identity: club.owner.userId, sid: 'PA_ahead', joinedAtMs: createdAtMs };
    const minute = (createdAtMs - start) / minutes(1);
    return [
      await send('room_started', minute, { room: ahead }),
      await send('participant_joined', minute, { room: ahead, participant }),
    ];
  }

  it('although LiveKit’s clock dates it before the last one', async () => {
    const late = await lostRoomOfTheFuture();
    const member = await join(club.member, 1);
    expect(await sids(), 'before').toEqual(['PA_ahead']);
    expect(await cleanUpAt(5)).toMatchObject({ repaired: 1, failed: 0 });
    expect(await sids()).toEqual([member.sid]);
    const { body } = await service.call('status', club.member, club);
    expect(body).toMatchObject({ state: 'live', participantCount: 1, observedBy: 'events' });

    // From now on events of the adopted room count, and those of the other do not.
    for (const event of late) await service.sendWebhook(event);
    const owner = await join(club.owner, 6);
    expect(await sids()).toEqual([member.sid, owner.sid].sort());
    await send('room_finished', 7);
    const { presence, presentSids } = await world.recordOf(club.clubId);
    expect(presence).toMatchObject({ isFinished: true, isComplete: true });
    expect(presentSids).toBeUndefined();
  });

  it('but not one that was replaced after the rooms were listed', async () => {
    await meetingOn();
    await join(club.member, 1);
    await world.sendWebhooksTo(service);
    const replaced = justAfter('ListRooms', async () => {
      await world.standIn.finishRoom(room.name);
      await world.openRoom(room.name);
      await comeIn(club.owner, 5);
      await world.standIn.webhooks.settled();
    });
    await cleanUpAt(10, await boot({ faults: [replaced] }));
    const [inLiveKit] = await world.standInRoomsOf(club.clubId);
    const { presence } = await world.recordOf(club.clubId);
    expect(presence?.roomSid).toBe(inLiveKit?.sid);
    expect(await sids()).toEqual(inLiveKit?.participants.map((each) => each.sid));
  });
});
