/** `npm run clubs -- import`: all of the file is right, or nothing is written; stopped, it goes on. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ImportFile } from '../../cli/import.ts';
import { Refused, stackTarget, type Target, Unreachable } from '../../cli/targets.ts';
import { ClubNotFound } from '../../lib/errors.ts';
import { type ClubCommandDeps, runClubCommand } from '../../lib/meetings/club-commands.ts';
import type { Club, Member } from '../../lib/meetings/model.ts';
import { worldOfFile } from '../harness/world.ts';
import { typed } from './terminal.ts';

const world = await worldOfFile();
const service = await world.boot();
const folder = await mkdtemp(join(tmpdir(), 'clubs-'));
afterAll(() => rm(folder, { recursive: true }));

const onStack = async () => stackTarget({ dynamodb: world.database, livekit: world.livekit });
async function fileWith(content: unknown): Promise<string> {
  const file = join(folder, `${randomUUID()}.json`);
  const isAsItIs = typeof content === 'string' || Buffer.isBuffer(content);
  await writeFile(file, isAsItIs ? content : JSON.stringify(content));
  return file;
}
const newId = () => `club-${randomUUID().slice(0, 8)}`;
const clubOf = (members: object[], clubId = newId()) => ({
  clubId,
  name: 'Novels',
  moderatorId: 'ada',
  members,
});

const people = (count: number): ImportFile['clubs'][number]['members'] =>
  Array.from({ length: count }, (_, index) => ({
    userId: `user-${index}`,
    ...(index % 2 === 0 && { displayName: `Person ${index} 📚` }),
    ...(index % 100 === 0 && { role: 'moderator' as const }),
  }));

describe('10,000 members', () => {
  /** The function's own rules on a table in memory, which fails after so many writes. */
  function inMemory(failAfter = Number.POSITIVE_INFINITY) {
    const clubs = new Map<string, Club>();
    const members = new Map<string, Map<string, Member>>();
    let writes = 0;
    let left = failAfter;
    const write = async (make: () => void) => {
      await Promise.resolve();
      if (left <= 0) throw new Unreachable('the network is gone');
      left -= 1;
      writes += 1;
      make();
    };
    const deps: Pick<ClubCommandDeps, 'clubs' | 'members' | 'administration' | 'now' | 'log'> = {
      clubs: {
        getClub: async (clubId: string) => clubs.get(clubId),
        listMembers: async ({ clubId }: Club, page: { after?: string; limit: number }) =>
          [...(members.get(clubId)?.values() ?? [])]
            .sort((a, b) => (a.userId < b.userId ? -1 : 1))
            .filter(({ userId }) => page.after === undefined || userId > page.after)
            .slice(0, page.limit),
      } as unknown as ClubCommandDeps['clubs'],
      members: {
        read: async (clubId: string, userId: string) => ({
          club: clubs.get(clubId),
          record: members.get(clubId)?.get(userId),
        }),
        write: async (clubId: string, _: unknown, next: Member) => {
          await write(() => {
            const own = members.get(clubId) ?? new Map<string, Member>();
            members.set(clubId, own.set(next.userId, next));
          });
          return true;
        },
      } as unknown as ClubCommandDeps['members'],
      administration: {
        findClub: async (clubId: string) => ({ club: clubs.get(clubId) }),
        makeClub: async (_: unknown, club: Club) => {
          await write(() => clubs.set(club.clubId, club));
          return true;
        },
      } as unknown as ClubCommandDeps['administration'],
      now: () => new Date('2026-01-01T00:00:00.000Z'),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    };
    const target: Target = {
      name: 'a model',
      send: (command) =>
        runClubCommand(deps as ClubCommandDeps, command).catch((error: unknown) => {
          if (error instanceof ClubNotFound) throw new Refused(error.message, error.code);
          throw error;
        }),
      close: () => undefined,
    };
    return {
      connect: async () => target,
      failAfter: (count: number) => {
        left = count;
      },
      writes: () => writes,
      state: () => ({
        clubs: [...clubs.values()],
        members: [...members].map(([clubId, own]) => ({
          clubId,
          members: [...own.values()].sort((a, b) => a.userId.localeCompare(b.userId)),
        })),
      }),
    };
  }

  it('with a mistake in the last one write nothing, and it is named', async () => {
    const { clubId, ...club } = clubOf(people(10_000));
    club.members[9_999] = { userId: 'user-9999', role: 'boss' };
    const file = await fileWith({ clubs: [{ clubId, ...club }] });
    const asked: string[] = [];
    const printed = await typed(['import', file], async () => {
      asked.push('connected');
      return onStack();
    });
    expect(printed).toEqual({
      exit: 1,
      out: '',
      err: [
        `${file} has 1 mistake, and nothing was written:`,
        '  clubs[0].members[9999].role must be "member" or "moderator"',
        '',
      ].join('\n'),
    });
    expect(asked).toEqual([]);
    expect(await world.itemsOf(clubId)).toEqual([]);
  });

  it('can be stopped at any point and repeated, with the same result', async () => {
    const first = clubOf(people(4_000), 'first');
    const file = await fileWith({ clubs: [first, clubOf(people(6_000), 'second')] });
    const whole = inMemory();
    expect((await typed(['import', file], whole.connect)).exit).toBe(0);
    expect(whole.writes()).toBe(10_002);

    const stopped = inMemory();
    for (const failAfter of [0, 1, 2_500, 3_000, 2_000]) {
      stopped.failAfter(failAfter);
      const printed = await typed(['import', file], stopped.connect);
      expect(printed).toMatchObject({ exit: 3, err: expect.stringContaining('network is gone') });
    }
    stopped.failAfter(Number.POSITIVE_INFINITY);
    const last = await typed(['import', file], stopped.connect);
    expect(last.exit).toBe(0);
    expect(stopped.state()).toEqual(whole.state());
    // Nothing was written twice.
    expect(stopped.writes()).toBe(10_002);
    expect(last.err).toContain('first: 4,000 of 4,000 members\n');
    expect(last.err).toContain('second: 6,000 of 6,000 members\n');
    expect((await typed(['import', file], stopped.connect)).out).toBe(
      [
        'CLUB    MEMBERS  WRITTEN  UNCHANGED',
        'first   4000     0        4000',
        'second  6000     0        6000',
        'Target: a model',
        '',
      ].join('\n'),
    );
  });
});

describe('a file', () => {
  const member = { userId: 'ben' };
  const twoClubs = [clubOf([member], 'a'), clubOf([], 'a')];
  it.each<[unknown, string]>([
    ['', 'Unexpected end of JSON input'],
    ['{"clubs": [}', 'Unexpected token'],
    [[], 'the file must be an object'],
    [{}, 'clubs is missing'],
    [{ clubs: null }, 'clubs is missing'],
    [{ clubs: {} }, 'clubs must be a list'],
    [{ clubs: [1] }, 'clubs[0] must be an object'],
    [{ clubs: [], version: 1 }, 'version is not known here'],
    [{ clubs: [clubOf([member, {}])] }, 'clubs[0].members[1].userId is missing'],
    [{ clubs: [clubOf([member, null as never])] }, 'clubs[0].members[1] must be an object'],
    [{ clubs: [clubOf([{ ...member, rol: 'x' }])] }, 'clubs[0].members[0].rol is not known here'],
    [{ clubs: [clubOf([{ ...member, displayName: '\n' }])] }, 'clubs[0].members[0].displayName'],
    [{ clubs: [{ ...clubOf([]), name: '' }] }, 'clubs[0].name must be'],
    [{ clubs: [{ ...clubOf([]), clubId: 'a/b' }] }, 'clubs[0].clubId must be'],
    [{ clubs: [{ ...clubOf([]), members: undefined }] }, 'clubs[0].members is missing'],
    [{ clubs: twoClubs }, 'clubs[1].clubId is that of clubs[0].clubId again'],
    [
      { clubs: [clubOf([member, { userId: 'cleo' }, member])] },
      'clubs[0].members[2].userId is that of clubs[0].members[0].userId again',
    ],
  ])('that is %j is refused with exit code 1, and named', async (content, sentence) => {
    const file = await fileWith(content);
    const { exit, out, err } = await typed(['import', file], async () => {
      throw new Error('Nothing is to be asked');
    });
    expect({ exit, out, err }).toEqual({
      exit: 1,
      out: '',
      err: expect.stringContaining(sentence),
    });
  });

  const named = (name: string) =>
    JSON.stringify({ clubs: [clubOf([{ ...member, displayName: name }])] });
  it.each([
    ['Latin-1', Buffer.from(named('Zoë'), 'latin1'), 'the file is not UTF-8: save it as UTF-8'],
    [
      'UTF-8 that breaks off',
      Buffer.from(named('Zoë')).fill(0xc3, 80, 81),
      'the file is not UTF-8',
    ],
    ['UTF-16', Buffer.from(`\uFEFF${named('Zoë')}`, 'utf16le'), 'the file is UTF-16: save it as'],
    [
      'UTF-16, big end first',
      Buffer.from(`\uFEFF${named('Zoë')}`, 'utf16le').swap16(),
      'the file is UTF-16: save it as UTF-8',
    ],
  ])('in %s is refused, and the encoding is named', async (_, bytes, sentence) => {
    const { exit, err } = await typed(['import', await fileWith(bytes)], onStack);
    expect({ exit, err }).toEqual({ exit: 1, err: expect.stringContaining(`  ${sentence}`) });
  });

  it.each([
    ['{"clubs":[],"clubs":[]}', 'clubs'],
    ['{"clubs":[{"clubId":"a","members":[{"userId":"x"}],"members":[]}]}', 'clubs[0].members'],
    [
      '{"clubs":[{},{"a":{"b":1},"members":[{},{"role":"\\"","r\\u006fle":""}]}]}',
      'clubs[1].members[1].role',
    ],
    ['{"a":{"x":1},"b":{"x":1},"x":[{"x":1},{"x":"a\\\\"}],"x" : 1}', 'x'],
  ])('with a key twice in one object is refused: %s', async (content, place) => {
    const { exit, err } = await typed(['import', await fileWith(content)], onStack);
    expect({ exit, err }).toEqual({
      exit: 1,
      err: expect.stringContaining(
        `has 1 mistake, and nothing was written:\n  ${place} appears twice`,
      ),
    });
  });

  it('with the same key in several objects, and keys’ signs in texts, is read', async () => {
    const clubs = [
      clubOf([member, { userId: 'cleo', displayName: '"userId":,{[' }]),
      clubOf([member]),
    ];
    expect((await typed(['import', await fileWith({ clubs })], onStack)).exit).toBe(0);
  });

  it('with many mistakes names the first twenty, and how many there are', async () => {
    const file = await fileWith({ clubs: [clubOf(people(1_500).map(() => ({ userId: '' })))] });
    const { err } = await typed(['import', file], onStack);
    expect(err).toContain('has 1,500 mistakes');
    expect(err).toContain('clubs[0].members[19].userId');
    expect(err).not.toContain('members[20]');
    expect(err).toContain('… and 1480 more');
  });

  it('with a byte order mark, as some editors write it, is read', async () => {
    const { clubId, ...club } = clubOf([member]);
    const file = await fileWith(`\uFEFF${JSON.stringify({ clubs: [{ clubId, ...club }] })}`);
    expect((await typed(['import', file], onStack)).exit).toBe(0);
    expect((await service.show(clubId)).members).toHaveLength(1);
  });
});

describe('an import', () => {
  it('writes clubs and members as they are in the file, and says what it wrote', async () => {
    const clubs = [clubOf(people(40)), clubOf([])];
    const file = await fileWith({ clubs });
    const printed = await typed(['import', file, '--json'], onStack);
    expect(printed.exit).toBe(0);
    expect(JSON.parse(printed.out)).toEqual({
      target: 'the development stack of this checkout',
      clubs: clubs.map(({ clubId, members }) => ({
        clubId,
        members: members.length,
        written: members.length,
      })),
    });
    const [first] = clubs;
    const shown = await service.show(first?.clubId ?? '');
    expect(shown).toMatchObject({ name: 'Novels', moderatorId: 'ada' });
    const byId = new Map(shown.members.map((each) => [each.userId, each]));
    expect(byId.get('user-0')).toMatchObject({ displayName: 'Person 0 📚', role: 'moderator' });
    expect(byId.get('user-1')).toEqual({
      userId: 'user-1',
      role: 'member',
      joinedAt: expect.any(String),
    });
    expect(byId.size).toBe(40);
  });

  it('changes what is different, and leaves alone what the file does not name', async () => {
    const clubId = newId();
    const before = [
      { userId: 'ada', displayName: 'Ada', role: 'moderator' },
      { userId: 'ben', displayName: 'Ben' },
      { userId: 'cleo' },
    ];
    await typed(['import', await fileWith({ clubs: [clubOf(before, clubId)] })], onStack);
    const { members: first } = await service.show(clubId);
    const change = {
      ...clubOf([{ userId: 'ada' }, { userId: 'ben', displayName: 'Benjamin' }], clubId),
      name: 'Poems',
    };
    const { out } = await typed(['import', await fileWith({ clubs: [change] })], onStack);
    expect(out).toContain(`${clubId}  2        1        1`);
    const shown = await service.show(clubId);
    expect(shown.name).toBe('Poems');
    expect(shown.members).toEqual(
      first.map((each) => (each.userId === 'ben' ? { ...each, displayName: 'Benjamin' } : each)),
    );
  });

  it('leaves a meeting that is on as it is', async () => {
    const club = await world.createClub();
    await service.call('start', club.owner, club);
    const { meeting } = await world.recordOf(club.clubId);
    const file = await fileWith({ clubs: [clubOf(people(20), club.clubId)] });
    expect((await typed(['import', file], onStack)).exit).toBe(0);
    expect(await world.meetingOf(club.clubId)).toEqual(meeting);
  });

  it('begins with no more members once one was refused', async () => {
    let sent = 0;
    const refusing: Target = {
      name: 'one that refuses',
      async send(command) {
        if (command.command === 'show') throw new Refused('none', 'CLUB_NOT_FOUND');
        if (command.command === 'put-member') {
          sent += 1;
          throw new Refused('Reading club not found', 'CLUB_NOT_FOUND');
        }
        return { done: true };
      },
      close: () => undefined,
    };
    const file = await fileWith({ clubs: [clubOf(people(500))] });
    const printed = await typed(['import', file], async () => refusing);
    expect(printed.exit).toBe(1);
    expect(sent).toBeLessThanOrEqual(16);
  });
});
