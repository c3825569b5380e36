import type { StartedMeeting } from '../contract/answers.ts';
import { MeetingNotActive, StoreUnavailable } from '../errors.ts';
import { requireModerator, requireNotBarred } from './access.ts';
import type { MediaServer } from './media.ts';
import { type Caller, type Club, type Meeting, roomNameOf } from './model.ts';
import type { ClubRepository } from './ports.ts';
import { ensureRoom, type RoomLimits } from './room.ts';
import { keepFromEnding } from './vacancy.ts';

/** How often a start is decided anew that met another change of the club. */
const ATTEMPTS = 3;

export interface StartDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'getClub' | 'claimMeeting' | 'clearVacant'>;
  media: Pick<MediaServer, 'createRoom' | 'deleteRoom'>;
  now: () => Date;
  newMeetingId: (startedAt: Date) => string;
  rooms: RoomLimits & { maxParticipants: number };
}

/**
 * Starts the club's meeting, or makes sure of the one that is on: of its room, and that it does not end
 * as vacant at this moment. One conditional write decides which; whoever loses it answers with the
 * winner's meeting.
 *
 * @throws NotAModerator also for an unknown club
 * @throws RemovedFromMeeting when the meeting that is on is one from which the caller was removed
 * @throws MeetingNotActive when the meeting ended while it was being started
 */
export async function startMeeting(
  deps: StartDeps,
  { caller, clubId }: { caller: Caller; clubId: string },
): Promise<StartedMeeting> {
  const { club, meeting, isOwn } = await decideStart(deps, { caller, clubId });
  await ensureRoom(deps, club, meeting);
  return {
    success: true,
    meetingId: meeting.meetingId,
    roomName: meeting.roomName,
    startedAt: meeting.startedAt,
    alreadyActive: !isOwn,
  };
}

/** Puts a meeting on, or finds the one that is. */
async function decideStart(
  deps: StartDeps,
  { caller, clubId }: { caller: Caller; clubId: string },
): Promise<{ club: Club; meeting: Meeting; isOwn: boolean }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
    const club = requireModerator(read, caller, 'start meetings');
    const own = club.meeting ? undefined : newMeeting(deps, { caller, clubId });
    if (own && (await deps.clubs.claimMeeting(club, own))) {
      return { club, meeting: own, isOwn: true };
    }
    const current = own ? await deps.clubs.getClub(clubId) : club;
    if (own && !current?.meeting && !isAsSeen(current, club)) continue;
    const meeting = await meetingThatIsOn(deps, caller, current);
    // By id, not by who won: a retry inside the SDK can lose against its own first attempt.
    return { club, meeting, isOwn: meeting.meetingId === own?.meetingId };
  }
  throw new StoreUnavailable({ cause: new Error('the club kept being changed') });
}

/** Whether it is still this club, and nobody was forgotten since: else the caller may be nobody in it. */
const isAsSeen = (current: Club | undefined, seen: Club): boolean =>
  current !== undefined &&
  current.generation === seen.generation &&
  current.forgetCount === seen.forgetCount;

function newMeeting(
  { now, newMeetingId, rooms }: StartDeps,
  { caller, clubId }: { caller: Caller; clubId: string },
): Meeting {
  const startedAt = now();
  const meetingId = newMeetingId(startedAt);
  return {
    meetingId,
    roomName: roomNameOf(clubId, meetingId),
    startedAt: startedAt.toISOString(),
    startedBy: caller.userId,
    maxParticipants: rooms.maxParticipants,
  };
}

/** The meeting that was started before, for somebody who would start one. */
async function meetingThatIsOn(
  deps: StartDeps,
  caller: Caller,
  club: Club | undefined,
): Promise<Meeting> {
  if (!club?.meeting) throw new MeetingNotActive('The meeting ended while it was being started');
  requireNotBarred(club, caller);
  await keepFromEnding(deps, club, club.meeting);
  return club.meeting;
}
