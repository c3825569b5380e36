import type { Attendance, MeetingDetails, MeetingList } from '../contract/answers.ts';
import { MeetingNotFound } from '../errors.ts';
import { requireMember } from './access.ts';
import { findEnded } from './conclude.ts';
import type { Caller, EndedMeeting, Session } from './model.ts';
import type { ClubRepository, PresenceRepository } from './ports.ts';

export interface MeetingListDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'listEndedMeetings'>;
}

/**
 * The club's meetings that are over. `before` is a meeting's id, so a cursor leads nowhere but into
 * the history of the club that is asked for.
 *
 * @throws ClubNotFound, NotAMember
 */
export async function listMeetings(
  { clubs }: MeetingListDeps,
  {
    caller,
    clubId,
    limit,
    before,
  }: { caller: Caller; clubId: string; limit: number; before?: string | undefined },
): Promise<MeetingList> {
  const { lastMeeting } = requireMember(
    await clubs.getClubAndMember(clubId, caller.userId),
    caller,
  );
  // One more than asked for tells whether there is a next page.
  const rows = await clubs.listEndedMeetings(clubId, { before, limit: limit + 1 });
  const isNext = lastMeeting && (before === undefined || lastMeeting.meetingId < before);
  // A row of the last meeting can exist already, when the end of the one after it did not come about.
  const others = rows.filter(({ meetingId }) => meetingId !== lastMeeting?.meetingId);
  // Not always the newest: the clocks of two functions can differ by more than a short meeting lasts.
  const all = isNext
    ? [...others, lastMeeting].sort((a, b) => (a.meetingId < b.meetingId ? 1 : -1))
    : others;

  const meetings = all.slice(0, limit);
  const oldest = meetings.at(-1);
  return all.length > limit && oldest ? { meetings, cursor: oldest.meetingId } : { meetings };
}

export interface MeetingDetailsDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'getEndedMeeting'>;
  presence: Pick<PresenceRepository, 'listSessions'>;
}

/**
 * A meeting that is over, and who was there.
 * @throws ClubNotFound, NotAMember, MeetingNotFound
 */
export async function getMeeting(
  { clubs, presence }: MeetingDetailsDeps,
  { caller, clubId, meetingId }: { caller: Caller; clubId: string; meetingId: string },
): Promise<MeetingDetails> {
  const club = requireMember(await clubs.getClubAndMember(clubId, caller.userId), caller);
  const meeting = await findEnded({ clubs }, club, meetingId);
  if (!meeting) throw new MeetingNotFound();
  const sessions = await presence.listSessions({ clubId, meetingId });
  const attendance = attendanceOf(sessions, meeting);
  return {
    meeting: {
      ...meeting,
      peopleCount: attendance.length,
      guestCount: attendedIn(sessions, meeting).filter(({ userId }) => userId === null).length,
    },
    attendance,
  };
}

interface Stay {
  from: number;
  to: number;
}

/** A session that begins after the meeting's end is no attendance. */
const attendedIn = (sessions: Session[], { endedAt }: EndedMeeting): Session[] =>
  sessions.filter(({ joinedAt }) => Date.parse(joinedAt) < Date.parse(endedAt));

/** The people's attendance. An open session ends with the meeting. */
export function attendanceOf(sessions: Session[], meeting: EndedMeeting): Attendance[] {
  const end = Date.parse(meeting.endedAt);
  const byUserId = Map.groupBy(attendedIn(sessions, meeting), ({ userId }) => userId);
  return [...byUserId]
    .flatMap(([userId, own]): Attendance | [] => {
      if (userId === null) return [];
      const stays = own.map(({ joinedAt, leftAt }): Stay => {
        const from = Date.parse(joinedAt);
        // An event's time is in whole seconds, a session's start in milliseconds.
        const to = leftAt === undefined ? end : Math.max(from, Math.min(Date.parse(leftAt), end));
        return { from, to };
      });
      return {
        userId,
        displayName: own.find(({ displayName }) => displayName !== null)?.displayName ?? null,
        firstJoinedAt: instant(Math.min(...stays.map(({ from }) => from))),
        lastLeftAt: instant(Math.max(...stays.map(({ to }) => to))),
        secondsPresent: Math.floor(unionMs(stays) / 1000),
        sessions: own.length,
      };
    })
    .sort((a, b) => a.firstJoinedAt.localeCompare(b.firstJoinedAt));
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
