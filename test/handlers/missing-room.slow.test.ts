/** A meeting whose room does not exist, on a real LiveKit server that asks a room's node. */
import { expect, it } from 'vitest';
import { later, minutes } from '../harness/process.ts';
import { isMissing, startWorld } from '../harness/world.ts';

it.skipIf(isMissing('server'))(
  'A real server that asks the room’s node: status, participants and cleanup see an empty room',
  { timeout: 60_000 },
  async () => {
    const world = await startWorld({ kind: 'server', missingRoom: 'unavailable' });
    try {
      const service = await world.boot();
      const { meeting, ...club } = await world.startMeeting();
      await world.media.deleteRoom(meeting.roomName);
      const status = await service.call('status', club.member, club);
      expect(status.body).toMatchObject({ state: 'waiting', participantCount: 0 });
      const listed = await service.call('participants', club.owner, club);
      expect(listed).toMatchObject({ status: 200, body: { participants: [] } });
      for (const minute of [0, 16]) {
        const process = await world.boot(later(minutes(minute)));
        expect(await process.cleanUp()).toMatchObject({ failed: 0 });
      }
      expect((await world.recordOf(club.clubId)).lastMeeting).toMatchObject({ reason: 'vacant' });
      expect(await world.roomsOf(club.clubId)).toEqual([]);
    } finally {
      await world.close();
    }
  },
);
