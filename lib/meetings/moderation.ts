import {
  MeetingNotActive,
  MemberNotFound,
  NotAllowed,
  NotAModerator,
  ParticipantNotFound,
} from '../errors.ts';
import {
  type Caller,
  type Club,
  isModerator,
  type Meeting,
  type Member,
  type MutableSource,
  type Role,
} from './model.ts';
import type { ClubRepository, Log, MediaServer, Participant, Track } from './ports.ts';
import { latestExpiry, type TokenRules } from './token.ts';

/** What a moderator sees and does in the meeting that is on, without a grant at LiveKit itself. */

export interface ModerationDeps {
  clubs: Pick<
    ClubRepository,
    'getClubAndMember' | 'getClubAndTwoMembers' | 'getMembers' | 'setRole' | 'barUser' | 'unbarUser'
  >;
  media: Pick<MediaServer, 'getParticipants' | 'removeParticipant' | 'muteTrack'>;
  now: () => Date;
  log: Log;
}

export interface PersonInMeeting {
  userId: string;
  /** As the others see it: participants can rename themselves. */
  name: string;
  /** By the record: nothing that a participant can change. */
  role: Role;
  /** ISO 8601. */
  joinedAt: string;
  tracks: Track[];
}

/** @throws NotAModerator, MeetingNotActive */
export async function listParticipants(
  deps: Pick<ModerationDeps, 'clubs' | 'media'>,
  { caller, clubId }: { caller: Caller; clubId: string },
): Promise<{ participants: PersonInMeeting[] }> {
  const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
  const club = moderated(read.club, read.member, caller, 'see the participants');
  const people = await peopleIn(deps, meetingOf(club));
  const isModeratorOfClub = await moderatorsAmong(deps, club, people);
  return {
    participants: people.map(({ identity, name, joinedAt, tracks }) => ({
      userId: identity,
      name,
      role: isModeratorOfClub(identity) ? 'moderator' : 'member',
      joinedAt,
      tracks,
    })),
  };
}

const SOURCES: Record<MutableSource, Track['source'][]> = {
  microphone: ['microphone'],
  camera: ['camera'],
  screen: ['screen_share', 'screen_share_audio'],
};

export interface Muted {
  success: true;
  /** What this request muted; what was muted before is left out. */
  muted: { userId: string; trackSid: string }[];
}

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
  return mute(deps, target, caller, [{ ...person, tracks }]);
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
  const club = moderated(read.club, read.member, caller, 'mute people');
  const meeting = meetingOf(club);
  const people = await peopleIn(deps, meeting);
  const isModeratorOfClub = await moderatorsAmong(deps, club, people);
  const others = people
    .filter(({ identity }) => !isModeratorOfClub(identity))
    .map((person) => ({
      ...person,
      tracks: person.tracks.filter((track) => isChosen(track, { source })),
    }));
  return mute(deps, { clubId, meeting }, caller, others);
}

const isChosen = (track: Track, { source, trackSid }: TrackChoice): boolean =>
  (trackSid === undefined || track.sid === trackSid) &&
  (source === undefined || SOURCES[source].includes(track.source));

async function mute(
  { media, log }: ModerationDeps,
  { clubId, meeting }: { clubId: string; meeting: Meeting },
  caller: Caller,
  people: Participant[],
): Promise<Muted> {
  const muted = people.flatMap(({ identity: userId, tracks }) =>
    tracks.filter((track) => !track.muted).map(({ sid: trackSid }) => ({ userId, trackSid })),
  );
  await Promise.all(
    muted.map(({ userId, trackSid }) => media.muteTrack(meeting.roomName, userId, trackSid)),
  );
  for (const userId of new Set(muted.map(({ userId }) => userId))) {
    logAction({ log }, { action: 'mute', caller, userId, clubId, meeting });
  }
  return { success: true, muted };
}

/** Since when a decision holds against whatever is in the hands of a browser. */
export type Effect =
  | { effective: 'now' }
  | {
      effective: 'after-token-expiry';
      /** ISO 8601: when a grant that the browser holds by now has expired at the latest. */
      until: string;
      /** LiveKit renews it while the person stays in the meeting: removing them ends that. */
      isRenewed: boolean;
    };

export type Removed = { success: true; wasPresent: boolean; isBarred: boolean } & Effect;

/**
 * Takes a person out of the meeting and, unless `allowRejoin`, keeps them out of it: first by the
 * record, then at LiveKit, so that repeating it after an outage completes it.
 *
 * @throws NotAModerator, MeetingNotActive, MemberNotFound,
 *   NotAllowed for oneself and for the club's own moderator
 */
export async function removeParticipant(
  deps: ModerationDeps & { tokens: TokenRules },
  {
    caller,
    clubId,
    userId,
    allowRejoin,
  }: { caller: Caller; clubId: string; userId: string; allowRejoin: boolean },
): Promise<Removed> {
  if (userId === caller.userId) throw new NotAllowed('You cannot remove yourself: leave instead');
  const { meeting, member } = await targetOf(deps, { caller, clubId, userId }, 'remove people');
  const isBarred = !allowRejoin;
  if (isBarred && !(await deps.clubs.barUser({ clubId, meetingId: meeting.meetingId }, userId))) {
    throw new MeetingNotActive('The meeting has just ended');
  }
  const wasPresent = await deps.media.removeParticipant(meeting.roomName, userId, deps.now());
  logAction(deps, { action: isBarred ? 'remove' : 'disconnect', caller, userId, clubId, meeting });
  return {
    success: true,
    wasPresent,
    isBarred,
    ...effectOn(deps, member.role === 'moderator'),
  };
}

/**
 * Lets a person back in who was removed.
 * @throws NotAModerator, MeetingNotActive, MemberNotFound, NotAllowed for oneself
 */
export async function readmitParticipant(
  deps: ModerationDeps,
  { caller, clubId, userId }: { caller: Caller; clubId: string; userId: string },
): Promise<{ success: true; wasBarred: boolean }> {
  if (userId === caller.userId) throw new NotAllowed('Another moderator can let you back in');
  const { club, meeting } = await targetOf(deps, { caller, clubId, userId }, 'let people back in');
  const wasBarred = club.barredUserIds?.has(userId) ?? false;
  if (!(await deps.clubs.unbarUser({ clubId, meetingId: meeting.meetingId }, userId))) {
    throw new MeetingNotActive('The meeting has just ended');
  }
  logAction(deps, { action: 'readmit', caller, userId, clubId, meeting });
  return { success: true, wasBarred };
}

export type RoleSet = { success: true; userId: string; role: Role } & Effect;

/**
 * Makes a member a moderator or takes that away, at once for everything that goes through the backend.
 * @throws NotAModerator for everybody but the club's own moderator, MemberNotFound,
 *   NotAllowed for the club's own moderator
 */
export async function setRole(
  deps: ModerationDeps & { tokens: TokenRules },
  { caller, clubId, userId, role }: { caller: Caller; clubId: string; userId: string; role: Role },
): Promise<RoleSet> {
  const read = await deps.clubs.getClubAndTwoMembers(clubId, [caller.userId, userId]);
  const [own, member] = read.members;
  const club = moderated(read.club, own, caller, 'give roles');
  if (club.moderatorId !== caller.userId) {
    throw new NotAllowed("Only the club's own moderator can give roles");
  }
  if (userId === club.moderatorId) throw new NotAllowed("The club's own moderator stays one");
  if (!member || !(await deps.clubs.setRole(clubId, userId, role))) throw new MemberNotFound();
  logAction(deps, { action: `role-${role}`, caller, userId, clubId, meeting: club.meeting });
  const isDemotion = member.role === 'moderator' && role === 'member';
  if (!isDemotion || deps.tokens.moderatorGrants === 'none' || !club.meeting) {
    return { success: true, userId, role, effective: 'now' };
  }
  const people = await peopleIn(deps, club.meeting);
  const isRenewed = people.some(({ identity }) => identity === userId);
  return { success: true, userId, role, ...effectOn(deps, true, isRenewed) };
}

/** `roomAdmin` and `roomRecord` cannot be taken back: what a browser holds works until it expires. */
function effectOn(
  { tokens, now }: { tokens: TokenRules; now: () => Date },
  hadGrants: boolean,
  isRenewed = false,
): Effect {
  if (!hadGrants || tokens.moderatorGrants === 'none') return { effective: 'now' };
  return {
    effective: 'after-token-expiry',
    until: latestExpiry(tokens, now()).toISOString(),
    isRenewed,
  };
}

function moderated(
  club: Club | undefined,
  member: Member | undefined,
  caller: Caller,
  action: string,
): Club {
  if (!club || !isModerator(club, member, caller.userId)) throw new NotAModerator(action);
  return club;
}

function meetingOf({ meeting }: Club): Meeting {
  if (!meeting) throw new MeetingNotActive('No meeting is on');
  return meeting;
}

/** The member that a moderator acts on, in the meeting that is on. */
async function targetOf(
  { clubs }: Pick<ModerationDeps, 'clubs'>,
  { caller, clubId, userId }: { caller: Caller; clubId: string; userId: string },
  action: string,
): Promise<{ clubId: string; club: Club; meeting: Meeting; member: Pick<Member, 'role'> }> {
  const { club: found, members } = await clubs.getClubAndTwoMembers(clubId, [
    caller.userId,
    userId,
  ]);
  const [own, member] = members;
  const club = moderated(found, own, caller, action);
  const meeting = meetingOf(club);
  if (userId === club.moderatorId) {
    if (userId !== caller.userId) {
      throw new NotAllowed("Nobody moderates the club's own moderator");
    }
    return { clubId, club, meeting, member: { role: 'moderator' } };
  }
  if (!member) throw new MemberNotFound();
  return { clubId, club, meeting, member };
}

const peopleIn = async (
  { media }: Pick<ModerationDeps, 'media'>,
  { roomName }: Meeting,
): Promise<Participant[]> =>
  (await media.getParticipants(roomName)).filter(({ isPerson }) => isPerson);

async function moderatorsAmong(
  { clubs }: Pick<ModerationDeps, 'clubs'>,
  club: Club,
  people: Participant[],
): Promise<(userId: string) => boolean> {
  const members = await clubs.getMembers(
    club.clubId,
    people.map(({ identity }) => identity),
  );
  const roles = new Map(members.map((member) => [member.userId, member]));
  return (userId) => isModerator(club, roles.get(userId), userId);
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
