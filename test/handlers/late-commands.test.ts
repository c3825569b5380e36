/** Commands that arrive late, again or in another order than that in which things happened. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { User } from '../harness/issuer.ts';
import { worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot();

const DONE = { done: true };
const stale = (...fields: string[]) => ({ done: true, stale: fields });
const newId = () => `club-${randomUUID().slice(0, 8)}`;
const person = (): User => ({ userId: randomUUID(), username: 'the-user' });
/** So many minutes after the beginning of the stories. */
const at = (minutes: number): string =>
  new Date(Date.parse('2026-03-01T12:00:00.000Z') + minutes * 60_000).toISOString();

async function clubMadeAt(minutes: number) {
  const [clubId, owner] = [newId(), person()];
  const send = (command: string, fields: object = {}) =>
    service.manage({ command, clubId, ...fields });
  const about = (command: string, { userId }: User, minute: number | undefined, fields = {}) =>
    send(command, { userId, ...(minute !== undefined && { occurredAt: at(minute) }), ...fields });
  const put = (minute: number, name = 'Novels', moderatorId = owner.userId) =>
    send('put-club', { name, moderatorId, occurredAt: at(minute) });
  expect(await put(minutes)).toEqual(DONE);
  const find = async ({ userId }: User) =>
    (await service.show(clubId)).members.find((member) => member.userId === userId);
  return { clubId, owner, send, about, put, find };
}

describe('An older command', () => {
  it('put-member does not add a member who was removed since, even two weeks later', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    const put = () => club.about('put-member', zoe, 1, { displayName: 'Z', role: 'moderator' });
    expect(await put()).toEqual(DONE);
    expect(await club.about('remove-member', zoe, 2)).toEqual(DONE);
    const later = await world.boot({ now: () => new Date(Date.now() + 14 * 86_400_000) });
    const again = { command: 'put-member', clubId: club.clubId, userId: zoe.userId };
    for (const by of [service, later]) {
      const answer = await by.manage({ ...again, role: 'moderator', occurredAt: at(1) });
      expect(answer).toEqual(stale('membership', 'role'));
      expect(await club.find(zoe)).toBeUndefined();
    }
  });

  it('remove-member that comes before the put-member it undoes keeps the person out', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    expect(await club.about('remove-member', zoe, 2)).toEqual(DONE);
    expect(await club.about('put-member', zoe, 1)).toEqual(stale('membership'));
    expect(await club.find(zoe)).toBeUndefined();
    expect(await club.about('put-member', zoe, 3)).toEqual(DONE);
    expect(await club.find(zoe)).toMatchObject({ role: 'member' });
  });

  it('changes the fields of which nothing newer is known, and says which stay', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    await club.about('put-member', zoe, 1);
    await club.about('set-role', zoe, 5, { role: 'moderator' });
    expect(await club.about('put-member', zoe, 3, { displayName: 'Zoë', role: 'member' })).toEqual(
      stale('role'),
    );
    expect(await club.find(zoe)).toMatchObject({ displayName: 'Zoë', role: 'moderator' });
    expect(await club.about('put-member', zoe, 2, { displayName: 'Zo', role: 'member' })).toEqual(
      stale('membership', 'name', 'role'),
    );
    expect(await club.find(zoe)).toMatchObject({ displayName: 'Zoë', role: 'moderator' });
  });

  it('remove-member takes the role and the name that were given before it', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    await club.about('put-member', zoe, 1, { displayName: 'Zoë', role: 'moderator' });
    await club.about('put-member', zoe, 3);
    expect(await club.about('remove-member', zoe, 2)).toEqual(stale('membership'));
    const found = await club.find(zoe);
    expect(found).toMatchObject({ role: 'member' });
    expect(found?.displayName).toBeUndefined();
  });

  it('set-role does not undo what the club’s moderator decided since over HTTP', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    await club.about('put-member', zoe, 1);
    const { status } = await service.call('role', club.owner, {
      clubId: club.clubId,
      userId: zoe.userId,
      body: { role: 'moderator' },
    });
    expect(status).toBe(200);
    expect(await club.about('set-role', zoe, 2, { role: 'member' })).toEqual(stale('role'));
    expect(await club.find(zoe)).toMatchObject({ role: 'moderator' });
  });

  it('remove-member does not disconnect a member who was added again since', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    const { clubId } = club;
    await club.about('put-member', zoe, 3);
    const { body: meeting } = await service.call('start', club.owner, { clubId });
    await world.standIn.join(meeting.roomName, { identity: zoe.userId });
    await club.about('remove-member', zoe, 2);
    expect(await world.media.listParticipants(meeting.roomName)).toHaveLength(1);
    expect((await service.call('token', zoe, { clubId })).status).toBe(200);
  });

  it('put-club neither renames a club nor brings one back that was removed since', async () => {
    const club = await clubMadeAt(2);
    expect(await club.put(1, 'Old', 'another-user')).toEqual(stale('club'));
    expect(await service.show(club.clubId)).toMatchObject({
      name: 'Novels',
      moderatorId: club.owner.userId,
    });
    expect(await club.send('remove-club', { occurredAt: at(3) })).toEqual(DONE);
    expect(await club.put(2)).toEqual(stale('club'));
    expect(await club.send('show')).toMatchObject({ code: 'CLUB_NOT_FOUND' });
  });

  it('remove-club leaves a club that was put since', async () => {
    const club = await clubMadeAt(2);
    expect(await club.send('remove-club', { occurredAt: at(1) })).toEqual(stale('club'));
    expect(await service.show(club.clubId)).toMatchObject({ name: 'Novels' });
  });

  it('about a member of a club that was removed since changes nothing in the next club', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    await club.about('put-member', zoe, 1, { role: 'moderator' });
    await club.send('remove-club', { occurredAt: at(5) });
    const late = () => club.about('put-member', zoe, 4, { role: 'moderator' });
    expect(await late()).toEqual(stale('membership', 'role'));
    await club.put(6);
    expect(await late()).toEqual(stale('membership', 'role'));
    expect(await club.about('set-role', zoe, 4, { role: 'moderator' })).toMatchObject({
      stale: ['role'],
    });
    expect(await club.find(zoe)).toBeUndefined();
  });
});

describe('A command', () => {
  it('with the same time as the recorded one applies, so that it can be repeated', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    await club.about('put-member', zoe, 1, { displayName: 'A' });
    expect(await club.about('put-member', zoe, 1, { displayName: 'B' })).toEqual(DONE);
    expect(await club.find(zoe)).toMatchObject({ displayName: 'B' });
  });

  it('without a time has the time of its arrival, whatever the clocks say', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    const soon = new Date(Date.now() + 4 * 60_000).toISOString();
    expect(await club.about('put-member', zoe, undefined, { occurredAt: soon })).toEqual(DONE);
    expect(await club.about('remove-member', zoe, undefined)).toEqual(DONE);
    expect(await club.find(zoe)).toBeUndefined();
    // A repetition of the first is older than what arrived after it.
    expect(await club.about('put-member', zoe, undefined, { occurredAt: soon })).toEqual(
      stale('membership'),
    );
    const slow = await world.boot({ now: () => new Date(0) });
    const { clubId } = club;
    expect(await slow.manage({ command: 'put-member', clubId, userId: zoe.userId })).toEqual(DONE);
    expect(await club.find(zoe)).toBeDefined();
  });

  it.each([
    ['put-club', { name: 'A', moderatorId: 'ada' }],
    ['remove-club', {}],
    ['put-member', { userId: 'ben' }],
    ['remove-member', { userId: 'ben' }],
    ['set-role', { userId: 'ben', role: 'member' }],
    ['forget-user', { userId: 'ben' }],
  ])('%s that is more than five minutes ahead is refused', async (command, fields) => {
    const { clubId, send } = await clubMadeAt(0);
    await send('put-member', { userId: 'ben' });
    const before = await world.itemsOf(clubId);
    const occurredAt = new Date(Date.now() + 6 * 60_000).toISOString();
    expect(await send(command, { ...fields, occurredAt })).toEqual({
      error: 'occurredAt must not be more than 5 minutes ahead',
      code: 'INVALID_REQUEST',
    });
    expect(await world.itemsOf(clubId)).toEqual(before);
  });

  it.each(['yesterday', '2026-03-01', '2026-03-01T12:00:00', '2026-02-30T12:00:00Z', 1, {}])(
    'whose time is %j is refused',
    async (occurredAt) => {
      const { send } = await clubMadeAt(0);
      expect(await send('put-member', { userId: 'ben', occurredAt })).toMatchObject({
        error: expect.stringContaining('occurredAt must be a time in UTC'),
        code: 'INVALID_REQUEST',
      });
    },
  );

  it('may have a time of any precision', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    const put = (occurredAt: string, displayName: string) =>
      club.about('put-member', zoe, undefined, { occurredAt, displayName });
    await put('2026-03-02T12:00:00.000500Z', 'B');
    expect(await put('2026-03-02T11:59:59.999Z', 'A')).toMatchObject({ stale: expect.anything() });
    expect(await put('2026-03-02T12:00:01Z', 'C')).toEqual(DONE);
    expect(await club.find(zoe)).toMatchObject({ displayName: 'C' });
  });
});

describe('A member who was removed', () => {
  it('is absent from every read, and the note expires after 30 days', async () => {
    const [club, zoe] = [await clubMadeAt(0), person()];
    const { clubId } = club;
    await club.about('put-member', zoe, 1, { displayName: 'Zoë', role: 'moderator' });
    await service.call('start', club.owner, { clubId });
    await club.about('remove-member', zoe, 2);

    for (const route of ['token', 'status', 'meetings', 'members', 'start', 'end'] as const) {
      const { body } = await service.call(route, zoe, { clubId });
      const isModerators = route === 'start' || route === 'end';
      expect(body.code, route).toBe(isModerators ? 'NOT_A_MODERATOR' : 'NOT_A_MEMBER');
    }
    const { userId } = zoe;
    const readmitted = await service.call('readmit', club.owner, { clubId, userId });
    expect(readmitted.body.code).toBe('MEMBER_NOT_FOUND');
    const { body: listed } = await service.call('members', club.owner, { clubId });
    expect(listed.members.map((member) => member.userId)).toEqual([club.owner.userId]);
    expect((await service.call('myClubs', zoe, { clubId: '' })).body.clubs).toEqual([]);
    expect((await service.show(clubId)).members).toEqual([]);

    const [note] = await world.itemsOf(clubId, `MEMBER#${userId}`);
    expect(note).toEqual({
      pk: `CLUB#${clubId}`,
      sk: `MEMBER#${userId}`,
      userId,
      generation: expect.any(String),
      membershipAt: at(2),
      nameAt: at(2),
      roleAt: at(2),
      removedAt: at(2),
      expiresAt: Date.parse(at(2)) / 1000 + 30 * 86_400,
    });
  });
});

describe('Commands in any order, some of them twice', () => {
  const USERS = ['ann', 'bob'];
  const OWNERS = ['ada', 'eva'];

  /** The commands of an application about one club: it changes only those who are members at that moment. */
  const story = fc
    .array(
      fc.record({
        does: fc.constantFrom('put-club', 'put', 'put', 'set-role', 'remove', 'forget'),
        who: fc.constantFrom(...USERS),
        name: fc.constantFrom('A', 'B', undefined),
        role: fc.constantFrom('member', 'moderator', undefined),
        owner: fc.constantFrom(...OWNERS),
      }),
      { minLength: 2, maxLength: 10 },
    )
    .map((deeds) => {
      const members = new Set<string>();
      const commands: object[] = [{ command: 'put-club', name: 'First', moderatorId: 'ada' }];
      for (const { does, who, name, role, owner } of deeds) {
        if (does === 'put-club') {
          commands.push({ command: does, name: `Club ${commands.length}`, moderatorId: owner });
        } else if (does === 'put') {
          members.add(who);
          commands.push({ command: 'put-member', userId: who, displayName: name, role });
        } else if (members.has(who)) {
          const isKept = does === 'set-role';
          if (!isKept) members.delete(who);
          const command = { 'set-role': does, remove: 'remove-member', forget: 'forget-user' }[
            does
          ];
          commands.push({ command, userId: who, ...(isKept && { role: role ?? 'member' }) });
        }
      }
      return commands.map((command, minute) => ({ ...command, occurredAt: at(minute) }));
    });

  /** Repeats refused commands, as Lambda and the application do, until no more succeed. */
  async function sendAll(clubId: string, commands: object[]): Promise<void> {
    let left = commands;
    while (left.length > 0) {
      const refused: object[] = [];
      for (const command of left) {
        const answer = await service.manage({ ...command, clubId });
        if ('error' in answer) refused.push(command);
      }
      expect(refused.length, 'refused again').toBeLessThan(left.length);
      left = refused;
    }
  }

  const outcomeOf = async (clubId: string) => {
    const { name, moderatorId, members } = await service.show(clubId);
    return {
      name,
      moderatorId,
      members: members.map(({ userId, displayName, role }) => ({ userId, displayName, role })),
    };
  };

  it('end in the record that they make in the order of events', { timeout: 60_000 }, async () => {
    const shuffled = story.chain((commands) =>
      fc.record({
        commands: fc.constant(commands),
        arrivals: fc
          .tuple(
            fc.shuffledSubarray(commands, { minLength: commands.length }),
            fc.subarray(commands),
          )
          .map((parts) => parts.flat()),
      }),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, async ({ commands, arrivals }) => {
        const [expected, club] = [newId(), newId()];
        await sendAll(expected, commands);
        await sendAll(club, arrivals);
        expect(await outcomeOf(club)).toEqual(await outcomeOf(expected));
      }),
      { numRuns: 15 },
    );
  });
});
