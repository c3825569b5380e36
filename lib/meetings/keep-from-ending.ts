import { MeetingNotActive } from '../errors.ts';
import type { Club, Meeting } from './model.ts';
import type { ClubRepository } from './ports.ts';

/** No grace of the cleanup is as short: a vacancy this young costs no write. */
const HARMLESS_VACANCY_MS = 60_000;

/**
 * A participant is coming: keeps a cleanup that decides at this moment from ending a vacant meeting. It
 * learns of the join only where LiveKit's events arrive, and after the join.
 *
 * @throws MeetingNotActive when the meeting has ended meanwhile
 */
export async function keepFromEnding(
  { clubs, now }: { clubs: Pick<ClubRepository, 'clearVacant'>; now: () => Date },
  { clubId }: Club,
  { meetingId, vacantSince }: Meeting,
): Promise<void> {
  if (vacantSince === undefined) return;
  if (now().getTime() - Date.parse(vacantSince) < HARMLESS_VACANCY_MS) return;
  if (!(await clubs.clearVacant(clubId, meetingId))) {
    throw new MeetingNotActive('The meeting has just ended');
  }
}
