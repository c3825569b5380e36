import type { EndAnswer } from '../contract/answers.ts';
import { MediaUnavailable, MeetingNotActive, StoreUnavailable } from '../errors.ts';
import { requireModerator, requireNotBarred } from './access.ts';
import { type EndingDeps, findEndedMeeting, tryEndMeeting } from './ending.ts';
import type { MediaServer } from './media.ts';
import type { Caller, EndedMeeting } from './model.ts';
import type { ClubRepository, Log } from './ports.ts';

export interface EndDeps {
  clubs: EndingDeps['clubs'] & Pick<ClubRepository, 'getClubAndMember' | 'getEndedMeeting'>;
  media: Pick<MediaServer, 'deleteRoom'>;
  now: () => Date;
  log: Log;
}

/** How often an end is decided anew that met another change of the club. */
const ATTEMPTS = 3;

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
  const decided = await decideEnd(deps, { caller, clubId, meetingId });
  if (!decided) throw new MeetingNotActive('No such meeting is on');

  return {
    success: await roomIsGone(deps, decided),
    meetingId: decided.meetingId,
    roomName: decided.roomName,
    endedAt: decided.endedAt,
    duration: decided.durationSeconds,
  };
}

/** Decides the end, or finds out how another request decided it. */
async function decideEnd(
  deps: EndDeps,
  { caller, clubId, meetingId }: { caller: Caller; clubId: string; meetingId: string | undefined },
): Promise<EndedMeeting | undefined> {
  let wanted = meetingId;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
    // The meeting of a moderator who lost against another's end is over, whatever they are by now.
    const isLost = attempt > 0 && read.club?.meeting?.meetingId !== wanted;
    const club = isLost ? read.club : requireModerator(read, caller, 'end meetings');
    wanted ??= club?.meeting?.meetingId ?? club?.lastMeeting?.meetingId;
    if (!club?.meeting || club.meeting.meetingId !== wanted)
      return findEndedMeeting(deps, club, wanted);

    requireNotBarred(club, caller);
    const by = { endedBy: caller.userId, reason: 'moderator' } as const;
    const ended = await tryEndMeeting(deps, club, club.meeting, by);
    if (ended) return ended;
  }
  throw new StoreUnavailable({ cause: new Error('the club kept being changed') });
}

/** The end is decided, so a failure of LiveKit is `success: false`, not an error. */
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
