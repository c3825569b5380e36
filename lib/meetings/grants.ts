import type { Effect } from '../contract/answers.ts';
import type { Permissions } from './media.ts';
import type { Club, GrantNote } from './model.ts';
import type { GrantRepository } from './ports.ts';

/** What a moderator's token may do at LiveKit itself: what each exposes is in docs/configuration.md. */
export type ModeratorGrants = GrantNote['grants'] | 'none';

export interface TokenRules {
  ttlSeconds: number;
  moderatorGrants: ModeratorGrants;
}

export interface GrantDeps {
  grants: GrantRepository;
  tokens: TokenRules;
  now: () => Date;
}

export const MODERATOR_PERMISSIONS: Record<ModeratorGrants, Permissions> = {
  full: { isModerator: true, canRecord: true },
  room: { isModerator: true, canRecord: false },
  none: { isModerator: false, canRecord: false },
};

/** What LiveKit gives a client that is connected, however short its own token was. */
const RENEWED_TTL_SECONDS = 600;
const LEEWAY_SECONDS = 60;

/** When every token of the person has expired that was signed or renewed by `now`. */
export const latestExpiry = ({ ttlSeconds }: TokenRules, now: Date): Date =>
  new Date(now.getTime() + (Math.max(ttlSeconds, RENEWED_TTL_SECONDS) + LEEWAY_SECONDS) * 1000);

/**
 * Notes the grants that a moderator's token is about to be signed with: once a meeting for each person.
 * LiveKit cannot take a grant back, so a later demotion reads the note. Between the note and the signature
 * the caller has to read once more that the person is a moderator: a demotion writes first and looks for
 * the note after that, so one of the two sees the other.
 *
 * @param granted the note that is there
 * @returns whether it wrote: false when nothing is granted, or it is noted already
 */
export async function noteGrants(
  { grants, tokens, now }: GrantDeps,
  { clubId }: Club,
  note: Omit<GrantNote, 'grants'>,
  granted: GrantNote | undefined,
): Promise<boolean> {
  const { moderatorGrants } = tokens;
  if (moderatorGrants === 'none') return false;
  const isNoted =
    granted?.meetingId === note.meetingId && ['full', moderatorGrants].includes(granted.grants);
  if (isNoted) return false;
  await grants.put(clubId, { ...note, grants: moderatorGrants }, now());
  return true;
}

/** Nothing that a browser holds works against the decision. */
export const NOW: Effect = { effective: 'now' };

/**
 * Since when a decision about a person holds, despite the grants that their browser already has.
 * @param club as it was read before the decision
 * @param canJoin whether the person may be in the meeting that is on
 */
export async function effectOn(
  { grants, tokens, now }: GrantDeps,
  club: Club,
  userId: string,
  { canJoin }: { canJoin: boolean },
): Promise<Effect> {
  const noted = await grants.get(club.clubId, userId);
  if (!noted) return NOW;
  const endedAt = endOf(noted.meetingId, club);
  if (endedAt === undefined) {
    return {
      effective: 'after-token-expiry',
      until: latestExpiry(tokens, now()).toISOString(),
      // A token that was not used yet is renewed as well, once the person joins with it.
      isRenewed: canJoin,
    };
  }
  // `roomAdmin` is bound to a room, which is gone; `roomRecord` to none.
  const until = latestExpiry(tokens, endedAt);
  if (noted.grants !== 'full' || until <= now()) return NOW;
  return { effective: 'after-token-expiry', until: until.toISOString(), isRenewed: false };
}

/** When the meeting ended, at the latest; undefined for one that is on. Meetings sort by their ids. */
function endOf(meetingId: string, { lastMeeting }: Club): Date | undefined {
  if (!lastMeeting || meetingId > lastMeeting.meetingId) return undefined;
  const isLast = meetingId === lastMeeting.meetingId;
  return new Date(isLast ? lastMeeting.endedAt : lastMeeting.startedAt);
}
