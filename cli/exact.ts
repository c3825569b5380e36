/** An import that makes the record equal to the file: what it removes is known before anything is written. */
import type { ShownClub } from '../lib/contract/commands.ts';
import type { Change } from '../lib/meetings/club-commands.ts';
import { eachOf, find, type ImportedClub, type ImportedMember, type ImportFile } from './import.ts';
import { listClubs, Refused, type Target } from './targets.ts';

/** What the record has and the file does not. */
export interface Removal {
  what: 'club' | 'rest of a club' | 'owner' | 'moderator' | 'member' | 'role' | 'name';
  clubId: string;
  userId?: string;
  /** Of the club, or of the person. */
  name?: string | undefined;
}

/** What makes one club equal to the file. */
interface ClubPlan {
  clubId: string;
  /** Undefined: the file does not have the club. */
  members: number | undefined;
  /** Comes before the people. */
  club: Change | undefined;
  /** In any order. */
  people: Change[];
  removals: Removal[];
}

export interface Plan {
  /** The time of every command: what the record has of after that stays. */
  asOf: string;
  clubs: ClubPlan[];
}

export const removalsIn = ({ clubs }: Plan): Removal[] => clubs.flatMap(({ removals }) => removals);

/** How many changes each club needs. */
export const plannedIn = ({ clubs }: Plan) =>
  clubs.map(({ clubId, members = null, club, people }) => ({
    clubId,
    members,
    changes: people.length + (club ? 1 : 0),
  }));

/**
 * Reads the whole record and compares it with the file. Writes nothing.
 *
 * @param elapsedMs since the reading of the file began
 */
export async function planExact(
  target: Pick<Target, 'send'>,
  file: ImportFile,
  elapsedMs: () => number,
): Promise<Plan> {
  const { readAt, clubs, unfinished } = await listClubs(target);
  const asOf = timeOf(file, Date.parse(readAt) - Math.ceil(elapsedMs()));
  const plans: ClubPlan[] = [];
  for (const club of file.clubs) {
    plans.push(planOf(club, await find(target, club.clubId), asOf));
  }
  const wanted = new Set(file.clubs.map(({ clubId }) => clubId));
  const gone: Removal[] = [
    ...clubs.map(({ clubId, name }) => ({ what: 'club' as const, clubId, name })),
    ...unfinished.map((clubId) => ({ what: 'rest of a club' as const, clubId })),
  ];
  for (const removal of gone) {
    const { clubId } = removal;
    if (wanted.has(clubId)) continue;
    const club = { command: 'remove-club', clubId, occurredAt: asOf } as const;
    plans.push({ clubId, members: undefined, club, people: [], removals: [removal] });
  }
  return { asOf, clubs: plans };
}

/**
 * The file's own time, unless that is later than its reading. By the clock of the function, which dates what
 * comes without a time: the one of this machine may differ.
 */
const timeOf = ({ asOf }: ImportFile, readingBeganMs: number): string =>
  new Date(
    Math.min(readingBeganMs, asOf === undefined ? readingBeganMs : Date.parse(asOf)),
  ).toISOString();

function planOf(
  { clubId, name, moderatorId, members }: ImportedClub,
  known: ShownClub | undefined,
  occurredAt: string,
): ClubPlan {
  const isSame = known?.name === name && known.moderatorId === moderatorId;
  const found = new Map(known?.members.map((member) => [member.userId, member]));
  const wanted = new Set(members.map(({ userId }) => userId));
  const different = members.filter((member) => differs(member, found.get(member.userId)));
  // The owner is never removed from the club.
  const extra = [...found.values()].filter(
    ({ userId }) => !wanted.has(userId) && userId !== moderatorId,
  );
  return {
    clubId,
    members: members.length,
    club: isSame ? undefined : { command: 'put-club', clubId, name, moderatorId, occurredAt },
    people: [
      ...different.map((member) => putMember(clubId, member, occurredAt)),
      ...extra.map(
        ({ userId }) => ({ command: 'remove-member', clubId, userId, occurredAt }) as const,
      ),
    ],
    removals: [
      ...(known && known.moderatorId !== moderatorId
        ? [{ what: 'owner' as const, clubId, userId: known.moderatorId }]
        : []),
      ...extra.map(({ userId, role, displayName }) => ({
        what: role,
        clubId,
        userId,
        name: displayName,
      })),
      ...different.flatMap((member) => takenFrom(clubId, member, found.get(member.userId))),
    ],
  };
}

/** Unlike in other imports, what the file leaves out is not there: no name, no more than a member. */
const differs = (
  { displayName, role = 'member' }: ImportedMember,
  found: ShownClub['members'][number] | undefined,
): boolean => found?.displayName !== displayName || found?.role !== role;

const putMember = (
  clubId: string,
  { userId, displayName, role = 'member' }: ImportedMember,
  occurredAt: string,
): Change => ({
  command: 'put-member',
  clubId,
  userId,
  role,
  ...(displayName === undefined ? { noName: true } : { displayName }),
  occurredAt,
});

/** What a person who stays a member loses. */
function takenFrom(
  clubId: string,
  { userId, displayName, role = 'member' }: ImportedMember,
  found: ShownClub['members'][number] | undefined,
): Removal[] {
  if (!found) return [];
  const person = { clubId, userId, name: found.displayName };
  return [
    ...(found.role === 'moderator' && role === 'member'
      ? [{ what: 'role' as const, ...person }]
      : []),
    ...(found.displayName !== undefined && displayName === undefined
      ? [{ what: 'name' as const, ...person }]
      : []),
  ];
}

export interface ExactCounts {
  clubId: string;
  /** In the file; null when it does not have the club. */
  members: number | null;
  /** Changes that were made: of the club, and of its people. */
  changed: number;
  /** Changes of which the record has something newer, which stays. */
  kept: number;
  /** Changes that were refused. */
  refused: { userId?: string; error: string; code: string }[];
}

/**
 * Makes every change of the plan, and goes on after one that is refused. Whatever else stops it, the same
 * import makes what is left.
 *
 * @param progress called after each change
 * @throws Unreachable
 */
export async function carryOut(
  target: Pick<Target, 'send'>,
  { clubs }: Plan,
  progress: (club: { clubId: string }, done: number, of: number) => void,
): Promise<ExactCounts[]> {
  const counts: ExactCounts[] = [];
  for (const plan of clubs) {
    const { clubId, members = null, club, people } = plan;
    const own: ExactCounts = { clubId, members, changed: 0, kept: 0, refused: [] };
    const of = people.length + (club ? 1 : 0);
    let done = 0;
    const make = async (change: Change) => {
      await makeOne(target, change, own);
      done += 1;
      progress(plan, done, of);
    };
    if (club) await make(club);
    await eachOf(people, make);
    counts.push(own);
  }
  return counts;
}

async function makeOne(
  target: Pick<Target, 'send'>,
  change: Change,
  counts: ExactCounts,
): Promise<void> {
  try {
    if (change.command === 'remove-club' && (await isJoined(target, change))) {
      counts.kept += 1;
      return;
    }
    const answer = await target.send(change);
    if ('stale' in answer && answer.stale) counts.kept += 1;
    else counts.changed += 1;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { message, code } = error;
    counts.refused.push({
      ...('userId' in change && { userId: change.userId }),
      error: message,
      code,
    });
  }
}

/** Whether a member joined the club since: then the application still has this club, too. */
async function isJoined(
  target: Pick<Target, 'send'>,
  { clubId, occurredAt = '' }: Change,
): Promise<boolean> {
  const club = await find(target, clubId);
  return club?.members.some(({ joinedAt }) => joinedAt > occurredAt) ?? false;
}
