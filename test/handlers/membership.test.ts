/** Which clubs a person is shown, and which people a club. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { breakOff, on } from '../harness/faults.ts';
import type { User } from '../harness/issuer.ts';
import type { BootOptions } from '../harness/process.ts';
import { worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot();

const person = (username = 'the-user'): User => ({ userId: randomUUID(), username });
const newClubId = () => `club-${randomUUID().slice(0, 8)}`;

async function putClub(moderatorId: string, clubId = newClubId()): Promise<string> {
  await service.manage({ command: 'put-club', clubId, name: `Readers of ${clubId}`, moderatorId });
  return clubId;
}
const putMember = (clubId: string, { userId }: User, more: object = {}) =>
  service.manage({ command: 'put-member', clubId, userId, ...more });

const clubsOf = async (who: User, query?: Record<string, string>, by = service) => {
  const { status, body } = await by.call('myClubs', who, { clubId: '', ...(query && { query }) });
  expect(status).toBe(200);
  return body;
};
const idsOf = async (who: User) => (await clubsOf(who)).clubs.map(({ clubId }) => clubId);
const membersOf = (who: User, clubId: string, query?: Record<string, string>) =>
  service.call('members', who, { clubId, ...(query && { query }) });

/** Every page, one after the other. */
async function allPages<T>(
  page: (query: Record<string, string>) => Promise<{ items: T[]; cursor?: string | undefined }>,
  limit: number,
): Promise<T[][]> {
  const pages: T[][] = [];
  let cursor: string | undefined;
  do {
    const { items, ...next } = await page({ limit: `${limit}`, ...(cursor && { cursor }) });
    pages.push(items);
    cursor = next.cursor;
  } while (cursor !== undefined);
  return pages;
}

describe('A person’s clubs', () => {
  it('are those that they own, moderate or belong to, each once, and no others', async () => {
    const me = person();
    const other = person();
    const owned = await putClub(me.userId);
    await putMember(owned, me);
    const moderated = await putClub(other.userId);
    await putMember(moderated, me, { role: 'moderator' });
    const joined = await putClub(other.userId);
    await putMember(joined, me);
    await service.manage({
      command: 'put-club',
      clubId: joined,
      name: `Readers of ${joined}`,
      moderatorId: other.userId,
      recordingConsent: 'required',
      recordingAccess: 'members',
    });
    await putMember(await putClub(other.userId), other);

    const { clubs, cursor } = await clubsOf(me);
    expect(cursor).toBeUndefined();
    const usual = { recordingConsent: 'notice', recordingAccess: 'moderators', meeting: null };
    const asked = { recordingConsent: 'required', recordingAccess: 'members', meeting: null };
    const name = (clubId: string) => `Readers of ${clubId}`;
    expect(clubs).toEqual(
      [
        { clubId: owned, name: name(owned), role: 'owner', ...usual },
        { clubId: moderated, name: name(moderated), role: 'moderator', ...usual },
        { clubId: joined, name: name(joined), role: 'member', ...asked },
      ].sort((a, b) => (a.clubId < b.clubId ? -1 : 1)),
    );
  });

  it('are none for a caller without clubs', async () => {
    expect(await clubsOf(person())).toEqual({ clubs: [] });
  });

  it('follow the commands: left, removed, handed over', async () => {
    const me = person();
    const heir = person();
    const left = await putClub(heir.userId);
    await putMember(left, me);
    const removed = await putClub(me.userId);
    const handed = await putClub(me.userId);
    expect(await idsOf(me)).toHaveLength(3);

    await service.manage({ command: 'remove-member', clubId: left, userId: me.userId });
    await service.manage({ command: 'remove-club', clubId: removed });
    await putClub(heir.userId, handed);
    expect(await idsOf(me)).toEqual([]);
    expect(await idsOf(heir)).toEqual([left, handed].sort());
  });

  it('have the participant count of an active meeting, from webhooks', async () => {
    const me = person();
    const clubId = await putClub(me.userId);
    const { body: meeting } = await service.call('start', me, { clubId });
    const shown = { meetingId: meeting.meetingId, startedAt: meeting.startedAt };
    const withoutEvents = await clubsOf(me);
    expect(withoutEvents.clubs[0]?.meeting).toEqual({ ...shown, participantCount: null });

    const record = await world.recordOf(clubId);
    const room = { roomSid: 'RM_1', roomCreatedAt: meeting.startedAt };
    const presence = { ...room, observedAt: meeting.startedAt, isComplete: true };
    const key = { pk: `CLUB#${clubId}`, sk: 'CLUB' };
    const inIt = { presentSids: new Set(['PA_1', 'PA_2']) };
    await world.put({
      ...record,
      ...key,
      presence: { ...presence, isFinished: false },
      ...inIt,
    });
    expect((await clubsOf(me)).clubs[0]?.meeting).toEqual({ ...shown, participantCount: 2 });

    await world.put({ ...record, ...key, presence: { ...presence, isFinished: true } });
    expect((await clubsOf(me)).clubs[0]?.meeting).toEqual({ ...shown, participantCount: 0 });
  });

  it('come in pages that together are all of them, each once', async () => {
    const me = person();
    const clubIds: string[] = [];
    for (let club = 0; club < 7; club += 1) {
      const clubId = await putClub(me.userId);
      // Every second one has its owner as a member, too.
      if (club % 2 === 0) await putMember(clubId, me);
      clubIds.push(clubId);
    }
    for (const limit of [1, 2, 3, 6, 7, 8]) {
      const pages = await allPages(async (query) => {
        const { clubs, cursor } = await clubsOf(me, query);
        return { items: clubs.map(({ clubId }) => clubId), cursor };
      }, limit);
      expect(pages.flat()).toEqual(clubIds.toSorted());
      expect(pages.every((page) => page.length <= limit)).toBe(true);
    }
  });

  it('do not need the index to be up to date: the clubs it names are read again', async () => {
    const me = person();
    const clubId = await putClub(person().userId);
    // The index can still list a former member, by an item that grants nothing.
    await world.put({ pk: `CLUB#${clubId}`, sk: 'LEFT', personId: me.userId });
    await world.put({ pk: 'CLUB#gone', sk: 'LEFT', personId: me.userId });
    expect(await clubsOf(me)).toEqual({ clubs: [] });
  });

  it('cost two reads, and nothing of LiveKit', async () => {
    const me = person();
    const clubId = await putClub(me.userId);
    await service.call('start', me, { clubId });
    const { call, wire } = await world.boot();
    expect((await call('myClubs', me, { clubId: '' })).status).toBe(200);
    expect(wire.operations()).toEqual(['Query', 'BatchGetItem']);
  });

  it.each<[string, BootOptions]>([
    ['index', { faults: [on('Query', breakOff())] }],
    ['table', { faults: [on('BatchGetItem', breakOff())] }],
  ])('are an outage, and not none, when the %s does not answer', async (_, options) => {
    const me = person();
    await putClub(me.userId);
    const { call } = await world.boot(options);
    expect((await call('myClubs', me, { clubId: '' })).outcome).toBe('503 STORE_UNAVAILABLE');
  });

  it.each([
    ['a limit of 0', { limit: '0' }, /^limit /],
    ['a limit of 101', { limit: '101' }, /^limit /],
    ['a cursor that is no id', { cursor: 'CLUB#x' }, /^cursor /],
    ['another parameter', { userId: 'the-user' }, /^userId /],
  ])('are refused with %s', async (_, query, sentence) => {
    const { status, body } = await service.call('myClubs', person(), { clubId: '', query });
    expect({ status, error: body.error }).toEqual({
      status: 400,
      error: expect.stringMatching(sentence),
    });
  });

  it('of rows from before the index are listed once a command writes them again', async () => {
    const club = await world.createClub();
    expect(await idsOf(club.member)).toEqual([]);
    await putMember(club.clubId, club.member);
    expect(await idsOf(club.member)).toEqual([club.clubId]);
    expect(await idsOf(club.owner)).toEqual([]);
    await putClub(club.owner.userId, club.clubId);
    expect(await idsOf(club.owner)).toEqual([club.clubId]);
  });
});

describe('The members of a club', () => {
  it('are listed with the owner, whether or not the owner has a member item', async () => {
    const owner = person();
    const [zoe, nameless] = [person(), person()];
    const clubId = await putClub(owner.userId);
    await putMember(clubId, zoe, { displayName: 'Zoë', role: 'moderator' });
    await putMember(clubId, nameless);
    const without = await membersOf(zoe, clubId);
    const byId = (a: { userId: string }, b: { userId: string }) => (a.userId < b.userId ? -1 : 1);
    const others = [
      { userId: zoe.userId, displayName: 'Zoë', role: 'moderator' },
      { userId: nameless.userId, displayName: null, role: 'member' },
    ];
    expect(without.body).toEqual({
      members: [{ userId: owner.userId, displayName: null, role: 'owner' }, ...others].sort(byId),
    });

    await putMember(clubId, owner, { displayName: 'Olga' });
    expect((await membersOf(nameless, clubId)).body).toEqual({
      members: [{ userId: owner.userId, displayName: 'Olga', role: 'owner' }, ...others].sort(byId),
    });
  });

  it.each(['first', 'last', 'in between'])(
    'come in pages that together are all of them, each once, the owner being %s',
    async (place) => {
      const ids = Array.from({ length: 6 }, () => randomUUID()).sort();
      const owner = { first: '-', last: 'zz', 'in between': `${ids[2]}-` }[place] ?? '';
      for (const hasItem of [false, true]) {
        const clubId = await putClub(owner);
        for (const userId of hasItem ? [...ids, owner] : ids) {
          await putMember(clubId, { userId, username: '' });
        }
        for (const limit of [1, 2, 3, 6, 7, 8]) {
          const pages = await allPages(async (query) => {
            const { body } = await membersOf({ userId: owner, username: 'owner' }, clubId, query);
            return { items: body.members.map(({ userId }) => userId), cursor: body.cursor };
          }, limit);
          expect(pages.flat()).toEqual([...ids, owner].sort());
          expect(pages.every((page) => page.length <= limit)).toBe(true);
        }
      }
    },
  );

  it('are hidden from callers who are no members', async () => {
    const club = await world.createClub();
    const elsewhere = await world.createClub();
    for (const stranger of [club.outsider, elsewhere.owner, elsewhere.moderator]) {
      const { status, body } = await membersOf(stranger, club.clubId);
      expect({ status, code: body.code }).toEqual({ status: 403, code: 'NOT_A_MEMBER' });
    }
    const { status } = await membersOf(club.owner, 'no-such-club');
    expect(status).toBe(404);
  });

  it('are those of this club alone, also by a cursor from another', async () => {
    const club = await world.createClub();
    const elsewhere = await world.createClub();
    const cursor = elsewhere.member.userId;
    const { body } = await membersOf(club.member, club.clubId, { cursor });
    const own = [club.owner, club.moderator, club.deputy, club.member, club.other, club.nameless];
    expect(body.members.map(({ userId }) => userId)).toEqual(
      own
        .map(({ userId }) => userId)
        .filter((userId) => userId > cursor)
        .sort(),
    );
  });

  it('cost two reads', async () => {
    const club = await world.createClub();
    const { call, wire } = await world.boot();
    expect((await call('members', club.member, club)).status).toBe(200);
    expect(wire.operations()).toEqual(['BatchGetItem', 'Query']);
  });

  it('are an outage, and not none, when the table does not answer', async () => {
    const club = await world.createClub();
    const { call } = await world.boot({ faults: [on('Query', breakOff())] });
    expect((await call('members', club.member, club)).outcome).toBe('503 STORE_UNAVAILABLE');
  });
});
