/** `npm run clubs -- list` and `import --exact`: drift is found, shown, and mended. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Refused, stackTarget, type Target, Unreachable } from '../../cli/targets.ts';
import type { Command } from '../../lib/meetings/club-commands.ts';
import type { Process } from '../harness/process.ts';
import { startWorld, type World } from '../harness/world.ts';
import { typed } from './terminal.ts';

const TARGET = 'the development stack of this checkout';

let world: World;
let service: Process;
let folder: string;
/** A table of its own for each test: the import is about all clubs. */
beforeEach(async () => {
  world = await startWorld();
  service = await world.boot();
  folder = await mkdtemp(join(tmpdir(), 'clubs-'));
  return async () => {
    await world.close();
    await rm(folder, { recursive: true });
  };
});

const stack = () => stackTarget({ dynamodb: world.database, livekit: world.livekit });
const withoutLiveKit = async () =>
  stackTarget({
    dynamodb: world.database,
    livekit: { ...world.livekit, wsUrl: 'ws://127.0.0.1:9' },
  });
const clubs = (...args: string[]) => typed(args, async () => stack());
const jsonOf = async (...args: string[]) => JSON.parse((await clubs(...args, '--json')).out);

async function fileWith(content: object): Promise<string> {
  const file = join(folder, `${randomUUID()}.json`);
  await writeFile(file, JSON.stringify(content));
  return file;
}

const club = (clubId: string, members: object[] = [], moderatorId = 'ada') => ({
  clubId,
  name: `Name of ${clubId}`,
  moderatorId,
  members,
});

/** The target, with something that happens just before a command is sent. */
const justBefore =
  (what: Command['command'], act: (command: Command) => Promise<unknown>) =>
  async (): Promise<Target> => {
    const target = stack();
    return {
      ...target,
      async send(command) {
        if (command.command === what) await act(command);
        return target.send(command);
      },
    };
  };

/** Clubs and members as the record has them, without its times. */
async function recordNow() {
  const { clubs: listed } = await jsonOf('list');
  return Promise.all(
    listed.map(async ({ clubId }: { clubId: string }) => {
      const { name, moderatorId, members } = await service.show(clubId);
      return {
        clubId,
        name,
        moderatorId,
        members: members.map(({ joinedAt: _, ...member }) => member),
      };
    }),
  );
}

const ben = { userId: 'ben', displayName: 'Ben', role: 'moderator' };
const cleo = { userId: 'cleo', displayName: 'Cleo', role: 'member' };
const dan = { userId: 'dan', role: 'member' };

describe('list', () => {
  it('names every club, in the order of their ids', async () => {
    expect((await clubs('list')).out).toBe(`No clubs.\nTarget: ${TARGET}\n`);
    await clubs('import', await fileWith({ clubs: [club('poems'), club('novels', [ben])] }));
    const { createdAt } = await service.show('novels');
    const { out, exit } = await clubs('list');
    expect(exit).toBe(0);
    expect(out).toContain('CLUB    NAME            MODERATOR  SINCE\n');
    expect(out).toContain(`novels  Name of novels  ada        ${createdAt}\npoems   Name of poems`);
    expect(out).toContain('\n2 clubs\n');
  });

  it('is complete over many pages, also where a page has no club at all', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `club-${index}`);
    await clubs('import', await fileWith({ clubs: ids.map((id) => club(id)) }));
    // 12 MB of attendance: an answer reads 10 at most.
    const text = 'x'.repeat(300_000);
    for (let item = 0; item < 40; item += 1) {
      const pk = `CLUB#club-${item % 12}`;
      await world.put({ pk, sk: `ATTENDANCE#M#${item}`, text });
    }
    const pages: string[] = [];
    const target = stack();
    const printed = await typed(['list', '--json'], async () => ({
      ...target,
      async send(command) {
        pages.push(command.command);
        return target.send(command);
      },
    }));
    expect(JSON.parse(printed.out).clubs.map(({ clubId }: { clubId: string }) => clubId)).toEqual(
      ids.toSorted(),
    );
    expect(pages.length).toBeGreaterThan(1);
  });

  it('asks LiveKit nothing, and works without it', async () => {
    await clubs('put-club', 'novels', '--name', 'Novels', '--moderator', 'ada');
    const printed = await typed(['list'], withoutLiveKit);
    expect(printed).toMatchObject({ exit: 0, out: expect.stringContaining('novels') });
  });

  it('names a club whose removal broke off, until it is finished', async () => {
    const { clubId, owner } = await world.createClub();
    await service.call('start', owner, { clubId });
    const removed = await typed(['remove-club', clubId, '--yes'], withoutLiveKit);
    expect(removed.exit).toBe(3);
    expect(await jsonOf('list')).toMatchObject({ clubs: [], unfinished: [clubId] });
    expect((await clubs('list')).out).toContain(
      `Its removal broke off, send remove-club again: ${clubId}`,
    );
    await clubs('remove-club', clubId, '--yes');
    expect(await jsonOf('list')).toMatchObject({ clubs: [], unfinished: [] });
  });
});

describe('import --exact', () => {
  /** What the record has before each of these, since an hour ago: an import keeps what came just now. */
  const found = {
    asOf: new Date(Date.now() - 3_600_000).toISOString(),
    clubs: [club('novels', [ben, cleo, dan]), club('poems', [cleo]), club('same', [dan])],
  };
  /** What it is to be. */
  const wanted = {
    clubs: [
      club('novels', [{ ...ben, role: 'member' }, { userId: 'cleo' }, { userId: 'eve' }], 'fay'),
      club('same', [dan]),
      club('essays', [ben]),
    ],
  };
  const REMOVALS = [
    { what: 'owner', clubId: 'novels', userId: 'ada' },
    { what: 'member', clubId: 'novels', userId: 'dan' },
    { what: 'role', clubId: 'novels', userId: 'ben', name: 'Ben' },
    { what: 'name', clubId: 'novels', userId: 'cleo', name: 'Cleo' },
    { what: 'club', clubId: 'poems', name: 'Name of poems' },
  ];

  it('without --yes shows what it would remove, writes nothing, and exits with 1', async () => {
    await clubs('import', await fileWith(found));
    const state = await recordNow();
    const file = await fileWith(wanted);
    const printed = await clubs('import', file, '--exact');
    expect(printed).toEqual({
      exit: 1,
      err: '',
      out: [
        'Would remove:',
        'CLUB    USER  NAME           WHAT',
        'novels  ada                  no longer the owner',
        'novels  dan                  a member, from the club',
        'novels  ben   Ben            no longer a moderator',
        'novels  cleo  Cleo           the name',
        'poems         Name of poems  the club, its members, history and attendance',
        '',
        'CLUB    MEMBERS  CHANGES',
        'novels  3        5',
        'essays  1        2',
        'poems            1',
        '',
        'Nothing was written: add --yes if that is what you want.',
        `Target: ${TARGET}`,
        '',
      ].join('\n'),
    });
    expect(await jsonOf('import', file, '--exact')).toMatchObject({
      isEqual: false,
      removals: REMOVALS,
    });
    expect(await recordNow()).toEqual(state);
  });

  it('with --yes shows what it removes first, and makes the record equal to the file', async () => {
    await clubs('import', await fileWith(found));
    const file = await fileWith(wanted);
    const printed = await clubs('import', file, '--exact', '--yes');
    expect(printed.exit).toBe(0);
    expect(printed.err).toMatch(/^Removes:\n/);
    expect(printed.err).toContain('poems         Name of poems  the club, its members');
    expect(printed.out).toContain('novels  3        5        0     0');
    expect(await recordNow()).toEqual([
      club('essays', [ben]),
      club(
        'novels',
        [
          { ...ben, role: 'member' },
          { userId: 'cleo', role: 'member' },
          { userId: 'eve', role: 'member' },
        ],
        'fay',
      ),
      club('same', [dan]),
    ]);
    expect(await clubs('import', file, '--exact')).toEqual({
      exit: 0,
      err: '',
      out: `The clubs are equal to the file.\nTarget: ${TARGET}\n`,
    });
  });

  it('removes nothing that was added after the reading of the file began', async () => {
    await clubs('import', await fileWith(found));
    const file = await fileWith({ clubs: [club('same', [dan])] });
    let isDone = false;
    const meanwhile = justBefore('list', async () => {
      if (isDone) return;
      isDone = true;
      await clubs('put-member', 'same', 'late');
      await clubs('put-member', 'poems', 'late');
      await clubs('put-club', 'late', '--name', 'Late', '--moderator', 'ada');
      await clubs('put-club', 'novels', '--name', 'Renamed meanwhile', '--moderator', 'ada');
    });
    const printed = await typed(['import', file, '--exact', '--yes'], meanwhile);
    expect(printed.exit).toBe(0);
    const names = (await recordNow()).map(({ clubId }: { clubId: string }) => clubId);
    // Nor does it remove the club that a member joined.
    expect(names).toEqual(['late', 'novels', 'poems', 'same']);
    expect((await service.show('same')).members.map(({ userId }) => userId)).toEqual([
      'dan',
      'late',
    ]);
    expect(printed.out).toContain('KEPT: the record has something newer than the file.');
  });

  it('does not add a member who was removed after the time that the file gives', async () => {
    await clubs('import', await fileWith({ clubs: [club('novels', [ben, cleo])] }));
    const asOf = new Date().toISOString();
    await clubs('remove-member', 'novels', 'cleo');
    await clubs('set-role', 'novels', 'ben', 'member');
    await clubs('put-member', 'novels', 'eve');
    const file = await fileWith({ asOf, clubs: [club('novels', [ben, cleo])] });
    const { exit, out } = await clubs('import', file, '--exact', '--yes');
    expect({ exit, out }).toEqual({
      exit: 0,
      out: expect.stringContaining('novels  2        0        3'),
    });
    expect((await service.show('novels')).members).toMatchObject([
      { userId: 'ben', role: 'member' },
      { userId: 'eve' },
    ]);
    // The same time holds for an import that only adds.
    await clubs('import', file);
    expect((await service.show('novels')).members).toMatchObject([
      { userId: 'ben', role: 'member' },
      { userId: 'eve' },
    ]);
  });

  it('takes no time of the file that is later than its reading', async () => {
    const asOf = new Date(Date.now() + 3_600_000).toISOString();
    const plan = await jsonOf('import', await fileWith({ asOf, clubs: [] }), '--exact');
    expect(Date.parse(plan.asOf)).toBeLessThanOrEqual(Date.now());
  });

  it('can be stopped before any command and repeated, with the same result', async () => {
    await clubs('import', await fileWith(found));
    const file = await fileWith(wanted);
    let sent = 0;
    for (let stopAt = 1; ; stopAt += 1) {
      sent = 0;
      const target = stack();
      const printed = await typed(['import', file, '--exact', '--yes'], async () => ({
        ...target,
        async send(command) {
          if (command.command !== 'list' && command.command !== 'show') sent += 1;
          if (sent === stopAt) throw new Unreachable('the network is gone');
          return target.send(command);
        },
      }));
      if (printed.exit === 0) break;
      expect(printed).toMatchObject({ exit: 3, err: expect.stringContaining('network is gone') });
    }
    expect((await clubs('import', file, '--exact')).exit).toBe(0);
  });

  it('completes the removal of a club that was interrupted', async () => {
    const { clubId, owner } = await world.createClub();
    await service.call('start', owner, { clubId });
    const file = await fileWith({ clubs: [] });
    const broken = await typed(['import', file, '--exact', '--yes'], withoutLiveKit);
    expect(broken.exit).toBe(3);
    expect(await jsonOf('import', file, '--exact')).toMatchObject({
      isEqual: false,
      removals: [{ what: 'rest of a club', clubId }],
    });
    expect((await clubs('import', file, '--exact', '--yes')).exit).toBe(0);
    expect((await clubs('import', file, '--exact')).exit).toBe(0);
    expect(await world.media.listRooms()).toEqual([]);
  });

  it('goes on after a change that is refused, names it, and exits with 1', async () => {
    await clubs('import', await fileWith(found));
    const file = await fileWith({ clubs: [club('novels', [ben])] });
    // Another command makes a member of the club its owner, just before the import removes them.
    const meanwhile = justBefore('remove-member', async (command) => {
      if ('userId' in command && command.userId === 'cleo') {
        await clubs('put-club', 'novels', '--name', 'Name of novels', '--moderator', 'cleo');
      }
    });
    const printed = await typed(['import', file, '--exact', '--yes'], meanwhile);
    expect(printed.exit).toBe(1);
    expect(printed.out).toContain("Refused: novels cleo: The club's own moderator cannot be taken");
    expect(await recordNow()).toMatchObject([
      { clubId: 'novels', moderatorId: 'cleo', members: [{ userId: 'ben' }, { userId: 'cleo' }] },
    ]);
  });

  it('leaves the owner’s own membership, which no command removes', async () => {
    await clubs('import', await fileWith({ clubs: [club('novels', [{ userId: 'ada' }, dan])] }));
    const file = await fileWith({ clubs: [club('novels', [dan])] });
    expect((await clubs('import', file, '--exact')).exit).toBe(0);
  });

  it('takes who is removed out of a meeting that is on, and leaves the others in it', async () => {
    const { clubId, owner, member, moderator } = await world.createClub();
    const { body: meeting } = await service.call('start', owner, { clubId });
    await world.standIn.join(meeting.roomName, { identity: member.userId });
    await world.standIn.join(meeting.roomName, { identity: moderator.userId });
    const { name } = await service.show(clubId);
    const file = await fileWith({
      clubs: [{ clubId, name, moderatorId: owner.userId, members: [{ userId: moderator.userId }] }],
    });
    expect((await clubs('import', file, '--exact', '--yes')).exit).toBe(0);
    const there = await world.media.listParticipants(meeting.roomName);
    expect(there.map(({ identity }) => identity)).toEqual([moderator.userId]);
  });

  it('a refused reading of the record writes nothing', async () => {
    const file = await fileWith({ clubs: [] });
    const asked: string[] = [];
    const printed = await typed(['import', file, '--exact', '--yes'], async () => ({
      name: 'an older function',
      async send({ command }) {
        asked.push(command);
        throw new Refused('command must be one of the commands', 'INVALID_REQUEST');
      },
      close: () => undefined,
    }));
    expect(printed.exit).toBe(1);
    expect(asked).toEqual(['list']);
  });
});
