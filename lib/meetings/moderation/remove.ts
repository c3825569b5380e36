import type { Readmitted, Removed } from '../../contract/answers.ts';
import { MeetingNotActive, MemberNotFound, NotAllowed } from '../../errors.ts';
import { requireActiveMeeting } from '../access.ts';
import { changeBar } from '../bars.ts';
import { effectOn, type GrantDeps, NOW } from '../grants.ts';
import { type Caller, type Club, isBarred, type Meeting } from '../model.ts';
import {
  attendeesIn,
  idsOf,
  logAction,
  type ModerationDeps,
  type RecordDeps,
  type Target,
  targetOf,
} from './target.ts';

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
  deps: RecordDeps,
  { caller, clubId, userId }: { caller: Caller; clubId: string; userId: string },
): Promise<Readmitted> {
  if (userId === caller.userId) throw new NotAllowed('Another moderator can let you back in');
  const read = async () => {
    const { club, members } = await deps.clubs.getClubAndTwoMembers(clubId, [
      caller.userId,
      userId,
    ]);
    const [own, member] = members;
    const active = requireActiveMeeting({ club, member: own }, caller, 'let people back in');
    // A removed person may have been made the club's own moderator since.
    if (!member && userId !== active.club.moderatorId) throw new MemberNotFound();
    return active;
  };
  const { club, meeting } = await read();
  // Who leaves the club is barred after that: to lift this bar would let an old token in.
  const readAgain = async () => (await read()).club;
  const change = { userId, isBarred: false, by: caller, readAgain };
  const wasBarred = await changeBar(deps, club, meeting, change);
  if (wasBarred === undefined) throw new MeetingNotActive('The meeting has just ended');
  logAction(deps, { action: 'readmit', caller, userId, clubId, meeting });
  return { success: true, wasBarred };
}
