/**
 * A meeting whose room does not exist, whatever LiveKit answers about its participants: an empty list
 * (a server's default), 404 (LiveKit Cloud, as reported) or 503 (a server that asks the room's node).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { justAfter } from '../harness/faults.ts';
import { hours, later, minutes, type Process } from '../harness/process.ts';
import { startWorld, type World } from '../harness/world.ts';

describe.each(['empty', 'not-found', 'unavailable'] as const)(
  'A meeting whose room does not exist, where LiveKit answers “%s” about its participants,',
  (missingRoom) => {
    let world: World;
    let service: Process;
    beforeAll(async () => {
      world = await startWorld({ missingRoom });
      service = await world.boot({ env: { MODERATOR_GRANTS: 'full' } });
    });
    afterAll(() => world.close());

    /** A club whose meeting is on; its room was there, and is gone without a word. */
    async function clubWithoutRoom({ isFollowed = false } = {}) {
      const club = await world.createClub();
      await world.sendWebhooksTo(isFollowed ? service : undefined);
      const { body: meeting } = await service.call('start', club.owner, club);
      for (const { userId } of [club.moderator, club.member]) {
        await world.standIn.join(meeting.roomName, { identity: userId });
      }
      await world.standIn.webhooks.settled();
      await world.sendWebhooksTo(undefined);
      await world.standIn.finishRoom(meeting.roomName);
      await world.standIn.webhooks.settled();
      return { ...club, meeting };
    }

    it('is waiting, says its status', async () => {
      const club = await clubWithoutRoom();
      const { status, body } = await service.call('status', club.member, club);
      expect(status).toBe(200);
      expect(body).toMatchObject({ state: 'waiting', participantCount: 0, roomName: null });
    });

    it('has no participants to list or to mute', async () => {
      const club = await clubWithoutRoom();
      const listed = await service.call('participants', club.owner, club);
      expect(listed).toMatchObject({ status: 200, body: { participants: [] } });
      const muted = await service.call('muteAll', club.owner, club);
      expect(muted).toMatchObject({ status: 200, body: { success: true, muted: [], left: 0 } });
      const { clubId, member } = club;
      const one = await service.call('mute', club.owner, { clubId, userId: member.userId });
      expect(one).toMatchObject({ status: 404, body: { code: 'PARTICIPANT_NOT_FOUND' } });
    });

    it.each([true, false])(
      'ends as vacant after the grace, and no cleanup fails; its events arrived: %s',
      async (isFollowed) => {
        const club = await clubWithoutRoom({ isFollowed });
        for (const minute of [0, 5, 10, 16]) {
          const process = await world.boot(later(minutes(minute)));
          expect(await process.cleanUp()).toMatchObject({ failed: 0, postponed: 0 });
        }
        expect((await world.recordOf(club.clubId)).lastMeeting).toMatchObject({
          meetingId: club.meeting.meetingId,
          reason: 'vacant',
        });
        expect(await world.roomsOf(club.clubId)).toEqual([]);
      },
    );

    it('has no one in it after the next cleanup, though its events said so', async () => {
      const club = await clubWithoutRoom({ isFollowed: true });
      expect((await service.call('status', club.owner, club)).body.participantCount).toBe(2);
      await service.cleanUp();
      const { body } = await service.call('status', club.owner, club);
      expect(body).toMatchObject({ state: 'waiting', participantCount: 0, observedBy: 'events' });
    });

    it('is cleaned up with a person barred from it', async () => {
      const club = await clubWithoutRoom();
      const { clubId, member } = club;
      await service.call('remove', club.owner, { clubId, userId: member.userId });
      expect(await service.cleanUp()).toMatchObject({ failed: 0 });
    });

    it('that is ended while its room is made sure of leaves no room behind', async () => {
      const club = await clubWithoutRoom();
      await service.cleanUp();
      const due = await world.boot(later(minutes(16)));
      due.wire.set(async (request, pass) => {
        const result = await pass();
        const isIts = String(request.body).includes(club.meeting.roomName);
        if (request.operation === 'CreateRoom' && isIts) {
          await service.call('end', club.owner, club);
        }
        return result;
      });
      expect(await due.cleanUp()).toMatchObject({ failed: 0 });
      expect((await world.recordOf(club.clubId)).lastMeeting).toMatchObject({
        endedBy: club.owner.userId,
      });
      expect(await world.roomsOf(club.clubId)).toEqual([]);
    });

    it('lasts no longer than a meeting may', async () => {
      const club = await clubWithoutRoom();
      expect(await (await world.boot(later(hours(13)))).cleanUp()).toMatchObject({ failed: 0 });
      expect((await world.recordOf(club.clubId)).lastMeeting).toMatchObject({
        reason: 'max-duration',
      });
    });
  },
);

describe('A room that closes between two questions to LiveKit', () => {
  it.each(['not-found', 'unavailable'] as const)(
    'is empty where LiveKit answers “%s” about its participants',
    async (missingRoom) => {
      const world = await startWorld({ missingRoom });
      try {
        const service = await world.boot();
        const { meeting, ...club } = await world.startMeeting();
        service.wire.set(justAfter('ListRooms', () => world.standIn.finishRoom(meeting.roomName)));
        const { status, body } = await service.call('status', club.member, club);
        expect(status).toBe(200);
        expect(body).toMatchObject({ state: 'waiting', participantCount: 0 });
      } finally {
        await world.close();
      }
    },
  );
});
