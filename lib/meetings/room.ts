import { MeetingNotActive } from '../errors.ts';
import type { MediaServer, Room, RoomOptions } from './media.ts';
import type { Club, Meeting } from './model.ts';
import type { ClubRepository } from './ports.ts';

/**
 * A room younger than this may have been created by the call that returned it: LiveKit does not say
 * whether it was. Far above any call's time budget; LiveKit's clock and ours may differ by less.
 */
const MAYBE_NEW_MS = 10_000;

export interface RoomLimits {
  emptyTimeoutSeconds: number;
  departureTimeoutSeconds: number;
}

export const roomOptionsOf = (club: Club, meeting: Meeting, limits: RoomLimits): RoomOptions => ({
  ...limits,
  maxParticipants: meeting.maxParticipants,
  metadata: {
    clubId: club.clubId,
    clubName: club.name,
    moderatorId: club.moderatorId,
    startedAt: meeting.startedAt,
  },
});

/**
 * Makes sure that a meeting that was read as current has its room.
 *
 * An end may have been decided, and its deletion have found no room, between that reading and this
 * creation. So a room that may be new is checked against the record once more: end deletes after
 * deciding, this reads after creating, and one of the two sees the other.
 *
 * @throws MeetingNotActive when the meeting ended meanwhile; its room is gone again
 */
export async function ensureRoom(
  deps: {
    clubs: Pick<ClubRepository, 'getClub'>;
    media: Pick<MediaServer, 'createRoom' | 'deleteRoom'>;
    now: () => Date;
    rooms: RoomLimits;
  },
  club: Club,
  meeting: Meeting,
): Promise<Room> {
  const room = await deps.media.createRoom(
    meeting.roomName,
    roomOptionsOf(club, meeting, deps.rooms),
  );
  if (deps.now().getTime() - Date.parse(room.createdAt) < MAYBE_NEW_MS) {
    const current = await deps.clubs.getClub(club.clubId);
    if (current?.meeting?.meetingId !== meeting.meetingId) {
      await deps.media.deleteRoom(meeting.roomName);
      throw new MeetingNotActive('The meeting has just ended');
    }
  }
  return room;
}
