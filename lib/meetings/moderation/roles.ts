import type { RoleSet } from '../../contract/answers.ts';
import { MemberNotFound, NotAllowed, StoreUnavailable } from '../../errors.ts';
import { requireModerator } from '../access.ts';
import { effectOn, type GrantDeps, NOW } from '../grants.ts';
import { type MemberChangeDeps, tryChange } from '../member-changes.ts';
import { type Caller, type Club, isBarred, type Role } from '../model.ts';
import { logAction, type RecordDeps } from './target.ts';

/**
 * Makes a member a moderator or takes that away, at once for everything that goes through the backend.
 * @throws NotAModerator for everybody but the club's own moderator, MemberNotFound,
 *   NotAllowed for the club's own moderator
 */
export async function setRole(
  deps: RecordDeps & MemberChangeDeps & GrantDeps,
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
  deps: RecordDeps & MemberChangeDeps,
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
