import { MemberNotFound, NotAllowed } from '../../errors.ts';
import { requireActiveMeeting } from '../access.ts';
import { type Attendee, isAttendee, isGuest, isPerson } from '../attendees.ts';
import type { MediaServer } from '../media.ts';
import { type Caller, type Club, type Meeting, type Member, ParticipantSid } from '../model.ts';
import type { ClubRepository, Log } from '../ports.ts';

/** What a moderator sees and does in the meeting that is on, without a grant at LiveKit itself. */

/** For what changes the record alone. */
export type RecordDeps = Omit<ModerationDeps, 'media'>;

export interface ModerationDeps {
  clubs: Pick<
    ClubRepository,
    'getClub' | 'getClubAndMember' | 'getClubAndTwoMembers' | 'getMembers' | 'changeBar'
  >;
  media: Pick<MediaServer, 'getParticipants' | 'removeParticipant' | 'muteTrack'>;
  now: () => Date;
  log: Log;
}

export interface Target {
  clubId: string;
  club: Club;
  meeting: Meeting;
  kind: 'member' | 'guest';
  isTarget: (attendee: Attendee) => boolean;
}

/** Whom a moderator acts on in the meeting that is on: a member, or a guest by the participant sid. */
export async function targetOf(
  { clubs }: Pick<ModerationDeps, 'clubs'>,
  { caller, clubId, userId }: { caller: Caller; clubId: string; userId: string },
  action: string,
): Promise<Target> {
  const { club: found, members } = await clubs.getClubAndTwoMembers(clubId, [
    caller.userId,
    userId,
  ]);
  const [own, member] = members;
  const { club, meeting } = requireActiveMeeting({ club: found, member: own }, caller, action);
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

export const attendeesIn = async (
  { media }: Pick<ModerationDeps, 'media'>,
  { roomName }: Meeting,
): Promise<Attendee[]> => (await media.getParticipants(roomName)).filter(isAttendee);

/** Those of the users who are members, by their ids. */
export async function membersAmong(
  { clubs }: Pick<ModerationDeps, 'clubs'>,
  club: Club,
  userIds: string[],
): Promise<Map<string, Member>> {
  const members = await clubs.getMembers(club, [...new Set(userIds)]);
  return new Map(members.map((member) => [member.userId, member]));
}

/** A guest has no user id, and their identity can be a telephone number. */
export const idsOf = (attendee: Attendee): { userId: string | null; participantSid: string } => ({
  userId: isPerson(attendee) ? attendee.identity : null,
  participantSid: attendee.sid,
});

/** One line for each thing that a moderator did; ids only. */
export const logAction = (
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
