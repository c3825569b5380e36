import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attendanceOf } from './history.ts';
import type { EndedMeeting, Session } from './model.ts';

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
        for (const { userId, secondsPresent } of attendanceOf(sessions, meeting)) {
          expect(secondsPresent).toBe(secondsOf(sessions, userId));
        }
      }),
    );
  });

  it('names everybody once who came before the end, in the order in which they came', () => {
    fc.assert(
      fc.property(generated, (sessions) => {
        const attendance = attendanceOf(sessions, meeting);
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
          const byUser = (rows: ReturnType<typeof attendanceOf>) =>
            rows.toSorted((a, b) => a.userId.localeCompare(b.userId));
          expect(byUser(attendanceOf(shuffled, meeting))).toEqual(
            byUser(attendanceOf(sessions, meeting)),
          );
        },
      ),
    );
  });

  it('lies within the meeting: no attendance is longer or ends later', () => {
    fc.assert(
      fc.property(generated, (sessions) => {
        for (const row of attendanceOf(sessions, meeting)) {
          expect(row.secondsPresent).toBeGreaterThanOrEqual(0);
          expect(row.secondsPresent).toBeLessThanOrEqual(meeting.durationSeconds);
          expect(row.firstJoinedAt <= row.lastLeftAt).toBe(true);
          expect(row.lastLeftAt <= meeting.endedAt).toBe(true);
        }
      }),
    );
  });

  it('of two devices at once counts the time once, and the sessions twice', () => {
    const rows = attendanceOf([stay('ann', 0, 100), stay('ann', 50, 150)], meeting);
    expect(rows).toEqual([
      {
        userId: 'ann',
        displayName: null,
        firstJoinedAt: instant(0),
        lastLeftAt: instant(150),
        secondsPresent: 150,
        sessions: 2,
      },
    ]);
  });

  it('of a device inside the time of another adds nothing', () => {
    const [row] = attendanceOf([stay('ann', 0, 300), stay('ann', 50, 60)], meeting);
    expect(row).toMatchObject({ secondsPresent: 300, lastLeftAt: instant(300) });
  });

  it('of a person who left and came back leaves the gap out', () => {
    const [row] = attendanceOf([stay('ann', 200, 300), stay('ann', 0, 100)], meeting);
    expect(row).toMatchObject({ secondsPresent: 200, firstJoinedAt: instant(0) });
  });

  it('of a person who is still there ends with the meeting', () => {
    const [row] = attendanceOf([stay('ann', 500)], meeting);
    expect(row).toMatchObject({ secondsPresent: 100, lastLeftAt: instant(END) });
  });

  it('of a person whose departure arrives after the end ends with the meeting', () => {
    const [row] = attendanceOf([stay('ann', 500, END + 5)], meeting);
    expect(row).toMatchObject({ secondsPresent: 100, lastLeftAt: instant(END) });
  });

  it('leaves out people who came at the end or after it', () => {
    expect(attendanceOf([stay('ann', END), stay('ben', END + 1, END + 9)], meeting)).toEqual([]);
  });

  it('of a person who left in the second in which they came is no time at all', () => {
    const session = {
      ...stay('ann', 10, 10),
      joinedAt: new Date(STARTED_AT + 10_700).toISOString(),
    };
    expect(attendanceOf([session], meeting)).toMatchObject([
      { secondsPresent: 0, firstJoinedAt: session.joinedAt, lastLeftAt: session.joinedAt },
    ]);
  });

  it('has the name of whichever session knew one', () => {
    expect(attendanceOf([stay('ann', 0, 1), stay('ann', 2, 3, 'Ann')], meeting)).toMatchObject([
      { displayName: 'Ann' },
    ]);
  });

  it('without sessions is empty', () => {
    expect(attendanceOf([], meeting)).toEqual([]);
  });
});
