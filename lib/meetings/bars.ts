import { StoreUnavailable } from '../errors.ts';
import { requireNotBarred } from './access.ts';
import type { Caller, Club, Meeting } from './model.ts';
import type { ClubRepository } from './ports.ts';

/** An attempt is refused only when another change of the meeting's bars came first. */
const ATTEMPTS = 5;

/**
 * Bars a person from the meeting, or lifts the bar, under the condition that no bar of the meeting has
 * changed since `club` was read. So a write that arrives after its request was given up undoes nothing
 * that was decided since.
 *
 * @param by the moderator who does it; none when the person leaves the club
 * @param readAgain gives the club once another change came first, or throws if that rules this one out
 * @returns whether the person was barred before; undefined when the meeting is over
 * @throws RemovedFromMeeting when `by` was removed from the meeting meanwhile
 */
export async function changeBar(
  { clubs }: { clubs: Pick<ClubRepository, 'getClub' | 'changeBar'> },
  club: Club,
  { meetingId }: Meeting,
  {
    userId,
    isBarred,
    by,
    readAgain = () => clubs.getClub(club.clubId),
  }: {
    userId: string;
    isBarred: boolean;
    by?: Caller;
    readAgain?: () => Promise<Club | undefined>;
  },
): Promise<boolean | undefined> {
  let seen: Club | undefined = club;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (seen?.meeting?.meetingId !== meetingId) return undefined;
    if (by) requireNotBarred(seen, by);
    const wasBarred = seen.barredUserIds?.has(userId) ?? false;
    // Also when it changes nothing for the person: an earlier change that was given up may still arrive.
    const revision = crypto.randomUUID();
    const change = { userId, isBarred, seenRevision: seen.barsRevision, revision };
    if (await clubs.changeBar({ clubId: club.clubId, meetingId }, change)) return wasBarred;
    seen = await readAgain();
    // A retry inside the SDK can lose against its own first attempt.
    if (seen?.barsRevision === revision) return wasBarred;
  }
  throw new StoreUnavailable({ cause: new Error('the bars of the meeting kept changing') });
}
