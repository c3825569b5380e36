/**
 * A request that was given up can write again what a command deleted: its write arrives late, after the
 * command has looked. So removing a club or forgetting a person leaves a note, and the cleanup deletes once
 * more when no such write can arrive any more.
 */
import { memberOf } from './model.ts';
import type { ClubAdministration, MemberRepository, Removal } from './ports.ts';
import type { RecordingRepository } from './recording/ports.ts';

/**
 * For so long a write may be on its way: AWS takes no request whose signature is older than 15 minutes
 * (5, as documented).
 */
export const LATE_WITHIN_MS = 15 * 60_000;

export interface RemovalDeps {
  administration: Pick<ClubAdministration, 'removeItemsOfEarlierClubs' | 'forgetUser'>;
  members: Pick<MemberRepository, 'read'>;
  recordings: Pick<RecordingRepository, 'listOfEarlierClubs' | 'discard'>;
  now: () => Date;
}

/**
 * Deletes what is not of the club that there is now. Recorders go with their rooms, and may write files
 * after that: the cleanup deletes those.
 */
export async function emptyEarlierClubs(
  { administration, recordings, now }: Omit<RemovalDeps, 'members'>,
  clubId: string,
): Promise<void> {
  await administration.removeItemsOfEarlierClubs(clubId);
  for (const ref of await recordings.listOfEarlierClubs(clubId)) {
    await recordings.discard(ref, now());
  }
}

/** Once more; what is of a club, or of a stay, that began since is left alone. */
export async function repeatRemoval(
  deps: RemovalDeps,
  { clubId, userId, removedAt, until }: Removal,
): Promise<void> {
  if (userId === undefined) {
    await emptyEarlierClubs(deps, clubId);
    return;
  }
  const { club, record } = await deps.members.read(clubId, userId);
  const isBack = club && (club.moderatorId === userId || memberOf(club, record));
  await deps.administration.forgetUser(clubId, userId, until ?? (isBack ? removedAt : undefined));
}
