import type { Attendance } from '../contract/answers.ts';
import type { EndedMeeting, RoomLife, Session } from './model.ts';

/**
 * A room that is there shows a sign of life at least this often: a cleanup sees it, and the template
 * refuses a longer `cleanupRate`. So no one is counted in a room that has shown none for longer.
 */
const SIGN_OF_LIFE_MS = 15 * 60_000;

export interface AttendanceRecord {
  sessions: Session[];
  rooms: RoomLife[];
}

/** What an ended meeting's record says of who was there. */
export interface MeetingAttendance {
  /** In the order in which people came. */
  attendance: Attendance[];
  guestCount: number;
}

interface Stay {
  from: number;
  to: number;
  isEstimated: boolean;
}

/**
 * The stays of people and guests, within the meeting. A session ends when LiveKit reported it. Where it
 * did not, the session ends at the earliest bound that is known, and is marked as estimated: when a
 * cleanup found the attendee gone, when their room had ended, or when the meeting ended.
 */
export function attendanceOf(record: AttendanceRecord, meeting: EndedMeeting): MeetingAttendance {
  const start = Date.parse(meeting.startedAt);
  const end = Date.parse(meeting.endedAt);
  const ends = endsOfRooms(record);
  const stayOf = ({ joinedAt, leftAt, isEstimated, roomSid }: Session): Stay => {
    // LiveKit's clock may be behind the one by which the meeting began.
    const from = Math.max(start, Date.parse(joinedAt));
    const left = leftAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(leftAt);
    const isReported = leftAt !== undefined && isEstimated !== true;
    const gone = isReported ? left : Math.min(left, ends.get(roomSid) ?? left);
    return { from, to: Math.max(from, Math.min(gone, end)), isEstimated: !isReported };
  };

  // A session that begins after the meeting's end is no attendance.
  const attended = record.sessions.filter(({ joinedAt }) => Date.parse(joinedAt) < end);
  const byUserId = Map.groupBy(attended, ({ userId }) => userId);
  const attendance = [...byUserId].flatMap(([userId, own]): Attendance | [] => {
    if (userId === null) return [];
    const stays = own
      .map(stayOf)
      .toSorted(
        (a, b) => a.from - b.from || a.to - b.to || Number(a.isEstimated) - Number(b.isEstimated),
      );
    return {
      userId,
      displayName: own.find(({ displayName }) => displayName !== null)?.displayName ?? null,
      firstJoinedAt: instant(Math.min(...stays.map(({ from }) => from))),
      lastLeftAt: instant(Math.max(...stays.map(({ to }) => to))),
      secondsPresent: Math.floor(unionMs(stays) / 1000),
      sessions: own.length,
      stays: stays.map(({ from, to, isEstimated }) => ({
        joinedAt: instant(from),
        leftAt: instant(to),
        isEstimated,
      })),
    };
  });
  return {
    attendance: attendance.sort((a, b) => a.firstJoinedAt.localeCompare(b.firstJoinedAt)),
    guestCount: byUserId.get(null)?.length ?? 0,
  };
}

/**
 * The latest time at which a participant can have been in each room. A meeting has one room at a time, so a
 * room ended when the next one showed its first sign of life; the signs order the rooms, since the
 * clocks by which LiveKit's nodes date them may differ.
 */
function endsOfRooms({ sessions, rooms }: AttendanceRecord): Map<string | undefined, number> {
  const signs = new Map<string, { first: number; last: number }>();
  const note = (roomSid: string | undefined, at: string | undefined) => {
    if (roomSid === undefined || at === undefined) return;
    const ms = Date.parse(at);
    const { first, last } = signs.get(roomSid) ?? { first: ms, last: ms };
    signs.set(roomSid, { first: Math.min(first, ms), last: Math.max(last, ms) });
  };
  for (const { roomSid, createdAt, seenAt } of rooms) {
    note(roomSid, createdAt);
    note(roomSid, seenAt);
  }
  for (const { roomSid, joinedAt, leftAt, isEstimated } of sessions) {
    note(roomSid, joinedAt);
    if (!isEstimated) note(roomSid, leftAt);
  }

  const finishes = new Map(rooms.map(({ roomSid, finishedAt }) => [roomSid, finishedAt]));
  const endOf = (roomSid: string, last: number): number => {
    const finish = Date.parse(finishes.get(roomSid) ?? '');
    const next = [...signs.values()].filter((other) => other.last > last);
    return Math.min(
      last + SIGN_OF_LIFE_MS,
      // A finish before a sign of life was none: a cleanup found the room there after all.
      finish >= last ? finish : Number.POSITIVE_INFINITY,
      ...next.map(({ first }) => Math.max(first, last)),
    );
  };
  return new Map([...signs].map(([roomSid, { last }]) => [roomSid, endOf(roomSid, last)]));
}

/** How long at least one of the stays lasted. */
function unionMs(stays: Stay[]): number {
  let total = 0;
  let covered = Number.NEGATIVE_INFINITY;
  for (const { from, to } of stays.toSorted((a, b) => a.from - b.from)) {
    total += Math.max(0, to - Math.max(from, covered));
    covered = Math.max(covered, to);
  }
  return total;
}

const instant = (ms: number): string => new Date(ms).toISOString();
