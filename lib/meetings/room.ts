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

export interface RoomDeps {
  clubs: Pick<ClubRepository, 'getClub'>;
  media: Pick<MediaServer, 'createRoom' | 'deleteRoom'>;
  now: () => Date;
  rooms: RoomLimits;
}

/** Creates the meeting's room, or returns it unchanged. */
export const createRoom = (
  { media, rooms }: Pick<RoomDeps, 'rooms'> & { media: Pick<MediaServer, 'createRoom'> },
  club: Club,
  meeting: Meeting,
): Promise<Room> => media.createRoom(meeting.roomName, roomOptionsOf(club, meeting, rooms));

/**
 * Makes sure that a meeting that was read as current has its room.
 *
 * An end may have been decided, and its deletion have found no room, between that reading and this
 * creation. So a room that may be new is checked against the record once more: end deletes after
 * deciding, this reads after creating, and one of the two sees the other.
 *
 * @throws MeetingNotActive when the meeting ended meanwhile; its room is gone again
 */
export async function ensureRoom(deps: RoomDeps, club: Club, meeting: Meeting): Promise<Room> {
  const room = await createRoom(deps, club, meeting);
  if (deps.now().getTime() - Date.parse(room.createdAt) < MAYBE_NEW_MS) {
    const current = await deps.clubs.getClub(club.clubId);
    if (current?.meeting?.meetingId !== meeting.meetingId) {
      await deps.media.deleteRoom(meeting.roomName);
      throw new MeetingNotActive('The meeting has just ended');
    }
  }
  return room;
}

/** For so long after an event of the room, the room is taken to be there. */
const EVENT_COUNTS_MS = 60_000;
/** For so long after a request made sure of the room, no other does; */
const CHECK_COUNTS_MS = 30_000;
/** and for so long, when a client or an event says that the room is missing. */
const CHECK_COUNTS_WHEN_MISSING_MS = 2_000;

/**
 * Makes sure of the room where there is reason to doubt it, so that LiveKit calls follow meetings and
 * not people. Of many requests at once, one makes the call. Returns the room if this one did.
 *
 * After a room died without an event, the next join is refused; that client's next request says so
 * (`isMissing`).
 *
 * @throws MeetingNotActive when the meeting ended meanwhile; its room is gone again
 */
export async function ensureRoomIfInDoubt(
  deps: RoomDeps & {
    clubs: Pick<ClubRepository, 'claimRoomCheck' | 'undoRoomCheck'>;
  },
  club: Club,
  meeting: Meeting,
  { isMissing }: { isMissing: boolean },
): Promise<Room | undefined> {
  const now = deps.now().getTime();
  const { presence } = club;
  const { roomEnsuredAt } = meeting;
  // LiveKit's clock may differ from ours, so an event may also seem to be of later.
  const isAlive =
    presence &&
    !presence.isFinished &&
    Math.abs(now - Date.parse(presence.observedAt)) < EVENT_COUNTS_MS;
  if (isAlive && !isMissing) return undefined;

  const hasFinishedSince =
    presence?.isFinished && (!roomEnsuredAt || presence.observedAt > roomEnsuredAt);
  const countsMs = isMissing || hasFinishedSince ? CHECK_COUNTS_WHEN_MISSING_MS : CHECK_COUNTS_MS;
  const after = new Date(now - countsMs).toISOString();
  if (roomEnsuredAt && roomEnsuredAt >= after) return undefined;

  const ref = { clubId: club.clubId, meetingId: meeting.meetingId };
  const at = new Date(now).toISOString();
  if (!(await deps.clubs.claimRoomCheck(ref, { at, after }))) return undefined;
  try {
    return await ensureRoom(deps, club, meeting);
  } catch (error) {
    // Else the next ones would rely on it. Where this fails as well, the note expires.
    if (!(error instanceof MeetingNotActive)) {
      await deps.clubs.undoRoomCheck(ref, at).catch(() => {});
    }
    throw error;
  }
}
