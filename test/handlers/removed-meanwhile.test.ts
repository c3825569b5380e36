/** A club is removed, or a person forgotten, between a request's read and its write. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { justAfter } from '../harness/faults.ts';
import type { User } from '../harness/issuer.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot();
beforeEach(() => world.sendWebhooksTo(undefined));

const removeClub = ({ clubId }: TestClub) => service.manage({ command: 'remove-club', clubId });
/** The next club of the id has another owner. */
const replaceClub = async (club: TestClub) => {
  await removeClub(club);
  const { clubId, outsider } = club;
  const moderatorId = outsider.userId;
  await service.manage({ command: 'put-club', clubId, name: 'Next', moderatorId });
};
const forget = ({ clubId }: TestClub, { userId }: User) =>
  service.manage({ command: 'forget-user', clubId, userId });

/** One process, which does the other thing after its first read. */
const reader = (other: () => Promise<unknown>) =>
  world.boot({ faults: [justAfter('BatchGetItem', other)] });

describe.each([
  ['removed', removeClub],
  ['replaced by the next club of its id', replaceClub],
])('A club that is %s after a read', (_, remove) => {
  it('gets no member of a late put-member', async () => {
    const club = await world.createClub();
    const { clubId, member } = club;
    const { manage } = await reader(() => remove(club));
    await manage({ command: 'put-member', clubId, userId: 'zoe', role: 'moderator' });
    await manage({ command: 'set-role', clubId, userId: member.userId, role: 'moderator' });
    const { members } = await service.show(clubId).catch(() => ({ members: [] }));
    // The command was sent to the club that is there by then, if there is one.
    expect(members.map(({ userId }) => userId)).toEqual(remove === removeClub ? [] : ['zoe']);
  });

  it('gives no role that a moderator of the earlier club decided', async () => {
    const club = await world.createClub();
    const { clubId, owner, member } = club;
    const other = async () => {
      await remove(club);
      await service.manage({ command: 'put-member', clubId, userId: member.userId });
    };
    const { call } = await reader(other);
    const body = { role: 'moderator' };
    const { status } = await call('role', owner, { clubId, userId: member.userId, body });
    expect(status).toBe(403);
    const [item] = await world.itemsOf(clubId, `MEMBER#${member.userId}`);
    expect(item?.['role']).not.toBe('moderator');
  });

  it('has no meeting that a moderator of the earlier club started', async () => {
    const club = await world.createClub();
    const { call } = await reader(() => remove(club));
    expect((await call('start', club.moderator, club)).status).toBe(403);
    expect(await world.meetingOf(club.clubId)).toBeUndefined();
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it('has no history row that a late end puts', async () => {
    const club = await world.startMeeting();
    await service.call('end', club.owner, club);
    await service.call('start', club.owner, club);
    const { call } = await reader(() => remove(club));
    await call('end', club.owner, club);
    expect(await world.itemsOf(club.clubId, 'MEETING#')).toEqual([]);
  });

  it.each(['participant_joined', 'participant_left'])(
    'has no session that a late %s writes',
    async (event) => {
      const { meeting, ...club } = await world.startMeeting();
      const slow = await reader(() => remove(club));
      if (event === 'participant_joined') await world.sendWebhooksTo(slow);
      const sid = await join(meeting.roomName, club.member);
      if (event === 'participant_left') {
        await world.standIn.webhooks.settled();
        await world.sendWebhooksTo(slow);
        await world.media.removeParticipant(meeting.roomName, club.member.userId);
      }
      await world.standIn.webhooks.settled();
      expect(sid).toBeDefined();
      expect(await world.sessionsOf(club.clubId)).toEqual([]);
    },
  );

  it.each(['room_started', 'room_finished'])(
    'has no note of the room of a late %s',
    async (event) => {
      const club = await world.createClub();
      const other = vi.fn(() => remove(club));
      const slow = await world.boot({ faults: [justAfter('GetItem', other)] });
      if (event === 'room_started') await world.sendWebhooksTo(slow);
      const { body: meeting } = await service.call('start', club.owner, club);
      if (event === 'room_finished') {
        await world.standIn.webhooks.settled();
        await world.sendWebhooksTo(slow);
        await world.media.deleteRoom(meeting.roomName);
      }
      await world.standIn.webhooks.settled();
      expect(other).toHaveBeenCalledOnce();
      expect(await world.itemsOf(club.clubId, 'ROOM#')).toEqual([]);
    },
  );

  it('has no note of the room that a cleanup saw', async () => {
    const club = await world.createClub();
    await world.sendWebhooksTo(service);
    const { body: meeting } = await service.call('start', club.owner, club);
    await join(meeting.roomName, club.member);
    await world.standIn.webhooks.settled();
    await world.sendWebhooksTo(undefined);
    const other = vi.fn(() => remove(club));
    const { cleanUp } = await reader(other);
    await cleanUp();
    expect(other).toHaveBeenCalledOnce();
    expect(await world.itemsOf(club.clubId, 'ROOM#')).toEqual([]);
  });
});

const join = (roomName: string, { userId }: User) =>
  world.standIn.join(roomName, { identity: userId });

describe('A person who is forgotten after the read', () => {
  it.each(['join', 'departure'])('has no session that a late %s writes', async (event) => {
    const { meeting, ...club } = await world.startMeeting();
    if (event === 'departure') await join(meeting.roomName, club.member);
    await world.sendWebhooksTo(await reader(() => forget(club, club.member)));
    if (event === 'join') await join(meeting.roomName, club.member);
    else await world.media.removeParticipant(meeting.roomName, club.member.userId);
    await world.standIn.webhooks.settled();
    expect(await world.tracesOf(club, club.member)).toEqual([]);
  });

  it.each(['start', 'end'] as const)('does not %s a meeting at that moment', async (route) => {
    const club = route === 'start' ? await world.createClub() : await world.startMeeting();
    const { call } = await reader(() => forget(club, club.moderator));
    expect((await call(route, club.moderator, club)).status).toBe(403);
    expect(await world.tracesOf(club, club.moderator)).toEqual([]);
  });

  it('is not named by the history row that another end puts', async () => {
    const club = await world.createClub();
    await service.call('start', club.moderator, club);
    await service.call('end', club.moderator, club);
    await service.call('start', club.owner, club);
    const { call } = await reader(() => forget(club, club.moderator));
    expect((await call('end', club.owner, club)).body.success).toBe(true);
    expect(await world.itemsOf(club.clubId, 'MEETING#')).toHaveLength(1);
    expect(await world.tracesOf(club, club.moderator)).toEqual([]);
  });

  it('is not named by the row that an end puts between two steps of forget-user', async () => {
    const club = await world.createClub();
    await service.call('start', club.moderator, club);
    await service.call('end', club.moderator, club);
    await service.call('start', club.owner, club);
    const steps = ['BatchGetItem', 'UpdateItem', 'GetItem', 'Query'];
    for (const step of steps) {
      const { clubId, moderator } = club;
      const end = justAfter(step, () => service.call('end', club.owner, club));
      const { manage } = await world.boot({ faults: [end] });
      await manage({ command: 'forget-user', clubId, userId: moderator.userId });
      expect(await world.tracesOf(club, moderator), step).toEqual([]);
    }
  });

  it('did not start the meeting that is on', async () => {
    const club = await world.createClub();
    await service.call('start', club.moderator, club);
    await forget(club, club.moderator);
    expect((await world.meetingOf(club.clubId))?.startedBy).toBeNull();
    expect(await world.tracesOf(club, club.moderator)).toEqual([]);
  });
});
