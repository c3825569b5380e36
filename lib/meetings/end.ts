import { MediaUnavailable, MeetingNotActive, NotAModerator } from '../errors.ts';
import { type Caller, type Club, type EndedMeeting, isModerator, type Meeting } from './model.ts';
import type { ClubRepository, Log, MediaServer } from './ports.ts';

export interface EndDeps {
  clubs: ClubRepository;
  media: Pick<MediaServer, 'deleteRoom'>;
  now: () => Date;
  log: Log;
}

export interface EndAnswer {
  /** LiveKit confirmed that the room is gone. While it is false, the same request tries again. */
  success: boolean;
  meetingId: string;
  roomName: string;
  /** ISO 8601. */
  endedAt: string;
  /** Whole seconds. */
  duration: number;
}

/**
 * Ends the club's meeting for good: one conditional write decides, then the room goes. Repeating it
 * deletes the room again and answers with the same facts. With a `meetingId` it is about that meeting
 * only, so that a late repetition cannot end the next one.
 *
 * @throws NotAModerator also for an unknown club
 * @throws MeetingNotActive for a club, or a meeting of it, that never was
 */
export async function endMeeting(
  deps: EndDeps,
  { caller, clubId, meetingId }: { caller: Caller; clubId: string; meetingId?: string | undefined },
): Promise<EndAnswer> {
  const { club, member } = await deps.clubs.getClubAndMember(clubId, caller.userId);
  if (!club || !isModerator(club, member, caller.userId)) throw new NotAModerator('end');

  const wanted = meetingId ?? club.meeting?.meetingId ?? club.lastMeeting?.meetingId;
  const ended =
    wanted !== undefined && wanted === club.meeting?.meetingId
      ? await conclude(deps, club, club.meeting, caller.userId)
      : await findEnded(deps, club, wanted);
  if (!ended) throw new MeetingNotActive('No such meeting is on');

  return {
    success: await roomIsGone(deps, ended),
    meetingId: ended.meetingId,
    roomName: ended.roomName,
    endedAt: ended.endedAt,
    duration: ended.durationSeconds,
  };
}

/** Decides the end, or finds out how somebody else decided it. */
async function conclude(
  { clubs, now }: Pick<EndDeps, 'clubs' | 'now'>,
  club: Club,
  { meetingId, roomName, startedAt }: Meeting,
  endedBy: string,
): Promise<EndedMeeting | undefined> {
  // Before `lastMeeting` is written over, its facts go to the history, word for word.
  if (club.lastMeeting) await clubs.recordEndedMeeting(club.clubId, club.lastMeeting);

  const durationMs = Math.max(0, now().getTime() - Date.parse(startedAt));
  const ended: EndedMeeting = {
    meetingId,
    roomName,
    startedAt,
    endedAt: new Date(Date.parse(startedAt) + durationMs).toISOString(),
    durationSeconds: Math.floor(durationMs / 1000),
    endedBy,
    reason: 'moderator',
  };
  if (await clubs.concludeMeeting(club.clubId, ended)) return ended;
  return findEnded({ clubs }, await clubs.getClub(club.clubId), meetingId);
}

async function findEnded(
  { clubs }: Pick<EndDeps, 'clubs'>,
  club: Club | undefined,
  meetingId: string | undefined,
): Promise<EndedMeeting | undefined> {
  if (!club || meetingId === undefined) return undefined;
  if (club.lastMeeting?.meetingId === meetingId) return club.lastMeeting;
  return clubs.getEndedMeeting(club.clubId, meetingId);
}

/** The end is decided: an outage of LiveKit is told as `success: false`, not as a failure. */
async function roomIsGone(
  { media, log }: Pick<EndDeps, 'media' | 'log'>,
  { meetingId, roomName }: EndedMeeting,
): Promise<boolean> {
  try {
    return await media.deleteRoom(roomName);
  } catch (error) {
    if (!(error instanceof MediaUnavailable)) throw error;
    log.warn('the room of an ended meeting is not deleted yet', { meetingId }, error);
    return false;
  }
}
