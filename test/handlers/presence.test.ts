/** Presence and attendance, event by event: the cases that have a name. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Meeting } from '../../lib/meetings/model.ts';
import {
  eventBody,
  eventTime,
  type ParticipantFacts,
  type RoomFacts,
} from '../harness/livekit-events.ts';
import { minutes } from '../harness/process.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

let club: TestClub;
let meeting: Meeting;
/** Two rooms of the meeting's name: the server lost the first one. */
let first: RoomFacts;
let second: RoomFacts;
const start = Math.floor(Date.now() / 1000) * 1000 - minutes(30);

const world = await worldOfFile();
const service = await world.boot({ direct: true });
beforeEach(async () => {
  await world.clearAway();
  ({ meeting, ...club } = await world.createMeeting({
    startedAt: new Date(start).toISOString(),
  }));
  first = { name: meeting.roomName, sid: 'RM_first', createdAtMs: start };
  second = { name: meeting.roomName, sid: 'RM_second', createdAtMs: start + minutes(10) };
});

const participant = (sid: string, identity: string, minute = 1): ParticipantFacts => ({
  sid,
  identity,
  joinedAtMs: start + minutes(minute),
});
async function send(
  event: Parameters<typeof eventBody>[0],
  minute: number,
  room: RoomFacts,
  who?: ParticipantFacts,
) {
  const facts = { room, at: start + minutes(minute), ...(who && { participant: who }) };
  expect(await service.sendWebhook(eventBody(event, facts))).toMatchObject({ status: 200 });
}
const record = () => world.recordOf(club.clubId);
const sids = async () => [...((await record()).presentSids ?? [])].sort();
const sessions = () => world.sessionsOf(club.clubId, meeting.meetingId);

describe('A room that finishes', () => {
  it('empties presence and marks the meeting vacant, and never ends it', async () => {
    await send('room_started', 0, first);
    await send('participant_joined', 1, first, participant('PA_a', club.member.userId));
    await send('room_finished', 5, first);
    const { meeting: on, presence, presentSids } = await record();
    expect(on).toEqual({
      ...meeting,
      vacantSince: eventTime(start + minutes(5)),
    });
    expect(presence).toMatchObject({ roomSid: 'RM_first', isFinished: true });
    expect(presentSids).toBeUndefined();
  });

  it('is not reopened by late events', async () => {
    await send('room_finished', 5, first);
    await send('participant_joined', 1, first, participant('PA_a', club.member.userId));
    await send('room_started', 0, first);
    const { meeting: on, presence } = await record();
    expect(presence).toMatchObject({ roomSid: 'RM_first', isFinished: true });
    expect(on?.vacantSince).toBeDefined();
    expect(await sids()).toEqual([]);
  });

  it('and is the one before changes nothing about the one that is there', async () => {
    await send('participant_joined', 11, second, participant('PA_b', club.member.userId, 11));
    const before = await record();
    for (const [event, minute] of [
      ['room_finished', 9],
      ['room_started', 0],
    ] as const) {
      await send(event, minute, first);
    }
    await send('participant_joined', 1, first, participant('PA_a', club.owner.userId));
    expect(await record()).toEqual(before);
  });
});

describe('The next room of a meeting', () => {
  it('starts empty: participants of the one before must rejoin', async () => {
    await send('room_started', 0, first);
    await send('participant_joined', 1, first, participant('PA_a', club.member.userId));
    await send('room_started', 10, second);
    const { meeting: on, presence } = await record();
    expect(presence).toMatchObject({ roomSid: 'RM_second', isComplete: true, isFinished: false });
    expect(on?.vacantSince).toBe(eventTime(start + minutes(10)));
    expect(await sids()).toEqual([]);
  });

  it('counts participants who join before its `room_started` arrives', async () => {
    await send('room_started', 0, first);
    await send('participant_joined', 1, first, participant('PA_a', club.owner.userId));
    await send('participant_joined', 11, second, participant('PA_b', club.member.userId, 11));
    expect((await record()).presence).toMatchObject({ roomSid: 'RM_second', isComplete: false });
    await send('room_started', 10, second);
    expect((await record()).presence).toMatchObject({ roomSid: 'RM_second', isComplete: true });
    expect((await record()).meeting?.vacantSince).toBeUndefined();
    expect(await sids()).toEqual(['PA_b']);
  });
});

describe('A vacancy', () => {
  it('goes on when LiveKit makes the room again and it stays empty', async () => {
    await send('room_started', 0, first);
    await send('room_finished', 5, first);
    await send('room_started', 10, second);
    await send('room_finished', 15, second);
    expect((await record()).meeting?.vacantSince).toBe(eventTime(start));
  });

  it('ends with a join, and the next one begins at its own time', async () => {
    await send('room_started', 0, first);
    await send('participant_joined', 1, first, participant('PA_a', club.member.userId));
    expect((await record()).meeting?.vacantSince).toBeUndefined();
    await send('room_finished', 5, first);
    expect((await record()).meeting?.vacantSince).toBe(eventTime(start + minutes(5)));
  });
});

describe('Eight people', () => {
  it('whose concurrent joins are a room’s first events are all counted', async () => {
    const everybody = Array.from({ length: 8 }, (_, index) =>
      participant(`PA_${index}`, `person-${index}`),
    );
    await Promise.all(everybody.map((who) => send('participant_joined', 1, first, who)));
    expect(await sids()).toEqual(everybody.map(({ sid }) => sid));
    expect(await sessions()).toHaveLength(8);
  });
});

describe('A person', () => {
  const devices = () =>
    [
      participant('PA_phone', club.member.userId, 1),
      participant('PA_laptop', club.member.userId, 4),
    ] as const;

  it('who joins elsewhere leaves that session only', async () => {
    await send('room_started', 0, first);
    const [phone, laptop] = devices();
    await send('participant_joined', 1, first, phone);
    // LiveKit’s order: the old session goes first.
    await send('participant_left', 4, first, phone);
    await send('participant_joined', 4, first, laptop);
    expect(await sids()).toEqual(['PA_laptop']);
    expect((await sessions()).map(({ leftAt }) => leftAt !== undefined).sort()).toEqual([
      false,
      true,
    ]);
  });

  it('whose two sessions arrive in the other order is still present', async () => {
    await send('room_started', 0, first);
    const [phone, laptop] = devices();
    await send('participant_joined', 4, first, laptop);
    await send('participant_left', 4, first, phone);
    await send('participant_joined', 1, first, phone);
    expect(await sids()).toEqual(['PA_laptop']);
  });

  it('whose join was lost is in the attendance by their departure alone', async () => {
    await send('participant_left', 6, first, participant('PA_a', club.member.userId, 2));
    expect(await sessions()).toMatchObject([
      {
        userId: club.member.userId,
        joinedAt: new Date(start + minutes(2)).toISOString(),
        leftAt: eventTime(start + minutes(6)),
      },
    ]);
    expect(await sids()).toEqual([]);
  });

  it('who never joined is in no item', async () => {
    await send('room_started', 0, first);
    const who = participant('PA_a', club.member.userId);
    await send('participant_connection_aborted', 1, first, who);
    expect(await sessions()).toEqual([]);
    expect(await sids()).toEqual([]);
  });
});

describe('The cleanup', () => {
  /** The service receives the room's start, and no other event. */
  async function onlyTheRoom() {
    await world.sendWebhooksTo(service);
    await world.openRoom(meeting.roomName);
    await world.sendWebhooksTo(undefined);
  }

  it('adopts a participant who is still joining, and drops them when they give up', async () => {
    await onlyTheRoom();
    const { sid } = await world.standIn.join(meeting.roomName, {
      identity: club.member.userId,
      state: 'JOINED',
    });
    await service.cleanUp();
    expect(await sids()).toEqual([sid]);
    await world.sendWebhooksTo(service);
    await world.standIn.leave(meeting.roomName, sid, 'JOIN_FAILURE');
    await world.standIn.webhooks.settled();
    expect(await sids()).toEqual([]);
    expect((await sessions()).map(({ leftAt }) => leftAt)).toEqual([expect.any(String)]);
  });

  it('takes a ghost out, and the meeting is vacant from then on', async () => {
    await world.sendWebhooksTo(service);
    await world.openRoom(meeting.roomName);
    const { sid } = await world.standIn.join(meeting.roomName, { identity: club.owner.userId });
    await world.sendWebhooksTo(undefined);
    await world.standIn.leave(meeting.roomName, sid);
    expect(await sids()).toEqual([sid]);
    expect(await service.cleanUp()).toMatchObject({ repaired: 1, vacant: 1 });
    expect(await sids()).toEqual([]);
    expect((await record()).meeting?.vacantSince).toBeDefined();
  });

  it('leaves a correct count alone, without a call', async () => {
    await world.sendWebhooksTo(service);
    await world.openRoom(meeting.roomName);
    await world.standIn.join(meeting.roomName, { identity: club.owner.userId });
    await world.sendWebhooksTo(undefined);
    const cleaner = await world.boot();
    expect(await cleaner.cleanUp()).toMatchObject({ repaired: 0 });
    expect(cleaner.wire.operations('media')).toEqual(['ListRooms']);
  });
});
