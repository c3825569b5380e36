/** A room of a club that was removed, which an old token makes again. */
import { beforeEach, describe, expect, it } from 'vitest';
import { roomNameOf } from '../../lib/meetings/model.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot();
beforeEach(() => world.sendWebhooksTo(undefined));

/** A club that was removed after two meetings. */
async function removedClub() {
  const club = await world.createClub();
  const meetingIds: string[] = [];
  for (const route of ['start', 'end', 'start'] as const) {
    const { body } = await service.call(route, club.owner, club);
    if (route === 'start') meetingIds.push(body.meetingId);
  }
  await service.manage({ command: 'remove-club', clubId: club.clubId });
  return { ...club, meetingIds };
}

/** As a browser does that still has a token, where LiveKit creates rooms by itself. */
async function joinAgain({ clubId, member }: TestClub, meetingId: string): Promise<void> {
  const roomName = roomNameOf(clubId, meetingId);
  await world.media.createRoom({ name: roomName });
  await world.standIn.join(roomName, { identity: member.userId });
}

describe('A room of a removed club that an old token makes again', () => {
  it('is deleted by the webhook, of the last meeting and of the one before', async () => {
    const club = await removedClub();
    for (const meetingId of club.meetingIds) {
      await world.sendWebhooksTo(service);
      await joinAgain(club, meetingId).catch(() => undefined); // it may be gone before they are in
      await world.standIn.webhooks.settled();
      expect(await world.roomsOf(club.clubId)).toEqual([]);
    }
    expect(await world.leftOf(club.clubId)).toEqual([]);
  });

  it('is deleted by the cleanup', async () => {
    const club = await removedClub();
    for (const meetingId of club.meetingIds) await joinAgain(club, meetingId);
    expect(await world.roomsOf(club.clubId)).toHaveLength(2);
    await service.cleanUp();
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it('is deleted also when there is a new club of that id, whose attendance it is not', async () => {
    const club = await removedClub();
    const { clubId, member, owner, meetingIds } = club;
    const moderatorId = owner.userId;
    await service.manage({ command: 'put-club', clubId, name: 'New', moderatorId });
    await service.manage({ command: 'put-member', clubId, userId: member.userId });
    const { body } = await service.call('start', owner, { clubId });
    await world.sendWebhooksTo(service);
    await joinAgain(club, meetingIds.at(-1) ?? '').catch(() => undefined);
    await world.standIn.webhooks.settled();
    expect(await world.roomsOf(clubId)).toEqual([body.roomName]);
    expect(await world.sessionsOf(clubId)).toEqual([]);
    const repeated = { clubId, body: { meetingId: meetingIds[0] } };
    expect((await service.call('end', owner, repeated)).body.code).toBe('MEETING_NOT_ACTIVE');
  });

  it('is left alone when this table never had that meeting: it may be of another stage', async () => {
    const club = await removedClub();
    const [known = ''] = club.meetingIds;
    const unknown = `${known.slice(0, -4)}ZZZZ`;
    await world.sendWebhooksTo(service);
    await joinAgain(club, unknown);
    await world.standIn.webhooks.settled();
    await service.cleanUp();
    expect(await world.roomsOf(club.clubId)).toEqual([roomNameOf(club.clubId, unknown)]);
  });

  it('is recognized for longer than a token works, and then the note expires', async () => {
    const club = await removedClub();
    const day = 86_400;
    for (const { expiresAt } of await world.itemsOf(club.clubId, 'REMOVED#')) {
      const seconds = Number(expiresAt) - Date.now() / 1000;
      expect(seconds).toBeGreaterThan(day + 120);
      expect(seconds).toBeLessThan(3 * day);
    }
  });

  it('is not remembered of meetings that ended days ago', async () => {
    const club = await world.createClub();
    const { clubId, owner } = club;
    const past = await world.boot({ now: () => new Date(Date.now() - 3 * 86_400_000) });
    for (const route of ['start', 'end'] as const) await past.call(route, owner, club);
    const { body } = await service.call('start', owner, club);
    await service.manage({ command: 'remove-club', clubId });
    const named = await world.itemsOf(clubId, 'REMOVED#');
    expect(named.map(({ meetingId }) => meetingId)).toEqual([body.meetingId]);
  });
});
