import type { ClubList, MemberList } from '../contract/answers.ts';
import { requireMember } from './access.ts';
import type { Caller, Club, Member } from './model.ts';
import type { ClubRepository } from './ports.ts';
import { presentCount } from './status.ts';

interface Page {
  limit: number;
  /** The last one of the page before. */
  after: string | undefined;
}

export interface ClubListDeps {
  clubs: Pick<ClubRepository, 'listClubIdsOf' | 'getClubsAndMember'>;
}

/**
 * The caller's clubs. The index only says which clubs to read: a club that the caller has left since is not
 * it, so a page can have fewer clubs than its limit.
 */
export async function listClubs(
  { clubs }: ClubListDeps,
  { caller, limit, after }: { caller: Caller } & Page,
): Promise<ClubList> {
  // One more than asked for, to know whether there is a next page.
  const clubIds = await clubs.listClubIdsOf(caller.userId, { after, limit: limit + 1 });
  const page = clubIds.slice(0, limit);
  const found = await clubs.getClubsAndMember(page, caller.userId);
  const own = found.flatMap(({ club, member }): ClubList['clubs'] => {
    const role = roleOf(club, member, caller.userId);
    if (!role) return [];
    const { clubId, name, recordingConsent = 'notice', recordingAccess = 'moderators' } = club;
    const meeting = club.meeting ? meetingOf(club, club.meeting) : null;
    return [{ clubId, name, role, recordingConsent, recordingAccess, meeting }];
  });
  const last = page.at(-1);
  return clubIds.length > limit && last ? { clubs: own, cursor: last } : { clubs: own };
}

const meetingOf = (club: Club, { meetingId, startedAt }: NonNullable<Club['meeting']>) => ({
  meetingId,
  startedAt,
  participantCount: presentCount(club) ?? null,
});

export interface MemberListDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'listMembers'>;
}

/**
 * The people of the club, the owner among them, who need not have a member item.
 * @throws ClubNotFound, NotAMember
 */
export async function listMembers(
  { clubs }: MemberListDeps,
  { caller, clubId, limit, after }: { caller: Caller; clubId: string } & Page,
): Promise<MemberList> {
  const club = requireMember(await clubs.getClubAndMember(clubId, caller.userId), caller);
  const rows = await clubs.listMembers(club, { after, limit: limit + 1 });
  const all = isOwnerMissing(club, rows, { limit, after })
    ? [...rows, ownerWithoutItem(club)].sort((a, b) => (a.userId < b.userId ? -1 : 1))
    : rows;
  const members = all.slice(0, limit).map(({ userId, displayName, role }) => ({
    userId,
    displayName: displayName ?? null,
    role: userId === club.moderatorId ? ('owner' as const) : role,
  }));
  const last = members.at(-1);
  return all.length > limit && last ? { members, cursor: last.userId } : { members };
}

/** Whether the owner belongs to this page by their id, and has no member item that is on it. */
function isOwnerMissing({ moderatorId }: Club, rows: Member[], { limit, after }: Page): boolean {
  if (after !== undefined && moderatorId <= after) return false;
  if (rows.some(({ userId }) => userId === moderatorId)) return false;
  const last = rows.at(-1);
  return rows.length <= limit || (last !== undefined && moderatorId < last.userId);
}

const ownerWithoutItem = ({ moderatorId, createdAt }: Club): Member => ({
  userId: moderatorId,
  role: 'moderator',
  joinedAt: createdAt,
});

const roleOf = (
  { moderatorId }: Club,
  member: Member | undefined,
  userId: string,
): ClubList['clubs'][number]['role'] | undefined =>
  userId === moderatorId ? 'owner' : member?.role;
