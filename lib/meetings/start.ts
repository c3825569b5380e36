import type { StartedMeeting } from '../contract/answers.ts';
import { MeetingNotActive, StoreUnavailable } from '../errors.ts';
import { requireModerator, requireNotBarred } from './access.ts';
import { type EndingDeps, undoIfClubIsGone } from './ending.ts';
import { keepFromEnding } from './keep-from-ending.ts';
import type { MediaServer } from './media.ts';
import { type Caller, type Club, type Meeting, roomNameOf } from './model.ts';
import type { ClubRepository } from './ports.ts';
import { createRoom, ensureRoom, type RoomLimits } from './room.ts';

/** How often a start is decided anew that met another change of the club. */
const ATTEMPTS = 3;

export interface StartDeps {
  clubs: EndingDeps['clubs'] &
    Pick<
      ClubRepository,
      'getClubAndMember' | 'claimMeeting' | 'claimMeetingAsOwner' | 'noteStarted' | 'clearVacant'
    >;
  media: Pick<MediaServer, 'createRoom' | 'deleteRoom'>;
  now: () => Date;
  newMeetingId: (startedAt: Date) => string;
  rooms: RoomLimits & { maxParticipants: number };
}

/**
 * Starts the club's meeting, or makes sure of the one that is on: of its room, and that it does not end
 * as vacant at this moment. One conditional write decides which; a request that loses it answers with the
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
  await (isOwn ? openRoom(deps, club, meeting) : ensureRoom(deps, club, meeting));
  return {
    success: true,
    meetingId: meeting.meetingId,
    roomName: meeting.roomName,
    startedAt: meeting.startedAt,
    alreadyActive: !isOwn,
  };
}

/**
 * Puts a meeting on, or finds the one that is. The club's own moderator needs no look at the record
 * first: that they are is a condition of the write. What the others need is read beside it.
 */
async function decideStart(
  deps: StartDeps,
  { caller, clubId }: { caller: Caller; clubId: string },
): Promise<{ club: Club; meeting: Meeting; isOwn: boolean }> {
  const own = newMeeting(deps, { caller, clubId });
  let [claimed, read] = await Promise.all([
    deps.clubs.claimMeetingAsOwner(clubId, own),
    deps.clubs.getClubAndMember(clubId, caller.userId),
  ]);
  for (let attempt = 0; attempt < ATTEMPTS && !claimed; attempt += 1) {
    const club = requireModerator(read, caller, 'start meetings');
    if (club.meeting) {
      const meeting = await meetingThatIsOn(deps, caller, club, club.meeting);
      // By id, not by who won: a retry inside the SDK can lose against its own first attempt.
      return { club, meeting, isOwn: meeting.meetingId === own.meetingId };
    }
    claimed = await deps.clubs.claimMeeting(club, own);
    if (claimed) break;
    read = await deps.clubs.getClubAndMember(clubId, caller.userId);
    if (!read.club?.meeting && isAsSeen(read.club, club)) {
      throw new MeetingNotActive('The meeting ended while it was being started');
    }
  }
  if (claimed) return { club: claimed, meeting: own, isOwn: true };
  throw new StoreUnavailable({ cause: new Error('the club kept being changed') });
}

/** Whether it is still this club, and no user was forgotten since: else the caller may be no member. */
const isAsSeen = (current: Club | undefined, seen: Club): boolean =>
  current !== undefined &&
  current.generation === seen.generation &&
  current.forgetCount === seen.forgetCount;

/**
 * Makes the room of a meeting that was just put on, and beside it the history row of the meeting before,
 * which the end then need not do. Then one conditional write looks whether the meeting is still on, as
 * {@link ensureRoom} does by a read.
 *
 * @throws MeetingNotActive when the meeting ended meanwhile; its room is gone again
 */
async function openRoom(deps: StartDeps, club: Club, meeting: Meeting): Promise<void> {
  const { clubs } = deps;
  const { lastMeeting } = club;
  await Promise.all([
    createRoom(deps, club, meeting),
    lastMeeting && clubs.recordEndedMeeting(club, lastMeeting),
  ]);
  if (await clubs.noteStarted(club, meeting.meetingId, deps.now().toISOString())) return;

  // A user was forgotten, the meeting is over, or its club was removed.
  const current = await clubs.getClub(club.clubId);
  if (lastMeeting) {
    // The row may name the user who was forgotten.
    if (current?.lastMeeting?.meetingId === lastMeeting.meetingId) {
      await clubs.recordEndedMeeting(current, current.lastMeeting);
    }
    await undoIfClubIsGone(deps, club, lastMeeting);
  }
  if (current?.meeting?.meetingId === meeting.meetingId) return;
  await deps.media.deleteRoom(meeting.roomName);
  throw new MeetingNotActive('The meeting has just ended');
}

function newMeeting(
  { now, newMeetingId, rooms }: StartDeps,
  { caller, clubId }: { caller: Caller; clubId: string },
): Meeting & { startedBy: string } {
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

/** The meeting that is on already, for a moderator who starts one. */
async function meetingThatIsOn(
  deps: StartDeps,
  caller: Caller,
  club: Club,
  meeting: Meeting,
): Promise<Meeting> {
  requireNotBarred(club, caller);
  await keepFromEnding(deps, club, meeting);
  return meeting;
}
