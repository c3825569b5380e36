import { ClubNotFound, NotAMember } from '../errors.ts';
import { type Caller, type EndedMeeting, isModerator } from './model.ts';
import type { ClubRepository, MediaServer } from './ports.ts';

export interface StatusDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember'>;
  media: Pick<MediaServer, 'getRoomStatus'>;
  limits: { maxDurationSeconds: number };
}

export interface MeetingStatus {
  /** `idle`: no meeting is on; `waiting`: one is on and nobody is in it; `live`: people are in it. */
  state: 'idle' | 'waiting' | 'live';
  /** Somebody is in the meeting. */
  isActive: boolean;
  participantCount: number;
  /** ISO 8601; null unless a meeting is on. */
  startedAt: string | null;
  /** Null when the room does not exist at this moment: the next token makes it. */
  roomName: string | null;
  meetingId: string | null;
  maxParticipants: number | null;
  /** ISO 8601: when the meeting is ended at the latest. */
  endsAtLatest: string | null;
  lastMeeting: EndedMeeting | null;
}

/**
 * Tells a member whether the club's meeting is on and how many people are in it. Asks LiveKit only
 * while one is on.
 *
 * @throws ClubNotFound, NotAMember
 */
export async function getMeetingStatus(
  deps: StatusDeps,
  { caller, clubId }: { caller: Caller; clubId: string },
): Promise<MeetingStatus> {
  const { club, member } = await deps.clubs.getClubAndMember(clubId, caller.userId);
  if (!club) throw new ClubNotFound();
  if (!member && !isModerator(club, member, caller.userId)) throw new NotAMember();

  const { meeting } = club;
  const lastMeeting = club.lastMeeting ?? null;
  if (!meeting) return { ...IDLE, lastMeeting };

  const { exists, isActive, participantCount } = await deps.media.getRoomStatus(meeting.roomName);
  const { maxDurationSeconds } = deps.limits;
  return {
    state: isActive ? 'live' : 'waiting',
    isActive,
    participantCount,
    startedAt: meeting.startedAt,
    roomName: exists ? meeting.roomName : null,
    meetingId: meeting.meetingId,
    maxParticipants: meeting.maxParticipants,
    endsAtLatest: new Date(Date.parse(meeting.startedAt) + maxDurationSeconds * 1000).toISOString(),
    lastMeeting,
  };
}

const IDLE = {
  state: 'idle',
  isActive: false,
  participantCount: 0,
  startedAt: null,
  roomName: null,
  meetingId: null,
  maxParticipants: null,
  endsAtLatest: null,
} as const;
