/** What a moderator decides holds for people who are really there, at a real LiveKit server. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { claimsOf, type User } from '../harness/issuer.ts';
import { joinAs, type Person } from '../harness/people.ts';
import type { Process } from '../harness/process.ts';
import { about } from '../harness/routes.ts';
import { isMissing, startWorld, type TestClub, type World } from '../harness/world.ts';

const WITHIN_MS = 1_000;

describe.skipIf(isMissing('server'))('On a real server', () => {
  let world: World;
  /** With `MODERATOR_GRANTS=none`. */
  let service: Process;
  const people: Person[] = [];

  beforeAll(async () => {
    world = await startWorld({ kind: 'server' });
    service = await world.boot();
  });
  beforeEach(() => world.sendWebhooksTo(service));
  afterEach(async () => {
    await Promise.all(people.splice(0).map((person) => person.leave()));
  });
  afterAll(async () => {
    await world.close();
  });

  const tokenFor = async (who: User, { clubId }: TestClub, by = service) => {
    const { status, body } = await by.call('token', who, { clubId });
    expect(status, body.code).toBe(200);
    return body.token;
  };
  async function join(token: string): Promise<Person> {
    const person = await joinAs(world.livekit.wsUrl, token);
    people.push(person);
    return person;
  }
  /** By LiveKit itself. */
  const identitiesIn = async (roomName: string) =>
    (await world.media.listParticipants(roomName)).map(({ identity }) => identity).sort();

  /** Put out within a second of then, and for that reason. */
  async function expectOut(person: Person, since: number): Promise<void> {
    const { reason, at } = await person.isOut();
    expect(reason).toBe('PARTICIPANT_REMOVED');
    expect(at - since).toBeLessThan(WITHIN_MS);
  }

  /** Asks LiveKit's own API with a token that was handed out to a browser. */
  async function askLiveKit(method: string, token: string, body: object): Promise<number> {
    const response = await fetch(
      `${world.livekit.wsUrl.replace('ws:', 'http:')}/twirp/livekit.${method}`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      },
    );
    await response.text();
    return response.status;
  }

  describe('a removed participant', () => {
    async function removedMember() {
      const { meeting, ...club } = await world.startMeeting();
      const oldToken = await tokenFor(club.member, club);
      const member = await join(oldToken);
      const others = [
        await join(await tokenFor(club.other, club)),
        await join(await tokenFor(club.moderator, club)),
      ];
      const since = performance.now();
      const { status, body } = await service.call(
        'remove',
        club.moderator,
        about(club, club.member),
      );
      expect({ status, body }).toEqual({
        status: 200,
        body: { success: true, wasPresent: true, isBarred: true, effective: 'now' },
      });
      await expectOut(member, since);
      const stayed = [club.other.userId, club.moderator.userId].sort();
      /** The others were never disconnected, not even for a moment. */
      const expectOthersUntouched = async () => {
        expect(others.map((other) => other.isIn())).toEqual([true, true]);
        expect(await identitiesIn(meeting.roomName)).toEqual(stayed);
      };
      await expectOthersUntouched();
      return { club, meeting, oldToken, expectOthersUntouched };
    }

    it('is disconnected within a second, and gets no new token', async () => {
      const { club, expectOthersUntouched } = await removedMember();
      const { outcome } = await service.call('token', club.member, { clubId: club.clubId });
      expect(outcome).toBe('403 REMOVED_FROM_MEETING');
      await expectOthersUntouched();
    });

    it('who joins with the old token is disconnected within a second, each time', async () => {
      const { oldToken, expectOthersUntouched } = await removedMember();
      for (let round = 0; round < 3; round++) {
        const again = await join(oldToken);
        await expectOut(again, again.joinedAt);
      }
      await expectOthersUntouched();
    });

    it('who joins with the old token is removed by the cleanup where no events arrive', async () => {
      const { oldToken, expectOthersUntouched } = await removedMember();
      await world.sendWebhooksTo(undefined);
      const again = await join(oldToken);
      await delay(WITHIN_MS / 2);
      expect(again.isIn()).toBe(true);
      const since = performance.now();
      await service.cleanUp();
      await expectOut(again, since);
      await expectOthersUntouched();
    });

    it('and let back in gets a token that works, and stays in', async () => {
      const { club, meeting, expectOthersUntouched } = await removedMember();
      const { clubId } = club;
      const target = { clubId, userId: club.member.userId };
      expect((await service.call('readmit', club.moderator, target)).body).toEqual({
        success: true,
        wasBarred: true,
      });
      await expectOthersUntouched();
      const back = await join(await tokenFor(club.member, club));
      await delay(WITHIN_MS);
      await service.cleanUp();
      expect(back.isIn()).toBe(true);
      expect(await identitiesIn(meeting.roomName)).toContain(club.member.userId);
    });

    it('with allowRejoin is disconnected, and may join again at once', async () => {
      const club = await world.startMeeting();
      const token = await tokenFor(club.member, club);
      const member = await join(token);
      const since = performance.now();
      const { body } = await service.call(
        'remove',
        club.moderator,
        about(club, club.member, { allowRejoin: true }),
      );
      expect(body).toMatchObject({ wasPresent: true, isBarred: false });
      await expectOut(member, since);
      const again = await join(token);
      await delay(WITHIN_MS);
      expect(again.isIn()).toBe(true);
    });

    it('is absent: still barred', async () => {
      const club = await world.startMeeting();
      const oldToken = await tokenFor(club.member, club);
      const { body } = await service.call('remove', club.moderator, about(club, club.member));
      expect(body).toMatchObject({ success: true, wasPresent: false, isBarred: true });
      const late = await join(oldToken);
      await expectOut(late, late.joinedAt);
    });
  });

  describe('a muted participant', () => {
    it('is silent, the others see it, and can unmute', async () => {
      const club = await world.startMeeting();
      const speaker = await join(await tokenFor(club.member, club));
      const listener = await join(await tokenFor(club.other, club));
      const trackSid = await speaker.speak();
      await listener.hears();

      const { status, body } = await service.call(
        'mute',
        club.moderator,
        about(club, club.member, { source: 'microphone' }),
      );
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          success: true,
          muted: [{ userId: club.member.userId, participantSid: expect.any(String), trackSid }],
        },
      });
      await listener.sees(club.member.userId, true);
      await speaker.sees(club.member.userId, true);
      await listener.hearsNothing();
      const seen = await service.call('participants', club.moderator, club);
      const tracksOf = ({ userId }: User) =>
        seen.body.participants.find((person) => person.userId === userId)?.tracks;
      expect(tracksOf(club.member)).toEqual([
        { sid: trackSid, kind: 'audio', source: 'microphone', muted: true },
      ]);
      expect(tracksOf(club.other)).toEqual([]);

      speaker.unmute();
      await listener.sees(club.member.userId, false);
      await listener.hears();
    });

    it('with everybody is no moderator', async () => {
      const club = await world.startMeeting();
      const member = await join(await tokenFor(club.member, club));
      const moderator = await join(await tokenFor(club.deputy, club));
      const listener = await join(await tokenFor(club.other, club));
      const trackSid = await member.speak();
      await moderator.speak();
      await listener.hears();
      const { body } = await service.call('muteAll', club.moderator, club);
      expect(body.muted).toEqual([
        { userId: club.member.userId, participantSid: expect.any(String), trackSid },
      ]);
      await listener.sees(club.member.userId, true);
      await delay(400);
      await listener.hears();
      moderator.stopSpeaking();
      await listener.hearsNothing();
    });

    it('and has left is a clear 404, within a second', async () => {
      const club = await world.startMeeting();
      const member = await join(await tokenFor(club.member, club));
      await member.leave();
      const since = performance.now();
      const { outcome } = await service.call('mute', club.moderator, about(club, club.member));
      expect(outcome).toBe('404 PARTICIPANT_NOT_FOUND');
      expect(performance.now() - since).toBeLessThan(WITHIN_MS);
    });
  });

  describe('a moderator who is demoted', () => {
    /** Everything that `roomAdmin`, `roomCreate`, `roomList` and `roomRecord` would allow. */
    const administration = (
      room: string,
      identity: string,
      trackSid: string,
    ): [string, object][] => [
      ['RoomService/ListRooms', {}],
      ['RoomService/ListParticipants', { room }],
      ['RoomService/GetParticipant', { room, identity }],
      ['RoomService/MutePublishedTrack', { room, identity, trackSid, muted: true }],
      ['RoomService/UpdateParticipant', { room, identity, metadata: 'x' }],
      ['RoomService/UpdateRoomMetadata', { room, metadata: 'x' }],
      ['RoomService/UpdateSubscriptions', { room, identity, trackSids: [trackSid] }],
      ['RoomService/SendData', { room, data: 'eA==', kind: 'RELIABLE' }],
      ['RoomService/RemoveParticipant', { room, identity }],
      ['RoomService/CreateRoom', { name: `${room}-x` }],
      ['RoomService/DeleteRoom', { room }],
      ['Egress/ListEgress', {}],
      ['Egress/StartRoomCompositeEgress', { roomName: room, file: { filepath: 'x.mp4' } }],
      ['AgentDispatchService/CreateDispatch', { room, agentName: 'x' }],
    ];

    async function demoted(by: Process) {
      const { meeting, ...club } = await world.startMeeting(by);
      const oldToken = await tokenFor(club.moderator, club, by);
      const moderator = await join(oldToken);
      const member = await join(await tokenFor(club.member, club, by));
      const trackSid = await member.speak();
      const renewed = await moderator.renewedToken();
      const { status, body } = await by.call(
        'role',
        club.owner,
        about(club, club.moderator, { role: 'member' }),
      );
      expect(status).toBe(200);
      const asked = async (token: string) =>
        Promise.all(
          administration(meeting.roomName, club.member.userId, trackSid).map(
            async ([method, request]) => ({
              method,
              status: await askLiveKit(method, token, request),
            }),
          ),
        );
      return { club, meeting, oldToken, renewed, moderator, member, answer: body, asked };
    }

    it('can do nothing through the backend from that moment', async () => {
      const { club } = await demoted(service);
      const { clubId } = club;
      const target = { clubId, userId: club.member.userId };
      const refused = await Promise.all([
        service.call('participants', club.moderator, { clubId }),
        service.call('mute', club.moderator, target),
        service.call('muteAll', club.moderator, { clubId }),
        service.call('remove', club.moderator, target),
        service.call('readmit', club.moderator, target),
        service.call('role', club.moderator, { ...target, body: { role: 'moderator' } }),
        service.call('start', club.moderator, { clubId }),
        service.call('end', club.moderator, { clubId }),
      ]);
      expect(refused.map(({ status, body }) => `${status} ${body.code}`)).toEqual(
        refused.map(() => '403 NOT_A_MODERATOR'),
      );
      expect((await service.call('token', club.moderator, { clubId })).body.isModerator).toBe(
        false,
      );
    });

    it('can do nothing at LiveKit either with `none`, by the first token or a renewed', async () => {
      const { club, meeting, oldToken, renewed, member, answer, asked } = await demoted(service);
      expect(answer).toEqual({
        success: true,
        userId: club.moderator.userId,
        role: 'member',
        effective: 'now',
      });
      for (const token of [oldToken, renewed]) {
        const answers = await asked(token);
        expect(answers).toEqual(answers.map(({ method }) => ({ method, status: 401 })));
      }
      expect(member.isIn()).toBe(true);
      expect(await world.roomsOf(club.clubId)).toEqual([meeting.roomName]);
    });

    it('can with `full` what was announced: administer, until both tokens have expired', async () => {
      const full = await world.boot({ env: { MODERATOR_GRANTS: 'full' } });
      await world.sendWebhooksTo(full);
      const before = Date.now();
      const { club, meeting, oldToken, renewed, member, answer } = await demoted(full);
      expect(answer).toEqual({
        success: true,
        userId: club.moderator.userId,
        role: 'member',
        effective: 'after-token-expiry',
        until: expect.any(String),
        isRenewed: true,
      });
      const until = 'until' in answer ? Date.parse(answer.until) : 0;
      expect(until - before).toBeLessThan(12 * 60_000);
      for (const token of [oldToken, renewed]) {
        const { exp, video } = claimsOf(token);
        expect(video).toMatchObject({ roomAdmin: true, roomRecord: true });
        // LiveKit accepts a token for a minute after that.
        expect(until).toBeGreaterThanOrEqual((Number(exp) + 60) * 1000);
      }
      const room = meeting.roomName;
      expect(await askLiveKit('RoomService/ListParticipants', oldToken, { room })).toBe(200);
      const identity = club.member.userId;
      expect(await askLiveKit('RoomService/RemoveParticipant', renewed, { room, identity })).toBe(
        200,
      );
      await member.isOut();
      // The backend is as firm as with `none`, and removing the person ends the renewing.
      expect((await full.call('participants', club.moderator, club)).status).toBe(403);
      const removed = await full.call('remove', club.owner, about(club, club.moderator));
      expect(removed.body).toMatchObject({
        wasPresent: true,
        effective: 'after-token-expiry',
        isRenewed: false,
      });
    });

    it('before they used their token joins with it, and LiveKit renews its grants', async () => {
      const full = await world.boot({ env: { MODERATOR_GRANTS: 'full' } });
      const club = await world.startMeeting(full);
      const token = await tokenFor(club.moderator, club, full);
      const { body } = await full.call(
        'role',
        club.owner,
        about(club, club.moderator, { role: 'member' }),
      );
      expect(body).toMatchObject({ effective: 'after-token-expiry', isRenewed: true });
      const moderator = await join(token);
      const { video } = claimsOf(await moderator.renewedToken());
      expect(video).toMatchObject({ roomAdmin: true, roomRecord: true });
    });
  });

  describe('a member whom the clubs function removes from the club', () => {
    it('is disconnected within a second, gets no token, and cannot join with the old one', async () => {
      const { meeting, ...club } = await world.startMeeting();
      const { clubId } = club;
      const oldToken = await tokenFor(club.member, club);
      const member = await join(oldToken);
      const other = await join(await tokenFor(club.other, club));
      const since = performance.now();
      const command = { command: 'remove-member', clubId, userId: club.member.userId };
      expect(await service.manage(command)).toEqual({ done: true });
      await expectOut(member, since);

      const { outcome } = await service.call('token', club.member, { clubId });
      expect(outcome).toBe('403 NOT_A_MEMBER');
      const again = await join(oldToken);
      await expectOut(again, again.joinedAt);
      await world.sendWebhooksTo(undefined);
      const once = await join(oldToken);
      const cleanedAt = performance.now();
      await service.cleanUp();
      await expectOut(once, cleanedAt);

      expect(other.isIn()).toBe(true);
      expect(await identitiesIn(meeting.roomName)).toEqual([club.other.userId]);
      // They were there, and that stays.
      const sessions = await world.sessionsOf(clubId);
      const own = sessions.filter(({ userId }) => userId === club.member.userId);
      expect(own.map(({ leftAt }) => leftAt !== undefined)).toContain(true);
    });

    it('and forgets leaves no attendance, also by the events that come after it', async () => {
      const club = await world.startMeeting();
      const { clubId } = club;
      const oldToken = await tokenFor(club.member, club);
      const member = await join(oldToken);
      await join(await tokenFor(club.other, club));
      await eventually(
        async () => ((await world.sessionsOf(clubId)).length === 2 ? true : undefined),
        'fewer than two sessions',
      );
      const since = performance.now();
      const command = { command: 'forget-user', clubId, userId: club.member.userId };
      expect(await service.manage(command)).toEqual({ done: true });
      await expectOut(member, since);
      const again = await join(oldToken);
      await expectOut(again, again.joinedAt);
      await delay(500);
      await service.cleanUp();
      expect((await world.sessionsOf(clubId)).map(({ userId }) => userId)).toEqual([
        club.other.userId,
      ]);
      const { presentSids } = await world.recordOf(clubId);
      expect(presentSids?.size).toBe(1);
    });
  });

  it('a club that is removed in a meeting leaves nothing, and its old tokens open nothing', async () => {
    const club = await world.startMeeting();
    const { clubId } = club;
    const oldToken = await tokenFor(club.member, club);
    const member = await join(oldToken);
    await join(await tokenFor(club.other, club));
    expect(await service.manage({ command: 'remove-club', clubId })).toEqual({ done: true });
    expect((await member.isOut()).reason).toBe('ROOM_DELETED');
    await expect(join(oldToken)).rejects.toThrow('404');
    await delay(500);
    expect(await world.leftOf(clubId)).toEqual([]);
    expect(await world.roomsOf(clubId)).toEqual([]);
  });

  it('the meeting outlives its moderators: the others stay, and any moderator can end it', async () => {
    const { meeting, ...club } = await world.startMeeting();
    const moderator = await join(await tokenFor(club.moderator, club));
    const member = await join(await tokenFor(club.member, club));
    await moderator.leave();
    await service.cleanUp();
    expect(member.isIn()).toBe(true);
    expect(await identitiesIn(meeting.roomName)).toEqual([club.member.userId]);
    expect((await service.call('end', club.deputy, club)).body.success).toBe(true);
    expect((await member.isOut()).reason).toBe('ROOM_DELETED');
  });
});
