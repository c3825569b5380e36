/** The main job through the API: real bundles, tokens of Cognito, and who is in the room. */
import { describe, expect, it } from 'vitest';
import { JoinRefused } from '../../local/livekit/stand-in.ts';
import { joinRoom } from '../../local/participant.ts';
import { claimsOf } from '../harness/issuer.ts';
import {
  answered,
  createStartedClub,
  createTestClub,
  hasRealLiveKit,
  join,
  liveKit,
  roomsOf,
  stack,
} from './support/clubs.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('the contract of the original service, by the API', () => {
  it('start: success, roomName, startedAt; and a room with its limits and metadata', async () => {
    const club = await createTestClub();
    const { status, body } = await club.moderator.start(club.clubId);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        success: true,
        roomName: `reading-club-${club.clubId}-${body.meetingId}`,
        startedAt: expect.stringMatching(ISO),
        meetingId: expect.any(String),
        alreadyActive: false,
      },
    });
    const [room] = await liveKit.listRooms([body.roomName]);
    expect(room).toMatchObject({ emptyTimeout: 2100, departureTimeout: 2100, maxParticipants: 50 });
    expect(JSON.parse(room?.metadata ?? '')).toEqual({
      clubId: club.clubId,
      clubName: club.name,
      moderatorId: club.owner.userId,
      startedAt: body.startedAt,
    });
  });

  it('token: token, roomName, participantName, isModerator', async () => {
    const { clubId, member, owner, meeting } = await createStartedClub();
    const named = await member.token(clubId, { participantName: 'Zoë 🎧' });
    expect({ status: named.status, body: named.body }).toEqual({
      status: 200,
      body: {
        token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        roomName: meeting.roomName,
        participantName: 'Zoë 🎧',
        isModerator: false,
        serverUrl: stack.livekit.wsUrl,
        meetingId: meeting.meetingId,
        recording: null,
        expiresAt: expect.stringMatching(ISO),
      },
    });
    expect((await member.token(clubId)).body.participantName).toBe('Mem');
    const { body } = await owner.token(clubId);
    expect(body).toMatchObject({ isModerator: true, participantName: owner.username });
  });

  it('status: isActive, participantCount, startedAt, roomName', async () => {
    const { clubId, member, meeting } = await createStartedClub();
    const { status, body } = await member.status(clubId);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      isActive: false,
      participantCount: 0,
      startedAt: meeting.startedAt,
      roomName: meeting.roomName,
    });
  });

  it('end: success, endedAt, duration', async () => {
    const { clubId, owner, meeting } = await createStartedClub();
    const { status, body } = await owner.end(clubId);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        success: true,
        endedAt: expect.stringMatching(ISO),
        duration: Math.floor((Date.parse(body.endedAt) - Date.parse(meeting.startedAt)) / 1000),
        meetingId: meeting.meetingId,
        roomName: meeting.roomName,
      },
    });
  });

  it('the messages: who may not, what is not there', async () => {
    const { clubId, member, meeting } = await createStartedClub();
    const messages = [
      await member.start(clubId),
      await member.end(clubId),
      await member.start('no-such-club'),
      await member.end('no-such-club'),
      await member.token('no-such-club'),
    ].map(({ status, body }) => `${status} ${body.error}`);
    expect(messages).toEqual([
      '403 Only moderators can start meetings',
      '403 Only moderators can end meetings',
      '403 Only moderators can start meetings',
      '403 Only moderators can end meetings',
      '404 Reading club not found',
    ]);
    expect(await roomsOf(clubId)).toEqual([meeting.roomName]);
  });
});

describe('the tokens', () => {
  it.each(['moderator', 'owner', 'member'] as const)(
    'of a %s grant no administration',
    async (role) => {
      const club = await createStartedClub();
      const body = await answered(club[role].token(club.clubId, { participantName: 'Some Name' }));
      const { video, sub, iss, name } = claimsOf(body.token);
      expect({ video, sub, iss, name }).toEqual({
        iss: stack.livekit.apiKey,
        sub: club[role].userId,
        name: 'Some Name',
        video: {
          room: club.meeting.roomName,
          roomJoin: true,
          canPublish: true,
          canSubscribe: true,
          canPublishData: true,
          canUpdateOwnMetadata: true,
          roomAdmin: false,
          roomRecord: false,
        },
      });
    },
  );
});

describe('people in a meeting', () => {
  it('are counted by the status within five seconds, and shown in the attendance', async () => {
    const { clubId, owner, member, meeting } = await createStartedClub();
    await Promise.all([join(owner, clubId), join(member, clubId)]);
    const count = async () => (await member.status(clubId)).body.participantCount;
    await expect.poll(count, { timeout: 5_000, interval: 50 }).toBe(2);
    const ended = await answered(owner.end(clubId));
    const details = await member.meeting(clubId, meeting.meetingId);
    expect(details.body.meeting).toMatchObject({ endedAt: ended.endedAt, peopleCount: 2 });
    const people = details.body.attendance.map(({ userId, displayName, sessions }) => ({
      userId,
      displayName,
      sessions,
    }));
    expect(people).toHaveLength(2);
    expect(people).toContainEqual({ userId: member.userId, displayName: 'Mem', sessions: 1 });
    expect(people).toContainEqual({ userId: owner.userId, displayName: null, sessions: 1 });
  });

  it('ended means over: everybody out, status idle, 409 for a token, a new name next', async () => {
    const { clubId, owner, member, meeting } = await createStartedClub();
    const present = [await join(owner, clubId), await join(member, clubId)];
    await owner.end(clubId);
    for (const participant of present) expect(await participant.outBecause()).toBe('ROOM_DELETED');
    expect((await member.status(clubId)).body).toMatchObject({ state: 'idle', roomName: null });
    const { status, body } = await member.token(clubId);
    expect({ status, code: body.code }).toEqual({ status: 409, code: 'MEETING_NOT_ACTIVE' });
    const next = await owner.start(clubId);
    expect(next.body.roomName).not.toBe(meeting.roomName);
    expect(await roomsOf(clubId)).toEqual([next.body.roomName]);
  });
});

describe.skipIf(!hasRealLiveKit)('real participants, on a real LiveKit server', () => {
  it('with tokens from the API are in the same room: they see and hear each other', async () => {
    const { clubId, owner, member } = await createStartedClub();
    const [olgas, mems] = [
      await answered(owner.token(clubId, { participantName: 'Olga' })),
      await answered(member.token(clubId)),
    ];
    const [olga, mem] = await Promise.all([
      joinRoom(olgas.serverUrl, olgas.token),
      joinRoom(mems.serverUrl, mems.token),
    ]);
    expect(await olga.sees(member.userId)).toBe('Mem');
    expect(await mem.sees(owner.userId)).toBe('Olga');
    await olga.say('Chapter one');
    expect(await mem.hears()).toEqual({ text: 'Chapter one', from: owner.userId });
    await Promise.all([olga.leave(), mem.leave()]);
  });

  it('are refused with a token from before the end, and LiveKit makes no room', async () => {
    const { clubId, owner, member } = await createStartedClub();
    const body = await answered(member.token(clubId));
    const before = await joinRoom(body.serverUrl, body.token);
    await owner.end(clubId);
    expect(await before.outBecause()).toBe('ROOM_DELETED');
    const again = joinRoom(body.serverUrl, body.token);
    await expect(again).rejects.toThrow(
      new JoinRefused(404, 'Not Found - requested room does not exist'),
    );
    expect(await roomsOf(clubId)).toEqual([]);
  });

  it('with the token of the meeting before never reach the next one', async () => {
    const { clubId, owner, member } = await createStartedClub();
    const old = await answered(member.token(clubId));
    await owner.end(clubId);
    const next = await answered(owner.start(clubId));
    await expect(joinRoom(old.serverUrl, old.token)).rejects.toMatchObject({ status: 404 });
    expect((await liveKit.listParticipants(next.roomName)).length).toBe(0);
  });
});
