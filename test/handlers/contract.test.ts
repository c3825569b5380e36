/** What the four routes answer: the original's contract, and what the design adds to it. */
import { describe, expect, it } from 'vitest';
import { edit, on } from '../harness/faults.ts';
import { claimsOf } from '../harness/issuer.ts';
import { API_KEY } from '../harness/livekit-events.ts';
import { later } from '../harness/process.ts';
import { worldOfFile } from '../harness/world.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const STRANGER = { userId: '00000000-0000-4000-8000-000000000000', username: 'stranger' };

const world = await worldOfFile();

/** Everything that the LiveKit token says, but for the times and the limits of the room. */
function grantsOf(token: string) {
  const { iat: _, nbf: __, exp: ___, roomConfig: ____, ...claims } = claimsOf(token);
  return claims;
}

describe('start', () => {
  it('answers the original fields and the new ones', async () => {
    const club = await world.createClub();
    const { status, headers, body } = await world.call('start', club.moderator, club);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        success: true,
        meetingId: expect.stringMatching(ULID),
        roomName: `reading-club-${club.clubId}-${body.meetingId}`,
        startedAt: expect.stringMatching(ISO),
        alreadyActive: false,
      },
    });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
    });
  });

  it('makes the room with the limits and the metadata of the original', async () => {
    const { name, owner, clubId, meeting } = await world.startMeeting();
    const rooms = await world.standIn.rooms();
    const room = rooms.find((each) => each.name === meeting.roomName);
    expect(room).toMatchObject({
      emptyTimeoutSeconds: 2100,
      departureTimeoutSeconds: 2100,
      maxParticipants: 50,
    });
    expect(JSON.parse(room?.metadata ?? '')).toEqual({
      clubId,
      clubName: name,
      moderatorId: owner.userId,
      startedAt: meeting.startedAt,
    });
  });

  it('takes the limits of its rooms from the environment', async () => {
    const { call } = await world.boot({
      env: {
        ROOM_EMPTY_TIMEOUT_SECONDS: '61',
        ROOM_DEPARTURE_TIMEOUT_SECONDS: '62',
        ROOM_MAX_PARTICIPANTS: '63',
      },
    });
    const club = await world.createClub();
    const { body } = await call('start', club.moderator, club);
    const rooms = await world.standIn.rooms();
    expect(rooms.find(({ name }) => name === body.roomName)).toMatchObject({
      emptyTimeoutSeconds: 61,
      departureTimeoutSeconds: 62,
      maxParticipants: 63,
    });
  });

  it('works for the owner, who has no member item', async () => {
    const club = await world.createClub();
    const { status } = await world.call('start', club.owner, club);
    expect(status).toBe(200);
  });

  it('on an active meeting returns that meeting to any moderator', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const again = await world.call('start', club.moderator, club);
    expect(again.body).toEqual({ ...meeting, alreadyActive: true });
  });

  it('on a running meeting whose room is gone makes the room again', async () => {
    const { meeting, ...club } = await world.startMeeting();
    await world.media.deleteRoom(meeting.roomName);
    await world.call('start', club.moderator, club);
    expect(await world.roomsOf(club.clubId)).toEqual([meeting.roomName]);
  });

  it('after an end gets a new room name', async () => {
    const { meeting, ...club } = await world.startMeeting();
    await world.call('end', club.moderator, club);
    const next = await world.call('start', club.moderator, club);
    expect(next.body.alreadyActive).toBe(false);
    expect(next.body.roomName).not.toBe(meeting.roomName);
    await world.expectAgreement(club.clubId);
  });
});

describe('end', () => {
  it('answers the original fields and the new ones', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { status, body } = await world.call('end', club.moderator, club);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        success: true,
        meetingId: meeting.meetingId,
        roomName: meeting.roomName,
        endedAt: expect.stringMatching(ISO),
        duration: 0,
      },
    });
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it('counts the duration in whole seconds, and keeps who ended it and how', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const later = await world.boot({
      now: () => new Date(Date.parse(meeting.startedAt) + 90_999),
    });
    const { body } = await later.call('end', club.owner, club);
    expect(body.duration).toBe(90);
    expect(await world.historyOf(club.clubId)).toEqual([
      {
        meetingId: meeting.meetingId,
        roomName: meeting.roomName,
        startedAt: meeting.startedAt,
        endedAt: body.endedAt,
        durationSeconds: 90,
        endedBy: club.owner.userId,
        reason: 'moderator',
      },
    ]);
  });

  it('by a clock behind that of the start never has a negative duration', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { call } = await world.boot({
      now: () => new Date(Date.parse(meeting.startedAt) - 5000),
    });
    const { body } = await call('end', club.moderator, club);
    expect(body).toMatchObject({ duration: 0, endedAt: meeting.startedAt });
  });

  it('again, named or not, answers the same facts and deletes the room again', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const first = await world.call('end', club.moderator, club);
    await world.media.createRoom({ name: meeting.roomName }); // a participant's old token, over WHIP
    const second = await world.call('end', club.owner, club);
    expect(second.body).toEqual(first.body);
    expect(await world.roomsOf(club.clubId)).toEqual([]);
    const { meetingId } = meeting;
    const third = await world.call('end', club.moderator, { ...club, body: { meetingId } });
    expect(third.body).toEqual(first.body);
  });

  it('disconnects everybody', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { sid } = await world.standIn.join(meeting.roomName, { identity: 'the-user' });
    await world.call('end', club.moderator, club);
    const departures = await world.standIn.departures();
    expect(departures.find((each) => each.sid === sid)?.reason).toBe('ROOM_DELETED');
  });

  it('of a club that never had a meeting is 409', async () => {
    const club = await world.createClub();
    expect((await world.call('end', club.moderator, club)).outcome).toBe('409 MEETING_NOT_ACTIVE');
  });

  it('of a meeting that never was is 409 and leaves the one that is on alone', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { outcome } = await world.call('end', club.moderator, {
      ...club,
      body: { meetingId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' },
    });
    expect(outcome).toBe('409 MEETING_NOT_ACTIVE');
    expect((await world.meetingOf(club.clubId))?.meetingId).toBe(meeting.meetingId);
    await world.expectAgreement(club.clubId);
  });
});

describe('status', () => {
  const IDLE = {
    state: 'idle',
    isActive: false,
    participantCount: 0,
    startedAt: null,
    roomName: null,
    meetingId: null,
    maxParticipants: null,
    endsAtLatest: null,
    recording: null,
    mustConsent: false,
    lastMeeting: null,
    observedBy: 'record',
    observedAt: expect.stringMatching(ISO),
    pollAfterSeconds: 8,
  };

  it('is idle before the first meeting, with every field there', async () => {
    const club = await world.createClub();
    const { status, body } = await world.call('status', club.member, club);
    expect({ status, body }).toEqual({ status: 200, body: IDLE });
  });

  it('is waiting while the meeting is vacant', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { body } = await world.call('status', club.member, club);
    expect(body).toEqual({
      ...IDLE,
      state: 'waiting',
      observedBy: 'query',
      pollAfterSeconds: 15,
      startedAt: meeting.startedAt,
      roomName: meeting.roomName,
      meetingId: meeting.meetingId,
      maxParticipants: 50,
      endsAtLatest: new Date(Date.parse(meeting.startedAt) + 12 * 3600_000).toISOString(),
    });
  });

  it('is live with people in it, and counts neither machines nor people who are still joining', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { standIn } = world;
    await standIn.join(meeting.roomName, { identity: 'the-user' });
    await standIn.join(meeting.roomName, { identity: 'another-user' });
    await standIn.join(meeting.roomName, { identity: 'recorder', kind: 'EGRESS' });
    await standIn.join(meeting.roomName, { identity: 'agent', kind: 'AGENT' });
    await standIn.join(meeting.roomName, { identity: 'on the way', state: 'JOINING' });
    const { body } = await world.call('status', club.owner, club);
    expect(body).toMatchObject({ state: 'live', isActive: true, participantCount: 2 });
  });

  it('names no room when LiveKit closed it, while the meeting goes on', async () => {
    const { meeting, ...club } = await world.startMeeting();
    await world.media.deleteRoom(meeting.roomName);
    const { body } = await world.call('status', club.member, club);
    expect(body).toMatchObject({
      state: 'waiting',
      isActive: false,
      roomName: null,
      meetingId: meeting.meetingId,
      startedAt: meeting.startedAt,
    });
  });

  it('is idle after the end, with the last meeting', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { body: ended } = await world.call('end', club.moderator, club);
    const { body } = await world.call('status', club.member, club);
    expect(body).toEqual({
      ...IDLE,
      lastMeeting: {
        meetingId: meeting.meetingId,
        roomName: meeting.roomName,
        startedAt: meeting.startedAt,
        endedAt: ended.endedAt,
        durationSeconds: ended.duration,
        endedBy: club.moderator.userId,
        reason: 'moderator',
      },
    });
  });

  it('takes the longest duration of a meeting from the environment', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { call } = await world.boot({ env: { MEETING_MAX_DURATION_SECONDS: '60' } });
    const { body } = await call('status', club.member, club);
    expect(body.endsAtLatest).toBe(new Date(Date.parse(meeting.startedAt) + 60_000).toISOString());
  });
});

describe('token', () => {
  it('answers the original fields and the new ones', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const process = await world.boot();
    const { status, body } = await process.call('token', club.member, {
      body: { readingClubId: club.clubId, participantName: 'Cleo' },
    });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        serverUrl: process.wire.urlOf('media').replace('http:', 'ws:'),
        roomName: meeting.roomName,
        meetingId: meeting.meetingId,
        participantName: 'Cleo',
        isModerator: false,
        expiresAt: expect.stringMatching(ISO),
        recording: null,
      },
    });
    expect(Date.parse(body.expiresAt)).toBe(Number(claimsOf(body.token)['exp']) * 1000);
  });

  it.each([
    { role: 'member', grants: 'full', admin: false, record: false },
    { role: 'moderator', grants: 'full', admin: true, record: true },
    { role: 'owner', grants: 'full', admin: true, record: true },
    { role: 'moderator', grants: 'room', admin: true, record: false },
    { role: 'moderator', grants: 'none', admin: false, record: false },
    { role: 'moderator', grants: undefined, admin: false, record: false },
    { role: 'member', grants: 'room', admin: false, record: false },
    { role: 'member', grants: 'none', admin: false, record: false },
  ] as const)(
    'of a $role holds exactly its grants and no other, with MODERATOR_GRANTS $grants',
    async ({ role, grants, admin, record }) => {
      const { call } = await world.boot(grants ? { env: { MODERATOR_GRANTS: grants } } : {});
      const { meeting, ...club } = await world.startMeeting();
      const { body } = await call('token', club[role], {
        body: { readingClubId: club.clubId, participantName: 'Some Name' },
      });
      expect(body.isModerator).toBe(role !== 'member');
      expect(grantsOf(body.token)).toEqual({
        iss: API_KEY,
        sub: club[role].userId,
        name: 'Some Name',
        video: {
          room: meeting.roomName,
          roomJoin: true,
          canPublish: true,
          canSubscribe: true,
          canPublishData: true,
          canUpdateOwnMetadata: true,
          roomAdmin: admin,
          roomRecord: record,
        },
      });
    },
  );

  it('carries the limits of its room, for a LiveKit that makes rooms at the join', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { body } = await world.call('token', club.member, { clubId: club.clubId });
    expect(claimsOf(body.token)['roomConfig']).toMatchObject({
      emptyTimeout: 2100,
      departureTimeout: 2100,
      maxParticipants: 50,
      metadata: JSON.stringify({
        clubId: club.clubId,
        clubName: club.name,
        moderatorId: club.owner.userId,
        startedAt: meeting.startedAt,
      }),
    });
  });

  it('lives for TOKEN_TTL_SECONDS, ten minutes by default', async () => {
    const club = await world.startMeeting();
    const ttlOf = (token: string) => {
      const { exp, nbf } = claimsOf(token);
      return Number(exp) - Number(nbf);
    };
    const usual = await world.call('token', club.member, { clubId: club.clubId });
    expect(ttlOf(usual.body.token)).toBe(600);
    const short = await world.boot({ env: { TOKEN_TTL_SECONDS: '60' } });
    const { body } = await short.call('token', club.member, { clubId: club.clubId });
    expect(ttlOf(body.token)).toBe(60);
  });

  it('is named after the member by default, or else after the user', async () => {
    const club = await world.startMeeting();
    const nameFor = async (who: 'member' | 'moderator' | 'nameless' | 'owner') => {
      const { body } = await world.call('token', club[who], { clubId: club.clubId });
      expect(claimsOf(body.token)['name']).toBe(body.participantName);
      return body.participantName;
    };
    expect(await nameFor('member')).toBe(club.displayNames.member);
    expect(await nameFor('moderator')).toBe(club.displayNames.moderator);
    expect(await nameFor('nameless')).toBe(club.nameless.username);
    expect(await nameFor('owner')).toBe(club.owner.username);
  });

  it('opens the room, and no longer after the end', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const { body } = await world.call('token', club.member, { clubId: club.clubId });
    const joined = await world.standIn.joinWithToken(body.token);
    expect(joined).toMatchObject({ roomName: meeting.roomName, identity: club.member.userId });
    await world.call('end', club.moderator, club);
    await expect(world.standIn.joinWithToken(body.token)).rejects.toMatchObject({ status: 404 });
  });

  it('makes the room again that LiveKit closed while the meeting goes on', async () => {
    const { meeting, ...club } = await world.startMeeting();
    await world.media.deleteRoom(meeting.roomName);
    const { call } = await world.boot(later(31_000));
    await call('token', club.member, { clubId: club.clubId });
    expect(await world.roomsOf(club.clubId)).toEqual([meeting.roomName]);
  });

  it('with no meeting on is 409, before the first and after the last, and makes no room', async () => {
    const club = await world.createClub();
    const early = await world.call('token', club.moderator, { clubId: club.clubId });
    expect({ status: early.status, code: early.body.code }).toEqual({
      status: 409,
      code: 'MEETING_NOT_ACTIVE',
    });
    await world.call('start', club.moderator, club);
    await world.call('end', club.moderator, club);
    const late = await world.call('token', club.moderator, { clubId: club.clubId });
    expect(late.status).toBe(409);
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });
});

describe('A caller', () => {
  const UNKNOWN = '404 CLUB_NOT_FOUND: Reading club not found';
  const NO_MEMBER = '403 NOT_A_MEMBER: Not a member of this reading club';
  const only = (action: string) => `403 NOT_A_MODERATOR: Only moderators can ${action} meetings`;

  it.each([
    ['start', 'a member', 'member', only('start')],
    ['start', 'a member without a name', 'nameless', only('start')],
    ['start', 'a stranger', 'outsider', only('start')],
    ['end', 'a member', 'member', only('end')],
    ['end', 'a member without a name', 'nameless', only('end')],
    ['end', 'a stranger', 'outsider', only('end')],
    ['status', 'a stranger', 'outsider', NO_MEMBER],
    ['token', 'a stranger', 'outsider', NO_MEMBER],
  ] as const)(
    'is refused a %s of a meeting that is on as %s, and the room stays',
    async (route, _, who, expected) => {
      const { meeting, ...club } = await world.startMeeting();
      const { outcome, body } = await world.call(route, club[who], { clubId: club.clubId });
      expect(`${outcome}: ${body.error}`).toBe(expected);
      expect(body.requestId).toEqual(expect.any(String));
      expect(await world.roomsOf(club.clubId)).toEqual([meeting.roomName]);
    },
  );

  it.each([
    ['a member', 'member'],
    ['a member without a name', 'nameless'],
    ['a stranger', 'outsider'],
  ] as const)('is refused a start as %s, and no meeting is on', async (_, who) => {
    const club = await world.createClub();
    const { status, body } = await world.call('start', club[who], club);
    expect(status).toBe(403);
    expect(body).toEqual({
      error: 'Only moderators can start meetings',
      code: 'NOT_A_MODERATOR',
      requestId: expect.any(String),
    });
    expect(await world.meetingOf(club.clubId)).toBeUndefined();
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it.each([
    ['start', only('start')],
    ['end', only('end')],
    ['status', UNKNOWN],
    ['token', UNKNOWN],
  ] as const)('is refused a %s of an unknown club', async (route, expected) => {
    const { outcome, body } = await world.call(route, STRANGER, { clubId: 'no-such-club' });
    expect(`${outcome}: ${body.error}`).toBe(expected);
  });
});

describe('a full meeting', () => {
  /** A room's count is up to 5 s old, so a test says what it is. */
  const roomCounts = on(
    'CreateRoom',
    edit((room) => ({ ...room, num_participants: 2 })),
  );

  /** LiveKit counts two people in it. */
  async function meetingForTwo(people: number) {
    const starter = await world.boot({ env: { ROOM_MAX_PARTICIPANTS: '2' } });
    const club = await world.createClub();
    const { body: meeting } = await starter.call('start', club.moderator, club);
    for (const who of [club.member, club.owner].slice(0, people)) {
      await world.standIn.join(meeting.roomName, { identity: who.userId });
    }
    // With another limit: the one with which the meeting started is what counts.
    const { call } = await world.boot({ ...later(31_000), faults: [roomCounts] });
    return { ...club, call };
  }

  it.each([
    ['refuses one more, and says how many are in it', 'nameless', 2, '409 MEETING_FULL'],
    ['lets in a participant who is in it already', 'member', 2, '200'],
    ['lets in one more where the count includes a participant who left', 'nameless', 1, '200'],
  ] as const)('%s', async (_, who, people, expected) => {
    const { call, clubId, ...club } = await meetingForTwo(people);
    const { outcome, body } = await call('token', club[who], { clubId });
    expect(outcome).toBe(expected);
    if (outcome !== '200') expect(body.error).toBe('The meeting is full: 2 people are in it');
  });
});

describe('every error', () => {
  it('carries the request id of the gateway', async () => {
    const { body } = await world.call('status', STRANGER, {
      clubId: 'no-such-club',
      requestId: 'JKJaXmPLvHcESHA=',
    });
    expect(body.requestId).toBe('JKJaXmPLvHcESHA=');
  });
});
