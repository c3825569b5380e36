import type { Club, EndedMeeting, Meeting } from './model.ts';
import type { ClubRepository, EndCondition } from './ports.ts';

export interface EndingDeps {
  clubs: Pick<
    ClubRepository,
    'getClub' | 'recordEndedMeeting' | 'removeEndedMeeting' | 'concludeMeeting'
  >;
  now: () => Date;
}

/**
 * Decides by one conditional write that the meeting is over: it is still the club's current one, no user
 * was forgotten since the club was read, and `onlyIf` holds. Undefined when it is not or does not;
 * another request may have decided.
 */
export async function tryEndMeeting(
  { clubs, now }: EndingDeps,
  club: Club,
  { meetingId, roomName, startedAt }: Meeting,
  { endedBy, reason }: Pick<EndedMeeting, 'endedBy' | 'reason'>,
  onlyIf?: EndCondition,
): Promise<EndedMeeting | undefined> {
  // Before `lastMeeting` is written over, its facts go to the history, word for word. The start of this
  // meeting has done that, unless it broke off. Nothing but an end, or `forgetCount`, changes
  // `lastMeeting`, so the deciding write need not name it.
  const unrecorded =
    club.lastMeeting?.meetingId === club.recordedMeetingId ? undefined : club.lastMeeting;
  if (unrecorded) await clubs.recordEndedMeeting(club, unrecorded);

  const durationMs = Math.max(0, now().getTime() - Date.parse(startedAt));
  const ended: EndedMeeting = {
    meetingId,
    roomName,
    startedAt,
    endedAt: new Date(Date.parse(startedAt) + durationMs).toISOString(),
    durationSeconds: Math.floor(durationMs / 1000),
    endedBy,
    reason,
  };
  if (await clubs.concludeMeeting(club, ended, onlyIf)) return ended;
  if (unrecorded) await undoIfClubIsGone({ clubs }, club, unrecorded);
  return undefined;
}

/** A row that was put after its club was removed would be left behind. */
export async function undoIfClubIsGone(
  { clubs }: Pick<EndingDeps, 'clubs'>,
  { clubId, generation }: Club,
  { meetingId }: EndedMeeting,
): Promise<void> {
  const current = await clubs.getClub(clubId);
  if (current && current.generation === generation) return;
  await clubs.removeEndedMeeting({ clubId, generation }, meetingId);
}

/** The facts of a meeting that is over, wherever they are by now. */
export async function findEndedMeeting(
  { clubs }: { clubs: Pick<ClubRepository, 'getEndedMeeting'> },
  club: Club | undefined,
  meetingId: string | undefined,
): Promise<EndedMeeting | undefined> {
  if (!club || meetingId === undefined) return undefined;
  if (club.lastMeeting?.meetingId === meetingId) return club.lastMeeting;
  return clubs.getEndedMeeting(club, meetingId);
}
