/** `npm run clubs -- …` on a development stack: its arguments, its output and its exit codes. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { stackTarget, Unreachable } from '../../cli/targets.ts';
import { worldOfFile } from '../harness/world.ts';
import { typed } from './terminal.ts';

const world = await worldOfFile();
const service = await world.boot();

const onStack = async () => stackTarget({ dynamodb: world.database, livekit: world.livekit });
const nowhere = async () => {
  throw new Error('Nothing is to be asked');
};
const clubs = (...args: string[]) => typed(args, onStack);
const TARGET = 'the development stack of this checkout';
const newId = () => `club-${randomUUID().slice(0, 8)}`;

describe('the commands', () => {
  it('from making a club to removing it', async () => {
    const clubId = newId();
    const done = { exit: 0, out: `Done.\nTarget: ${TARGET}\n`, err: '' };
    expect(await clubs('put-club', clubId, '--name', 'Poems', '--moderator', 'ada')).toEqual(done);
    expect(await clubs('put-member', clubId, 'ben', '--name', 'Ben', '--role', 'member')).toEqual(
      done,
    );
    expect(await clubs('put-member', clubId, 'cleo')).toEqual(done);
    expect(await clubs('set-role', clubId, 'ben', 'moderator')).toEqual(done);
    const shown = await clubs('show', clubId);
    const { createdAt, members } = await service.show(clubId);
    const [ben, cleo] = members;
    expect(shown).toEqual({
      exit: 0,
      err: '',
      out: [
        `Club          ${clubId} (Poems)`,
        'Moderator     ada',
        `Since         ${createdAt}`,
        'Meeting       none',
        'Last meeting  none',
        '',
        'USER  ROLE       NAME  JOINED',
        `ben   moderator  Ben   ${ben?.joinedAt}`,
        `cleo  member           ${cleo?.joinedAt}`,
        '',
        '2 members',
        `Target: ${TARGET}`,
        '',
      ].join('\n'),
    });
    expect(await clubs('remove-member', clubId, 'ben')).toEqual(done);
    expect(await clubs('forget-user', clubId, 'cleo', '--yes')).toEqual(done);
    expect((await clubs('show', clubId)).out).toContain('No members.');
    expect(await clubs('remove-club', clubId, '--yes')).toEqual(done);
    expect(await world.leftOf(clubId)).toEqual([]);
  });

  it('show a meeting, who is barred from it, and the last one', async () => {
    const club = await world.createClub();
    const { clubId, owner, member } = club;
    await service.call('start', owner, club);
    await service.call('end', owner, club);
    const { body: meeting } = await service.call('start', owner, club);
    await service.call('remove', owner, { clubId, userId: member.userId });
    const { lastMeeting } = await service.show(clubId);
    const { out } = await clubs('show', clubId);
    expect(out).toContain(`${meeting.meetingId}, since ${meeting.startedAt} by ${owner.userId}`);
    expect(out).toContain(`Kept out      ${member.userId}`);
    expect(out).toContain(`${lastMeeting?.meetingId}, `);
    expect(out).toContain(`(${owner.userId})`);
  });

  it('remove a member from the active meeting', async () => {
    const club = await world.createClub();
    const { clubId, member } = club;
    const { body: meeting } = await service.call('start', club.owner, club);
    await world.standIn.join(meeting.roomName, { identity: member.userId });
    expect((await clubs('remove-member', clubId, member.userId)).exit).toBe(0);
    expect(await world.media.listParticipants(meeting.roomName)).toEqual([]);
  });

  it('answer scripts with JSON, and nothing else on stdout', async () => {
    const { clubId } = await world.createClub();
    const written = vi.spyOn(process.stdout, 'write');
    const logged = vi.spyOn(console, 'info');
    const shown = await clubs('show', clubId, '--json');
    expect(JSON.parse(shown.out)).toEqual({ target: TARGET, ...(await service.show(clubId)) });
    expect(await clubs('--json', 'x')).toMatchObject({ exit: 2 });
    const put = await clubs('put-member', '--json', clubId, 'zoe');
    expect(JSON.parse(put.out)).toEqual({ target: TARGET, done: true });
    expect([...written.mock.calls, ...logged.mock.calls]).toEqual([]);
    vi.restoreAllMocks();
  });

  it('show the characters of a name that a terminal would obey or hide as escapes', async () => {
    const clubId = newId();
    await clubs('put-club', clubId, '--name', 'A', '--moderator', 'ada');
    // As an earlier version, or another program, may have written it.
    const displayName = '\u001b[2J\u202eeve\u200b\u3164\n👩\u200d💻❤️';
    const escaped = String.raw`\u001b[2J\u202eeve\u200b\u3164\u000a👩\u200d💻❤️`;
    await world.put({
      pk: `CLUB#${clubId}`,
      sk: 'MEMBER#eve',
      generation: (await world.recordOf(clubId)).generation,
      userId: 'eve',
      displayName,
      role: 'member',
      joinedAt: '2026-01-01T00:00:00.000Z',
    });
    const { out } = await clubs('show', clubId);
    expect(out).toContain(`eve   member  ${escaped}  2026`);
    const json = (await clubs('show', clubId, '--json')).out;
    expect(json).not.toMatch(/[^\P{C}\n]/u);
    expect(JSON.parse(json).members).toMatchObject([{ displayName }]);
  });

  it('repeat what was typed, with its unseen characters as escapes', async () => {
    expect((await clubs('\u202ewohs')).err).toContain(String.raw`"\u202ewohs" is no command`);
  });
});

describe('exit code 1, refused', () => {
  it.each([
    [['show', 'no-club'], 'CLUB_NOT_FOUND', 'Reading club not found'],
    [['put-member', 'no-club', 'ben'], 'CLUB_NOT_FOUND', 'Reading club not found'],
    [['set-role', 'no-club', 'ben', 'member'], 'CLUB_NOT_FOUND', 'Reading club not found'],
  ])('%j: %s', async (args, code, sentence) => {
    expect(await clubs(...args)).toEqual({
      exit: 1,
      out: '',
      err: `${sentence}\nTarget: ${TARGET}\n`,
    });
    const { exit, out } = await clubs(...args, '--json');
    expect({ exit, answer: JSON.parse(out) }).toEqual({
      exit: 1,
      answer: { error: sentence, code, target: TARGET },
    });
  });

  it('the club’s own moderator cannot be taken off it', async () => {
    const { clubId, owner } = await world.createClub();
    const { exit, err } = await clubs('remove-member', clubId, owner.userId);
    expect({ exit, err }).toEqual({ exit: 1, err: expect.stringContaining('name another one') });
  });
});

describe('exit code 2, not understood', () => {
  it.each([
    [[], 'A command is missing'],
    [['drop'], '"drop" is no command'],
    [['toString'], '"toString" is no command'],
    [['show'], 'show: clubId is missing'],
    [['show', 'a', 'b'], 'show: "b" is one argument too many'],
    [['show', 'a b'], 'show: clubId must be 1 to 64 letters, digits, "-" or "_"'],
    [['show', 'a', '--name', 'x'], "show: Unknown option '--name'"],
    [['show', 'a', '--jsn'], "show: Unknown option '--jsn'"],
    [['put-club', 'a', '--name', 'A'], 'put-club: --moderator is missing'],
    [['put-club', 'a', '--moderator', 'b'], 'put-club: --name is missing'],
    [['put-club', 'a', '--name', '', '--moderator', 'b'], 'put-club: --name must be'],
    [['put-club', 'a', '--name'], "put-club: Option '--name <value>' argument missing"],
    [['put-member', 'a', 'b', '--role', 'owner'], 'put-member: --role must be "member" or'],
    [['set-role', 'a', 'b'], 'set-role: role is missing'],
    [['set-role', 'a', 'b', 'owner'], 'set-role: role must be "member" or "moderator"'],
    [['remove-club', 'a'], 'remove-club deletes for good: add --yes'],
    [['forget-user', 'a', 'b'], 'forget-user deletes for good: add --yes'],
    [['remove-member', 'a', 'b', '--yes'], "remove-member: Unknown option '--yes'"],
    [['show', 'a', '--region', 'eu-central-1'], '--region and --profile belong to a --stage'],
    [['show', 'a', '--stage', 'local', '--profile', 'x'], '--region and --profile belong to'],
    [['show', 'a', '--stage', 'prod;ls'], '--stage must be letters, digits or "-"'],
    [['import'], 'import: file.json is missing'],
    [['import', '/no/such/file.json'], 'no such file'],
    [['import', 'a.json', '--yes'], 'import: --yes belongs to --exact'],
    [['list', 'a'], 'list: "a" is one argument too many'],
  ])('%j, and nothing is asked', async (args, sentence) => {
    const { exit, out, err } = await typed(args, nowhere);
    expect({ exit, out, err }).toEqual({
      exit: 2,
      out: '',
      err: expect.stringContaining(sentence),
    });
    expect(err).toContain('--help');
  });
});

describe('exit code 3, no answer', () => {
  it('no stack runs', async () => {
    const printed = await typed(['show', 'a'], async () => {
      throw new Unreachable('No development stack runs here');
    });
    expect(printed).toEqual({ exit: 3, out: '', err: 'No development stack runs here\n' });
  });

  it('the database is gone', async () => {
    const gone = { ...world.database, endpoint: 'http://127.0.0.1:9' };
    const printed = await typed(['show', 'a', '--json'], async () =>
      stackTarget({ dynamodb: gone, livekit: world.livekit }),
    );
    expect(printed.exit).toBe(3);
    expect(JSON.parse(printed.out)).toEqual({
      error: 'The club records cannot be reached right now; please try again',
      code: 'NO_ANSWER',
      target: TARGET,
    });
  });

  it('LiveKit is unreachable while a member is removed', async () => {
    const club = await world.createClub();
    await service.call('start', club.owner, club);
    const livekit = { ...world.livekit, wsUrl: 'ws://127.0.0.1:9' };
    const printed = await typed(['remove-member', club.clubId, club.member.userId], async () =>
      stackTarget({ dynamodb: world.database, livekit }),
    );
    expect(printed).toMatchObject({ exit: 3, err: expect.stringContaining('try again') });
  });
});

describe('--help', () => {
  it.each([[['--help']], [['show', '--help']], [['remove-club', 'a', '--help']]])(
    '%j names every command and every exit code, and asks nothing',
    async (args) => {
      const { exit, out, err } = await typed(args, nowhere);
      expect({ exit, err }).toEqual({ exit: 0, err: '' });
      for (const command of [
        'put-club',
        'remove-club',
        'put-member',
        'remove-member',
        'set-role',
        'show',
        'list',
        'forget-user',
        'import',
      ]) {
        expect(out).toContain(`\n  ${command} `);
      }
      for (const code of [0, 1, 2, 3]) expect(out).toMatch(new RegExp(`\n  ${code}  `));
      for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    },
  );
});
