import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attendanceOf } from './attendance.ts';
import type { EndedMeeting, RoomLife, Session } from './model.ts';

const STARTED_AT = Date.UTC(2026, 2, 1, 18);
const END = 600; // seconds after the start

const instant = (second: number) => new Date(STARTED_AT + second * 1000).toISOString();

const meeting: EndedMeeting = {
  meetingId: '01KJM0000000000000000000AA',
  roomName: 'reading-club-my-club-01KJM0000000000000000000AA',
  startedAt: instant(0),
  endedAt: instant(END),
  durationSeconds: END,
  endedBy: 'ann',
  reason: 'moderator',
};

let sids = 0;
/** Seconds after the start. */
function stay(userId: string, joined: number, left?: number, displayName?: string): Session {
  sids += 1;
  return {
    userId,
    participantSid: `PA_${sids}`,
    displayName: displayName ?? null,
    joinedAt: instant(joined),
    ...(left !== undefined && { leftAt: instant(left) }),
  };
}

/** The same in a room; `~` before the departure: it is estimated. */
const stayIn = (roomSid: string, joined: number, left?: number | `~${number}`): Session => {
  const isEstimated = typeof left === 'string';
  const second = isEstimated ? Number(left.slice(1)) : left;
  return { ...stay('ann', joined, second), roomSid, ...(isEstimated && { isEstimated }) };
};

/** What is known of a room, in seconds after the start. */
const room = (
  roomSid: string,
  facts: Partial<Record<Exclude<keyof RoomLife, 'roomSid'>, number>>,
): RoomLife => ({
  roomSid,
  ...Object.fromEntries(Object.entries(facts).map(([name, second]) => [name, instant(second)])),
});

const attended = (sessions: Session[], rooms: RoomLife[] = []) =>
  attendanceOf({ sessions, rooms }, meeting).attendance;

const generated = fc.array(
  fc
    .record({
      userId: fc.constantFrom('ann', 'ben', 'cleo'),
      joined: fc.integer({ min: 0, max: END + 120 }),
      // Also before the join: an event’s time is in whole seconds, and clocks differ.
      left: fc.option(fc.integer({ min: 0, max: END + 240 }), { nil: undefined }),
    })
    .map(({ userId, joined, left }) => stay(userId, joined, left)),
  { maxLength: 12 },
);

/** Second by second: was this person there at any device? */
const secondsOf = (sessions: Session[], userId: string): number =>
  Array.from({ length: END }, (_, second) => STARTED_AT + second * 1000).filter((at) =>
    sessions.some(
      (session) =>
        session.userId === userId &&
        Date.parse(session.joinedAt) <= at &&
        (session.leftAt === undefined || at < Date.parse(session.leftAt)),
    ),
  ).length;

describe('attendance', () => {
  it('counts each second of a person once, however many devices they had', () => {
    fc.assert(
      fc.property(generated, (sessions) => {
        for (const { userId, secondsPresent } of attended(sessions)) {
          expect(secondsPresent).toBe(secondsOf(sessions, userId));
        }
      }),
    );
  });

  it('names everybody once who came before the end, in the order in which they came', () => {
    fc.assert(
      fc.property(generated, (sessions) => {
        const attendance = attended(sessions);
        const inTime = sessions.filter(({ joinedAt }) => joinedAt < meeting.endedAt);
        expect(attendance.map(({ userId }) => userId).sort()).toEqual(
          [...new Set(inTime.map(({ userId }) => userId))].sort(),
        );
        const firsts = attendance.map(({ firstJoinedAt }) => firstJoinedAt);
        expect(firsts).toEqual(firsts.toSorted());
        for (const { userId, firstJoinedAt, sessions: count } of attendance) {
          const own = inTime.filter((session) => session.userId === userId);
          expect(count).toBe(own.length);
          expect(firstJoinedAt).toBe(own.map(({ joinedAt }) => joinedAt).sort()[0]);
        }
      }),
    );
  });

  it('is the same in whatever order the sessions are read', () => {
    fc.assert(
      fc.property(
        generated.chain((sessions) =>
          fc.tuple(
            fc.constant(sessions),
            fc.shuffledSubarray(sessions, { minLength: sessions.length }),
          ),
        ),
        ([sessions, shuffled]) => {
          const byUser = (rows: ReturnType<typeof attended>) =>
            rows.toSorted((a, b) => a.userId.localeCompare(b.userId));
          expect(byUser(attended(shuffled))).toEqual(byUser(attended(sessions)));
        },
      ),
    );
  });

  it('lies within the meeting: no attendance is longer or ends later', () => {
    fc.assert(
      fc.property(generated, (sessions) => {
        for (const row of attended(sessions)) {
          expect(row.secondsPresent).toBeGreaterThanOrEqual(0);
          expect(row.secondsPresent).toBeLessThanOrEqual(meeting.durationSeconds);
          expect(row.firstJoinedAt <= row.lastLeftAt).toBe(true);
          expect(row.lastLeftAt <= meeting.endedAt).toBe(true);
        }
      }),
    );
  });

  it('of two devices at once counts the time once, and the sessions twice', () => {
    const rows = attended([stay('ann', 0, 100), stay('ann', 50, 150)]);
    expect(rows).toEqual([
      {
        userId: 'ann',
        displayName: null,
        firstJoinedAt: instant(0),
        lastLeftAt: instant(150),
        secondsPresent: 150,
        sessions: 2,
        stays: [
          { joinedAt: instant(0), leftAt: instant(100), isEstimated: false },
          { joinedAt: instant(50), leftAt: instant(150), isEstimated: false },
        ],
      },
    ]);
  });

  it('of a device inside the time of another adds nothing', () => {
    const [row] = attended([stay('ann', 0, 300), stay('ann', 50, 60)]);
    expect(row).toMatchObject({ secondsPresent: 300, lastLeftAt: instant(300) });
  });

  it('of a person who left and came back leaves the gap out', () => {
    const [row] = attended([stay('ann', 200, 300), stay('ann', 0, 100)]);
    expect(row).toMatchObject({ secondsPresent: 200, firstJoinedAt: instant(0) });
  });

  it('of a person who is still there ends with the meeting', () => {
    const [row] = attended([stay('ann', 500)]);
    expect(row).toMatchObject({ secondsPresent: 100, lastLeftAt: instant(END) });
  });

  it('of a person whose departure arrives after the end ends with the meeting', () => {
    const [row] = attended([stay('ann', 500, END + 5)]);
    expect(row).toMatchObject({ secondsPresent: 100, lastLeftAt: instant(END) });
  });

  it('leaves out people who came at the end or after it', () => {
    expect(attended([stay('ann', END), stay('ben', END + 1, END + 9)])).toEqual([]);
  });

  it('of a person who left in the second in which they came is no time at all', () => {
    const session = {
      ...stay('ann', 10, 10),
      joinedAt: new Date(STARTED_AT + 10_700).toISOString(),
    };
    expect(attended([session])).toMatchObject([
      { secondsPresent: 0, firstJoinedAt: session.joinedAt, lastLeftAt: session.joinedAt },
    ]);
  });

  it('has the name of whichever session knew one', () => {
    expect(attended([stay('ann', 0, 1), stay('ann', 2, 3, 'Ann')])).toMatchObject([
      { displayName: 'Ann' },
    ]);
  });

  it('without sessions is empty', () => {
    expect(attended([])).toEqual([]);
  });
});

describe('a session whose departure LiveKit did not report', () => {
  const staysOf = (sessions: Session[], rooms: RoomLife[]) =>
    attended(sessions, rooms)
      .flatMap(({ stays }) => stays)
      .map(({ joinedAt, leftAt, isEstimated }) =>
        [joinedAt, leftAt]
          .map((at) => (Date.parse(at) - STARTED_AT) / 1000)
          .join(isEstimated ? ' ~' : ' '),
      );

  it.each<[string, Session[], RoomLife[], string]>([
    ['the meeting’s end', [stayIn('A', 10)], [], `10 ~${END}`],
    ['what the cleanup found', [stayIn('A', 10, '~90')], [], '10 ~90'],
    ['its room’s finish', [stayIn('A', 10)], [room('A', { finishedAt: 90 })], '10 ~90'],
    [
      'the earliest of them',
      [stayIn('A', 10, '~80')],
      [room('A', { finishedAt: 70 }), room('B', { createdAt: 90 })],
      '10 ~70',
    ],
    ['when the next room was made', [stayIn('A', 10)], [room('B', { createdAt: 90 })], '10 ~90'],
    [
      'the last that was seen of its room, where the next one’s clock is behind',
      [stayIn('A', 10)],
      [room('A', { seenAt: 100 }), room('B', { createdAt: 60, seenAt: 300 })],
      '10 ~100',
    ],
    [
      'nothing of an older room',
      [stayIn('B', 200)],
      [room('A', { seenAt: 100 }), room('B', { createdAt: 150 })],
      `200 ~${END}`,
    ],
    [
      'no finish that the cleanup found to be none',
      [stayIn('A', 10)],
      [room('A', { finishedAt: 90, seenAt: 300 })],
      `10 ~${END}`,
    ],
  ])('ends with %s', (_, sessions, rooms, expected) => {
    expect(staysOf(sessions, rooms)).toEqual([expected]);
  });

  it('ends a quarter of an hour after the last sign of life of its room', () => {
    const longMeeting = { ...meeting, endedAt: instant(7200), durationSeconds: 7200 };
    const sessions = [stayIn('A', 10), { ...stayIn('A', 20, 300), userId: 'ben' }];
    const lastOf = (rooms: RoomLife[]) =>
      attendanceOf({ sessions, rooms }, longMeeting).attendance[0]?.lastLeftAt;
    expect(lastOf([])).toBe(instant(300 + 900));
    expect(lastOf([room('A', { seenAt: 1500 })])).toBe(instant(1500 + 900));
    expect(lastOf([room('A', { seenAt: 6900 })])).toBe(instant(7200));
  });

  it('of a version that did not note the room ends with the meeting', () => {
    expect(staysOf([stay('ann', 10)], [room('A', { finishedAt: 90 })])).toEqual([`10 ~${END}`]);
  });

  it('bounds nothing that LiveKit did report', () => {
    const rooms = [room('A', { finishedAt: 50 }), room('B', { createdAt: 70 })];
    expect(staysOf([stayIn('A', 10, 300)], rooms)).toEqual(['10 300']);
  });

  it('ends at the same time in whatever order the rooms are read', () => {
    const times = fc.option(fc.integer({ min: 0, max: END }), { nil: undefined });
    const facts = fc.record({ createdAt: times, seenAt: times, finishedAt: times });
    const given = (each: object) =>
      Object.fromEntries(Object.entries(each).filter(([, second]) => second !== undefined));
    const rooms = fc
      .tuple(facts, facts, facts)
      .map((all) => all.map((each, index) => room(`ABC`.charAt(index), given(each))));
    const sessions = fc.array(
      fc
        .record({ sid: fc.constantFrom('A', 'B', 'C'), joined: fc.nat(END - 1), left: times })
        .map(({ sid, joined, left }) => stayIn(sid, joined, left)),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(sessions, rooms, (own, known) => {
        const [row] = attended(own, known);
        expect(attended(own, known.toReversed())[0]).toEqual(row);
        for (const { joinedAt, leftAt } of row?.stays ?? []) {
          expect(joinedAt <= leftAt && leftAt <= meeting.endedAt).toBe(true);
        }
      }),
    );
  });
});

describe('A clock of ours that is ahead of LiveKit’s', () => {
  it('gives no attendance before the meeting began', () => {
    const [ann, ben] = attended([stay('ann', -3, 10), stay('ben', -3, -1)]);
    expect(ann).toMatchObject({ firstJoinedAt: instant(0), secondsPresent: 10 });
    expect(ann?.stays).toEqual([{ joinedAt: instant(0), leftAt: instant(10), isEstimated: false }]);
    expect(ben).toMatchObject({ lastLeftAt: instant(0), secondsPresent: 0, sessions: 1 });
  });
});
