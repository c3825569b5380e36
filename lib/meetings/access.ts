import {
  ClubNotFound,
  MeetingNotActive,
  NotAMember,
  NotAModerator,
  RemovedFromMeeting,
} from '../errors.ts';
import {
  type Caller,
  type Club,
  isBarred,
  isModerator,
  type Meeting,
  type Member,
} from './model.ts';

/** Who may do what: every use case asks here, but for an owner's start, which is the condition of a write. */

/**
 * The club, for one of its members or moderators.
 * @throws ClubNotFound, NotAMember
 */
export function requireMember(
  { club, member }: { club: Club | undefined; member: Member | undefined },
  caller: Caller,
): Club {
  if (!club) throw new ClubNotFound();
  if (!member && !isModerator(club, member, caller.userId)) throw new NotAMember();
  return club;
}

/**
 * The club, for one of its moderators.
 * @param action completes "Only moderators can …"
 * @throws NotAModerator also for an unknown club
 */
export function requireModerator(
  { club, member }: { club: Club | undefined; member: Member | undefined },
  caller: Caller,
  action: string,
): Club {
  if (!club || !isModerator(club, member, caller.userId)) throw new NotAModerator(action);
  return club;
}

/**
 * A person who was removed from the meeting that is on neither joins nor moderates it.
 * @throws RemovedFromMeeting
 */
export function requireNotBarred(club: Club, { userId }: Caller): void {
  if (isBarred(club, userId)) throw new RemovedFromMeeting();
}

/**
 * The meeting that is on, for a moderator of it.
 * @throws NotAModerator, MeetingNotActive
 * @throws RemovedFromMeeting when the caller was removed from it
 */
export function requireActiveMeeting(
  read: { club: Club | undefined; member: Member | undefined },
  caller: Caller,
  action: string,
): { club: Club; meeting: Meeting } {
  const club = requireModerator(read, caller, action);
  if (!club.meeting) throw new MeetingNotActive('No meeting is on');
  requireNotBarred(club, caller);
  return { club, meeting: club.meeting };
}
