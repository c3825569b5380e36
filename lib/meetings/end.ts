import type { EndAnswer } from '../contract/answers.ts';
import { MediaUnavailable, MeetingNotActive, RemovedFromMeeting } from '../errors.ts';
import { requireModerator, requireNotBarred } from './access.ts';
import { concludeMeeting, findEnded } from './conclude.ts';
import type { Caller, Club, EndedMeeting, Meeting } from './model.ts';
import type { ClubRepository, Log, MediaServer } from './ports.ts';

export interface EndDeps {
  clubs: Pick<
    ClubRepository,
    'getClubAndMember' | 'getClub' | 'getEndedMeeting' | 'recordEndedMeeting' | 'concludeMeeting'
  >;
  media: Pick<MediaServer, 'deleteRoom'>;
  now: () => Date;
  log: Log;
}

/**
 * Ends the club's meeting for good: one conditional write decides, then the room goes. Repeating it
 * deletes the room again and answers with the same facts. With a `meetingId` it is about that meeting
 * only, so that a late repetition cannot end the next one.
 *
 * @throws NotAModerator also for an unknown club
 * @throws RemovedFromMeeting when the caller was removed from the meeting that is to end
 * @throws MeetingNotActive for a club, or a meeting of it, that never was
 */
export async function endMeeting(
  deps: EndDeps,
  { caller, clubId, meetingId }: { caller: Caller; clubId: string; meetingId?: string | undefined },
): Promise<EndAnswer> {
  const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
  const club = requireModerator(read, caller, 'end meetings');

  const wanted = meetingId ?? club.meeting?.meetingId ?? club.lastMeeting?.meetingId;
  const decided =
    club.meeting && club.meeting.meetingId === wanted
      ? await decideEnd(deps, club, club.meeting, caller)
      : await findEnded(deps, club, wanted);
  if (!decided) throw new MeetingNotActive('No such meeting is on');

  return {
    success: await roomIsGone(deps, decided),
    meetingId: decided.meetingId,
    roomName: decided.roomName,
    endedAt: decided.endedAt,
    duration: decided.durationSeconds,
  };
}

/** Decides the end, or finds out how somebody else decided it. */
async function decideEnd(
  deps: EndDeps,
  club: Club,
  meeting: Meeting,
  caller: Caller,
): Promise<EndedMeeting | undefined> {
  requireNotBarred(club, caller);
  const by = { endedBy: caller.userId, reason: 'moderator' } as const;
  const ended = await concludeMeeting(deps, club, meeting, by);
  if (ended) return ended;
  const current = await deps.clubs.getClub(club.clubId);
  // The write is refused for nothing else while the meeting is on.
  if (current?.meeting?.meetingId === meeting.meetingId) throw new RemovedFromMeeting();
  return findEnded(deps, current, meeting.meetingId);
}

/** The end is decided, so whatever LiveKit answers now is told as `success: false`, not as a failure. */
async function roomIsGone(
  { media, log }: Pick<EndDeps, 'media' | 'log'>,
  { meetingId, roomName }: EndedMeeting,
): Promise<boolean> {
  try {
    return await media.deleteRoom(roomName);
  } catch (error) {
    const say = error instanceof MediaUnavailable ? log.warn : log.error;
    say('the room of an ended meeting is not deleted yet', { meetingId }, error);
    return false;
  }
}
