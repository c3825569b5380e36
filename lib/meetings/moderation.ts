import type { Muted, ParticipantList, Readmitted, Removed, RoleSet } from '../contract/answers.ts';
import {
  MediaUnavailable,
  MeetingNotActive,
  MemberNotFound,
  NotAllowed,
  ParticipantNotFound,
  StoreUnavailable,
} from '../errors.ts';
import { requireModerator, requireNotBarred } from './access.ts';
import { isPerson } from './attendees.ts';
import { changeBar } from './bars.ts';
import { effectOn, type GrantDeps } from './grants.ts';
import {
  type Caller,
  type Club,
  isBarred,
  isModerator,
  type Meeting,
  type Member,
  type MutableSource,
  type Role,
} from './model.ts';
import type { ClubRepository, Log, MediaServer, Participant, Track } from './ports.ts';

/** What a moderator sees and does in the meeting that is on, without a grant at LiveKit itself. */

export interface ModerationDeps {
  clubs: Pick<
    ClubRepository,
    | 'getClub'
    | 'getClubAndMember'
    | 'getClubAndTwoMembers'
    | 'getMembers'
    | 'changeRole'
    | 'changeBar'
  >;
  media: Pick<MediaServer, 'getParticipants' | 'removeParticipant' | 'muteTrack'>;
  now: () => Date;
  log: Log;
}

/** @throws NotAModerator, MeetingNotActive */
export async function listParticipants(
  deps: Pick<ModerationDeps, 'clubs' | 'media'>,
  { caller, clubId }: { caller: Caller; clubId: string },
): Promise<ParticipantList> {
  const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
  const { club, meeting } = moderatedMeeting(read, caller, 'see the participants');
  const people = await peopleIn(deps, meeting);
  const barredIds = [...(club.barredUserIds ?? [])];
  const members = await membersAmong(deps, club, [
    ...people.map(({ identity }) => identity),
    ...barredIds,
  ]);
  return {
    participants: people.map(({ identity, name, joinedAt, tracks }) => ({
      userId: identity,
      name,
      role: isModerator(club, members.get(identity), identity) ? 'moderator' : 'member',
      joinedAt,
      tracks,
    })),
    // Only people of the club can be readmitted.
    barred: barredIds
      .filter((userId) => members.has(userId) && isBarred(club, userId))
      .map((userId) => ({ userId, name: members.get(userId)?.displayName ?? null })),
  };
}

const SOURCES: Record<MutableSource, Track['source'][]> = {
  microphone: ['microphone'],
  camera: ['camera'],
  screen: ['screen_share', 'screen_share_audio'],
};

/** Which tracks: one, or all of a source; by default all that there are. */
export interface TrackChoice {
  source?: MutableSource | undefined;
  trackSid?: string | undefined;
}

/**
 * Mutes one person on the server; unmuting is up to that person.
 * @throws NotAModerator, MeetingNotActive, MemberNotFound, ParticipantNotFound,
 *   NotAllowed for the club's own moderator
 */
export async function muteParticipant(
  deps: ModerationDeps,
  {
    caller,
    clubId,
    userId,
    ...choice
  }: { caller: Caller; clubId: string; userId: string } & TrackChoice,
): Promise<Muted> {
  const target = await targetOf(deps, { caller, clubId, userId }, 'mute people');
  const person = (await peopleIn(deps, target.meeting)).find(({ identity }) => identity === userId);
  if (!person) throw new ParticipantNotFound('This person');
  const tracks = person.tracks.filter((track) => isChosen(track, choice));
  if (choice.trackSid !== undefined && tracks.length === 0) {
    throw new ParticipantNotFound('This track');
  }
  const { muted, gone } = await mute(deps, target, caller, [{ ...person, tracks }]);
  if (gone.length > 0) throw new ParticipantNotFound('This person');
  return { success: true, muted };
}

/**
 * Mutes everybody but moderators.
 * @throws NotAModerator, MeetingNotActive
 */
export async function muteEverybody(
  deps: ModerationDeps,
  { caller, clubId, source }: { caller: Caller; clubId: string } & Pick<TrackChoice, 'source'>,
): Promise<Muted> {
  const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
  const { club, meeting } = moderatedMeeting(read, caller, 'mute people');
  const people = await peopleIn(deps, meeting);
  const isModeratorOfClub = await moderatorsAmong(deps, club, people);
  const others = people
    // The caller was a moderator when this was decided, and may not be any more.
    .filter(({ identity }) => identity !== caller.userId && !isModeratorOfClub(identity))
    .map((person) => ({
      ...person,
      tracks: person.tracks.filter((track) => isChosen(track, { source })),
    }));
  const { muted } = await mute(deps, { clubId, meeting }, caller, others);
  return { success: true, muted };
}

const isChosen = (track: Track, { source, trackSid }: TrackChoice): boolean =>
  (trackSid === undefined || track.sid === trackSid) &&
  (source === undefined || SOURCES[source].includes(track.source));

/** `gone`: who left at this moment, which LiveKit answers as if it were out of order. */
async function mute(
  deps: ModerationDeps,
  { clubId, meeting }: { clubId: string; meeting: Meeting },
  caller: Caller,
  people: Participant[],
): Promise<{ muted: Muted['muted']; gone: string[] }> {
  const audible = people.flatMap(({ identity: userId, tracks }) =>
    tracks.filter((track) => !track.muted).map(({ sid: trackSid }) => ({ userId, trackSid })),
  );
  const tried = await Promise.allSettled(
    audible.map(({ userId, trackSid }) => deps.media.muteTrack(meeting.roomName, userId, trackSid)),
  );
  const muted = audible.filter((_, index) => tried[index]?.status === 'fulfilled');
  for (const userId of new Set(muted.map(({ userId }) => userId))) {
    logAction(deps, { action: 'mute', caller, userId, clubId, meeting });
  }
  const failure = tried.find((result) => result.status === 'rejected');
  if (!failure) return { muted, gone: [] };
  if (!(failure.reason instanceof MediaUnavailable)) throw failure.reason;
  const stayed = new Set((await peopleIn(deps, meeting)).map(({ identity }) => identity));
  const failed = audible.filter((track) => !muted.includes(track));
  if (failed.some(({ userId }) => stayed.has(userId))) throw failure.reason;
  return { muted, gone: failed.map(({ userId }) => userId) };
}

/**
 * Takes a person out of the meeting and, unless `allowRejoin`, keeps them out of it: first by the
 * record, then at LiveKit, so that repeating it after an outage completes it.
 *
 * @throws NotAModerator, MeetingNotActive, MemberNotFound,
 *   NotAllowed for oneself and for the club's own moderator
 */
export async function removeParticipant(
  deps: ModerationDeps & GrantDeps,
  {
    caller,
    clubId,
    userId,
    allowRejoin = false,
  }: { caller: Caller; clubId: string; userId: string; allowRejoin?: boolean | undefined },
): Promise<Removed> {
  if (userId === caller.userId) throw new NotAllowed('You cannot remove yourself: leave instead');
  const target = await targetOf(deps, { caller, clubId, userId }, 'remove people');
  const { club, meeting } = target;
  const done = (action: string) => logAction(deps, { action, caller, userId, clubId, meeting });
  const disconnect = () => deps.media.removeParticipant(meeting.roomName, userId, deps.now());
  if (allowRejoin) {
    const wasPresent = await disconnect();
    done('disconnect');
    const isBarred = await isBarredStill(deps, target, { userId, wasPresent });
    const effect = await effectOn(deps, club, userId, { canJoin: !isBarred });
    return { success: true, wasPresent, isBarred, ...effect };
  }

  const change = { userId, isBarred: true, by: caller };
  const wasBarred = await changeBar(deps, club, meeting, change);
  if (wasBarred === undefined) throw new MeetingNotActive('The meeting has just ended');
  done('remove'); // it is decided, whatever becomes of the call
  const [wasPresent, effect] = await Promise.all([
    disconnect(),
    effectOn(deps, club, userId, { canJoin: false }),
  ]);
  return { success: true, wasPresent, isBarred: true, ...effect };
}

/**
 * Whether an earlier removal stands, so that one order explains the answers of two moderators at once:
 * this request disconnected the person before any other did, or it came after one that is in the record
 * by now.
 */
async function isBarredStill(
  { clubs }: Pick<ModerationDeps, 'clubs'>,
  { club, meeting: { meetingId } }: { club: Club; meeting: Meeting },
  { userId, wasPresent }: { userId: string; wasPresent: boolean },
): Promise<boolean> {
  const current = wasPresent ? club : await clubs.getClub(club.clubId);
  if (current?.meeting?.meetingId !== meetingId) {
    throw new MeetingNotActive('The meeting has just ended');
  }
  return isBarred(current, userId);
}

/**
 * Lets a person back in who was removed.
 * @throws NotAModerator, MeetingNotActive, MemberNotFound, NotAllowed for oneself
 */
export async function readmitParticipant(
  deps: ModerationDeps,
  { caller, clubId, userId }: { caller: Caller; clubId: string; userId: string },
): Promise<Readmitted> {
  if (userId === caller.userId) throw new NotAllowed('Another moderator can let you back in');
  const read = await deps.clubs.getClubAndTwoMembers(clubId, [caller.userId, userId]);
  const [own, member] = read.members;
  const { club, meeting } = moderatedMeeting(
    { club: read.club, member: own },
    caller,
    'let people back in',
  );
  // Somebody who was removed may have been made the club's own moderator since.
  if (!member && userId !== club.moderatorId) throw new MemberNotFound();
  const change = { userId, isBarred: false, by: caller };
  const wasBarred = await changeBar(deps, club, meeting, change);
  if (wasBarred === undefined) throw new MeetingNotActive('The meeting has just ended');
  logAction(deps, { action: 'readmit', caller, userId, clubId, meeting });
  return { success: true, wasBarred };
}

/**
 * Makes a member a moderator or takes that away, at once for everything that goes through the backend.
 * @throws NotAModerator for everybody but the club's own moderator, MemberNotFound,
 *   NotAllowed for the club's own moderator
 */
export async function setRole(
  deps: ModerationDeps & GrantDeps,
  { caller, clubId, userId, role }: { caller: Caller; clubId: string; userId: string; role: Role },
): Promise<RoleSet> {
  const club = await changeRole(deps, { caller, clubId, userId, role });
  logAction(deps, { action: `role-${role}`, caller, userId, clubId, meeting: club.meeting });
  const effect =
    role === 'member'
      ? await effectOn(deps, club, userId, { canJoin: !isBarred(club, userId) })
      : NOW;
  return { success: true, userId, role, ...effect };
}

/** An attempt is refused only when another change of the member came first. */
const ROLE_ATTEMPTS = 5;

/**
 * Gives the role under the condition that nobody gave the member one since they were read. So a write
 * that arrives after its request was given up undoes nothing that was decided since.
 */
async function changeRole(
  { clubs, now }: Pick<ModerationDeps, 'clubs' | 'now'>,
  { caller, clubId, userId, role }: { caller: Caller; clubId: string; userId: string; role: Role },
): Promise<Club> {
  let at: string | undefined;
  for (let attempt = 0; attempt < ROLE_ATTEMPTS; attempt += 1) {
    const read = await clubs.getClubAndTwoMembers(clubId, [caller.userId, userId]);
    const [own, member] = read.members;
    const club = requireModerator({ club: read.club, member: own }, caller, 'give roles');
    if (club.moderatorId !== caller.userId) {
      throw new NotAllowed("Only the club's own moderator can give roles");
    }
    if (userId === club.moderatorId) throw new NotAllowed("The club's own moderator stays one");
    if (!member) throw new MemberNotFound();
    // A retry inside the SDK can lose against its own first attempt.
    if (at !== undefined && member.roleAt === at && member.role === role) return club;

    at = laterThan(member.roleAt, now());
    if (await clubs.changeRole(clubId, member, role, at)) return club;
  }
  throw new StoreUnavailable({ cause: new Error('the role kept changing') });
}

/** Now, or just after a time that another function's clock gave: changes of one role have an order. */
const laterThan = (before: string | undefined, now: Date): string =>
  new Date(
    Math.max(now.getTime(), before === undefined ? 0 : Date.parse(before) + 1),
  ).toISOString();

const NOW = { effective: 'now' } as const;

/**
 * The meeting that is on, for a moderator of it.
 * @throws NotAModerator, MeetingNotActive
 * @throws RemovedFromMeeting when the caller was removed from it
 */
function moderatedMeeting(
  read: { club: Club | undefined; member: Member | undefined },
  caller: Caller,
  action: string,
): { club: Club; meeting: Meeting } {
  const club = requireModerator(read, caller, action);
  if (!club.meeting) throw new MeetingNotActive('No meeting is on');
  requireNotBarred(club, caller);
  return { club, meeting: club.meeting };
}

/** The member that a moderator acts on, in the meeting that is on. */
async function targetOf(
  { clubs }: Pick<ModerationDeps, 'clubs'>,
  { caller, clubId, userId }: { caller: Caller; clubId: string; userId: string },
  action: string,
): Promise<{ clubId: string; club: Club; meeting: Meeting }> {
  const { club: found, members } = await clubs.getClubAndTwoMembers(clubId, [
    caller.userId,
    userId,
  ]);
  const [own, member] = members;
  const { club, meeting } = moderatedMeeting({ club: found, member: own }, caller, action);
  if (userId === club.moderatorId) {
    if (userId !== caller.userId) {
      throw new NotAllowed("Nobody moderates the club's own moderator");
    }
    return { clubId, club, meeting };
  }
  if (!member) throw new MemberNotFound();
  return { clubId, club, meeting };
}

const peopleIn = async (
  { media }: Pick<ModerationDeps, 'media'>,
  { roomName }: Meeting,
): Promise<Participant[]> => (await media.getParticipants(roomName)).filter(isPerson);

async function moderatorsAmong(
  { clubs }: Pick<ModerationDeps, 'clubs'>,
  club: Club,
  people: Participant[],
): Promise<(userId: string) => boolean> {
  const members = await membersAmong(
    { clubs },
    club,
    people.map(({ identity }) => identity),
  );
  return (userId) => isModerator(club, members.get(userId), userId);
}

/** Those of the users who are members, by their ids. */
async function membersAmong(
  { clubs }: Pick<ModerationDeps, 'clubs'>,
  { clubId }: Club,
  userIds: string[],
): Promise<Map<string, Member>> {
  const members = await clubs.getMembers(clubId, [...new Set(userIds)]);
  return new Map(members.map((member) => [member.userId, member]));
}

/** One line for each thing that a moderator did; ids only. */
const logAction = (
  { log }: Pick<ModerationDeps, 'log'>,
  {
    action,
    caller,
    userId,
    clubId,
    meeting,
  }: {
    action: string;
    caller: Caller;
    userId: string;
    clubId: string;
    meeting: Meeting | undefined;
  },
): void =>
  log.info('moderation', {
    action,
    by: caller.userId,
    userId,
    clubId,
    meetingId: meeting?.meetingId ?? null,
  });
