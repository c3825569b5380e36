/** What the cleanup does by itself: vacancies, ends, zombies and repairs, with everything in order. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Meeting } from '../../lib/meetings/model.ts';
import { doctorsRoomNameOf } from '../../lib/meetings/probes.ts';
import { contextOf } from '../harness/context.ts';
import { internalError, on } from '../harness/faults.ts';
import { endedMeeting, endedRow } from '../harness/items.ts';
import { ago, hours, later, minutes } from '../harness/process.ts';
import { startWorld, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot();
beforeEach(async () => {
  await world.clearAway();
  await world.sendWebhooksTo(undefined);
});

/** A club whose meeting began an hour ago, by default with a room. */
async function clubWith(meeting: Partial<Meeting> = {}, { room = true } = {}) {
  const club = await world.createMeeting({ startedAt: ago(hours(1)), ...meeting });
  if (room) await world.openRoom(club.meeting.roomName);
  return club;
}

const join = (club: { meeting: Meeting }, identity: string) =>
  world.standIn.join(club.meeting.roomName, { identity });

describe('A vacant meeting', () => {
  it.each([true, false])('is marked vacant, and stays on; has a room: %s', async (room) => {
    const club = await clubWith({}, { room });
    const report = await service.cleanUp();
    expect(report).toMatchObject({ active: 1, vacant: 1, endedVacant: 0, failed: 0 });
    const on = await world.meetingOf(club.clubId);
    expect(on?.meetingId).toBe(club.meeting.meetingId);
    expect(Date.now() - Date.parse(on?.vacantSince ?? '')).toBeLessThan(5000);
  });

  it('keeps the moment from which it was vacant, however often it is looked at', async () => {
    const club = await clubWith();
    await service.cleanUp();
    const first = await world.meetingOf(club.clubId);
    await (await world.boot(later(minutes(5)))).cleanUp();
    await (await world.boot(later(minutes(10)))).cleanUp();
    expect(await world.meetingOf(club.clubId)).toEqual(first);
  });

  it.each([true, false])(
    'ends after the grace with the reason vacant and no endedBy; has a room: %s',
    async (room) => {
      const club = await clubWith({}, { room });
      await service.cleanUp();
      const early = await world.boot(later(minutes(14)));
      expect(await early.cleanUp()).toMatchObject({ endedVacant: 0 });
      expect(await world.meetingOf(club.clubId)).toBeDefined();

      const due = await world.boot(later(minutes(15) + 1000));
      expect(await due.cleanUp()).toMatchObject({ active: 1, vacant: 1, endedVacant: 1 });
      const { meeting, lastMeeting, ...rest } = await world.recordOf(club.clubId);
      expect(meeting).toBeUndefined();
      expect(lastMeeting).toMatchObject({
        meetingId: club.meeting.meetingId,
        endedBy: null,
        reason: 'vacant',
      });
      expect(rest).not.toHaveProperty('activeShard');
      expect(await world.roomsOf(club.clubId)).toEqual([]);
    },
  );

  it('whose moderator vanished right after the start ends, too', async () => {
    const club = await world.startMeeting();
    await service.cleanUp();
    await (await world.boot(later(minutes(16)))).cleanUp();
    expect(await world.meetingOf(club.clubId)).toBeUndefined();
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it('ends also when only machines are left in its room', async () => {
    const club = await clubWith({ vacantSince: ago(minutes(20)) });
    for (const kind of ['AGENT', 'EGRESS'] as const) {
      await world.standIn.join(club.meeting.roomName, { identity: `a-${kind}`, kind });
    }
    expect(await service.cleanUp()).toMatchObject({ endedVacant: 1 });
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });

  it('has its end in the history, and the endpoint answers with the same facts', async () => {
    const club = await clubWith({ vacantSince: ago(minutes(20)) });
    await service.cleanUp();
    const { lastMeeting } = await world.recordOf(club.clubId);
    const { status, body } = await service.call('end', club.owner, club);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        success: true,
        meetingId: club.meeting.meetingId,
        roomName: club.meeting.roomName,
        endedAt: lastMeeting?.endedAt,
        duration: lastMeeting?.durationSeconds,
      },
    });
    const { body: history } = await service.call('meetings', club.member, { clubId: club.clubId });
    expect(history.meetings).toEqual([{ ...lastMeeting, recordingCount: 0 }]);
    expect(history.meetings[0]).toMatchObject({ endedBy: null, reason: 'vacant' });
  });

  it('is ended like by the endpoint: the meeting before it goes to the history first', async () => {
    const club = await clubWith({ vacantSince: ago(minutes(20)) });
    const before = endedMeeting(club.clubId);
    await world.putRecord(club.clubId, { lastMeeting: before });
    await service.cleanUp();
    const rows = await world.itemsOf(club.clubId, 'MEETING#');
    expect(rows).toEqual([endedRow(club.clubId, before)]);
  });
});

describe('A meeting with people in it', () => {
  it('does not end, however long its moderator has been gone', async () => {
    const club = await clubWith();
    await join(club, club.member.userId);
    for (const minute of [0, 5, 10, 15, 20, 60]) {
      await (await world.boot(later(minutes(minute)))).cleanUp();
    }
    expect(await world.meetingOf(club.clubId)).toEqual(club.meeting);
  });

  it('is no longer vacant when they came back', async () => {
    const club = await clubWith({ vacantSince: ago(minutes(20)) });
    await join(club, club.member.userId);
    expect(await service.cleanUp()).toMatchObject({ vacant: 0, endedVacant: 0 });
    expect((await world.meetingOf(club.clubId))?.vacantSince).toBeUndefined();
  });

  it('is left alone without one write when nothing changed', async () => {
    const club = await clubWith();
    await join(club, club.member.userId);
    service.wire.forget();
    await service.cleanUp();
    expect(service.wire.operations().filter((name) => /Update|Put/.test(name))).toEqual([]);
  });

  it('ends when it has lasted for the maximum, and everybody is disconnected', async () => {
    const club = await clubWith({ startedAt: ago(hours(12) + 1000) });
    await join(club, club.member.userId);
    expect(await service.cleanUp()).toMatchObject({ active: 1, endedMaxDuration: 1 });
    const { meeting, lastMeeting } = await world.recordOf(club.clubId);
    expect(meeting).toBeUndefined();
    expect(lastMeeting).toMatchObject({ endedBy: null, reason: 'max-duration' });
    expect(await world.roomsOf(club.clubId)).toEqual([]);
    const departures = await world.standIn.departures();
    expect(departures.at(-1)).toMatchObject({ identity: club.member.userId });
  });

  it('does not end a second before the maximum', async () => {
    const club = await clubWith({ startedAt: ago(hours(12) - 10_000) });
    await join(club, club.member.userId);
    await service.cleanUp();
    expect(await world.meetingOf(club.clubId)).toBeDefined();
  });

  it('is closed in its attendance at its end', async () => {
    const club = await clubWith({ startedAt: ago(hours(12) - 4000) });
    await world.sendWebhooksTo(service);
    await join(club, club.member.userId);
    await world.standIn.webhooks.settled();
    const due = await world.boot(later(hours(1)));
    await due.cleanUp();
    const { clubId, meeting } = club;
    const { body } = await service.call('meeting', club.owner, {
      clubId,
      meetingId: meeting.meetingId,
    });
    expect(body.meeting).toMatchObject({ reason: 'max-duration', endedBy: null, peopleCount: 1 });
    expect(body.attendance).toMatchObject([{ userId: club.member.userId, sessions: 1 }]);
  });
});

describe('Done twice,', () => {
  it('a cleanup changes nothing the second time, whatever there was to do', async () => {
    await clubWith();
    await clubWith({ vacantSince: ago(minutes(20)) });
    await clubWith({ startedAt: ago(hours(13)) });
    const occupied = await clubWith();
    await join(occupied, occupied.member.userId);
    await world.createStaleRoom('gone');

    await service.cleanUp();
    const [items, rooms] = [await world.scan(), await world.standIn.rooms()];
    expect(await service.cleanUp()).toMatchObject({
      endedVacant: 0,
      endedMaxDuration: 0,
      zombiesDeleted: 0,
      repaired: 0,
      failed: 0,
    });
    expect(await world.scan()).toEqual(items);
    expect(await world.standIn.rooms()).toEqual(rooms);
  });

  it('at once, two or five end each meeting once, and none fails', async () => {
    const clubs = await Promise.all(
      Array.from({ length: 6 }, () => clubWith({ vacantSince: ago(minutes(20)) })),
    );
    const processes = await Promise.all(Array.from({ length: 5 }, () => world.boot()));
    const reports = await Promise.all(processes.map((each) => each.cleanUp()));
    const ended = reports.reduce((sum, { endedVacant }) => sum + endedVacant, 0);
    expect(ended).toBe(6);
    for (const { clubId, meeting } of clubs) {
      const record = await world.recordOf(clubId);
      expect(record.meeting).toBeUndefined();
      expect(record.lastMeeting?.meetingId).toBe(meeting.meetingId);
    }
    expect(await world.standIn.rooms()).toEqual([]);
  });

  it('at once with a webhook for each of its rooms, it leaves no participant behind', async () => {
    await world.sendWebhooksTo(service);
    const club = await clubWith({ vacantSince: ago(minutes(20)) }, { room: false });
    await service.cleanUp();
    await world.standIn.webhooks.settled();
    expect(await world.meetingOf(club.clubId)).toBeUndefined();
    expect(await world.roomsOf(club.clubId)).toEqual([]);
  });
});

describe('Stale rooms', () => {
  it('go: rooms of the last meeting, and of meetings before it', async () => {
    const club = await world.createClub();
    const [first, second] = [
      endedMeeting(club.clubId, { startedAt: ago(hours(9)) }),
      endedMeeting(club.clubId, { startedAt: ago(hours(5)) }),
    ];
    await world.put(endedRow(club.clubId, first));
    await world.putRecord(club.clubId, { lastMeeting: second });
    for (const { roomName } of [first, second]) {
      await world.openRoom(roomName);
      await world.standIn.join(roomName, { identity: 'holder-of-an-old-token' });
    }
    expect(await service.cleanUp()).toMatchObject({ zombiesDeleted: 2, failed: 0 });
    expect(await world.standIn.rooms()).toEqual([]);
  });

  it('go also beside the club’s meeting that is on', async () => {
    const club = await clubWith();
    const last = endedMeeting(club.clubId);
    await world.putRecord(club.clubId, { lastMeeting: last });
    await world.openRoom(last.roomName);
    await service.cleanUp();
    expect((await world.standIn.rooms()).map(({ name }) => name)).toEqual([club.meeting.roomName]);
  });

  it('of more meetings than are read at once go in one run', async () => {
    const rows = Array.from({ length: 60 }, (_, index) => {
      const clubId = `many-${index % 7}`;
      const startedAt = ago(hours(2) + minutes(index));
      return { clubId, ended: endedMeeting(clubId, { startedAt }) };
    });
    await world.put(...rows.map(({ clubId, ended }) => endedRow(clubId, ended)));
    for (const { ended } of rows) await world.openRoom(ended.roomName);
    expect(await service.cleanUp()).toMatchObject({ zombiesDeleted: 60 });
    expect(await world.standIn.rooms()).toEqual([]);
  });

  it('are never rooms that this table knows nothing of, whatever their names look like', async () => {
    const club = await clubWith();
    const { meetingId } = endedMeeting('x');
    const names = [
      'lobby',
      `reading-club-${club.clubId}`,
      `reading-club-${club.clubId}-${meetingId}`,
      `reading-club-no-such-club-${meetingId}`,
      `reading-club-${club.clubId}-${club.meeting.meetingId}x`,
      `reading-club--${club.meeting.meetingId}`,
      `Reading-club-${club.clubId}-${club.meeting.meetingId}`,
      `reading-club-${club.clubId}-${'A'.repeat(26)}`,
      doctorsRoomNameOf(meetingId),
    ];
    for (const name of names) await world.openRoom(name);
    expect(await service.cleanUp()).toMatchObject({ zombiesDeleted: 0, failed: 0 });
    expect((await world.standIn.rooms()).map(({ name }) => name).sort()).toEqual(
      [...names, club.meeting.roomName].sort(),
    );
  });
});

describe('Presence', () => {
  it('of a meeting of which no event ever came is never adopted: status asks', async () => {
    const club = await clubWith();
    await join(club, club.member.userId);
    await service.cleanUp();
    const record = await world.recordOf(club.clubId);
    expect(record).not.toHaveProperty('presence');
    expect(record).not.toHaveProperty('presentSids');
  });

  it('misses no participant when LiveKit’s listed count lags: the next run repairs it', async () => {
    const own = await startWorld({ countLagMs: 5000 });
    try {
      const process = await own.boot();
      const club = await own.createClub();
      const { body } = await process.call('start', club.owner, club);
      await own.sendWebhooksTo(process);
      await own.standIn.join(body.roomName, { identity: club.member.userId });
      await own.standIn.webhooks.settled();
      for (const minute of [0, 5, 10, 15, 20, 25]) {
        await (await own.boot(later(minutes(minute)))).cleanUp();
      }
      const { meeting } = await own.recordOf(club.clubId);
      expect(meeting?.meetingId).toBe(body.meetingId);
    } finally {
      await own.close();
    }
  });

  it('does not adopt a participant with a foreign identity: the history stays readable', async () => {
    const club = await clubWith();
    await world.sendWebhooksTo(service);
    await join(club, club.member.userId);
    await world.standIn.webhooks.settled();
    await world.sendWebhooksTo(undefined);
    await world.standIn.join(club.meeting.roomName, { identity: 'another club’s guest' });
    expect(await service.cleanUp()).toMatchObject({ failed: 0 });
    await service.call('end', club.owner, club);
    const { clubId, meeting } = club;
    const { status, body } = await service.call('meeting', club.member, {
      clubId,
      meetingId: meeting.meetingId,
    });
    expect(status).toBe(200);
    expect(body.attendance.map(({ userId }) => userId)).toEqual([club.member.userId]);
  });

  it('that an interrupted repair leaves behind is not taken for complete', async () => {
    const club = await clubWith();
    // The events of the room’s start and of the first join are lost.
    await join(club, club.owner.userId);
    await world.sendWebhooksTo(service);
    await join(club, club.member.userId);
    await world.standIn.webhooks.settled();
    await world.sendWebhooksTo(undefined);

    // The repair writes as far as the store lets it.
    for (const writes of [0, 1, 2, 3]) {
      let done = 0;
      const broken = await world.boot({
        faults: [
          on('UpdateItem', (request, pass) => {
            done += 1;
            return done > writes ? internalError(request, pass) : pass();
          }),
        ],
      });
      await broken.cleanUp().catch(() => undefined);
      const { body } = await service.call('status', club.member, club);
      expect(body.participantCount, `after ${writes} writes`).toBe(2);
    }
  });
});

describe('What it did', () => {
  it('is returned and logged: active, vacant, ended by reason, stale rooms, repaired, failed', async () => {
    await clubWith();
    await clubWith({ vacantSince: ago(minutes(20)) });
    await clubWith({ startedAt: ago(hours(13)) });
    await world.createStaleRoom('logged');
    service.lines.length = 0;
    const report = await service.cleanUp();
    expect(report).toEqual({
      active: 3,
      vacant: 2,
      endedVacant: 1,
      endedMaxDuration: 1,
      zombiesDeleted: 1,
      repaired: 0,
      recordings: 0,
      stoppedVacant: 0,
      postponed: 0,
      failed: 0,
    });
    expect(service.lines).toEqual([{ level: 'info', message: 'cleanup', fields: report }]);
  });

  it('costs a query a shard, one for recordings and one for removals, a read for a hundred clubs, and one list of rooms', async () => {
    const clubs = await Promise.all(Array.from({ length: 5 }, () => clubWith()));
    for (const club of clubs) await join(club, club.member.userId);
    service.wire.forget();
    await service.cleanUp();
    expect(service.wire.operations().toSorted()).toEqual([
      'BatchGetItem',
      'ListRooms',
      ...Array<string>(10).fill('Query'),
    ]);
  });
});

describe('Before its time is up', () => {
  /** Time for so many batches, by the clock. */
  const timeFor = (batches: number) => {
    let looks = 0;
    return contextOf(() => (looks++ < batches ? 60_000 : 20_000));
  };

  it('it stops, says what is left, and later runs do the rest', async () => {
    const meeting = { startedAt: ago(hours(1)) };
    await Promise.all(Array.from({ length: 230 }, () => world.createMeeting(meeting)));
    await world.createStaleRoom('late');
    const vacant = async () =>
      ((await world.scan()) as { meeting?: Meeting }[]).filter((item) => item.meeting?.vacantSince)
        .length;

    // Calls for a whole batch of 100 clubs at once.
    const env = { CLEANUP_MAX_LIVEKIT_CALLS: '1000' };
    const fast = await world.boot({ direct: true, env });
    expect(await fast.cleanUp(timeFor(1))).toMatchObject({ active: 100, postponed: 130 });
    expect(await vacant()).toBe(100);
    for (let runs = 1; runs < 40 && (await vacant()) < 230; runs++) {
      await fast.cleanUp(timeFor(2));
    }
    expect(await vacant()).toBe(230);
    expect(await world.standIn.rooms()).toHaveLength(1);
    expect(await fast.cleanUp(timeFor(3))).toMatchObject({ zombiesDeleted: 0, postponed: 1 });
    expect(await fast.cleanUp(timeFor(4))).toMatchObject({ zombiesDeleted: 1, postponed: 0 });
    expect(await world.standIn.rooms()).toEqual([]);
  });

  it('it starts nothing when no time is left', async () => {
    const club = await clubWith({ vacantSince: ago(minutes(20)) });
    expect(await service.cleanUp(timeFor(0))).toMatchObject({ active: 0, postponed: 1 });
    expect(await world.meetingOf(club.clubId)).toEqual(club.meeting);
  });
});
