/** A real LiveKit server that restarts in the middle of a meeting, on the same ports. */
import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/eventually.ts';
import { isMissing } from '../harness/world.ts';
import { type Deployment, startDeployment } from './support/service.ts';

describe.skipIf(isMissing('server'))('When a real LiveKit server restarts', () => {
  let media: Deployment['media'];
  let service: Deployment['service'];
  beforeAll(async () => {
    const deployment = await startDeployment();
    ({ media, service } = deployment);
    return deployment.stop;
  });

  describe.each(['graceful', 'SIGKILL'] as const)('(%s)', { timeout: 60_000 }, (how) => {
    const restartedMeeting = async () => {
      const club = await service.createClub();
      const { ann, bob, clubId } = club;
      const { body: meeting } = await ann.start(clubId);
      const before = [await ann.join(clubId), await bob.join(clubId)];
      const isLive = async () => (await bob.status(clubId)).body.participantCount === 2;
      await until(isLive, 'counting both participants');
      await media.restart(how);
      // The connections are closed, as a client does before it asks for a new token.
      await Promise.all(before.map((participant) => participant.leave()));
      return { ...club, meeting };
    };

    it('people who come back with a new token are in the same meeting', async () => {
      const { ann, bob, clubId, meeting } = await restartedMeeting();
      const [inAnn, inBob] = [await ann.join(clubId), await bob.join(clubId)];
      expect(await inAnn.sees(bob.userId)).toBe('Bob');
      await service.cleanUp();
      const { body } = await bob.status(clubId);
      expect(body).toMatchObject({
        state: 'live',
        participantCount: 2,
        meetingId: meeting.meetingId,
        roomName: meeting.roomName,
        startedAt: meeting.startedAt,
      });
      await ann.end(clubId);
      expect(await inBob.outBecause()).toBe('ROOM_DELETED');
      const { body: over } = await ann.meeting(clubId, meeting.meetingId);
      expect(over.meeting.peopleCount).toBe(2);
    });

    it('and no participant returns, status is right after the next cleanup: active and empty', async () => {
      const { ann, bob, clubId, meeting } = await restartedMeeting();
      await service.cleanUp();
      expect((await bob.status(clubId)).body).toMatchObject({
        state: 'waiting',
        participantCount: 0,
        // The cleanup makes sure of a room that is not listed before it asks who is in it.
        roomName: meeting.roomName,
        meetingId: meeting.meetingId,
      });
      await bob.join(clubId);
      const isBack = async () => (await ann.status(clubId)).body.participantCount === 1;
      await until(isBack, 'counting the participant who came back');
      await service.cleanUp();
      expect((await ann.status(clubId)).body).toMatchObject({
        state: 'live',
        participantCount: 1,
        meetingId: meeting.meetingId,
      });
      await ann.end(clubId);
    });
  });
});
