/** Presence and attendance, from the events of a real LiveKit server. */
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { joinRoom } from '../../local/participant.ts';
import { until } from '../harness/eventually.ts';
import { isMissing } from '../harness/world.ts';
import { type Deployment, startDeployment } from './support/service.ts';

/** LiveKit reports departures in whole seconds, so a stay loses up to one. */
const STAY_MS = 2_000;
const GAP_MS = 2_000;

describe.skipIf(isMissing('server'))('On a real server', { timeout: 60_000 }, () => {
  let gateway: Deployment['gateway'];
  let media: Deployment['media'];
  let service: Deployment['service'];
  beforeAll(async () => {
    const deployment = await startDeployment();
    ({ gateway, media, service } = deployment);
    return deployment.stop;
  });

  const untilReported = (type: string, sid: string) =>
    until(
      () => gateway.events().some((event) => event.type === type && event.sid === sid),
      `receiving ${type}`,
    );

  it('status follows a join and a departure within a second, and asks LiveKit nothing', async () => {
    const { clubId, ann, bob } = await service.createClub();
    const { body: meeting } = await ann.start(clubId);
    const isActive = async (userId: string) => {
      const people = await media.rooms.listParticipants(meeting.roomName);
      return people.some(({ identity, state }) => identity === userId && state === 2);
    };
    const counts = async (count: number) => {
      const { body } = await bob.status(clubId);
      return body.participantCount === count && body.observedBy === 'events';
    };
    await until(() => counts(0), 'counting from room_started');

    for (const [index, person] of [ann, bob].entries()) {
      const { body } = await person.token(clubId);
      service.wire.forget();
      const inRoom = await joinRoom(media.wsUrl, body.token);
      const [active, followed] = await Promise.all([
        until(() => isActive(person.userId), 'active at LiveKit'),
        until(() => counts(index + 1), 'counted by the status'),
      ]);
      expect(followed - active, 'milliseconds after LiveKit’s own count').toBeLessThan(1_000);
      expect(service.wire.seen().filter(({ side }) => side === 'media')).toEqual([]);
      if (person === ann) continue;
      await inRoom.leave();
      expect(await until(() => counts(1), 'counted out')).toBeLessThan(1_000);
      expect(service.wire.seen().filter(({ side }) => side === 'media')).toEqual([]);
    }
    await ann.end(clubId);
  });

  it('attendance counts two stays of one person, and two devices of another once', async () => {
    const { clubId, ann, bob } = await service.createClub();
    const { body: meeting } = await ann.start(clubId);
    const bobsLaptop = await bob.join(clubId);
    const annsFirst = await ann.join(clubId);
    await untilReported('participant_joined', bobsLaptop.sid);
    await untilReported('participant_joined', annsFirst.sid);
    const bobsPhone = await bob.join(clubId);
    expect(await bobsLaptop.outBecause()).toBe('DUPLICATE_IDENTITY');
    await untilReported('participant_left', bobsLaptop.sid);
    await untilReported('participant_joined', bobsPhone.sid);
    expect((await ann.status(clubId)).body.participantCount).toBe(2);
    await delay(STAY_MS);

    await annsFirst.leave();
    await untilReported('participant_left', annsFirst.sid);
    expect((await bob.status(clubId)).body.participantCount).toBe(1);
    await delay(GAP_MS);
    const annsSecond = await ann.join(clubId);
    await untilReported('participant_joined', annsSecond.sid);
    expect((await bob.status(clubId)).body.participantCount).toBe(2);
    await delay(STAY_MS);

    const { body: ended } = await ann.end(clubId);
    await untilReported('participant_left', bobsPhone.sid);
    await untilReported('participant_left', annsSecond.sid);
    const { body } = await bob.meeting(clubId, meeting.meetingId);
    expect(body.meeting).toMatchObject({
      peopleCount: 2,
      endedAt: ended.endedAt,
      durationSeconds: ended.duration,
    });

    // The times of LiveKit's events; no stay is longer than the meeting.
    const stay = ({ sid }: { sid: string }) => {
      const events = gateway.events().filter((event) => event.sid === sid);
      const joinedAt = events.find(({ type }) => type === 'participant_joined')?.joinedAt ?? 0;
      const leftAt = events.find(({ type }) => type === 'participant_left')?.at ?? 0;
      return { from: joinedAt, to: Math.min(leftAt, Date.parse(ended.endedAt)) };
    };
    type Stay = ReturnType<typeof stay>;
    /** Of two stays, in their order; what they share counts once. */
    const attendanceOf = (first: Stay, second: Stay) => ({
      firstJoinedAt: new Date(first.from).toISOString(),
      lastLeftAt: new Date(second.to).toISOString(),
      secondsPresent: Math.floor(
        (first.to - first.from + second.to - Math.max(second.from, first.to)) / 1000,
      ),
      sessions: 2,
      stays: [first, second].map(({ from, to }) => ({
        joinedAt: new Date(from).toISOString(),
        leftAt: new Date(to).toISOString(),
        isEstimated: false,
      })),
    });
    expect(body.attendance).toHaveLength(2);
    expect(body.attendance).toContainEqual({
      userId: bob.userId,
      displayName: 'Bob',
      ...attendanceOf(stay(bobsLaptop), stay(bobsPhone)),
    });
    expect(body.attendance).toContainEqual({
      userId: ann.userId,
      displayName: 'Ann',
      ...attendanceOf(stay(annsFirst), stay(annsSecond)),
    });
    // And as it was: twice a stay, and not the time between. A departure is dated up to a second late.
    const anns = body.attendance.find(({ userId }) => userId === ann.userId);
    expect(anns?.secondsPresent).toBeGreaterThanOrEqual(1);
    expect(anns?.secondsPresent).toBeLessThanOrEqual((ended.duration * 1000 - GAP_MS) / 1000 + 1);
  });
});
