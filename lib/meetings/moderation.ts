import type {
  Muted,
  MutedEverybody,
  ParticipantList,
  Readmitted,
  Removed,
  RoleSet,
} from '../contract/answers.ts';
import {
  MediaUnavailable,
  MeetingNotActive,
  MemberNotFound,
  NotAllowed,
  ParticipantNotFound,
  StoreUnavailable,
} from '../errors.ts';
import { requireModerator, requireNotBarred } from './access.ts';
import { type Attendee, isAttendee, isGuest, isPerson } from './attendees.ts';
import { changeBar } from './bars.ts';
import { effectOn, type GrantDeps } from './grants.ts';
import { type MemberChangeDeps, tryChange } from './member-changes.ts';
import {
  type Caller,
  type Club,
  isBarred,
  isModerator,
  type Meeting,
  type Member,
  type MutableSource,
  ParticipantSid,
  type Role,
} from './model.ts';
import type { ClubRepository, Log, MediaServer, Participant, Track } from './ports.ts';

/** What a moderator sees and does in the meeting that is on, without a grant at LiveKit itself. */

export interface ModerationDeps {
  clubs: Pick<
    ClubRepository,
    'getClub' | 'getClubAndMember' | 'getClubAndTwoMembers' | 'getMembers' | 'changeBar'
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
  const attendees = await attendeesIn(deps, meeting);
  const barredIds = [...(club.barredUserIds ?? [])];
  const members = await membersAmong(deps, club, [
    ...attendees.filter(isPerson).map(({ identity }) => identity),
    ...barredIds,
  ]);
  const roleOf = (userId: string): Role =>
    isModerator(club, members.get(userId), userId) ? 'moderator' : 'member';
  return {
    participants: attendees.map((attendee) => {
      const { kind, sid: participantSid, identity, name, joinedAt, tracks } = attendee;
      const person = isPerson(attendee)
        ? { userId: identity, role: roleOf(identity) }
        : { userId: null, role: null };
      return { kind, participantSid, ...person, name, joinedAt, tracks };
    }),
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
 * Mutes one participant on the server; unmuting is up to them. `userId` can be a guest's participant sid.
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
  const found = (await attendeesIn(deps, target.meeting)).find(target.isTarget);
  if (!found) throw new ParticipantNotFound('This person');
  if (choice.trackSid !== undefined && !found.tracks.some((track) => isChosen(track, choice))) {
    throw new ParticipantNotFound('This track');
  }
  const { muted, failure } = await mute(deps, target, caller, audibleOf([found], choice));
  if (!failure) return { success: true, muted };
  // About somebody who left at this moment, LiveKit answers as if it were out of order.
  if (!(failure instanceof MediaUnavailable)) throw failure;
  const isIn = (await attendeesIn(deps, target.meeting)).some(target.isTarget);
  throw isIn ? failure : new ParticipantNotFound('This person');
}

/**
 * How many tracks one request mutes at most, and how many at once: each is a call, and LiveKit Cloud
 * allows a project 1,000 a minute.
 */
const TRACKS_A_REQUEST = 200;
const TRACKS_AT_ONCE = 10;
/** No track is begun after that: a call may take 8 s on LiveKit Cloud, of the 11.5 s for the answer. */
const MUTING_MS = 2_500;

/**
 * Mutes everybody but moderators, as far as one request goes: what is left, the same request goes on
 * with, since a track that is muted is not muted again.
 *
 * @throws NotAModerator, MeetingNotActive
 * @throws MediaUnavailable when nothing could be muted
 */
export async function muteEverybody(
  deps: ModerationDeps,
  { caller, clubId, source }: { caller: Caller; clubId: string } & Pick<TrackChoice, 'source'>,
): Promise<MutedEverybody> {
  const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
  const { club, meeting } = moderatedMeeting(read, caller, 'mute people');
  const attendees = await attendeesIn(deps, meeting);
  const isModeratorOfClub = await moderatorsAmong(deps, club, attendees.filter(isPerson));
  const others = attendees.filter(
    (attendee) =>
      !isPerson(attendee) ||
      // The caller was a moderator when this was decided, and may not be any more.
      (attendee.identity !== caller.userId && !isModeratorOfClub(attendee.identity)),
  );
  const audible = audibleOf(others, { source });
  const { muted, failure } = await mute(deps, { clubId, meeting }, caller, audible);
  if (failure && !(failure instanceof MediaUnavailable)) throw failure;
  const isIn = failure ? await presenceOf(deps, meeting) : () => true;
  const done = new Set(muted.map(({ trackSid }) => trackSid));
  const left = audible.filter(({ attendee, trackSid }) => !done.has(trackSid) && isIn(attendee));
  if (failure && left.length > 0 && muted.length === 0) throw failure;
  return { success: left.length === 0, muted, left: left.length };
}

/** Who is still in the meeting, after LiveKit failed; everybody, as long as it fails. */
async function presenceOf(
  deps: Pick<ModerationDeps, 'media'>,
  meeting: Meeting,
): Promise<(attendee: Attendee) => boolean> {
  try {
    const sids = new Set((await attendeesIn(deps, meeting)).map(({ sid }) => sid));
    return ({ sid }) => sids.has(sid);
  } catch (error) {
    if (error instanceof MediaUnavailable) return () => true;
    throw error;
  }
}

const isChosen = (track: Track, { source, trackSid }: TrackChoice): boolean =>
  (trackSid === undefined || track.sid === trackSid) &&
  (source === undefined || SOURCES[source].includes(track.source));

interface Audible {
  attendee: Attendee;
  trackSid: string;
}

const audibleOf = (attendees: Attendee[], choice: TrackChoice): Audible[] =>
  attendees.flatMap((attendee) =>
    attendee.tracks
      .filter((track) => !track.muted && isChosen(track, choice))
      .map(({ sid: trackSid }) => ({ attendee, trackSid })),
  );

/** Mutes what one request may. `failure`: why a track was not muted, if LiveKit was asked to. */
async function mute(
  deps: ModerationDeps,
  { clubId, meeting }: { clubId: string; meeting: Meeting },
  caller: Caller,
  audible: Audible[],
): Promise<{ muted: Muted['muted']; failure: unknown }> {
  const done = new Set<Audible>();
  let failure: unknown;
  const waiting = audible.slice(0, TRACKS_A_REQUEST);
  const giveUpAt = deps.now().getTime() + MUTING_MS;
  const muteInTurn = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { attendee, trackSid } = next;
      try {
        await deps.media.muteTrack(meeting.roomName, attendee.identity, trackSid);
        done.add(next);
      } catch (error) {
        failure ??= error;
        if (error instanceof MediaUnavailable && error.isRateLimit) waiting.length = 0;
      }
      if (deps.now().getTime() > giveUpAt) waiting.length = 0;
    }
  };
  await Promise.all(Array.from({ length: TRACKS_AT_ONCE }, muteInTurn));

  const muted = audible.filter((track) => done.has(track));
  for (const attendee of new Set(muted.map((track) => track.attendee))) {
    logAction(deps, { action: 'mute', caller, ...idsOf(attendee), clubId, meeting });
  }
  return {
    muted: muted.map(({ attendee, trackSid }) => ({ ...idsOf(attendee), trackSid })),
    failure,
  };
}

/** A guest has no user id, and their identity can be a telephone number. */
const idsOf = (attendee: Attendee): { userId: string | null; participantSid: string } => ({
  userId: isPerson(attendee) ? attendee.identity : null,
  participantSid: attendee.sid,
});

/**
 * Takes a person out of the meeting and, unless `allowRejoin`, keeps them out of it: first by the
 * record, then at LiveKit, so that repeating it after an outage completes it. `userId` can be a guest's
 * participant sid: a guest is taken out, and can come again.
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
  if (target.kind === 'guest') return removeGuest(deps, target, caller);
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

async function removeGuest(
  deps: ModerationDeps,
  { clubId, meeting, isTarget }: Target,
  caller: Caller,
): Promise<Removed> {
  const guest = (await attendeesIn(deps, meeting)).find(isTarget);
  const wasPresent =
    guest !== undefined &&
    (await deps.media.removeParticipant(meeting.roomName, guest.identity, deps.now()));
  if (guest) {
    logAction(deps, { action: 'disconnect', caller, ...idsOf(guest), clubId, meeting });
  }
  return { success: true, wasPresent, isBarred: false, ...NOW };
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
  deps: ModerationDeps & MemberChangeDeps & GrantDeps,
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
 * Gives the role under the condition that nothing about the member has changed since they were read. So a
 * write that arrives after its request was given up undoes nothing that was decided since.
 */
async function changeRole(
  deps: ModerationDeps & MemberChangeDeps,
  { caller, clubId, userId, role }: { caller: Caller; clubId: string; userId: string; role: Role },
): Promise<Club> {
  for (let attempt = 0; attempt < ROLE_ATTEMPTS; attempt += 1) {
    const read = await deps.clubs.getClubAndTwoMembers(clubId, [caller.userId, userId]);
    const [own, member] = read.members;
    const club = requireModerator({ club: read.club, member: own }, caller, 'give roles');
    if (club.moderatorId !== caller.userId) {
      throw new NotAllowed("Only the club's own moderator can give roles");
    }
    if (userId === club.moderatorId) throw new NotAllowed("The club's own moderator stays one");
    if (!member) throw new MemberNotFound();
    if (await tryChange(deps, { club, record: member, userId }, { role })) return club;
  }
  throw new StoreUnavailable({ cause: new Error('the role kept changing') });
}

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

interface Target {
  clubId: string;
  club: Club;
  meeting: Meeting;
  kind: 'member' | 'guest';
  isTarget: (attendee: Attendee) => boolean;
}

/** Whom a moderator acts on in the meeting that is on: a member, or a guest by the participant sid. */
async function targetOf(
  { clubs }: Pick<ModerationDeps, 'clubs'>,
  { caller, clubId, userId }: { caller: Caller; clubId: string; userId: string },
  action: string,
): Promise<Target> {
  const { club: found, members } = await clubs.getClubAndTwoMembers(clubId, [
    caller.userId,
    userId,
  ]);
  const [own, member] = members;
  const { club, meeting } = moderatedMeeting({ club: found, member: own }, caller, action);
  const isTarget = (attendee: Attendee) => isPerson(attendee) && attendee.identity === userId;
  if (userId === club.moderatorId) {
    if (userId !== caller.userId) {
      throw new NotAllowed("Nobody moderates the club's own moderator");
    }
    return { clubId, club, meeting, kind: 'member', isTarget };
  }
  if (member) return { clubId, club, meeting, kind: 'member', isTarget };
  if (!ParticipantSid.safeParse(userId).success) throw new MemberNotFound();
  const isGuestOfSid = (attendee: Attendee) => isGuest(attendee) && attendee.sid === userId;
  return { clubId, club, meeting, kind: 'guest', isTarget: isGuestOfSid };
}

const attendeesIn = async (
  { media }: Pick<ModerationDeps, 'media'>,
  { roomName }: Meeting,
): Promise<Attendee[]> => (await media.getParticipants(roomName)).filter(isAttendee);

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
  club: Club,
  userIds: string[],
): Promise<Map<string, Member>> {
  const members = await clubs.getMembers(club, [...new Set(userIds)]);
  return new Map(members.map((member) => [member.userId, member]));
}

/** One line for each thing that a moderator did; ids only. */
const logAction = (
  { log }: Pick<ModerationDeps, 'log'>,
  {
    action,
    caller,
    userId,
    participantSid,
    clubId,
    meeting,
  }: {
    action: string;
    caller: Caller;
    userId: string | null;
    participantSid?: string;
    clubId: string;
    meeting: Meeting | undefined;
  },
): void =>
  log.info('moderation', {
    action,
    by: caller.userId,
    userId,
    ...(participantSid !== undefined && { participantSid }),
    clubId,
    meetingId: meeting?.meetingId ?? null,
  });
