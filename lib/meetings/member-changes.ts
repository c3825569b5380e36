import { ClubNotFound, MemberNotFound, NotAllowed, StoreUnavailable } from '../errors.ts';
import { type Club, type MemberRecord, memberOf, type Role } from './model.ts';
import type { ClubRepository, MemberRepository } from './ports.ts';
import { isStale, timeOfChange } from './times.ts';

/** How often a change is tried again that lost against another of the same person. */
const ATTEMPTS = 5;

/** What is known of a person in a club. Each has a time of its own, so that none undoes another. */
const FIELDS = ['membership', 'name', 'role'] as const;
export type MemberField = (typeof FIELDS)[number];

/** Fields that are not given stay. A new member has no name and the role `member`. */
export interface MemberChange {
  membership?: boolean;
  /** Null is none. */
  name?: string | null | undefined;
  role?: Role | undefined;
  isForgotten?: boolean;
}

/** Who leaves has neither name nor role any more. */
export const LEAVES = { membership: false, name: null, role: 'member' } as const;

export interface MemberChangeDeps {
  clubs: Pick<ClubRepository, 'getClub'>;
  members: MemberRepository;
  now: () => Date;
}

/**
 * Changes a person's data in a club, by one conditional write. After a change in between it reads again.
 * Returns the fields that it leaves, because the record has something newer.
 *
 * @throws ClubNotFound, MemberNotFound for a role of a person who is no member, NotAllowed for removing
 *   the club's own moderator
 */
export async function changeMember(
  deps: MemberChangeDeps,
  about: { clubId: string; userId: string; occurredAt?: string | undefined },
  change: MemberChange,
): Promise<MemberField[]> {
  const { clubId, userId, occurredAt } = about;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const { club, removedAt, record } = await deps.members.read(clubId, userId);
    if (!club) {
      if (occurredAt !== undefined && isStale(occurredAt, removedAt)) return fieldsOf(change);
      throw new ClubNotFound();
    }
    const stale = await tryChange(deps, { club, record, userId }, change, occurredAt);
    if (stale) return stale;
  }
  throw new StoreUnavailable({ cause: new Error('the member kept being changed') });
}

/**
 * As {@link changeMember}, once: undefined when something changed what was read, or removed the club.
 * @throws MemberNotFound, NotAllowed
 */
export async function tryChange(
  deps: MemberChangeDeps,
  { club, record, userId }: { club: Club; record: MemberRecord | undefined; userId: string },
  change: MemberChange,
  occurredAt?: string,
): Promise<MemberField[] | undefined> {
  if (change.membership === false && club.moderatorId === userId) {
    throw new NotAllowed("The club's own moderator cannot be taken off it: name another one first");
  }
  const own = record?.generation === club.generation ? record : undefined;
  const { next, stale } = apply({ club, own, userId }, change, { occurredAt, now: deps.now() });
  if (!next) return stale;
  if (!(await deps.members.write(club.clubId, record, next))) return undefined;
  // What is there already goes with the club. What is new may come after that.
  if (own || (await isStillThere(deps, club))) return stale;
  await deps.members.removeLeftOver(club, userId);
  return undefined;
}

const fieldsOf = (change: MemberChange): MemberField[] =>
  FIELDS.filter((field) => change[field] !== undefined);

/** The record after the change; undefined when all of the change is stale. */
function apply(
  { club, own, userId }: { club: Club; own: MemberRecord | undefined; userId: string },
  change: MemberChange,
  when: { occurredAt: string | undefined; now: Date },
): { stale: MemberField[]; next?: MemberRecord } {
  const known = timesOf(club, own);
  const fields = fieldsOf(change);
  const at = timeOfChange(
    when,
    fields.map((field) => known[field]),
  );
  const stale = fields.filter((field) => isStale(at, known[field]));
  const forgottenAt = change.isForgotten ? when.now.toISOString() : own?.forgottenAt;
  if (stale.length === fields.length) {
    return change.isForgotten && own ? { stale, next: { ...own, forgottenAt } } : { stale };
  }

  const isNew = (field: MemberField) => fields.includes(field) && !stale.includes(field);
  const record = {
    userId,
    generation: club.generation,
    forgottenAt,
    membershipAt: isNew('membership') ? at : own?.membershipAt,
    displayName: isNew('name') ? (change.name ?? undefined) : own?.displayName,
    nameAt: isNew('name') ? at : own?.nameAt,
    // A removed person's role can be newer than that.
    role: isNew('role') ? change.role : own?.role,
    roleAt: isNew('role') ? at : own?.roleAt,
  };
  const member = memberOf(club, own);
  const isMember = isNew('membership') ? change.membership : member !== undefined;
  if (!isMember) {
    if (change.membership === undefined) throw new MemberNotFound();
    const role = record.role === 'member' ? undefined : record.role;
    return { stale, next: { ...record, role, removedAt: record.membershipAt } };
  }
  const joinedAt = member?.joinedAt ?? at;
  return { stale, next: { ...record, role: record.role ?? 'member', joinedAt } };
}

/** An earlier club of the id took everybody with it. */
const timesOf = (
  { clearedAt }: Club,
  own: MemberRecord | undefined,
): Record<MemberField, string | undefined> => ({
  membership: own?.membershipAt ?? clearedAt,
  name: own?.nameAt ?? clearedAt,
  role: own?.roleAt ?? clearedAt,
});

const isStillThere = async (
  { clubs }: MemberChangeDeps,
  { clubId, generation }: Club,
): Promise<boolean> => {
  const club = await clubs.getClub(clubId);
  return club !== undefined && club.generation === generation;
};
