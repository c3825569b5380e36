/** The two routes about meetings that are over: pages, people, and who may read them. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { ulid } from 'ulid';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MeetingList } from '../../lib/contract/answers.ts';
import type { EndedMeeting } from '../../lib/meetings/model.ts';
import { endedMeeting, endedRow } from '../harness/items.ts';
import { eventBody } from '../harness/livekit-events.ts';
import { minutes } from '../harness/process.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot();
let club: TestClub;
beforeEach(async () => {
  club = await world.createClub();
});

/** A club with so many meetings behind it, a minute apart; newest first. */
async function withHistory(
  count: number,
  { lastHasRow = false, lastIs = 0 }: { lastHasRow?: boolean; lastIs?: number } = {},
): Promise<EndedMeeting[]> {
  const all = Array.from({ length: count }, (_, index) =>
    endedMeeting(club.clubId, {
      startedAt: new Date(Date.UTC(2026, 3, 1) - minutes(index)).toISOString(),
    }),
  );
  const last = all[Math.min(lastIs, count - 1)];
  const rows = all.filter((each) => lastHasRow || each !== last);
  await world.put(...rows.map((each) => endedRow(club.clubId, each)));
  if (last) await world.putRecord(club.clubId, { lastMeeting: last });
  return all;
}

/** As the record has it. */
const unrecorded = ({
  recordingCount,
  ...meeting
}: MeetingList['meetings'][number]): EndedMeeting => {
  expect(recordingCount).toBe(0);
  return meeting;
};

/** Every page, as a client reads them. */
async function pages(limit: number | undefined) {
  const read: EndedMeeting[][] = [];
  let cursor: string | undefined;
  do {
    const { status, body } = await service.call('meetings', club.member, {
      clubId: club.clubId,
      query: {
        ...(limit !== undefined && { limit: String(limit) }),
        ...(cursor !== undefined && { cursor }),
      },
    });
    expect(status).toBe(200);
    read.push(body.meetings.map(unrecorded));
    ({ cursor } = body);
  } while (cursor !== undefined && read.length < 200);
  return read;
}

describe('The pages of a club’s meetings', () => {
  it('list all of its meetings, newest first, each once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 1, max: 10 }),
        fc.boolean(),
        // Mostly the newest; another one when two functions’ clocks differ.
        fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(8) }),
        async (count, limit, lastHasRow, lastIs) => {
          club = await world.createClub();
          const all = await withHistory(count, { lastHasRow, lastIs });
          const read = await pages(limit);
          expect(read.flat()).toEqual(all);
          for (const page of read.slice(0, -1)) expect(page).toHaveLength(limit);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are twenty meetings long unless asked for otherwise, and a hundred at most', async () => {
    const all = await withHistory(130);
    expect((await pages(undefined)).map((page) => page.length)).toEqual([
      20, 20, 20, 20, 20, 20, 10,
    ]);
    const read = await pages(100);
    expect(read.map((page) => page.length)).toEqual([100, 30]);
    expect(read.flat()).toEqual(all);
  });

  it('cost a read of the club, a query, and one for what was recorded', async () => {
    await withHistory(30);
    service.wire.forget();
    await service.call('meetings', club.member, { clubId: club.clubId });
    expect(service.wire.operations()).toEqual(['BatchGetItem', 'Query', 'Query']);
  });

  it('do not show the meeting that is on', async () => {
    const all = await withHistory(3);
    await service.call('start', club.owner, club);
    expect((await pages(2)).flat()).toEqual(all);
  });

  it('are one empty page for a club that never met', async () => {
    const { status, body } = await service.call('meetings', club.member, { clubId: club.clubId });
    expect({ status, body }).toEqual({ status: 200, body: { meetings: [] } });
  });

  it('grow at their head without moving: a meeting that ends between pages is on no later page', async () => {
    const all = await withHistory(6);
    const first = await service.call('meetings', club.member, {
      clubId: club.clubId,
      query: { limit: '3' },
    });
    await service.call('start', club.owner, club);
    await service.call('end', club.owner, club);
    const second = await service.call('meetings', club.member, {
      clubId: club.clubId,
      query: {
        limit: '3',
        cursor: first.body.cursor ?? '',
      },
    });
    const both = [...first.body.meetings, ...second.body.meetings];
    expect(both.map(unrecorded)).toEqual(all);
  });

  it('say who ended each and why, and nothing outside the contract', async () => {
    await service.call('start', club.owner, club);
    const { body: ended } = await service.call('end', club.moderator, club);
    const { body } = await service.call('meetings', club.member, { clubId: club.clubId });
    expect(body).toEqual({
      meetings: [
        {
          meetingId: ended.meetingId,
          roomName: ended.roomName,
          startedAt: expect.any(String),
          endedAt: ended.endedAt,
          durationSeconds: ended.duration,
          endedBy: club.moderator.userId,
          reason: 'moderator',
          recordingCount: 0,
        },
      ],
    });
    await service.call('start', club.owner, club);
    await service.call('end', club.owner, club);
    const { body: after } = await service.call('meetings', club.member, { clubId: club.clubId });
    expect(after.meetings[1]).toEqual(body.meetings[0]);
  });
});

describe('A cursor', () => {
  it('that is forged stays within the requested club, or is a 400', async () => {
    const other = await world.createClub();
    const foreign = endedMeeting(other.clubId, { startedAt: '2026-03-15T00:00:00.000Z' });
    await world.put(endedRow(other.clubId, foreign));
    const all = await withHistory(4);
    const own = new Set(all.map(({ meetingId }) => meetingId));
    const forged = fc.oneof(
      fc.constant(foreign.meetingId),
      fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((time) => ulid(time)),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        `CLUB#${other.clubId}`,
        `MEETING#${foreign.meetingId}`,
        `${foreign.meetingId}#`,
        foreign.meetingId.toLowerCase(),
        '~',
        '',
        '../../',
        Buffer.from(JSON.stringify({ pk: `CLUB#${other.clubId}` })).toString('base64'),
      ),
    );
    await fc.assert(
      fc.asyncProperty(forged, async (cursor) => {
        const { status, body } = await service.call('meetings', club.member, {
          clubId: club.clubId,
          query: { cursor },
        });
        expect([200, 400]).toContain(status);
        if (status === 400) expect(body.code).toBe('INVALID_REQUEST');
        else {
          expect(body.meetings.filter(({ meetingId }) => !own.has(meetingId))).toEqual([]);
          expect(body.meetings.every(({ meetingId }) => meetingId < cursor)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('A limit', () => {
  it.each(['0', '101', '-1', '1.5', 'ten', '', '1,2', 'NaN', '1e9', ' '])(
    'of %j is a 400 that names it',
    async (limit) => {
      const { status, body } = await service.call('meetings', club.member, {
        clubId: club.clubId,
        query: { limit },
      });
      expect({ status, code: body.code }).toEqual({ status: 400, code: 'INVALID_REQUEST' });
      expect(body.error).toContain('limit');
    },
  );

  it('with an unknown parameter is a 400', async () => {
    const { status } = await service.call('meetings', club.member, {
      clubId: club.clubId,
      query: { before: 'x' },
    });
    expect(status).toBe(400);
  });
});

describe('Who may read it:', () => {
  const both = async (who: TestClub['owner'] | undefined, clubId: string, meetingId: string) => {
    const [list, details] = await Promise.all([
      service.call('meetings', who, { clubId }),
      service.call('meeting', who, { clubId, meetingId }),
    ]);
    expect(details.status).toBe(list.status);
    expect(details.body.code).toBe(list.body.code);
    return { status: list.status, code: list.body.code };
  };

  it.each(['owner', 'moderator', 'member', 'nameless'] as const)('the %s', async (role) => {
    const [last] = await withHistory(2);
    const { status } = await both(club[role], club.clubId, last?.meetingId ?? '');
    expect(status).toBe(200);
  });

  it('no outsider', async () => {
    const [last] = await withHistory(2);
    const { meetingId = '' } = last ?? {};
    expect(await both(club.outsider, club.clubId, meetingId)).toEqual({
      status: 403,
      code: 'NOT_A_MEMBER',
    });
    const other = await world.createClub();
    expect(await both(other.owner, club.clubId, meetingId)).toEqual({
      status: 403,
      code: 'NOT_A_MEMBER',
    });
    expect(await both(undefined, club.clubId, meetingId)).toEqual({
      status: 401,
      code: 'UNAUTHENTICATED',
    });
  });

  it('no caller about a club that does not exist', async () => {
    expect(await both(club.member, 'no-such-club', ulid())).toEqual({
      status: 404,
      code: 'CLUB_NOT_FOUND',
    });
  });

  it('no caller through another club’s path', async () => {
    const [last] = await withHistory(2);
    const other = await world.createClub();
    const { outcome } = await service.call('meeting', other.member, {
      clubId: other.clubId,
      meetingId: last?.meetingId ?? '',
    });
    expect(outcome).toBe('404 MEETING_NOT_FOUND');
  });
});

describe('A meeting that is over', () => {
  it.each([0, 1, 4])('is found wherever its facts are by now: %i meetings ago', async (back) => {
    const all = await withHistory(5);
    const wanted = all[back];
    const { status, body } = await service.call('meeting', club.member, {
      clubId: club.clubId,
      meetingId: wanted?.meetingId ?? '',
    });
    expect({ status, body }).toEqual({
      status: 200,
      body: { meeting: { ...wanted, peopleCount: 0, guestCount: 0 }, attendance: [] },
    });
  });

  it('that never was is a 404, as is the one that is on', async () => {
    const unknown = await service.call('meeting', club.member, {
      clubId: club.clubId,
      meetingId: ulid(),
    });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'MEETING_NOT_FOUND' } });
    const { body: on } = await service.call('start', club.owner, club);
    const current = await service.call('meeting', club.member, {
      clubId: club.clubId,
      meetingId: on.meetingId,
    });
    expect(current).toMatchObject({ status: 404, body: { code: 'MEETING_NOT_FOUND' } });
  });

  it.each(['x', '../..', 'CLUB', '01ARZ3NDEKTSV4RRFFQ69G5FA', '81ARZ3NDEKTSV4RRFFQ69G5FAV'])(
    'is not named by %j: a 400',
    async (meetingId) => {
      const { status } = await service.call('meeting', club.member, {
        clubId: club.clubId,
        meetingId,
      });
      expect(status).toBe(400);
    },
  );
});

describe('Attendance', () => {
  /** Sends LiveKit's events about a meeting of ten minutes, in minutes after its start, and ends it. */
  async function attended(
    stays: {
      who: keyof Pick<TestClub, 'owner' | 'moderator' | 'member' | 'nameless'>;
      joined: number;
      left?: number;
      name?: string;
      kind?: 'AGENT';
    }[],
    { lateLeft = false } = {},
  ) {
    const startedAtMs = Math.floor(Date.now() / 1000) * 1000 - minutes(10);
    const startedAt = new Date(startedAtMs).toISOString();
    const created = await world.createMeeting({ startedAt });
    club = created;
    const { meetingId, roomName } = created.meeting;
    const room = { name: roomName, sid: 'RM_attended', createdAtMs: startedAtMs };
    const late: string[] = [];
    for (const { who, joined, left, ...facts } of stays) {
      const participant = {
        identity: club[who].userId,
        sid: `PA_${randomUUID().slice(0, 8)}`,
        joinedAtMs: startedAtMs + minutes(joined),
        ...facts,
      };
      const at = participant.joinedAtMs;
      await service.sendWebhook(eventBody('participant_joined', { room, participant, at }));
      if (left === undefined) continue;
      const leaving = { room, participant, at: startedAtMs + minutes(left) };
      const body = eventBody('participant_left', leaving);
      if (lateLeft) late.push(body);
      else await service.sendWebhook(body);
    }
    const { body: ended } = await service.call('end', club.owner, club);
    for (const body of late) await service.sendWebhook(body);
    const { body } = await service.call('meeting', club.member, { clubId: club.clubId, meetingId });
    const minute = (value: string) => Math.round((Date.parse(value) - startedAtMs) / 60_000);
    return {
      ended,
      people: body.meeting.peopleCount,
      rows: body.attendance.map(({ firstJoinedAt, lastLeftAt, secondsPresent, stays, ...row }) => ({
        ...row,
        from: minute(firstJoinedAt),
        to: minute(lastLeftAt),
        present: Math.round(secondsPresent / 60),
        stays: stays.map(({ joinedAt, leftAt, isEstimated }) =>
          [minute(joinedAt), minute(leftAt), ...(isEstimated ? ['estimated'] : [])].join(' '),
        ),
      })),
      raw: body,
    };
  }

  it('is per person, with two devices counted once', async () => {
    const { rows, people } = await attended([
      { who: 'member', joined: 0, left: 4 },
      { who: 'member', joined: 2, left: 6 },
      { who: 'nameless', joined: 1, left: 3 },
      { who: 'nameless', joined: 5, left: 7 },
    ]);
    expect(people).toBe(2);
    expect(rows).toEqual([
      {
        userId: club.member.userId,
        displayName: club.displayNames.member,
        sessions: 2,
        from: 0,
        to: 6,
        present: 6,
        stays: ['0 4', '2 6'],
      },
      {
        userId: club.nameless.userId,
        displayName: null,
        sessions: 2,
        from: 1,
        to: 7,
        present: 4,
        stays: ['1 3', '5 7'],
      },
    ]);
  });

  it('closes open sessions at the end of the meeting', async () => {
    const { rows, raw, ended } = await attended([{ who: 'member', joined: 4 }]);
    expect(rows).toMatchObject([{ from: 4, to: 10, present: 6, stays: ['4 10 estimated'] }]);
    expect(raw.attendance[0]?.lastLeftAt).toBe(ended.endedAt);
  });

  it('uses the time of a departure that arrives after the end', async () => {
    const { rows } = await attended([{ who: 'member', joined: 1, left: 5 }], { lateLeft: true });
    expect(rows).toMatchObject([{ from: 1, to: 5, present: 4, stays: ['1 5'] }]);
  });

  it('leaves out who joined after the end, and machines', async () => {
    const { rows } = await attended([
      { who: 'member', joined: 1, left: 5 },
      { who: 'moderator', joined: 11 },
      { who: 'nameless', joined: 2, kind: 'AGENT' },
    ]);
    expect(rows.map(({ userId }) => userId)).toEqual([club.member.userId]);
  });

  it('has the member’s name, never the one that they gave themselves', async () => {
    const { raw } = await attended([
      { who: 'member', joined: 1, left: 2, name: 'Another Name' },
      { who: 'nameless', joined: 1, left: 2, name: 'An Invented Name' },
      { who: 'owner', joined: 1, left: 2, name: 'The King' },
    ]);
    expect(JSON.stringify(raw)).not.toMatch(/Another Name|An Invented Name|The King/);
    expect(raw.attendance.map(({ displayName }) => displayName).sort()).toEqual([
      club.displayNames.member,
      null,
      null,
    ]);
  });

  it('as a table has a row for each person, and no name that a spreadsheet would compute', async () => {
    await attended([{ who: 'member', joined: 1, left: 2 }]);
    const [item] = await world.itemsOf(club.clubId, `MEMBER#${club.moderator.userId}`);
    await world.put({ ...item, displayName: '=HYPERLINK("http://x","Zoë")' });
    await service.call('start', club.owner, club);
    const { meeting } = await world.recordOf(club.clubId);
    const meetingId = meeting?.meetingId ?? '';
    const room = { name: meeting?.roomName ?? '', sid: 'RM_csv', createdAtMs: Date.now() };
    for (const who of ['moderator', 'nameless'] as const) {
      const participant = { identity: club[who].userId, sid: `PA_${who}`, joinedAtMs: Date.now() };
      const at = participant.joinedAtMs;
      await service.sendWebhook(eventBody('participant_joined', { room, participant, at }));
    }
    await service.call('end', club.owner, club);

    const { status, headers, text } = await service.call('meeting', club.member, {
      clubId: club.clubId,
      meetingId,
      headers: { accept: 'text/csv' },
    });
    expect({ status, type: headers['content-type'] }).toEqual({
      status: 200,
      type: 'text/csv; charset=utf-8',
    });
    const { body: details } = await service.call('meeting', club.member, {
      clubId: club.clubId,
      meetingId,
    });
    const [moderator, nameless] = [club.moderator, club.nameless].map(({ userId }) =>
      details.attendance.find((person) => person.userId === userId),
    );
    const rest = (person: typeof nameless) =>
      [
        person?.userId,
        person?.firstJoinedAt,
        person?.lastLeftAt,
        person?.secondsPresent,
        person?.sessions,
      ].join(',');
    const lines = text.replace('\uFEFF', '').split('\r\n');
    expect(lines[0]).toBe('displayName,userId,firstJoinedAt,lastLeftAt,secondsPresent,sessions');
    expect(lines.slice(1).sort()).toEqual(
      ['', `"'=HYPERLINK(""http://x"",""Zoë"")",${rest(moderator)}`, `,${rest(nameless)}`].sort(),
    );
  });

  it('as CSV is refused as JSON for a caller who may not see it', async () => {
    await attended([{ who: 'member', joined: 1, left: 2 }]);
    const { lastMeeting } = await world.recordOf(club.clubId);
    const { status, headers, body } = await service.call('meeting', club.outsider, {
      clubId: club.clubId,
      meetingId: lastMeeting?.meetingId ?? '',
      headers: { accept: 'text/csv' },
    });
    expect({ status, type: headers['content-type'], code: body.code }).toEqual({
      status: 403,
      type: 'application/json',
      code: 'NOT_A_MEMBER',
    });
  });

  it('has the sessions of its meeting only', async () => {
    await attended([{ who: 'member', joined: 1, left: 2 }]);
    await service.call('start', club.owner, club);
    const { body } = await service.call('end', club.owner, club);
    const next = await service.call('meeting', club.member, {
      clubId: club.clubId,
      meetingId: body.meetingId,
    });
    expect(next.body.attendance).toEqual([]);
  });

  it('costs a read of the club and two queries, and a read of the row for one before the last', async () => {
    const { raw } = await attended([{ who: 'member', joined: 1, left: 2 }]);
    service.wire.forget();
    await service.call('meeting', club.member, {
      clubId: club.clubId,
      meetingId: raw.meeting.meetingId,
    });
    expect(service.wire.operations()).toEqual(['BatchGetItem', 'Query', 'Query']);
    await service.call('start', club.owner, club);
    await service.call('end', club.owner, club);
    service.wire.forget();
    await service.call('meeting', club.member, {
      clubId: club.clubId,
      meetingId: raw.meeting.meetingId,
    });
    expect(service.wire.operations()).toEqual(['BatchGetItem', 'GetItem', 'Query', 'Query']);
  });
});
