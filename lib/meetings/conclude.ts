import type { Club, EndedMeeting, Meeting } from './model.ts';
import type { ClubRepository, EndCondition } from './ports.ts';

/**
 * Decides by one conditional write that the meeting is over: it is still the club's current one, and
 * `onlyIf` holds. Undefined when it is not or does not; somebody else may have decided.
 */
export async function concludeMeeting(
  {
    clubs,
    now,
  }: { clubs: Pick<ClubRepository, 'recordEndedMeeting' | 'concludeMeeting'>; now: () => Date },
  club: Club,
  { meetingId, roomName, startedAt }: Meeting,
  { endedBy, reason }: Pick<EndedMeeting, 'endedBy' | 'reason'>,
  onlyIf?: EndCondition,
): Promise<EndedMeeting | undefined> {
  // Before `lastMeeting` is written over, its facts go to the history, word for word.
  if (club.lastMeeting) await clubs.recordEndedMeeting(club.clubId, club.lastMeeting);

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
  return (await clubs.concludeMeeting(club.clubId, ended, onlyIf)) ? ended : undefined;
}

/** The facts of a meeting that is over, wherever they are by now. */
export async function findEnded(
  { clubs }: { clubs: Pick<ClubRepository, 'getEndedMeeting'> },
  club: Club | undefined,
  meetingId: string | undefined,
): Promise<EndedMeeting | undefined> {
  if (!club || meetingId === undefined) return undefined;
  if (club.lastMeeting?.meetingId === meetingId) return club.lastMeeting;
  return clubs.getEndedMeeting(club.clubId, meetingId);
}
