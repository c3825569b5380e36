import type { MeetingDetails, MeetingList } from '../contract/answers.ts';
import { MeetingNotFound } from '../errors.ts';
import { requireMember } from './access.ts';
import { attendanceOf } from './attendance.ts';
import { findEndedMeeting } from './ending.ts';
import type { Caller } from './model.ts';
import type { ClubRepository, PresenceRepository } from './ports.ts';
import { isListed } from './recording/library.ts';
import type { RecordingRepository } from './recording/ports.ts';

export interface MeetingListDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'listEndedMeetings'>;
  recordings: Pick<RecordingRepository, 'listBetween'>;
  now: () => Date;
}

/**
 * The club's ended meetings. `before` is a meeting's id, so a cursor cannot lead out of the history of the
 * requested club.
 *
 * @throws ClubNotFound, NotAMember
 */
export async function listMeetings(
  { clubs, recordings, now }: MeetingListDeps,
  {
    caller,
    clubId,
    limit,
    before,
  }: { caller: Caller; clubId: string; limit: number; before?: string | undefined },
): Promise<MeetingList> {
  const club = requireMember(await clubs.getClubAndMember(clubId, caller.userId), caller);
  const { lastMeeting } = club;
  // One more than asked for, to know whether there is a next page.
  const rows = await clubs.listEndedMeetings(club, { before, limit: limit + 1 });
  const isNext = lastMeeting && (before === undefined || lastMeeting.meetingId < before);
  // A row of the last meeting can exist already, when the end of the one after it did not come about.
  const others = rows.filter(({ meetingId }) => meetingId !== lastMeeting?.meetingId);
  // Not always the newest: the clocks of two functions can differ by more than a short meeting lasts.
  const all = isNext
    ? [...others, lastMeeting].sort((a, b) => (a.meetingId < b.meetingId ? 1 : -1))
    : others;

  const page = all.slice(0, limit);
  const [newest, oldest] = [page[0], page.at(-1)];
  if (!newest || !oldest) return { meetings: [] };
  const recorded = await recordings.listBetween(club, oldest.meetingId, newest.meetingId);
  const kept = recorded.filter((row) => row.state === 'completed' && isListed(row, now()));
  const meetings = page.map((meeting) => ({
    ...meeting,
    recordingCount: kept.filter(({ meetingId }) => meetingId === meeting.meetingId).length,
  }));
  return all.length > limit ? { meetings, cursor: oldest.meetingId } : { meetings };
}

export interface MeetingDetailsDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'getEndedMeeting'>;
  presence: Pick<PresenceRepository, 'listAttendance'>;
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
  const meeting = await findEndedMeeting({ clubs }, club, meetingId);
  if (!meeting) throw new MeetingNotFound();
  const record = await presence.listAttendance({ clubId, meetingId });
  const { attendance, guestCount } = attendanceOf(record, meeting);
  return { meeting: { ...meeting, peopleCount: attendance.length, guestCount }, attendance };
}
