import type { StartedMeeting } from '../contract/answers.ts';
import { MeetingNotActive, NotAModerator } from '../errors.ts';
import { type Caller, isModerator, type Meeting, roomNameOf } from './model.ts';
import type { ClubRepository, MediaServer } from './ports.ts';
import { ensureRoom, type RoomLimits } from './room.ts';

export interface StartDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'getClub' | 'claimMeeting'>;
  media: Pick<MediaServer, 'createRoom' | 'deleteRoom'>;
  now: () => Date;
  newMeetingId: (startedAt: Date) => string;
  rooms: RoomLimits & { maxParticipants: number };
}

/**
 * Starts the club's meeting, or makes sure of the one that is on. One conditional write decides which;
 * whoever loses it answers with the winner's meeting.
 *
 * @throws NotAModerator also for an unknown club
 * @throws MeetingNotActive when the meeting ended while it was being started
 */
export async function startMeeting(
  deps: StartDeps,
  { caller, clubId }: { caller: Caller; clubId: string },
): Promise<StartedMeeting> {
  const { club, member } = await deps.clubs.getClubAndMember(clubId, caller.userId);
  if (!club || !isModerator(club, member, caller.userId)) throw new NotAModerator('start meetings');

  const own = club.meeting ? undefined : newMeeting(deps, { caller, clubId });
  const meeting = own ? await claim(deps, clubId, own) : club.meeting;
  if (!meeting) throw new MeetingNotActive('The meeting ended while it was being started');

  await ensureRoom(deps, club, meeting);
  return {
    success: true,
    meetingId: meeting.meetingId,
    roomName: meeting.roomName,
    startedAt: meeting.startedAt,
    // By id, not by who won: a retry inside the SDK can lose against its own first attempt.
    alreadyActive: meeting.meetingId !== own?.meetingId,
  };
}

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

async function claim(
  { clubs }: StartDeps,
  clubId: string,
  own: Meeting,
): Promise<Meeting | undefined> {
  if (await clubs.claimMeeting(clubId, own)) return own;
  return (await clubs.getClub(clubId))?.meeting;
}
