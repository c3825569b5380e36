import type { JoinToken } from '../contract/answers.ts';
import { ClubNotFound, MeetingFull, MeetingNotActive, NotAMember } from '../errors.ts';
import { requireNotBarred } from './access.ts';
import { isAttendee, isPerson } from './attendees.ts';
import {
  type Caller,
  isModerator,
  MAX_NAME_CHARACTERS,
  type Meeting,
  type Member,
  ParticipantName,
} from './model.ts';
import type { ClubRepository, MediaServer, Permissions, Room } from './ports.ts';
import { ensureRoom, type RoomLimits, roomOptionsOf } from './room.ts';
import { keepFromEnding } from './vacancy.ts';

export interface TokenDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'getClub' | 'clearVacant'>;
  media: Pick<
    MediaServer,
    'createToken' | 'createRoom' | 'deleteRoom' | 'getParticipants' | 'getServerUrl'
  >;
  now: () => Date;
  rooms: RoomLimits;
  tokens: TokenRules;
}

/** What a moderator's token may do at LiveKit itself: what each exposes is in docs/configuration.md. */
export type ModeratorGrants = 'full' | 'room' | 'none';

export interface TokenRules {
  ttlSeconds: number;
  moderatorGrants: ModeratorGrants;
}

/** What LiveKit gives a client that is connected, however short its own token was. */
const RENEWED_TTL_SECONDS = 600;
const LEEWAY_SECONDS = 60;

/** Until when a join token that somebody holds by `now`, their first or a renewed one, can work. */
export const latestExpiry = ({ ttlSeconds }: TokenRules, now: Date): Date =>
  new Date(now.getTime() + (Math.max(ttlSeconds, RENEWED_TTL_SECONDS) + LEEWAY_SECONDS) * 1000);

const MODERATOR_PERMISSIONS: Record<ModeratorGrants, Permissions> = {
  full: { isModerator: true, canRecord: true },
  room: { isModerator: true, canRecord: false },
  none: { isModerator: false, canRecord: false },
};

/**
 * Gives a member the token to join the meeting that is on, and makes sure of its room: LiveKit closes
 * an empty room by its own timer while the meeting goes on.
 *
 * @throws ClubNotFound, NotAMember, MeetingNotActive, RemovedFromMeeting, MeetingFull
 */
export async function createJoinToken(
  deps: TokenDeps,
  {
    caller,
    clubId,
    participantName,
  }: { caller: Caller; clubId: string; participantName?: string | undefined },
): Promise<JoinToken> {
  const { club, member } = await deps.clubs.getClubAndMember(clubId, caller.userId);
  if (!club) throw new ClubNotFound();
  const moderator = isModerator(club, member, caller.userId);
  if (!member && !moderator) throw new NotAMember();
  const { meeting } = club;
  if (!meeting) throw new MeetingNotActive('No meeting is on');
  requireNotBarred(club, caller);

  await keepFromEnding(deps, club, meeting);
  const room = await ensureRoom(deps, club, meeting);
  await ensurePlace(deps, room, meeting, caller);

  const name = participantName ?? defaultName(member, caller);
  const { ttlSeconds, moderatorGrants } = deps.tokens;
  const expiresAt = (Math.floor(deps.now().getTime() / 1000) + ttlSeconds) * 1000;
  return {
    token: await deps.media.createToken(
      meeting.roomName,
      name,
      caller.userId,
      moderator ? MODERATOR_PERMISSIONS[moderatorGrants] : {},
      { ttlSeconds, roomOptions: roomOptionsOf(club, meeting, deps.rooms) },
    ),
    serverUrl: await deps.media.getServerUrl(),
    roomName: meeting.roomName,
    meetingId: meeting.meetingId,
    participantName: name,
    isModerator: moderator,
    expiresAt: new Date(expiresAt).toISOString(),
  };
}

/**
 * LiveKit answers a join into a full room with a bare 500, so a full room is told here. Whoever is in
 * it already may come again: the new session takes the place of the old one.
 */
async function ensurePlace(
  { media }: TokenDeps,
  room: Room,
  { maxParticipants }: Meeting,
  caller: Caller,
): Promise<void> {
  if (room.participantCount < maxParticipants) return;
  const inRoom = (await media.getParticipants(room.name)).filter(isAttendee);
  if (inRoom.length < maxParticipants) return;
  if (inRoom.some((other) => isPerson(other) && other.identity === caller.userId)) return;
  throw new MeetingFull(maxParticipants);
}

/**
 * The first that fits: neither the record's name nor the user pool's was checked here before. A user name
 * with `@` is somebody's address, which is not for the others to read.
 */
function defaultName(member: Member | undefined, { username, userId }: Caller): string {
  const names = [member?.displayName, username.includes('@') ? undefined : username];
  for (const name of names.filter((each) => each !== undefined)) {
    const characters = [...name.trim()].slice(0, MAX_NAME_CHARACTERS);
    const { success, data } = ParticipantName.safeParse(characters.join(''));
    if (success) return data;
  }
  return userId;
}
