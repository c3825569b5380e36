/** What the cleanup makes of answers that do not come, come late, or are wrong. It ends nothing. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Meeting } from '../../lib/meetings/model.ts';
import {
  answer,
  cut,
  emptyList,
  internalError,
  justBefore,
  lateAnswer,
  on,
  once,
  throttling,
  times,
  tooMany,
  unavailable,
  unprocessed,
} from '../harness/faults.ts';
import { ago, type BootOptions, hours, later, minutes } from '../harness/process.ts';
import type { Fault } from '../harness/wire.ts';
import { worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot();
beforeEach(async () => {
  service.wire.heal();
  await world.sendWebhooksTo(undefined);
  await world.clearAway();
});

/** A club whose meeting began an hour ago, and two people in it. */
async function occupied(meeting: Partial<Meeting> = {}) {
  const club = await world.createMeeting({ startedAt: ago(hours(1)), ...meeting });
  const { roomName } = club.meeting;
  await world.openRoom(roomName);
  for (const { userId } of [club.member, club.moderator]) {
    await world.standIn.join(roomName, { identity: userId });
  }
  await world.standIn.webhooks.settled();
  return club;
}

/** A club whose meeting everybody left twenty minutes ago: due. */
async function due() {
  const meeting = { startedAt: ago(hours(1)), vacantSince: ago(minutes(20)) };
  const club = await world.createMeeting(meeting);
  await world.openRoom(club.meeting.roomName);
  return club;
}

describe('LiveKit that answers an empty list by mistake,', () => {
  const faults: [string, Fault][] = [
    ['of the rooms', on('ListRooms', emptyList)],
    ['of the participants', on('ListParticipants', emptyList)],
    ['of both', emptyList],
  ];
  const before: [string, { webhooks: boolean; vacantSince?: string }][] = [
    ['with webhooks', { webhooks: true }],
    ['without webhooks', { webhooks: false }],
    // They came within a minute of the vacancy: their token did not clear it.
    ['without webhooks, vacant a moment before', { webhooks: false, vacantSince: ago(30_000) }],
  ];
  const cases = faults.flatMap(([list, fault]) =>
    before.map(([state, given]) => ({ list, state, fault, given })),
  );

  it.each(cases)(
    '$list, for longer than the grace, $state: a meeting with people in it does not end',
    async ({ fault, given: { webhooks, ...meeting } }) => {
      if (webhooks) await world.sendWebhooksTo(service);
      const club = await occupied(meeting);
      for (const minute of [0, 5, 10, 15, 20, 25, 30, 35]) {
        await (await world.boot({ ...later(minutes(minute)), faults: [fault] })).cleanUp();
        expect(await world.meetingOf(club.clubId), `after ${minute} minutes`).toBeDefined();
      }
      expect((await world.standInRoomsOf(club.clubId))[0]?.participants).toHaveLength(2);

      await (await world.boot(later(minutes(40)))).cleanUp();
      const { meeting: on } = await world.recordOf(club.clubId);
      expect(on?.meetingId).toBe(club.meeting.meetingId);
      expect(on?.vacantSince).toBeUndefined();
      const { body } = await service.call('status', club.member, club);
      expect(body).toMatchObject({
        state: 'live',
        participantCount: 2,
        roomName: club.meeting.roomName,
      });
    },
  );

  it('of both, with webhooks: later webhooks count again after the next cleanup', async () => {
    await world.sendWebhooksTo(service);
    const club = await occupied();
    await (await world.boot({ faults: [emptyList] })).cleanUp();
    await service.cleanUp();
    await world.standIn.join(club.meeting.roomName, { identity: club.nameless.userId });
    await world.standIn.webhooks.settled();
    const { body } = await service.call('status', club.member, club);
    expect(body).toMatchObject({ participantCount: 3, observedBy: 'events' });
  });

  it('of both, about a room that finished in truth: it stays finished', async () => {
    await world.sendWebhooksTo(service);
    const club = await occupied();
    await world.standIn.finishRoom(club.meeting.roomName);
    await world.standIn.webhooks.settled();
    for (const minute of [0, 5]) await (await world.boot(later(minutes(minute)))).cleanUp();
    expect((await world.recordOf(club.clubId)).presence?.isFinished).toBe(true);
  });
});

describe('LiveKit that does not answer:', () => {
  const outages: [string, Fault][] = [
    ['it drops every connection', cut],
    ['it answers 503', unavailable],
    ['it refuses the key', answer(401, 'invalid API key')],
    ['it is too slow', lateAnswer],
    ['something in front of it answers 404', answer(404, '<html>')],
  ];

  it.each<[string, BootOptions]>([
    ['it refuses connections', { refused: ['media'] }],
    ...outages.map(([what, fault]): [string, BootOptions] => [
      what,
      { faults: [on({ side: 'media' }, fault)] },
    ]),
  ])('%s: nothing ends, and the run throws', async (_, trouble) => {
    await due();
    await occupied({ startedAt: ago(hours(13)) });
    const before = await world.scan();
    await expect((await world.boot(trouble)).cleanUp()).rejects.toThrow();
    expect(await world.scan()).toEqual(before);
  });

  it.each(outages)(
    '%s, but only when asked who is in a room: nothing ends, the run throws at its end',
    async (_, fault) => {
      const [first, second, occupiedOne] = [await due(), await due(), await occupied()];
      const broken = await world.boot({ faults: [on('ListParticipants', fault)] });
      await expect(broken.cleanUp()).rejects.toMatchObject({ name: 'CleanupIncomplete' });
      for (const { clubId, meeting } of [first, second, occupiedOne]) {
        expect(await world.meetingOf(clubId)).toEqual(meeting);
      }
      const { fields } = broken.lines.findLast(({ message }) => message === 'cleanup') ?? {};
      expect(fields).toMatchObject({ active: 3, failed: 2, endedVacant: 0 });
    },
  );

  it('it cannot make sure of the room of a meeting that seems to have none: it does not end', async () => {
    const club = await due();
    await world.standIn.finishRoom(club.meeting.roomName);
    const broken = await world.boot({ faults: [on('CreateRoom', unavailable)] });
    await expect(broken.cleanUp()).rejects.toMatchObject({ name: 'CleanupIncomplete' });
    expect(await world.meetingOf(club.clubId)).toEqual(club.meeting);
  });

  it('it cannot delete the room of a meeting that was ended: the next run does', async () => {
    const club = await due();
    const broken = await world.boot({ faults: [on('DeleteRoom', unavailable)] });
    await expect(broken.cleanUp()).rejects.toMatchObject({ name: 'CleanupIncomplete' });
    const { meeting, lastMeeting } = await world.recordOf(club.clubId);
    expect(meeting).toBeUndefined();
    expect(lastMeeting?.reason).toBe('vacant');
    // It was ended, and the figures say so; what failed was the room.
    const { fields } = broken.lines.findLast(({ message }) => message === 'cleanup') ?? {};
    expect(fields).toMatchObject({ endedVacant: 1, failed: 1 });

    expect(await service.cleanUp()).toMatchObject({ zombiesDeleted: 1, failed: 0 });
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });
});

describe('DynamoDB that does not answer:', () => {
  const cases: [string, Fault][] = [
    ['the index fails', on('Query', internalError)],
    ['the index is throttled', on('Query', throttling)],
    ['the clubs cannot be read', on('BatchGetItem', internalError)],
    ['the clubs stay unprocessed', unprocessed()],
    ['connections end', on({ side: 'store' }, cut)],
    ['something in front of it answers', on({ side: 'store' }, answer(503, '<html>'))],
  ];

  it.each(cases)('%s: nothing ends, and the run throws', async (_, fault) => {
    await due();
    await occupied({ startedAt: ago(hours(13)) });
    await world.createStaleRoom('unread');
    const [items, rooms] = [await world.scan(), await world.standIn.rooms()];
    const broken = await world.boot({ faults: [fault] });
    await expect(broken.cleanUp()).rejects.toThrow();
    expect(await world.scan()).toEqual(items);
    expect(await world.standIn.rooms()).toEqual(rooms);
  });

  it('a few keys unprocessed for a while: they are asked for again, and all is done', async () => {
    const clubs = [await due(), await due()];
    const slow = await world.boot({ faults: [times(3, unprocessed())] });
    expect(await slow.cleanUp()).toMatchObject({ endedVacant: 2 });
    for (const { clubId } of clubs) expect(await world.meetingOf(clubId)).toBeUndefined();
  });

  it('the deciding write fails: that meeting goes on, the run throws, the next one ends it', async () => {
    const club = await due();
    const broken = await world.boot({ faults: [on('UpdateItem', internalError)] });
    await expect(broken.cleanUp()).rejects.toMatchObject({ name: 'CleanupIncomplete' });
    expect(await world.meetingOf(club.clubId)).toEqual(club.meeting);
    expect(await world.roomsOf(club.clubId)).toHaveLength(1);
    expect(await service.cleanUp()).toMatchObject({ endedVacant: 1 });
  });

  it('whether a room is stale cannot be read: it stays, and the run throws', async () => {
    await world.createStaleRoom('unknown-yet');
    const broken = await world.boot({ faults: [on('BatchGetItem', internalError)] });
    await expect(broken.cleanUp()).rejects.toThrow();
    expect(await world.standIn.rooms()).toHaveLength(1);
  });
});

describe('One club', () => {
  it('whose end fails does not stop the others, and the run throws at its end', async () => {
    const clubs = await Promise.all([due(), due(), due(), due()]);
    const [bad, ...others] = clubs;
    const broken = await world.boot({
      faults: [
        on('ListParticipants', (request, pass) =>
          String(request.body).includes(bad.meeting.roomName) ? cut(request, pass) : pass(),
        ),
      ],
    });
    await expect(broken.cleanUp()).rejects.toThrow('1 could not be put right');
    expect(await world.meetingOf(bad.clubId)).toEqual(bad.meeting);
    for (const { clubId } of others) expect(await world.meetingOf(clubId)).toBeUndefined();
    const failed = broken.lines.filter(({ level }) => level === 'error');
    expect(failed).toMatchObject([
      {
        message: 'cleanup failed',
        fields: { clubId: bad.clubId, meetingId: bad.meeting.meetingId },
      },
    ]);
  });

  it('whose record cannot be read does not stop the others, and the run throws at its end', async () => {
    const [bad, good] = [await due(), await due()];
    await world.putRecord(bad.clubId, { createdAt: 'a while ago' });
    const zombie = await world.createStaleRoom(bad.clubId);
    await expect(service.cleanUp()).rejects.toMatchObject({ name: 'CleanupIncomplete' });
    expect(await world.meetingOf(good.clubId)).toBeUndefined();
    expect(await world.roomsOf(good.clubId)).toEqual([]);
    expect(await world.roomsOf(bad.clubId)).not.toContain(zombie.roomName);
    await world.putRecord(bad.clubId, { createdAt: ago(hours(2)) });
    expect(await service.cleanUp()).toMatchObject({ endedVacant: 1, failed: 0 });
  });

  it('that was deleted a moment ago is no failure', async () => {
    const [club, other] = [await due(), await due()];
    const faults = [justBefore('BatchGetItem', () => world.removeRecord(club.clubId))];
    const process = await world.boot({ faults });
    expect(await process.cleanUp()).toMatchObject({ active: 1, endedVacant: 1, failed: 0 });
    expect(await world.meetingOf(other.clubId)).toBeUndefined();
  });

  it('that the index names twice is looked after once', async () => {
    const club = await due();
    const twice = await world.boot({
      cleanupDeps: (deps) => ({
        ...deps,
        clubs: { ...deps.clubs, listActiveClubIds: async () => [club.clubId, club.clubId] },
      }),
    });
    expect(await twice.cleanUp()).toMatchObject({ active: 1, endedVacant: 1, failed: 0 });
  });
});

describe('LiveKit that asks for less (429)', () => {
  it('when asked for its rooms: nothing fails, everything is left for the next run', async () => {
    const clubs = [await due(), await due()];
    service.wire.set(on('ListRooms', times(1, tooMany)));
    expect(await service.cleanUp()).toMatchObject({ postponed: 2, failed: 0, endedVacant: 0 });
    for (const { clubId, meeting } of clubs) expect(await world.meetingOf(clubId)).toEqual(meeting);
    expect(await service.cleanUp()).toMatchObject({ endedVacant: 2 });
  });

  it('when asked who is there: it is asked nothing more, and the next run does the rest', async () => {
    for (let count = 0; count < 4; count++) await due();
    const refused = await world.boot({ faults: [on('ListParticipants', tooMany)] });
    expect(await refused.cleanUp()).toMatchObject({ postponed: 4, failed: 0, endedVacant: 0 });
    const [first, ...others] = refused.wire.operations('media');
    expect(first).toBe('ListRooms');
    expect(new Set(others)).toEqual(new Set(['ListParticipants']));
    expect(others.length).toBeLessThanOrEqual(4);
    expect(await service.cleanUp()).toMatchObject({ endedVacant: 4, postponed: 0 });
  });

  it('when it should delete a stale room: the room stays for the next run', async () => {
    await world.createStaleRoom('postponed');
    const refused = await world.boot({ faults: [on('DeleteRoom', tooMany)] });
    expect(await refused.cleanUp()).toMatchObject({ postponed: 1, failed: 0, zombiesDeleted: 0 });
    expect(await service.cleanUp()).toMatchObject({ zombiesDeleted: 1 });
  });
});

describe('A limit of LiveKit calls a run', () => {
  it('is kept, and later runs do the rest: no meeting and no stale room starves', async () => {
    const clubs = [];
    for (let count = 0; count < 7; count++) clubs.push(await due());
    for (const clubId of ['limited-1', 'limited-2', 'limited-3']) {
      await world.createStaleRoom(clubId);
    }
    const limited = await world.boot({ env: { CLEANUP_MAX_LIVEKIT_CALLS: '6' } });
    let runs = 0;
    for (; runs < 20 && (await world.standIn.rooms()).length > 0; runs++) {
      limited.wire.forget();
      const report = await limited.cleanUp();
      expect(report.failed).toBe(0);
      expect(limited.wire.operations('media').length).toBeLessThanOrEqual(6);
    }
    expect(await world.standIn.rooms()).toEqual([]);
    for (const { clubId } of clubs) expect(await world.meetingOf(clubId)).toBeUndefined();
  });

  it('that is the smallest allowed is enough for one meeting and one stale room a run, whatever they need', async () => {
    const clubs = [];
    for (let count = 0; count < 4; count++) {
      const club = await due();
      const [sid, roomSid] = ['PA_lost', 'RM_lost'];
      await world.putRecord(club.clubId, {
        barredUserIds: new Set([club.outsider.userId]),
        presentSids: new Set([sid]),
        presence: {
          roomSid,
          roomCreatedAt: ago(hours(1)),
          isComplete: true,
          isFinished: false,
          observedAt: ago(hours(1)),
        },
      });
      clubs.push(club);
    }
    await world.createStaleRoom('smallest');
    const limited = await world.boot({ env: { CLEANUP_MAX_LIVEKIT_CALLS: '6' } });
    const reports = [];
    for (let runs = 0; runs < 2 * clubs.length; runs++) reports.push(await limited.cleanUp());
    expect(reports[0]).toMatchObject({ repaired: 1, zombiesDeleted: 1, failed: 0 });
    for (const { clubId } of clubs)
      expect((await world.recordOf(clubId)).presentSids).toBeUndefined();
  });
});

describe('Only once', () => {
  it('does a transient error stay invisible', async () => {
    const club = await due();
    const flaky = await world.boot({
      faults: [
        once('Query', internalError),
        once('BatchGetItem', throttling),
        once('ListRooms', cut),
      ],
    });
    expect(await flaky.cleanUp()).toMatchObject({ endedVacant: 1, failed: 0 });
    expect(await world.meetingOf(club.clubId)).toBeUndefined();
  });
});
