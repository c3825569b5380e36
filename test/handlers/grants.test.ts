/** What a moderator's token was granted is known from the note that was made before it was signed. */
import { describe, expect, it } from 'vitest';
import { justAfter, justBefore } from '../harness/faults.ts';
import { claimsOf, type User } from '../harness/issuer.ts';

import { type TestClub, worldOfFile } from '../harness/world.ts';

const FULL = { MODERATOR_GRANTS: 'full' };
const NOW = { effective: 'now' };
const LATER = { effective: 'after-token-expiry', until: expect.any(String) };

const world = await worldOfFile();
const service = await world.boot({ env: FULL });

const tokenFor = async (who: User, { clubId }: { clubId: string }, by = service) =>
  (await by.call('token', who, { clubId })).body;
const demote = async ({ clubId, owner }: TestClub, { userId }: User, by = service) =>
  (await by.call('role', owner, { clubId, userId, body: { role: 'member' } })).body;
const noteOf = async ({ clubId }: TestClub, { userId }: User) =>
  (await world.itemsOf(clubId, `GRANTS#${userId}`))[0];

describe('A demotion is effective', () => {
  it('now for a moderator who got no token', async () => {
    const club = await world.startMeeting();
    expect(await demote(club, club.moderator)).toMatchObject(NOW);
  });

  it('after the expiry for one who got a token, each time', async () => {
    const club = await world.startMeeting();
    await tokenFor(club.moderator, club);
    for (let again = 0; again < 2; again++) {
      expect(await demote(club, club.moderator)).toMatchObject({ ...LATER, isRenewed: true });
    }
  });

  it('now for one whose token was signed with `none`', async () => {
    const club = await world.startMeeting();
    await tokenFor(club.moderator, club, await world.boot());
    expect(await demote(club, club.moderator)).toMatchObject(NOW);
    expect(await noteOf(club, club.moderator)).toBeUndefined();
  });

  it('after the expiry also once the service grants `none`', async () => {
    const club = await world.startMeeting();
    await tokenFor(club.moderator, club);
    const later = await world.boot({ env: { MODERATOR_GRANTS: 'none' } });
    expect(await demote(club, club.moderator, later)).toMatchObject(LATER);
  });

  it('after the expiry for a moderator who left the club and came back', async () => {
    const club = await world.startMeeting();
    const { clubId, moderator } = club;
    await tokenFor(moderator, club);
    for (const command of ['remove-member', 'put-member']) {
      await service.manage({ command, clubId, userId: moderator.userId });
    }
    // Barred, so LiveKit does not renew the token.
    expect(await demote(club, moderator)).toMatchObject({ ...LATER, isRenewed: false });
    await service.call('readmit', club.owner, { clubId, userId: moderator.userId });
    expect(await demote(club, moderator)).toMatchObject({ ...LATER, isRenewed: true });
  });

  it('after the expiry of the grant for the former owner', async () => {
    const club = await world.startMeeting();
    const { clubId, owner: former, deputy: owner } = club;
    await tokenFor(former, club);
    await service.manage({ command: 'put-club', clubId, name: 'A', moderatorId: owner.userId });
    await service.manage({ command: 'put-member', clubId, userId: former.userId });
    expect(await demote({ ...club, owner }, former)).toMatchObject({ ...LATER, isRenewed: true });
    const { body } = await service.call('remove', owner, { clubId, userId: former.userId });
    expect(body).toMatchObject({ isBarred: true, ...LATER, isRenewed: false });
  });

  it('after the expiry of a token of the last meeting, while the next one is on', async () => {
    const club = await world.startMeeting();
    await tokenFor(club.moderator, club);
    await service.call('end', club.owner, club);
    await service.call('start', club.owner, club);
    const { lastMeeting } = await world.recordOf(club.clubId);
    const until = new Date(Date.parse(lastMeeting?.endedAt ?? '') + 11 * 60_000).toISOString();
    const { clubId } = club;
    expect(await demote(club, club.moderator)).toMatchObject({ ...LATER, until, isRenewed: false });
    const target = { clubId, userId: club.moderator.userId };
    const { body } = await service.call('remove', club.owner, target);
    expect(body).toMatchObject({ ...LATER, until, isRenewed: false });
  });

  it('at the latest after the start of the meeting that came after that of the token', async () => {
    const club = await world.startMeeting();
    await tokenFor(club.moderator, club);
    for (const route of ['end', 'start', 'end'] as const)
      await service.call(route, club.owner, club);
    const { lastMeeting } = await world.recordOf(club.clubId);
    const until = new Date(Date.parse(lastMeeting?.startedAt ?? '') + 11 * 60_000).toISOString();
    expect(await demote(club, club.moderator)).toMatchObject({ ...LATER, until });
  });
});

describe('A removal', () => {
  it('with allowRejoin leaves a grant that is renewed when the person comes back', async () => {
    const club = await world.startMeeting();
    const { clubId, owner, moderator } = club;
    await tokenFor(moderator, club);
    const target = { clubId, userId: moderator.userId, body: { allowRejoin: true } };
    const { body } = await service.call('remove', owner, target);
    expect(body).toMatchObject({ isBarred: false, ...LATER, isRenewed: true });
  });
});

describe('A note', () => {
  it('is written once for a meeting, before the token is answered', async () => {
    const club = await world.startMeeting();
    const { call, wire } = await world.boot({ env: FULL });
    const costs: string[][] = [];
    for (let again = 0; again < 2; again++) {
      wire.forget();
      await call('token', club.moderator, club);
      costs.push(wire.operations());
    }
    const read = ['BatchGetItem'];
    expect(costs).toEqual([[...read, 'PutItem', 'BatchGetItem'], read]);
    expect(await noteOf(club, club.moderator)).toMatchObject({
      userId: club.moderator.userId,
      meetingId: (await world.meetingOf(club.clubId))?.meetingId,
      grants: 'full',
      expiresAt: expect.any(Number),
    });
  });

  it('is not made for a member', async () => {
    const club = await world.startMeeting();
    await tokenFor(club.member, club);
    expect(await world.itemsOf(club.clubId, 'GRANTS#')).toEqual([]);
  });

  it('grows with the grants: from `room` to `full`, and not back', async () => {
    const club = await world.startMeeting();
    const grants: unknown[] = [];
    for (const kind of ['room', 'full', 'room']) {
      await tokenFor(club.moderator, club, await world.boot({ env: { MODERATOR_GRANTS: kind } }));
      grants.push((await noteOf(club, club.moderator))?.['grants']);
    }
    expect(grants).toEqual(['room', 'full', 'full']);
  });

  it('goes with forget-user and with remove-club', async () => {
    const club = await world.startMeeting();
    const { clubId } = club;
    await tokenFor(club.moderator, club);
    await tokenFor(club.owner, club);
    await service.manage({ command: 'forget-user', clubId, userId: club.moderator.userId });
    expect(await noteOf(club, club.moderator)).toBeUndefined();
    await service.manage({ command: 'remove-club', clubId });
    expect(await world.itemsOf(clubId, 'GRANTS#')).toEqual([]);
  });
});

describe.each([
  ['just before', justBefore],
  ['just after', justAfter],
] as const)('%s the note', (when, at) => {
  it('a demotion makes the token a member’s; what it answers is no less than the truth', async () => {
    const club = await world.startMeeting();
    const demotions: unknown[] = [];
    const faults = [at('PutItem', async () => demotions.push(await demote(club, club.moderator)))];
    const token = await tokenFor(club.moderator, club, await world.boot({ env: FULL, faults }));
    expect(token).toMatchObject({ isModerator: false });
    expect(claimsOf(token.token)).toMatchObject({ video: { roomAdmin: false, roomRecord: false } });
    expect(demotions).toMatchObject([when === 'just before' ? NOW : LATER]);
  });

  it('a removal leaves no token', async () => {
    const club = await world.startMeeting();
    const { clubId, owner, moderator } = club;
    const removes = () => service.call('remove', owner, { clubId, userId: moderator.userId });
    const { call } = await world.boot({ env: FULL, faults: [at('PutItem', removes)] });
    expect((await call('token', moderator, club)).outcome).toBe('403 REMOVED_FROM_MEETING');
  });

  it.each(['forget-user', 'remove-club'])('%s leaves neither token nor note', async (command) => {
    const club = await world.startMeeting();
    const { clubId } = club;
    const who = command === 'forget-user' ? club.moderator : club.owner;
    const target = command === 'forget-user' ? { userId: who.userId } : {};
    const faults = [at('PutItem', () => service.manage({ command, clubId, ...target }))];
    const { call } = await world.boot({ env: FULL, faults });
    expect((await call('token', who, club)).status).toBeGreaterThanOrEqual(403);
    expect(await world.itemsOf(clubId, 'GRANTS#')).toEqual([]);
  });
});
