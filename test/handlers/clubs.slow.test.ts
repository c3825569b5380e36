/** How the application that owns the clubs keeps them up to date: one command at a time, repeatable. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHandler } from '../../functions/clubs.ts';
import { createClubCommandDeps } from '../../lib/deps.ts';
import {
  ClubNotFound,
  InvalidRequest,
  MediaUnavailable,
  StoreUnavailable,
} from '../../lib/errors.ts';
import type { Club } from '../../lib/meetings/model.ts';
import { contextOf } from '../harness/context.ts';
import { cut, justAfter, justBefore, killedAfter, on } from '../harness/faults.ts';
import type { User } from '../harness/issuer.ts';
import { type StartedClub, type TestClub, worldOfFile } from '../harness/world.ts';

const DONE = { done: true };
const eventsDir = new URL('../../events/', import.meta.url);

const world = await worldOfFile();
const service = await world.boot();
beforeEach(async () => {
  await world.sendWebhooksTo(undefined);
  service.lines.length = 0;
});

const enter = ({ meeting }: StartedClub, who: User) =>
  world.standIn.join(meeting.roomName, { identity: who.userId, tracks: [{}] });
const identitiesIn = async ({ meeting }: StartedClub) =>
  (await world.media.listParticipants(meeting.roomName)).map(({ identity }) => identity);

const about = (command: string, { clubId }: { clubId: string }, { userId }: User) => ({
  command,
  clubId,
  userId,
});
const newId = (prefix: string) => `${prefix}-${randomUUID().slice(0, 8)}`;

describe('the sample events', () => {
  it('are one of each command, and all of them are carried out', async () => {
    const files = (await readdir(eventsDir)).filter((name) => name.startsWith('clubs-'));
    const samples = new Map<string, Record<string, unknown>>();
    for (const file of files) {
      const event = JSON.parse(await readFile(new URL(file, eventsDir), 'utf8'));
      expect(file).toBe(`clubs-${event.command}.json`);
      samples.set(event.command, event);
    }
    const order = [
      'put-club',
      'put-member',
      'set-role',
      'show',
      'list',
      'remove-member',
      'forget-user',
      'remove-club',
    ];
    expect([...samples.keys()].sort()).toEqual(order.toSorted());
    for (const command of order) {
      const answer = await service.manage(samples.get(command));
      if (command === 'list') {
        expect(answer).toMatchObject({
          clubs: expect.arrayContaining([
            {
              clubId: 'my-club',
              name: 'My Reading Club',
              moderatorId: '00000000-0000-4000-8000-000000000000',
              createdAt: expect.any(String),
            },
          ]),
        });
        continue;
      }
      expect(answer, command).toEqual(
        command === 'show'
          ? {
              clubId: 'my-club',
              name: 'My Reading Club',
              moderatorId: '00000000-0000-4000-8000-000000000000',
              createdAt: expect.any(String),
              members: [
                {
                  userId: '00000000-0000-4000-8000-000000000002',
                  displayName: 'Ben',
                  role: 'moderator',
                  joinedAt: expect.any(String),
                },
              ],
              recordingConsent: 'notice',
              recordingAccess: 'moderators',
              meeting: null,
              recording: null,
              barredUserIds: [],
              lastMeeting: null,
            }
          : DONE,
      );
    }
    expect(await world.leftOf('my-club')).toEqual([]);
  });
});

describe('a command that is refused', () => {
  const club = { clubId: 'a-club', userId: 'the-user' };
  it.each<[unknown, string]>([
    [undefined, 'command is missing'],
    [null, 'command is missing'],
    ['show', 'body must be a JSON object'],
    [[], 'body must be a JSON object'],
    [{}, 'command is missing'],
    [{ command: null }, 'command is missing'],
    [{ command: 'drop-table' }, 'command must be one of the commands'],
    [{ command: 'show' }, 'clubId is missing'],
    [{ command: 'show', clubId: null }, 'clubId is missing'],
    [{ command: 'show', clubId: 'a#b' }, 'clubId must be 1 to 64 letters, digits, "-" or "_"'],
    [{ command: 'show', clubId: 'a-club', x: 1 }, 'x is not known here'],
    [{ command: 'put-club', clubId: 'a-club', moderatorId: 'ada' }, 'name is missing'],
    [{ command: 'put-club', clubId: 'a-club', name: 'A' }, 'moderatorId is missing'],
    [{ command: 'put-club', clubId: 'a-club', name: 'A', moderatorId: '' }, 'moderatorId must be'],
    [{ command: 'put-club', clubId: 'a', name: 'A\nB', moderatorId: 'ada' }, 'name must be'],
    [{ command: 'put-club', clubId: 'a', name: 'A', moderatorId: 'b', meeting: {} }, 'meeting is'],
    [{ command: 'put-member', ...club, displayName: '' }, 'displayName must be'],
    [{ command: 'put-member', ...club, displayName: 'x'.repeat(65) }, 'displayName must be'],
    [{ command: 'put-member', ...club, noName: false }, 'noName must be true'],
    [{ command: 'list', clubId: 'a-club' }, 'clubId is not known here'],
    [{ command: 'list', cursor: 'x' }, 'cursor must be the cursor of an answer'],
    [{ command: 'list', cursor: 'CLUB#a\n CLUB' }, 'cursor must be the cursor of an answer'],
    [{ command: 'put-member', ...club, role: 'owner' }, 'role must be "member" or "moderator"'],
    [{ command: 'put-member', ...club, joinedAt: '2026-01-01' }, 'joinedAt is not known here'],
    [{ command: 'set-role', ...club }, 'role is missing'],
    [{ command: 'set-role', ...club, role: null }, 'role is missing'],
    [{ command: 'remove-member', clubId: 'a-club' }, 'userId is missing'],
  ])('because it is %j says so, and asks for nothing', async (command, sentence) => {
    service.wire.forget();
    const answer = await service.manage(command);
    expect(answer).toEqual({
      error: expect.stringContaining(sentence),
      code: 'INVALID_REQUEST',
    });
    expect(service.wire.operations()).toEqual([]);
  });

  it.each(['put-member', 'remove-member', 'forget-user', 'show', 'set-role'])(
    'because there is no such club: %s, which makes none',
    async (command) => {
      const clubId = newId('no-club');
      const answer = await service.manage({
        command,
        clubId,
        ...(command !== 'show' && { userId: 'ben' }),
        ...(command === 'set-role' && { role: 'member' }),
      });
      expect(answer).toEqual({ error: 'Reading club not found', code: 'CLUB_NOT_FOUND' });
      expect(await world.itemsOf(clubId)).toEqual([]);
    },
  );

  it('because there is no such member: set-role, which makes none', async () => {
    const { clubId, outsider } = await world.createClub();
    const command = { ...about('set-role', { clubId }, outsider), role: 'moderator' };
    expect(await service.manage(command)).toMatchObject({ code: 'MEMBER_NOT_FOUND' });
    expect(await world.itemsOf(clubId, `MEMBER#${outsider.userId}`)).toEqual([]);
  });

  it.each(['remove-member', 'forget-user'])(
    'because it is about the club’s own moderator: %s',
    async (command) => {
      const club = await world.startMeeting();
      await enter(club, club.owner);
      const answer = await service.manage(about(command, club, club.owner));
      expect(answer).toMatchObject({ code: 'NOT_ALLOWED' });
      expect(await identitiesIn(club)).toEqual([club.owner.userId]);
    },
  );
});

describe('A refusal', () => {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  /** The function with our rules on the table, and the figures that it measures. */
  function measured() {
    const runs: [string, Record<string, number>][] = [];
    const handler = createHandler({
      ...createClubCommandDeps({
        store: world.database,
        livekit: { settings: world.livekit },
      }),
      log: silent,
      meter: { run: (job, counts) => runs.push([job, counts]) },
    });
    return { runs, manage: (command: unknown) => handler(command, contextOf(60_000)) };
  }
  const refused = [
    ['an unknown club', { command: 'put-member', clubId: 'no-club', userId: 'ben' }, ClubNotFound],
    ['a field that does not fit', { command: 'put-member', clubId: 'a b' }, InvalidRequest],
    ['an unknown command', { command: 'drop' }, InvalidRequest],
  ] as const;

  it.each(refused)('because of %s is an answer, and counted', async (_, command) => {
    const { manage, runs } = measured();
    for (const sent of [command, { ...command, onRefusal: null }]) {
      expect(await manage(sent)).toMatchObject({ error: expect.any(String) });
    }
    expect(runs).toEqual([
      ['clubs', { refused: 1 }],
      ['clubs', { refused: 1 }],
    ]);
  });

  it.each(refused)(
    'because of %s is an error with onRefusal, and counted',
    async (_, command, cause) => {
      const { manage, runs } = measured();
      await expect(manage({ ...command, onRefusal: 'throw' })).rejects.toBeInstanceOf(cause);
      expect(runs).toEqual([['clubs', { refused: 1 }]]);
    },
  );

  it('is not what a command that was carried out is counted as', async () => {
    const { clubId } = await world.createClub();
    const { manage, runs } = measured();
    const command = { command: 'put-member', clubId, userId: 'ben', onRefusal: 'throw' };
    expect(await manage(command)).toEqual(DONE);
    expect(runs).toEqual([]);
  });
});

describe('put-club', () => {
  it('makes a club, and later changes its name and moderator only', async () => {
    const clubId = newId('club');
    const put = (name: string, moderatorId: string) =>
      service.manage({ command: 'put-club', clubId, name, moderatorId });
    expect(await put(' Poems ', 'ada')).toEqual(DONE);
    const first = await service.show(clubId);
    expect(first).toMatchObject({ name: 'Poems', moderatorId: 'ada', members: [] });
    await put('Novels 📚', 'ben');
    expect(await service.show(clubId)).toEqual({
      ...first,
      name: 'Novels 📚',
      moderatorId: 'ben',
    });
  });
});

describe('put-member', () => {
  it('makes a member, and later changes only what is given', async () => {
    const { clubId } = await world.createClub();
    const put = (change: object) =>
      service.manage({ command: 'put-member', clubId, userId: 'zoe', ...change });
    const zoe = async () =>
      (await service.show(clubId)).members.find(({ userId }) => userId === 'zoe');
    await put({});
    const first = await zoe();
    expect(first).toEqual({ userId: 'zoe', role: 'member', joinedAt: expect.any(String) });
    await put({ displayName: 'Zoë', role: 'moderator' });
    const second = await zoe();
    expect(second).toEqual({ ...first, displayName: 'Zoë', role: 'moderator' });
    for (const nothing of [{}, { displayName: null, role: null }]) {
      await put(nothing);
      expect(await zoe()).toEqual(second);
    }
    await put({ displayName: 'Zo' });
    expect(await zoe()).toEqual({ ...second, displayName: 'Zo' });
  });

  it('lets the new member in at once', async () => {
    const club = await world.startMeeting();
    expect((await service.call('token', club.outsider, club)).status).toBe(403);
    await service.manage(about('put-member', club, club.outsider));
    expect((await service.call('token', club.outsider, club)).status).toBe(200);
  });

  it('of a person who was removed in this meeting keeps them barred until readmitted', async () => {
    const club = await world.startMeeting();
    await service.manage(about('remove-member', club, club.member));
    await service.manage(about('put-member', club, club.member));
    const token = () => service.call('token', club.member, club);
    expect((await token()).body.code).toBe('REMOVED_FROM_MEETING');
    await service.call('readmit', club.moderator, { ...club, userId: club.member.userId });
    expect((await token()).status).toBe(200);
  });
});

/** What the meeting's own requests alone may write. */
async function meetingState(clubId: string) {
  const record: Club & { personId?: string } = await world.recordOf(clubId);
  const { name: _, moderatorId: __, personId: ___, putAt: ____, ...rest } = record;
  const rows = await world.itemsOf(clubId, 'MEETING#');
  const sessions = await world.sessionsOf(clubId);
  const rooms = (await world.standIn.rooms()).filter((room) => room.name.includes(clubId));
  return { ...rest, rows, sessions, rooms };
}

/** With presence, a bar, a vacancy or none, attendance and a meeting that is over. */
async function busyClub() {
  const club = await world.startMeeting();
  await service.call('end', club.owner, club);
  await world.sendWebhooksTo(service);
  const { body: meeting } = await service.call('start', club.owner, club);
  const busy = { ...club, meeting };
  await enter(busy, club.moderator);
  await enter(busy, club.other);
  await service.call('remove', club.owner, { ...club, userId: club.other.userId });
  await world.standIn.webhooks.settled();
  await world.sendWebhooksTo(undefined);
  const state = await meetingState(club.clubId);
  expect(state.presentSids?.size).toBe(1);
  expect(state.barredUserIds?.size).toBe(1);
  return busy;
}

describe('a meeting that is on', () => {
  it('is left as it was by any commands that put, set or show', async () => {
    const club = await busyClub();
    const { clubId } = club;
    const before = await meetingState(clubId);
    const userId = fc.constantFrom(
      club.owner.userId,
      club.moderator.userId,
      club.member.userId,
      club.other.userId,
      'newcomer',
    );
    const role = fc.constantFrom('member', 'moderator');
    const commands = fc.oneof(
      fc.record({
        command: fc.constant('put-club'),
        clubId: fc.constant(clubId),
        name: fc.constantFrom('Novels', 'Poems'),
        moderatorId: userId,
      }),
      fc.record(
        {
          command: fc.constant('put-member'),
          clubId: fc.constant(clubId),
          userId,
          displayName: fc.constantFrom('A', 'B'),
          role,
        },
        { requiredKeys: ['command', 'clubId', 'userId'] },
      ),
      fc.record({
        command: fc.constant('set-role'),
        clubId: fc.constant(clubId),
        userId,
        role,
      }),
      fc.record({ command: fc.constant('show'), clubId: fc.constant(clubId) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(commands, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (sequence, atOnce) => {
          if (atOnce) await Promise.all(sequence.map((command) => service.manage(command)));
          else for (const command of sequence) await service.manage(command);
          expect(await meetingState(clubId)).toEqual(before);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('goes on under a new name and moderator, who can end it', async () => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const { clubId } = club;
    const moderatorId = club.outsider.userId;
    await service.manage({ command: 'put-club', clubId, name: 'New', moderatorId });
    expect(await identitiesIn(club)).toEqual([club.member.userId]);
    expect((await service.call('end', club.owner, club)).status).toBe(403);
    expect((await service.call('end', club.outsider, club)).body).toMatchObject({
      success: true,
      meetingId: club.meeting.meetingId,
    });
  });
});

describe('each command, repeated', () => {
  const commands: [string, (club: TestClub) => object][] = [
    ['put-club', ({ clubId }) => ({ command: 'put-club', clubId, name: 'B', moderatorId: 'ben' })],
    [
      'put-member',
      (club) => ({ ...about('put-member', club, club.outsider), displayName: 'O', role: 'member' }),
    ],
    ['set-role up', (club) => ({ ...about('set-role', club, club.member), role: 'moderator' })],
    ['set-role down', (club) => ({ ...about('set-role', club, club.moderator), role: 'member' })],
    ['remove-member', (club) => about('remove-member', club, club.member)],
    ['forget-user', (club) => about('forget-user', club, club.member)],
    ['show', ({ clubId }) => ({ command: 'show', clubId })],
    ['remove-club', ({ clubId }) => ({ command: 'remove-club', clubId })],
  ];
  it.each(commands)(
    'returns the same answer and leaves the same state: %s',
    async (_, commandFor) => {
      const club = await busyClub();
      const command = commandFor(club);
      const answer = await service.manage(command);
      const state = await stateOf(club);
      for (let again = 0; again < 2; again++) {
        expect(await service.manage(command)).toEqual(answer);
        expect(await stateOf(club)).toEqual(state);
      }
    },
  );

  /** Without when a command was last carried out. */
  const stateOf = async ({ clubId }: TestClub) =>
    (await world.itemsOf(clubId)).map((item) =>
      Object.fromEntries(Object.entries(item).filter(([name]) => !TIMES.includes(name))),
    );
  const TIMES = [
    'putAt',
    'membershipAt',
    'nameAt',
    'roleAt',
    'removedAt',
    'forgottenAt',
    'forgetCount',
    'barsRevision',
    'expiresAt',
  ];
});

/** What a command asks for, counted at the wire. */
async function stepsOf(command: object): Promise<string[]> {
  const counted = await world.boot();
  await counted.manage(command);
  return counted.wire.operations().slice();
}
/**
 * For each step, a club whose command is sent by a process that is killed after it, and then again.
 * @param check what is so then
 * @param meanwhile what is so between the two
 */
async function killedAtEachStep<T>(
  make: () => Promise<T>,
  commandFor: (club: T) => object,
  check: (club: T, step: string) => Promise<void>,
  meanwhile: typeof check = async () => undefined,
): Promise<void> {
  const steps = await stepsOf(commandFor(await make()));
  const clubs: T[] = [];
  for (let index = 0; index <= steps.length; index += 1) clubs.push(await make());
  const complete = async (club: T, index: number) => {
    const step = steps[index - 1] ?? 'nothing';
    const doomed = await world.boot({ faults: [killedAfter(index)] });
    await doomed.manage(commandFor(club)).catch(() => undefined);
    await meanwhile(club, step);
    expect(await service.manage(commandFor(club)), step).toEqual(DONE);
    await check(club, step);
  };
  await Promise.all(clubs.map(complete));
}

describe('remove-member', () => {
  it('removes the member, bars them and removes the participant last', async () => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    expect(await stepsOf(about('remove-member', club, club.member))).toEqual([
      'BatchGetItem',
      'UpdateItem',
      'GetItem',
      'UpdateItem',
      'RemoveParticipant',
    ]);
    expect(await identitiesIn(club)).toEqual([]);
    const { members, barredUserIds } = await service.show(club.clubId);
    expect(members.map(({ userId }) => userId)).not.toContain(club.member.userId);
    expect(barredUserIds).toEqual([club.member.userId]);
  });

  it('without a meeting asks nothing of LiveKit', async () => {
    const club = await world.createClub();
    expect(await stepsOf(about('remove-member', club, club.member))).toEqual([
      'BatchGetItem',
      'UpdateItem',
      'GetItem',
    ]);
  });

  it('killed after any step is completed by repeating it', { timeout: 60_000 }, async () => {
    const make = async () => {
      const club = await world.startMeeting();
      await enter(club, club.member);
      await enter(club, club.other);
      return club;
    };
    const command = (club: StartedClub) => about('remove-member', club, club.member);
    await killedAtEachStep(make, command, async (club, step) => {
      expect(await identitiesIn(club), step).toEqual([club.other.userId]);
      const { members, barredUserIds } = await service.show(club.clubId);
      expect(members.map(({ userId }) => userId)).not.toContain(club.member.userId);
      expect(barredUserIds, step).toEqual([club.member.userId]);
    });
  });

  it('bars the person even when a moderator readmits them at that moment', async () => {
    const club = await world.startMeeting();
    const readmit = justBefore('UpdateItem', () =>
      service.call('readmit', club.moderator, { ...club, userId: club.member.userId }),
    );
    const { manage } = await world.boot({ faults: [readmit] });
    await manage(about('remove-member', club, club.member));
    expect((await service.show(club.clubId)).barredUserIds).toEqual([club.member.userId]);
  });

  it('bars from a meeting that starts at that moment', async () => {
    const club = await world.createClub();
    let token = '';
    const start = justBefore('UpdateItem', async () => {
      await service.call('start', club.owner, club);
      ({ token } = (await service.call('token', club.member, club)).body);
      await world.standIn.joinWithToken(token);
    });
    const { manage } = await world.boot({ faults: [start] });
    await manage(about('remove-member', club, club.member));
    const { barredUserIds, meeting } = await service.show(club.clubId);
    expect(barredUserIds).toEqual([club.member.userId]);
    expect(await world.media.listParticipants(meeting?.roomName ?? '')).toEqual([]);
  });
});

describe.each(['remove-member', 'forget-user'])('%s while LiveKit is unreachable', (name) => {
  it('throws after every retry, with nothing of the person left in the record', async () => {
    const club = await world.startMeeting();
    await enter(club, club.moderator);
    const { manage, wire } = await world.boot({ faults: [on({ side: 'media' }, cut)] });
    const command = about(name, club, club.moderator);
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(manage(command)).rejects.toBeInstanceOf(MediaUnavailable);
    }
    const { members, barredUserIds } = await service.show(club.clubId);
    expect(members.map(({ userId }) => userId)).not.toContain(club.moderator.userId);
    expect(barredUserIds).toEqual([club.moderator.userId]);
    expect((await service.call('token', club.moderator, club)).body.code).toBe('NOT_A_MEMBER');
    expect((await service.call('end', club.moderator, club)).status).toBe(403);
    wire.heal();
    expect(await manage(command)).toEqual(DONE);
    expect(await identitiesIn(club)).toEqual([]);
  });
});

describe('an outage of DynamoDB', () => {
  it.each(['put-club', 'put-member', 'show', 'remove-club'])('of %s is thrown', async (command) => {
    const club = await world.createClub();
    const { manage } = await world.boot({ faults: [on({ side: 'store' }, cut)] });
    const { clubId } = club;
    await expect(
      manage({
        command,
        clubId,
        ...(command === 'put-club' && { name: 'A', moderatorId: 'ada' }),
        ...(command === 'put-member' && { userId: 'ben' }),
      }),
    ).rejects.toBeInstanceOf(StoreUnavailable);
  });
});

describe('remove-club', () => {
  it('ends the meeting, names the meetings, removes the club, and deletes the rooms last', async () => {
    const club = await busyClub();
    const { clubId } = club;
    const { lastMeeting } = await world.recordOf(clubId);
    let ended: unknown;
    let left: unknown;
    const faults = [
      justBefore('Query', async () => {
        const { meeting, lastMeeting } = await world.recordOf(clubId);
        ended = { meeting, lastMeeting };
      }),
      justBefore('DeleteRoom', async () => {
        left = await world.leftOf(clubId);
      }),
    ];
    const { manage, wire } = await world.boot({ faults });
    expect(await manage({ command: 'remove-club', clubId })).toEqual(DONE);
    expect(ended).toMatchObject({
      meeting: undefined,
      lastMeeting: {
        meetingId: club.meeting.meetingId,
        reason: 'club-removed',
        endedBy: null,
      },
    });
    expect(left).toEqual([]);
    const steps = wire.operations();
    const end = ['GetItem', 'UpdateItem'];
    const removal = ['GetItem', 'Query', 'PutItem', 'PutItem', 'PutItem'];
    expect(steps.slice(0, 7)).toEqual([...end, ...removal]);
    expect(steps.slice(-4)).toEqual(['Query', 'DeleteRoom', 'DeleteRoom', 'UpdateItem']);
    expect(await world.roomsOf(clubId)).toEqual([]);
    const named = await world.itemsOf(clubId, 'REMOVED#');
    expect(named.map(({ meetingId }) => meetingId)).toEqual([
      lastMeeting?.meetingId,
      club.meeting.meetingId,
    ]);
  });

  it('killed after any step is completed by repeating it', { timeout: 60_000 }, async () => {
    const command = ({ clubId }: TestClub) => ({ command: 'remove-club', clubId });
    const check = async ({ clubId }: TestClub, step: string) => {
      expect(await world.leftOf(clubId), step).toEqual([]);
      expect(await world.roomsOf(clubId), step).toEqual([]);
    };
    await killedAtEachStep(busyClub, command, check, async ({ clubId }, step) => {
      const { reason } = (await world.recordOf(clubId))?.lastMeeting ?? {};
      expect([undefined, 'moderator', 'club-removed'], step).toContain(reason);
    });
  });

  it('ends a meeting that starts during the removal, too', async () => {
    const club = await busyClub();
    const start = justAfter('UpdateItem', () => service.call('start', club.owner, club));
    const { manage } = await world.boot({ faults: [start] });
    expect(await manage({ command: 'remove-club', clubId: club.clubId })).toEqual(DONE);
    expect(await world.leftOf(club.clubId)).toEqual([]);
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it('gives up, as an outage, on a club in which meetings keep starting', async () => {
    const club = await busyClub();
    const { manage } = await world.boot({
      faults: [
        on('UpdateItem', async (_, pass) => {
          const result = await pass();
          await service.call('start', club.owner, club);
          return result;
        }),
      ],
    });
    const command = { command: 'remove-club', clubId: club.clubId };
    await expect(manage(command)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await service.manage(command)).toEqual(DONE);
    expect(await world.leftOf(club.clubId)).toEqual([]);
  });

  it('deletes the room of an earlier meeting that LiveKit did not delete when it ended', async () => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const { call } = await world.boot({ faults: [on('DeleteRoom', cut)] });
    expect((await call('end', club.owner, club)).body.success).toBe(false);
    await service.call('start', club.owner, club);
    expect(await world.roomsOf(club.clubId)).toHaveLength(2);
    await service.manage({ command: 'remove-club', clubId: club.clubId });
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it('removes the club while LiveKit is unreachable; repeated, it deletes the rooms', async () => {
    const club = await world.startMeeting();
    await enter(club, club.member);
    const { manage, wire } = await world.boot({ faults: [on({ side: 'media' }, cut)] });
    const command = { command: 'remove-club', clubId: club.clubId };
    await expect(manage(command)).rejects.toBeInstanceOf(MediaUnavailable);
    expect(await world.leftOf(club.clubId)).toEqual([]);
    expect(await world.roomsOf(club.clubId)).toHaveLength(1);
    wire.heal();
    expect(await manage(command)).toEqual(DONE);
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it('waits for a meeting that starts and ends before the club is gone, to name it as well', async () => {
    const club = await world.createClub();
    const { clubId } = club;
    let meetingId: string | undefined;
    const meets = justBefore('PutItem', async () => {
      meetingId = (await service.call('start', club.owner, club)).body.meetingId;
      await service.call('end', club.owner, club);
    });
    const { manage } = await world.boot({ faults: [meets] });
    expect(await manage({ command: 'remove-club', clubId })).toEqual(DONE);
    const named = await world.itemsOf(clubId, 'REMOVED#');
    expect(named.map((item) => item['meetingId'])).toEqual([meetingId]);
  });

  it('leaves nothing for a club that is made under the same id afterwards', async () => {
    const club = await busyClub();
    const { clubId } = club;
    await service.manage({ command: 'remove-club', clubId });
    await service.manage({ command: 'put-club', clubId, name: 'New', moderatorId: 'ada' });
    expect(await service.show(clubId)).toMatchObject({
      members: [],
      meeting: null,
      barredUserIds: [],
      lastMeeting: null,
    });
    expect((await service.call('meetings', club.moderator, { clubId })).status).toBe(403);
  });

  it('deletes more members than one batch, and nothing of a club with a longer id', async () => {
    const { clubId } = await world.createClub();
    const longer = `${clubId}-2`;
    for (const id of [clubId, longer]) {
      await service.manage({ command: 'put-club', clubId: id, name: 'A', moderatorId: 'ada' });
      for (let i = 0; i < 60; i++) {
        await service.manage({ command: 'put-member', clubId: id, userId: `user-${i}` });
      }
    }
    await service.manage({ command: 'remove-club', clubId });
    expect(await world.leftOf(clubId)).toEqual([]);
    expect((await service.show(longer)).members).toHaveLength(60);
  });
});

describe('forget-user', () => {
  /** Two meetings over, each ended by the moderator, who was in both with the other; a third is on. */
  async function remembered() {
    const club = await world.createClub();
    await world.sendWebhooksTo(service);
    for (let round = 0; round < 2; round++) {
      const { body: meeting } = await service.call('start', club.owner, club);
      await enter({ ...club, meeting }, club.moderator);
      await enter({ ...club, meeting }, club.other);
      await world.standIn.webhooks.settled();
      await service.call('end', club.moderator, club);
    }
    const { body: meeting } = await service.call('start', club.owner, club);
    await enter({ ...club, meeting }, club.moderator);
    await enter({ ...club, meeting }, club.other);
    await world.standIn.webhooks.settled();
    expect(await world.sessionsOf(club.clubId)).toHaveLength(6);
    return { ...club, meeting };
  }
  type Remembered = Awaited<ReturnType<typeof remembered>>;

  async function expectForgotten(club: Remembered, step?: string) {
    await world.standIn.webhooks.settled();
    const { barredUserIds, ...items } = await world.recordOf(club.clubId);
    const others = (await allBut(club)).filter(
      ({ sk }) => sk !== `MEMBER#${club.moderator.userId}`,
    );
    expect(JSON.stringify([items, others]), step).not.toContain(club.moderator.userId);
    // The note stops a late command from adding the member again. It has no name, and expires after a month.
    const [note] = await world.itemsOf(club.clubId, `MEMBER#${club.moderator.userId}`);
    expect(Object.keys(note ?? {}).sort(), step).toEqual([
      'expiresAt',
      'forgottenAt',
      'membershipAt',
      'nameAt',
      'pk',
      'removedAt',
      'roleAt',
      'sk',
      'userId',
    ]);
    // Out of the meeting that is on, until it ends.
    expect(barredUserIds, step).toEqual(new Set([club.moderator.userId]));
    expect(await identitiesIn(club), step).toEqual([club.other.userId]);
    // What happened stays: the meetings, and who else was there.
    const { body } = await service.call('meetings', club.other, club);
    expect(
      body.meetings.map(({ endedBy, reason }) => ({ endedBy, reason })),
      step,
    ).toEqual([
      { endedBy: null, reason: 'moderator' },
      { endedBy: null, reason: 'moderator' },
    ]);
    const sessions = await world.sessionsOf(club.clubId);
    expect(
      sessions.map(({ userId }) => userId),
      step,
    ).toEqual(Array.from({ length: 3 }, () => club.other.userId));
  }
  const allBut = async ({ clubId }: Remembered) =>
    (await world.itemsOf(clubId)).filter(({ sk }) => sk !== 'CLUB');

  it('takes the user out of members, attendance and history, also in a meeting', async () => {
    const club = await remembered();
    expect(await service.manage(about('forget-user', club, club.moderator))).toEqual(DONE);
    await expectForgotten(club);
  });

  it('leaves the user’s traces in other clubs alone', async () => {
    const [club, other] = [await remembered(), await remembered()];
    await service.manage(about('put-member', other, club.moderator));
    const before = await world.itemsOf(other.clubId);
    await service.manage(about('forget-user', club, club.moderator));
    await world.standIn.webhooks.settled();
    expect(await world.itemsOf(other.clubId)).toEqual(before);
  });

  it('killed after any step is completed by repeating it', { timeout: 60_000 }, async () => {
    const command = (club: Remembered) => about('forget-user', club, club.moderator);
    await killedAtEachStep(remembered, command, expectForgotten);
  });

  it('of a person who left the club long ago works as well', async () => {
    const club = await remembered();
    await service.manage(about('remove-member', club, club.moderator));
    await service.manage(about('forget-user', club, club.moderator));
    await expectForgotten(club);
  });
});

describe('each command', () => {
  it('is logged as one line, with the command and the ids only', async () => {
    const club = await world.createClub();
    const { clubId } = club;
    await service.manage({ command: 'put-club', clubId, name: 'A name', moderatorId: 'ada' });
    await service.manage({
      ...about('put-member', club, club.outsider),
      displayName: 'A display name',
    });
    await service.manage({ command: 'show', clubId });
    const lines = service.lines.map(({ level, message, fields }) => ({
      level,
      message,
      ...fields,
    }));
    const line = { level: 'info', message: 'clubs', clubId };
    expect(lines).toEqual([
      { ...line, command: 'put-club' },
      { ...line, command: 'put-member', userId: club.outsider.userId },
      { ...line, command: 'show' },
    ]);
    expect(JSON.stringify(lines)).not.toContain('name');
  });
});
