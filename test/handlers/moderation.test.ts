/** Moderation: who may do what to whom, what it costs, and LiveKit's outages. */
import { beforeEach, describe, expect, it } from 'vitest';
import { latestExpiry } from '../../lib/meetings/grants.ts';
import { answer, cut, justAfter, justBefore, on, tooMany, unavailable } from '../harness/faults.ts';
import type { User } from '../harness/issuer.ts';
import type { BootOptions, Process } from '../harness/process.ts';
import { about, type Route } from '../harness/routes.ts';
import { type StartedClub, type TestClub, worldOfFile } from '../harness/world.ts';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const world = await worldOfFile();
const service = await world.boot();
beforeEach(async () => {
  await world.sendWebhooksTo(undefined);
  service.lines.length = 0;
});

type Tracks = ('CAMERA' | 'MICROPHONE' | 'SCREEN_SHARE' | 'SCREEN_SHARE_AUDIO')[];
/** Puts a person into the room, with these tracks. */
const enter = ({ meeting }: StartedClub, who: User, tracks: Tracks = ['MICROPHONE']) =>
  world.standIn.join(meeting.roomName, {
    identity: who.userId,
    name: who.username,
    tracks: tracks.map((source) => ({ source })),
  });
const isInRoom = async ({ meeting }: StartedClub, { userId }: User) =>
  (await world.media.listParticipants(meeting.roomName)).some(
    ({ identity }) => identity === userId,
  );
const mutedTracks = async ({ meeting }: StartedClub) =>
  (await world.media.listParticipants(meeting.roomName))
    .flatMap(({ tracks }) => tracks)
    .filter(({ muted }) => muted)
    .map(({ sid }) => sid)
    .sort();

describe('participants', () => {
  it('are the people in the meeting, by their roles in the record, with their tracks', async () => {
    const club = await world.startMeeting();
    await enter(club, club.owner, []);
    await enter(club, club.moderator, ['CAMERA']);
    const { trackSids } = await enter(club, club.member, ['MICROPHONE', 'SCREEN_SHARE']);
    const { status, body } = await service.call('participants', club.moderator, club);
    expect(status).toBe(200);
    const byId = new Map(body.participants.map((person) => [person.userId, person]));
    expect(body.participants).toHaveLength(3);
    expect(byId.get(club.member.userId)).toEqual({
      kind: 'standard',
      participantSid: expect.stringMatching(/^PA_/),
      userId: club.member.userId,
      name: club.member.username,
      role: 'member',
      joinedAt: expect.stringMatching(ISO),
      tracks: [
        { sid: trackSids[0], kind: 'audio', source: 'microphone', muted: false },
        { sid: trackSids[1], kind: 'video', source: 'screen_share', muted: false },
      ],
    });
    expect(byId.get(club.owner.userId)).toMatchObject({ role: 'moderator', tracks: [] });
    expect(byId.get(club.moderator.userId)).toMatchObject({ role: 'moderator' });
  });

  it('exclude recorders, agents and participants who are still joining', async () => {
    const club = await world.startMeeting();
    const { roomName } = club.meeting;
    await world.standIn.join(roomName, { identity: 'EG_recorder', kind: 'EGRESS' });
    await world.standIn.join(roomName, { identity: 'agent-1', kind: 'AGENT' });
    await world.standIn.join(roomName, { identity: club.other.userId, state: 'JOINING' });
    await enter(club, club.member);
    const { body } = await service.call('participants', club.owner, club);
    expect(body.participants.map(({ userId }) => userId)).toEqual([club.member.userId]);
  });

  it('that took a moderator’s name and metadata are still members', async () => {
    const club = await world.startMeeting();
    await world.standIn.join(club.meeting.roomName, {
      identity: club.member.userId,
      name: club.owner.username,
      metadata: '{"role":"moderator"}',
      attributes: { role: 'moderator' },
    });
    const { body } = await service.call('participants', club.owner, club);
    expect(body.participants.map(({ role }) => role)).toEqual(['member']);
  });

  it('include the barred people, by the names in the record', async () => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const { clubId } = club;
    for (const { userId } of [club.member, club.other, club.deputy]) {
      await service.call('remove', club.owner, { clubId, userId });
    }
    await service.call('readmit', club.owner, { clubId, userId: club.deputy.userId });
    // Barred and off the club: cannot be readmitted.
    await service.manage({ command: 'remove-member', clubId, userId: club.other.userId });
    const { body } = await service.call('participants', club.moderator, club);
    expect(body).toEqual({
      participants: [],
      barred: [{ userId: club.member.userId, name: club.displayNames.member }],
    });
  });

  it('are none in a room that LiveKit has closed', async () => {
    const club = await world.startMeeting();
    await world.media.deleteRoom(club.meeting.roomName);
    const { status, body } = await service.call('participants', club.owner, club);
    expect({ status, body }).toEqual({ status: 200, body: { participants: [], barred: [] } });
  });

  it('can be more than one batch of the table', async () => {
    const large = await world.boot({ env: { ROOM_MAX_PARTICIPANTS: '200' } });
    const club = await world.startMeeting(large);
    for (let i = 0; i < 101; i++) await enter(club, { userId: `guest-${i}`, username: '' }, []);
    await enter(club, club.moderator, []);
    const { body } = await service.call('participants', club.owner, club);
    expect(body.participants).toHaveLength(102);
    const moderators = body.participants.filter(({ role }) => role === 'moderator');
    expect(moderators.map(({ userId }) => userId)).toEqual([club.moderator.userId]);
  });
});

describe('mute', () => {
  const all: Tracks = ['MICROPHONE', 'CAMERA', 'SCREEN_SHARE', 'SCREEN_SHARE_AUDIO'];

  it.each([
    [undefined, [0, 1, 2, 3]],
    [{ source: 'microphone' }, [0]],
    [{ source: 'camera' }, [1]],
    [{ source: 'screen' }, [2, 3]],
  ] as const)('with %j mutes those tracks and no others', async (body, chosen) => {
    const club = await world.startMeeting();
    const { sid, trackSids } = await enter(club, club.member, all);
    await enter(club, club.other);
    const { body: answered } = await service.call('mute', club.moderator, {
      clubId: club.clubId,
      userId: club.member.userId,
      ...(body && { body }),
    });
    const sids = chosen.map((index) => trackSids[index]);
    expect(answered.muted).toEqual(
      sids.map((trackSid) => ({ userId: club.member.userId, participantSid: sid, trackSid })),
    );
    expect(await mutedTracks(club)).toEqual(sids.toSorted());
  });

  it('with a trackSid mutes that one, and repeated nothing more', async () => {
    const club = await world.startMeeting();
    const { trackSids } = await enter(club, club.member, all);
    const options = { ...club, userId: club.member.userId, body: { trackSid: trackSids[1] ?? '' } };
    const first = await service.call('mute', club.moderator, options);
    expect(first.body.muted.map(({ trackSid }) => trackSid)).toEqual([trackSids[1]]);
    const second = await service.call('mute', club.moderator, options);
    expect({ status: second.status, body: second.body }).toEqual({
      status: 200,
      body: { success: true, muted: [] },
    });
    expect(await mutedTracks(club)).toEqual([trackSids[1]]);
  });

  it.each([
    [{ trackSid: 'TR_unknown' }, '404 PARTICIPANT_NOT_FOUND'],
    [{ source: 'loudspeaker' }, '400 INVALID_REQUEST'],
    [{ trackSid: '' }, '400 INVALID_REQUEST'],
    [{ muted: false }, '400 INVALID_REQUEST'],
  ])('with %j is refused: %s', async (body, expected) => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const { outcome } = await service.call('mute', club.moderator, about(club, club.member, body));
    expect(outcome).toBe(expected);
    expect(await mutedTracks(club)).toEqual([]);
  });

  it('of another person’s track is a 404 and leaves it alone', async () => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const { trackSids } = await enter(club, club.owner);
    const body = { trackSid: trackSids[0] ?? '' };
    const { outcome } = await service.call('mute', club.moderator, about(club, club.member, body));
    expect(outcome).toBe('404 PARTICIPANT_NOT_FOUND');
    expect(await mutedTracks(club)).toEqual([]);
  });

  it('of everybody spares moderators, and takes a source', async () => {
    const club = await world.startMeeting();
    await enter(club, club.owner);
    await enter(club, club.moderator);
    const { trackSids: member } = await enter(club, club.member, all);
    const { trackSids: other } = await enter(club, club.other, all);
    await service.call('muteAll', club.moderator, { ...club, body: { source: 'microphone' } });
    const sids = (...indices: number[]) =>
      indices.flatMap((index) => [member[index], other[index]]).toSorted();
    expect(await mutedTracks(club)).toEqual(sids(0));
    const { body } = await service.call('muteAll', club.owner, club);
    expect(body.muted).toHaveLength(6);
    expect(await mutedTracks(club)).toEqual(sids(0, 1, 2, 3));
  });

  it('of everybody takes no trackSid', async () => {
    const club = await world.startMeeting();
    const options = { ...club, body: { trackSid: 'TR_1' } };
    const { outcome } = await service.call('muteAll', club.owner, options);
    expect(outcome).toBe('400 INVALID_REQUEST');
  });

  it('of a participant who leaves at that moment succeeds', async () => {
    const club = await world.startMeeting();
    const { sid } = await enter(club, club.member);
    const { sid: otherSid, trackSids } = await enter(club, club.other);
    const leaving = justBefore('MutePublishedTrack', () =>
      world.standIn.leave(club.meeting.roomName, sid),
    );
    const { call } = await world.boot({ faults: [leaving] });
    const { status, body } = await call('muteAll', club.owner, club);
    expect(status).toBe(200);
    // Which of the two was asked for first is LiveKit's to say.
    expect(await mutedTracks(club)).toEqual(trackSids);
    expect(body).toMatchObject({ success: true, left: 0 });
    expect(body.muted).toContainEqual({
      userId: club.other.userId,
      participantSid: otherSid,
      trackSid: trackSids[0],
    });
  });
});

describe('muting everybody in a large room', () => {
  const COUNT = 230;

  /** A room full of people with a microphone; not all of them are of the club. */
  async function largeMeeting() {
    const large = await world.boot({ env: { ROOM_MAX_PARTICIPANTS: '300' } });
    const club = await world.startMeeting(large);
    await Promise.all(
      Array.from({ length: COUNT }, (_, i) =>
        enter(club, { userId: `reader-${i}`, username: '' }, ['MICROPHONE']),
      ),
    );
    return { club, large };
  }

  it('mutes 200 tracks a request, ten at once at most; repeating the request mutes the others', async () => {
    const { club, large } = await largeMeeting();
    let running = 0;
    let most = 0;
    large.wire.set(
      on('MutePublishedTrack', async (_, pass) => {
        running += 1;
        most = Math.max(most, running);
        const answered = await pass();
        running -= 1;
        return answered;
      }),
    );
    const first = await large.call('muteAll', club.owner, club);
    expect(first.body).toMatchObject({ success: false, left: COUNT - 200 });
    expect(first.body.muted).toHaveLength(200);
    expect(await mutedTracks(club)).toHaveLength(200);
    expect(most).toBeLessThanOrEqual(10);
    const second = await large.call('muteAll', club.owner, club);
    expect(second.body).toMatchObject({ success: true, left: 0 });
    expect(second.body.muted).toHaveLength(COUNT - 200);
    expect(await mutedTracks(club)).toHaveLength(COUNT);
  });

  it('stops when LiveKit asks for fewer calls, and says what it did', async () => {
    const { club, large } = await largeMeeting();
    let asked = 0;
    large.wire.set(
      on('MutePublishedTrack', (request, pass) => {
        asked += 1;
        return asked > 25 ? tooMany(request, pass) : pass();
      }),
    );
    const first = await large.call('muteAll', club.owner, club);
    expect(first).toMatchObject({ status: 200, body: { success: false, left: COUNT - 25 } });
    expect(first.body.muted).toHaveLength(25);
    expect(asked).toBeLessThanOrEqual(25 + 10);
    expect((await large.call('muteAll', club.owner, club)).outcome).toBe('503 MEDIA_UNAVAILABLE');
    large.wire.heal();
    for (let request = 0; request < 2; request++) await large.call('muteAll', club.owner, club);
    expect(await mutedTracks(club)).toHaveLength(COUNT);
  });

  it('says what it did when LiveKit cannot be reached any more', async () => {
    const { club, large } = await largeMeeting();
    let asked = 0;
    large.wire.set(
      on({ side: 'media' }, (request, pass) => {
        asked += 1;
        return asked > 30 ? cut(request, pass) : pass();
      }),
    );
    const { status, body } = await large.call('muteAll', club.owner, club);
    expect({ status, success: body.success }).toEqual({ status: 200, success: false });
    expect(body.muted.map(({ trackSid }) => trackSid).toSorted()).toEqual(await mutedTracks(club));
    expect(body.left).toBe(COUNT - body.muted.length);
  });
});

describe('a guest', () => {
  const callIn = ({ meeting }: StartedClub, identity = 'sip_+49301234567') =>
    world.standIn.join(meeting.roomName, {
      identity,
      name: 'Phone +49 30 1234567',
      kind: 'SIP',
      tracks: [{ source: 'MICROPHONE' }],
    });

  it('is listed with their kind, name and tracks, and without a user id', async () => {
    const club = await world.startMeeting();
    const { sid, trackSids } = await callIn(club);
    const { body } = await service.call('participants', club.owner, club);
    expect(body.participants).toEqual([
      {
        kind: 'sip',
        participantSid: sid,
        userId: null,
        role: null,
        name: 'Phone +49 30 1234567',
        joinedAt: expect.stringMatching(ISO),
        tracks: [{ sid: trackSids[0], kind: 'audio', source: 'microphone', muted: false }],
      },
    ]);
  });

  it('is muted by the participant sid, and with everybody', async () => {
    const club = await world.startMeeting();
    const { sid, trackSids } = await callIn(club);
    const muted = [{ userId: null, participantSid: sid, trackSid: trackSids[0] }];
    const { clubId } = club;
    const one = await service.call('mute', club.moderator, { clubId, userId: sid });
    expect(one).toMatchObject({ status: 200, body: { success: true, muted } });
    const second = await callIn(club, 'sip_+49307654321');
    const all = await service.call('muteAll', club.moderator, club);
    expect(all.body.muted.map(({ participantSid }) => participantSid)).toEqual([second.sid]);
    expect(await mutedTracks(club)).toHaveLength(2);
  });

  it('is removed by the participant sid, is not barred, and can call again', async () => {
    const club = await world.startMeeting();
    const { sid } = await callIn(club);
    const target = { clubId: club.clubId, userId: sid };
    const out = { success: true, wasPresent: true, isBarred: false, effective: 'now' };
    expect(await service.call('remove', club.moderator, target)).toMatchObject({
      status: 200,
      body: out,
    });
    const again = await service.call('remove', club.moderator, target);
    expect(again).toMatchObject({ status: 200, body: { ...out, wasPresent: false } });
    expect((await world.recordOf(club.clubId)).barredUserIds).toBeUndefined();
    await callIn(club);
    await service.cleanUp();
    const { body } = await service.call('participants', club.owner, club);
    expect(body.participants).toHaveLength(1);
  });

  it('who has left is a 404 to a mute', async () => {
    const club = await world.startMeeting();
    const target = { clubId: club.clubId, userId: 'PA_nobody' };
    const { outcome } = await service.call('mute', club.owner, target);
    expect(outcome).toBe('404 PARTICIPANT_NOT_FOUND');
  });

  it('is not the target of a person’s user id or sid, whatever their identity', async () => {
    const club = await world.startMeeting();
    const { sid: personsSid } = await enter(club, club.other);
    await callIn(club, club.member.userId);
    const { clubId } = club;
    for (const userId of [club.member.userId, personsSid]) {
      const muted = await service.call('mute', club.moderator, { clubId, userId });
      expect(muted.outcome, userId).toBe('404 PARTICIPANT_NOT_FOUND');
    }
    const removed = await service.call('remove', club.moderator, { clubId, userId: personsSid });
    expect(removed.body).toMatchObject({ wasPresent: false });
    expect(await mutedTracks(club)).toEqual([]);
    expect(await isInRoom(club, club.other)).toBe(true);
  });

  it('is logged without their identity, which can be a telephone number', async () => {
    const club = await world.startMeeting();
    const { sid } = await callIn(club);
    const target = { clubId: club.clubId, userId: sid };
    await service.call('mute', club.moderator, target);
    await service.call('remove', club.moderator, target);
    expect(service.actions()).toMatchObject([
      { action: 'mute', userId: null, participantSid: sid },
      { action: 'disconnect', userId: null, participantSid: sid },
    ]);
    expect(JSON.stringify(service.lines)).not.toContain('1234567');
  });
});

describe('remove', () => {
  const removal = (club: TestClub, body?: object) => about(club, club.member, body);

  it('is repeatable: removed and barred, then still barred', async () => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const first = await service.call('remove', club.moderator, removal(club));
    expect(first.body).toMatchObject({ wasPresent: true, isBarred: true });
    const second = await service.call('remove', club.deputy, removal(club));
    expect({ status: second.status, body: second.body }).toEqual({
      status: 200,
      body: { success: true, wasPresent: false, isBarred: true, effective: 'now' },
    });
    expect(await isInRoom(club, club.member)).toBe(false);
    const { barredUserIds } = await world.recordOf(club.clubId);
    expect(barredUserIds).toEqual(new Set([club.member.userId]));
  });

  it('with allowRejoin does not bar, and does not lift an earlier bar', async () => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const gently = removal(club, { allowRejoin: true });
    expect((await service.call('remove', club.moderator, gently)).body).toMatchObject({
      wasPresent: true,
      isBarred: false,
    });
    expect((await world.recordOf(club.clubId)).barredUserIds).toBeUndefined();
    await service.call('remove', club.moderator, removal(club));
    expect((await service.call('remove', club.moderator, gently)).body).toMatchObject({
      wasPresent: false,
      isBarred: true,
    });
  });

  it('writes the record before LiveKit is called', async () => {
    const club = await world.startMeeting();
    let barred: unknown;
    const look = justBefore('RemoveParticipant', async () => {
      barred = (await world.recordOf(club.clubId)).barredUserIds;
    });
    const { call } = await world.boot({ faults: [look] });
    await call('remove', club.moderator, removal(club));
    expect(barred).toEqual(new Set([club.member.userId]));
  });

  it('is lifted by the next meeting', async () => {
    const club = await world.startMeeting();
    await service.call('remove', club.moderator, removal(club));
    const token = () => service.call('token', club.member, club);
    expect((await token()).outcome).toBe('403 REMOVED_FROM_MEETING');
    await service.call('end', club.owner, club);
    expect((await world.recordOf(club.clubId)).barredUserIds).toBeUndefined();
    await service.call('start', club.owner, club);
    expect((await token()).outcome).toBe('200');
  });

  it('after the end of the meeting does not bar from the next', async () => {
    const club = await world.startMeeting();
    const restart = justBefore('UpdateItem', async () => {
      await service.call('end', club.owner, club);
      await service.call('start', club.owner, club);
    });
    const { call } = await world.boot({ faults: [restart] });
    const { outcome } = await call('remove', club.moderator, removal(club));
    expect(outcome).toBe('409 MEETING_NOT_ACTIVE');
    expect((await world.recordOf(club.clubId)).barredUserIds).toBeUndefined();
  });

  it('passes LiveKit Cloud the time, in seconds, so that a later token works at once', async () => {
    const club = await world.startMeeting();
    service.wire.forget();
    const before = Math.floor(Date.now() / 1000);
    await service.call('remove', club.moderator, removal(club));
    const after = Math.floor(Date.now() / 1000);
    const [request] = service.wire
      .seen()
      .filter(({ operation }) => operation === 'RemoveParticipant');
    const sent: { revokeTokenTs?: string } = JSON.parse(String(request?.body));
    const revoked = Number(sent.revokeTokenTs);
    expect(revoked).toBeGreaterThanOrEqual(before);
    expect(revoked).toBeLessThanOrEqual(after);
  });

  it.each(['webhook', 'cleanup'] as const)('passes it also by the %s', async (by) => {
    const club = await world.startMeeting();
    await service.call('remove', club.moderator, removal(club));
    service.wire.forget();
    if (by === 'webhook') await world.sendWebhooksTo(service);
    await enter(club, club.member);
    await world.standIn.webhooks.settled();
    if (by === 'cleanup') await service.cleanUp();
    const requests = service.wire
      .seen()
      .filter(({ operation }) => operation === 'RemoveParticipant');
    expect(requests.map(({ body }) => JSON.parse(String(body)))).toEqual([
      expect.objectContaining({ revokeTokenTs: expect.any(String) }),
    ]);
    expect(await isInRoom(club, club.member)).toBe(false);
  });

  it('by the cleanup spares a person who was readmitted', async () => {
    const club = await world.startMeeting();
    await service.call('remove', club.moderator, removal(club));
    await enter(club, club.member);
    const letIn = justAfter('ListParticipants', () =>
      service.call('readmit', club.moderator, removal(club)),
    );
    const { wire, cleanUp } = await world.boot();
    wire.set((request, pass) =>
      String(request.body).includes(club.clubId) ? letIn(request, pass) : pass(),
    );
    await cleanUp();
    expect(await isInRoom(club, club.member)).toBe(true);
  });
});

describe('readmit', () => {
  it('can be repeated, and returns whether the person was barred', async () => {
    const club = await world.startMeeting();
    const target = { clubId: club.clubId, userId: club.member.userId };
    await service.call('remove', club.moderator, target);
    await service.call('remove', club.moderator, { ...target, userId: club.other.userId });
    for (const wasBarred of [true, false]) {
      const { status, body } = await service.call('readmit', club.deputy, target);
      expect({ status, body }).toEqual({ status: 200, body: { success: true, wasBarred } });
    }
    const { barredUserIds } = await world.recordOf(club.clubId);
    expect(barredUserIds).toEqual(new Set([club.other.userId]));
  });

  it('lets in a person who became the owner since', async () => {
    const club = await world.startMeeting();
    const target = { clubId: club.clubId, userId: club.member.userId };
    await service.call('remove', club.moderator, target);
    await service.manage({
      command: 'put-club',
      clubId: club.clubId,
      name: 'Another name',
      moderatorId: club.member.userId,
    });
    expect((await service.call('readmit', club.moderator, target)).body).toMatchObject({
      wasBarred: true,
    });
    expect((await service.call('token', club.member, club)).outcome).toBe('200');
  });
});

describe('readmit, too late', () => {
  it.each([
    ['was barred', true],
    ['was not barred', false],
  ])('is a 409, also after the next start, of a person who %s', async (_, isBarred) => {
    const club = await world.startMeeting();
    const target = { clubId: club.clubId, userId: club.member.userId };
    if (isBarred) await service.call('remove', club.moderator, target);
    const restart = justBefore('UpdateItem', async () => {
      await service.call('end', club.owner, club);
      await service.call('start', club.owner, club);
      await service.call('remove', club.owner, target);
    });
    const { call } = await world.boot({ faults: [restart] });
    expect((await call('readmit', club.moderator, target)).outcome).toBe('409 MEETING_NOT_ACTIVE');
    const { barredUserIds } = await world.recordOf(club.clubId);
    expect(barredUserIds).toEqual(new Set([club.member.userId]));
  });
});

describe('The service refuses', () => {
  it.each(['remove', 'mute'] as const)('to %s the club’s own moderator', async (route) => {
    const club = await world.startMeeting();
    await enter(club, club.owner);
    expect((await service.call(route, club.moderator, about(club, club.owner))).outcome).toBe(
      '403 NOT_ALLOWED',
    );
    expect(await isInRoom(club, club.owner)).toBe(true);
    expect(await mutedTracks(club)).toEqual([]);
    expect((await world.recordOf(club.clubId)).barredUserIds).toBeUndefined();
  });

  it.each(['owner', 'moderator'] as const)(
    'a caller who removes or readmits themselves: %s',
    async (role) => {
      const club = await world.startMeeting();
      await enter(club, club[role]);
      const target = { clubId: club.clubId, userId: club[role].userId };
      for (const route of ['remove', 'readmit'] as const) {
        expect((await service.call(route, club[role], target)).outcome).toBe('403 NOT_ALLOWED');
      }
      expect(await isInRoom(club, club[role])).toBe(true);
    },
  );

  it('a barred caller who readmits themselves, moderator or not', async () => {
    const club = await world.startMeeting();
    const target = { clubId: club.clubId, userId: club.deputy.userId };
    await service.call('remove', club.moderator, target);
    expect((await service.call('readmit', club.deputy, target)).outcome).toBe('403 NOT_ALLOWED');
    const { outcome } = await service.call('token', club.deputy, club);
    expect(outcome).toBe('403 REMOVED_FROM_MEETING');
  });

  it.each(['member', 'moderator'] as const)(
    'to make the club’s own moderator a %s, also for themselves',
    async (role) => {
      const club = await world.startMeeting();
      const target = { clubId: club.clubId, userId: club.owner.userId, body: { role } };
      expect((await service.call('role', club.owner, target)).outcome).toBe('403 NOT_ALLOWED');
    },
  );
});

describe('A target who is', () => {
  const routes = ['mute', 'remove', 'readmit'] as const;

  it.each(routes)('no member is a 404 of %s', async (route) => {
    const club = await world.startMeeting();
    const before = await world.itemsOf(club.clubId);
    const { outcome } = await service.call(route, club.moderator, about(club, club.outsider));
    expect(outcome).toBe('404 MEMBER_NOT_FOUND');
    expect(await world.itemsOf(club.clubId)).toEqual(before);
  });

  it('no member is a 404 of role, and is not made one', async () => {
    const club = await world.startMeeting();
    const { clubId, outsider } = club;
    const target = { clubId, userId: outsider.userId, body: { role: 'moderator' } };
    expect((await service.call('role', club.owner, target)).outcome).toBe('404 MEMBER_NOT_FOUND');
    expect(await world.itemsOf(clubId, `MEMBER#${outsider.userId}`)).toEqual([]);
  });

  it('absent is a 404 of mute', async () => {
    const club = await world.startMeeting();
    const { outcome } = await service.call('mute', club.moderator, about(club, club.member));
    expect(outcome).toBe('404 PARTICIPANT_NOT_FOUND');
  });

  it.each(['id with spaces', 'x'.repeat(65), 'a#b', ''])('called %j is a 400', async (userId) => {
    const club = await world.startMeeting();
    for (const route of [...routes, 'role'] as const) {
      const target = {
        clubId: club.clubId,
        userId,
        body: route === 'role' ? { role: 'member' } : {},
      };
      const { outcome } = await service.call(route, club.owner, target);
      expect(outcome, route).toBe('400 INVALID_REQUEST');
    }
  });
});

describe('while no meeting is on', () => {
  it.each(['participants', 'mute', 'muteAll', 'remove', 'readmit'] as const)(
    '%s is a 409, before and after one',
    async (route) => {
      const club = await world.createClub();
      const options = { clubId: club.clubId, userId: club.member.userId };
      const outcome = async () => (await service.call(route, club.owner, options)).outcome;
      expect(await outcome()).toBe('409 MEETING_NOT_ACTIVE');
      await service.call('start', club.owner, club);
      await service.call('end', club.owner, club);
      expect(await outcome()).toBe('409 MEETING_NOT_ACTIVE');
      const { barredUserIds } = await world.recordOf(club.clubId);
      expect(barredUserIds).toBeUndefined();
    },
  );
});

describe('a role', () => {
  const grants = (moderatorGrants: 'full' | 'room' | 'none') => ({
    env: { MODERATOR_GRANTS: moderatorGrants },
  });
  const setRole = (by: Process, club: TestClub, role: 'member' | 'moderator') =>
    by.call('role', club.owner, { ...club, userId: club.moderator.userId, body: { role } });

  it('holds at once, both ways, and repeated', async () => {
    const club = await world.startMeeting();
    for (const [role, status] of [
      ['moderator', 200],
      ['moderator', 200],
      ['member', 403],
      ['member', 403],
    ] as const) {
      const { body } = await service.call('role', club.owner, about(club, club.member, { role }));
      expect(body).toEqual({ success: true, userId: club.member.userId, role, effective: 'now' });
      expect((await service.call('participants', club.member, club)).status).toBe(status);
      const token = await service.call('token', club.member, club);
      expect(token.body.isModerator).toBe(role === 'moderator');
    }
  });

  it.each([{ role: 'owner' }, {}, { role: 'member', userId: 'x' }])(
    'that is %j is a 400',
    async (body) => {
      const club = await world.createClub();
      const target = { clubId: club.clubId, userId: club.member.userId, body };
      expect((await service.call('role', club.owner, target)).outcome).toBe('400 INVALID_REQUEST');
    },
  );

  it.each(['full', 'room'] as const)(
    'of member with %s says until when, and again',
    async (kind) => {
      const now = new Date('2026-11-22T20:00:00.000Z');
      const by = await world.boot({ ...grants(kind), now: () => now });
      const club = await world.createClub();
      await by.call('start', club.owner, club);
      await by.call('token', club.moderator, club);
      const until = new Date(now.getTime() + 11 * 60_000).toISOString();
      const announced = { effective: 'after-token-expiry', until, isRenewed: true };
      expect((await setRole(by, club, 'member')).body).toMatchObject(announced);
      expect((await setRole(by, club, 'member')).body).toMatchObject(announced);
      const { body } = await by.call('remove', club.owner, about(club, club.moderator));
      expect(body).toMatchObject({ ...announced, isRenewed: false });
    },
  );

  it('of member counts the life of the longest token', async () => {
    const now = new Date();
    const by = await world.boot({
      env: { MODERATOR_GRANTS: 'room', TOKEN_TTL_SECONDS: '3600' },
      now: () => now,
    });
    const club = await world.createClub();
    await by.call('start', club.owner, club);
    await by.call('token', club.moderator, club);
    const { body } = await setRole(by, club, 'member');
    const rules = { ttlSeconds: 3600, moderatorGrants: 'room' } as const;
    expect(body).toMatchObject({ until: latestExpiry(rules, now).toISOString() });
  });

  it('of member for a member, or of moderator, is effective now also with `full`', async () => {
    const by = await world.boot(grants('full'));
    const club = await world.startMeeting();
    const { clubId, owner, member } = club;
    for (const role of ['member', 'moderator']) {
      const target = { clubId, userId: member.userId, body: { role } };
      expect((await by.call('role', owner, target)).body).toMatchObject({ effective: 'now' });
    }
  });

  it.each(['full', 'room'] as const)(
    'of member after the meeting leaves only `roomRecord`, which is bound to no room: %s',
    async (kind) => {
      const by = await world.boot(grants(kind));
      const club = await world.startMeeting(by);
      await by.call('token', club.moderator, club);
      await by.call('end', club.owner, club);
      const { lastMeeting } = await world.recordOf(club.clubId);
      const endedAt = Date.parse(lastMeeting?.endedAt ?? '');
      const until = new Date(endedAt + 11 * 60_000).toISOString();
      const announced = { effective: 'after-token-expiry', until, isRenewed: false };
      expect((await setRole(by, club, 'member')).body).toMatchObject(
        kind === 'full' ? announced : { effective: 'now' },
      );
      const later = { ...grants(kind), now: () => new Date(endedAt + 12 * 60_000) };
      expect((await setRole(await world.boot(later), club, 'member')).body).toMatchObject({
        effective: 'now',
      });
    },
  );
});

describe('LiveKit failing between the record and the call', () => {
  const failures = {
    'the connection ends': cut,
    'LiveKit is out of order': unavailable,
    'something in front of it answers': answer(502, '<html></html>'),
  };
  const names = Object.keys(failures) as (keyof typeof failures)[];
  const during = (name: keyof typeof failures, operation: string): BootOptions => ({
    faults: [on(operation, failures[name])],
  });

  it.each(names)('of a removal is said (%s), and repeating completes it', async (name) => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const broken = await world.boot(during(name, 'RemoveParticipant'));
    const target = { clubId: club.clubId, userId: club.member.userId };
    const removal = await broken.call('remove', club.moderator, target);
    expect(removal.outcome).toBe('503 MEDIA_UNAVAILABLE');
    // The bar stands, and is logged: no token, and the next event or cleanup removes them.
    const token = await service.call('token', club.member, club);
    expect(token.outcome).toBe('403 REMOVED_FROM_MEETING');
    expect(broken.actions()).toEqual([expect.objectContaining({ action: 'remove' })]);
    expect(await isInRoom(club, club.member)).toBe(true);
    broken.wire.heal();
    expect((await broken.call('remove', club.moderator, target)).body).toMatchObject({
      wasPresent: true,
      isBarred: true,
    });
    expect(await isInRoom(club, club.member)).toBe(false);
  });

  it('of a removal is completed by the cleanup, too', async () => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const broken = await world.boot(during('the connection ends', 'RemoveParticipant'));
    await broken.call('remove', club.moderator, { ...club, userId: club.member.userId });
    await service.cleanUp();
    expect(await isInRoom(club, club.member)).toBe(false);
  });

  it('of a join to undo is answered 200, and the cleanup undoes it', async () => {
    const club = await world.startMeeting();
    await service.call('remove', club.moderator, { ...club, userId: club.member.userId });
    await world.sendWebhooksTo(await world.boot({ faults: [on('RemoveParticipant', cut)] }));
    await enter(club, club.member);
    await world.standIn.webhooks.settled();
    const deliveries = await world.standIn.webhooks.deliveries();
    expect(deliveries.at(-1)).toMatchObject({ event: 'participant_joined', attempts: 1 });
    expect(await isInRoom(club, club.member)).toBe(true);
    await service.cleanUp();
    expect(await isInRoom(club, club.member)).toBe(false);
  });

  it.each(names)(
    'of a mute of many (%s) leaves a track; the rest is muted, and logged',
    async (name) => {
      const club = await world.startMeeting();
      const people = [club.member, club.other];
      for (const person of people) await enter(club, person);
      const broken = await world.boot();
      broken.wire.set((request, pass) =>
        request.operation === 'MutePublishedTrack' &&
        String(request.body).includes(club.other.userId)
          ? failures[name](request, pass)
          : pass(),
      );
      const first = await broken.call('muteAll', club.moderator, club);
      expect(first).toMatchObject({ status: 200, body: { success: false, left: 1 } });
      expect(first.body.muted.map(({ userId }) => userId)).toEqual([club.member.userId]);
      expect(await mutedTracks(club)).toHaveLength(1);
      expect(broken.actions().map(({ userId }) => userId)).toEqual([club.member.userId]);
      broken.wire.heal();
      const { body } = await broken.call('muteAll', club.moderator, club);
      expect(body.muted.map(({ userId }) => userId)).toEqual([club.other.userId]);
      expect(await mutedTracks(club)).toHaveLength(2);
    },
  );

  it.each(['full', 'none'])('of a demotion fails nothing with %s', async (kind) => {
    const club = await world.startMeeting();
    await service.call('token', club.moderator, club);
    const broken = await world.boot({
      env: { MODERATOR_GRANTS: kind },
      faults: [on({ side: 'media' }, cut)],
    });
    const target = { clubId: club.clubId, userId: club.moderator.userId, body: { role: 'member' } };
    expect((await broken.call('role', club.owner, target)).outcome).toBe('200');
  });

  it.each(['participants', 'mute', 'muteAll'] as const)(
    'of %s is never taken for an empty room',
    async (route) => {
      const club = await world.startMeeting();
      await enter(club, club.member);
      const broken = await world.boot(during('LiveKit is out of order', 'ListParticipants'));
      const options = { clubId: club.clubId, userId: club.member.userId };
      expect((await broken.call(route, club.owner, options)).outcome).toBe('503 MEDIA_UNAVAILABLE');
    },
  );
});

describe('DynamoDB failing', () => {
  it('leaves a removal undone and says so', async () => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const broken = await world.boot({ faults: [on('UpdateItem', cut)] });
    const { outcome } = await broken.call('remove', club.moderator, about(club, club.member));
    expect(outcome).toBe('503 STORE_UNAVAILABLE');
    expect(await isInRoom(club, club.member)).toBe(true);
    expect(broken.actions()).toEqual([]);
  });
});

describe('each action', () => {
  it('is logged as one line, with the caller, target, action and meeting, in ids only', async () => {
    const club = await world.startMeeting();
    const { sid: memberSid } = await enter(club, club.member, ['MICROPHONE', 'CAMERA']);
    const { sid: otherSid } = await enter(club, club.other);
    const { clubId, meeting, owner, moderator, member, other } = club;
    const target = { clubId, userId: member.userId };
    await service.call('mute', moderator, target);
    await service.call('muteAll', moderator, club);
    await service.call('remove', moderator, { ...target, body: { allowRejoin: true } });
    await service.call('remove', moderator, target);
    await service.call('readmit', moderator, target);
    await service.call('role', owner, { ...target, body: { role: 'moderator' } });
    await service.call('role', owner, { ...target, body: { role: 'member' } });
    const line = (action: string, by: User, who: User, participantSid?: string) => ({
      action,
      by: by.userId,
      userId: who.userId,
      ...(participantSid && { participantSid }),
      clubId,
      meetingId: meeting.meetingId,
    });
    expect(service.actions()).toEqual([
      line('mute', moderator, member, memberSid),
      line('mute', moderator, other, otherSid),
      line('disconnect', moderator, member),
      line('remove', moderator, member),
      line('readmit', moderator, member),
      line('role-moderator', owner, member),
      line('role-member', owner, member),
    ]);
  });

  it('that is refused is not logged as an action, and neither is a read', async () => {
    const club = await world.startMeeting();
    const target = { clubId: club.clubId, userId: club.owner.userId };
    await service.call('participants', club.moderator, club);
    await service.call('remove', club.member, { ...target, userId: club.other.userId });
    await service.call('remove', club.moderator, target);
    await service.call('role', club.moderator, { ...target, body: { role: 'member' } });
    expect(service.actions()).toEqual([]);
  });
});

describe('What each costs, on the wire', () => {
  const GENTLY = { allowRejoin: true };

  it.each<[string, Route, 'member' | 'moderator' | 'other', object | undefined, string]>([
    ['participants', 'participants', 'member', undefined, 'ListParticipants BatchGetItem'],
    ['mute', 'mute', 'member', undefined, 'ListParticipants MutePublishedTrack'],
    ['muteAll', 'muteAll', 'member', undefined, 'ListParticipants BatchGetItem MutePublishedTrack'],
    ['remove, rejoining allowed', 'remove', 'member', GENTLY, 'RemoveParticipant GetItem'],
    [
      'remove of an absent person, rejoining allowed',
      'remove',
      'other',
      GENTLY,
      'RemoveParticipant GetItem GetItem',
    ],
    ['readmit of a person who is not barred', 'readmit', 'member', undefined, 'UpdateItem'],
    ['a promotion', 'role', 'member', { role: 'moderator' }, 'UpdateItem'],
    ['a demotion', 'role', 'moderator', { role: 'member' }, 'UpdateItem GetItem'],
  ])('%s', async (_, route, whom, body, afterTheClub) => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    service.wire.forget();
    const target = { clubId: club.clubId, userId: club[whom].userId, body };
    expect((await service.call(route, club.owner, target)).status).toBe(200);
    expect(service.wire.operations().join(' ')).toBe(`BatchGetItem ${afterTheClub}`);
  });

  it('remove, and repeated; what was granted is read beside the call of LiveKit', async () => {
    const club = await world.startMeeting();
    const expected = ['BatchGetItem', 'UpdateItem'];
    for (let time = 0; time < 2; time += 1) {
      service.wire.forget();
      await service.call('remove', club.owner, about(club, club.member));
      const asked = service.wire.operations();
      expect(asked.slice(0, -2)).toEqual(expected);
      expect(asked.slice(-2).toSorted()).toEqual(['GetItem', 'RemoveParticipant']);
    }
  });

  it('readmit', async () => {
    const club = await world.startMeeting();
    const target = { clubId: club.clubId, userId: club.member.userId };
    await service.call('remove', club.owner, target);
    service.wire.forget();
    await service.call('readmit', club.owner, target);
    expect(service.wire.operations()).toEqual(['BatchGetItem', 'UpdateItem']);
  });
});
