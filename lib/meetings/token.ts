import type { JoinToken } from '../contract/answers.ts';
import { MeetingFull, MeetingNotActive } from '../errors.ts';
import { requireMember, requireNotBarred } from './access.ts';
import { isAttendee, isPerson } from './attendees.ts';
import { type GrantDeps, MODERATOR_PERMISSIONS, noteGrants } from './grants.ts';
import { keepFromEnding } from './keep-from-ending.ts';
import type { MediaServer } from './media.ts';
import {
  type Caller,
  type Club,
  type GrantNote,
  isModerator as isModeratorOf,
  MAX_NAME_CHARACTERS,
  type Meeting,
  type Member,
  ParticipantName,
} from './model.ts';
import type { ClubRepository } from './ports.ts';
import { type ConsentDeps, requireConsent } from './recording/consent.ts';
import { recordingOn } from './recording/notice.ts';
import { ensureRoomIfInDoubt, type RoomLimits, roomOptionsOf } from './room.ts';
import { presentCount } from './status.ts';

export interface TokenDeps extends GrantDeps, Pick<ConsentDeps, 'recordings' | 'recording'> {
  clubs: Pick<
    ClubRepository,
    | 'getClubMemberAndGrants'
    | 'getClubAndMember'
    | 'getClub'
    | 'clearVacant'
    | 'claimRoomCheck'
    | 'undoRoomCheck'
  >;
  media: Pick<
    MediaServer,
    'createToken' | 'createRoom' | 'deleteRoom' | 'getParticipants' | 'getServerUrl'
  >;
  rooms: RoomLimits;
}

/**
 * Gives a member the token to join the meeting that is on. Makes sure of its room where that is in doubt:
 * LiveKit closes an empty room by its own timer while the meeting goes on. `roomMissing`: LiveKit
 * refused a join because there is no room.
 *
 * @throws ClubNotFound, NotAMember, MeetingNotActive, RemovedFromMeeting, MeetingFull
 * @throws ConsentRequired while a recording is on, in a club that requires consent, without it
 */
export async function createJoinToken(
  deps: TokenDeps,
  {
    caller,
    clubId,
    participantName,
    roomMissing = false,
    consent = false,
  }: {
    caller: Caller;
    clubId: string;
    participantName?: string | undefined;
    roomMissing?: boolean | undefined;
    consent?: boolean | undefined;
  },
): Promise<JoinToken> {
  const read = await deps.clubs.getClubMemberAndGrants(clubId, caller.userId);
  const { club, meeting, member, ...first } = admit(read, caller);
  await requireConsent(deps, read, { caller, isGiven: consent });

  await keepFromEnding(deps, club, meeting);
  const room = await ensureRoomIfInDoubt(deps, club, meeting, { isMissing: roomMissing });
  // Each can lag behind: the higher one decides whether LiveKit is asked.
  const knownCount = Math.max(presentCount(club) ?? 0, room?.participantCount ?? 0);
  await ensurePlace(deps, { knownCount, meeting }, caller);
  const { isModerator } = first.isModerator
    ? await admitModerator(deps, { club, meeting, granted: read.granted }, caller)
    : first;

  const name = participantName ?? defaultName(member, caller);
  const { ttlSeconds, moderatorGrants } = deps.tokens;
  const expiresAt = (Math.floor(deps.now().getTime() / 1000) + ttlSeconds) * 1000;
  return {
    token: await deps.media.createToken(
      meeting.roomName,
      name,
      caller.userId,
      isModerator ? MODERATOR_PERMISSIONS[moderatorGrants] : {},
      { ttlSeconds, roomOptions: roomOptionsOf(club, meeting, deps.rooms) },
    ),
    serverUrl: await deps.media.getServerUrl(),
    roomName: meeting.roomName,
    meetingId: meeting.meetingId,
    participantName: name,
    isModerator,
    expiresAt: new Date(expiresAt).toISOString(),
    recording: recordingOn(club),
  };
}

interface Admission {
  club: Club;
  meeting: Meeting;
  member: Member | undefined;
  isModerator: boolean;
}

/** @throws ClubNotFound, NotAMember, MeetingNotActive, RemovedFromMeeting */
function admit(
  read: { club: Club | undefined; member: Member | undefined },
  caller: Caller,
): Admission {
  const club = requireMember(read, caller);
  if (!club.meeting) throw new MeetingNotActive('No meeting is on');
  requireNotBarred(club, caller);
  const { member } = read;
  const isModerator = isModeratorOf(club, member, caller.userId);
  return { club, meeting: club.meeting, member, isModerator };
}

/**
 * Notes what a moderator's token grants, and looks at the record once more when it wrote the note: see
 * {@link noteGrants}. The note of a person who has left the club by then is deleted again.
 *
 * @throws as {@link admit}
 */
async function admitModerator(
  deps: TokenDeps,
  { club, meeting, granted }: { club: Club; meeting: Meeting; granted: GrantNote | undefined },
  caller: Caller,
): Promise<Pick<Admission, 'isModerator'>> {
  const { userId } = caller;
  const { meetingId } = meeting;
  if (!(await noteGrants(deps, club, { userId, meetingId }, granted))) return { isModerator: true };

  const now = await deps.clubs.getClubAndMember(club.clubId, userId);
  const isOfClub = now.club && (now.member ?? now.club.moderatorId === userId);
  const isRemovedClub = now.club?.lastMeeting?.reason === 'club-removed';
  if (!isOfClub || isRemovedClub) await deps.grants.remove(club.clubId, userId);
  const admission = admit(now, caller);
  if (admission.meeting.meetingId !== meetingId) {
    throw new MeetingNotActive('The meeting has just ended');
  }
  return admission;
}

/**
 * LiveKit answers a join into a full room with a bare 500, so this service refuses a full room, as far as it is
 * known: LiveKit is asked only at the limit. A person who is in the room already may come again: the new
 * session takes the place of the old one.
 */
async function ensurePlace(
  { media }: TokenDeps,
  { knownCount, meeting: { maxParticipants, roomName } }: { knownCount: number; meeting: Meeting },
  caller: Caller,
): Promise<void> {
  if (knownCount < maxParticipants) return;
  const inRoom = (await media.getParticipants(roomName)).filter(isAttendee);
  if (inRoom.length < maxParticipants) return;
  if (inRoom.some((other) => isPerson(other) && other.identity === caller.userId)) return;
  throw new MeetingFull(maxParticipants);
}

/**
 * The first that fits: neither the record's name nor the user pool's was checked here before. A user name
 * with `@` is an address, which is not for the others to read.
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
