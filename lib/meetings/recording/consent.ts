import { ConsentRequired, MeetingNotActive } from '../../errors.ts';
import { requireMember, requireNotBarred } from '../access.ts';
import type { Caller, Club } from '../model.ts';
import type { ClubRepository } from '../ports.ts';
import { latestExpiryOf, type RetentionRules } from './close.ts';
import type { RecordingRepository } from './ports.ts';

export interface ConsentDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember'>;
  recordings: Pick<RecordingRepository, 'hasConsent' | 'putConsent' | 'removeConsent'>;
  recording: RetentionRules;
  now: () => Date;
}

/**
 * Keeps that a member agrees to be recorded in the meeting that is on, whether or not it is recorded yet.
 * @throws ClubNotFound, NotAMember, MeetingNotActive, RemovedFromMeeting
 */
export async function giveConsent(
  deps: ConsentDeps,
  { caller, clubId }: { caller: Caller; clubId: string },
): Promise<{ success: true; meetingId: string }> {
  const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
  const club = requireMember(read, caller);
  if (!club.meeting) throw new MeetingNotActive('No meeting is on');
  requireNotBarred(club, caller);
  const { meetingId } = club.meeting;
  await keepConsent(deps, { club, forgottenAt: read.forgottenAt }, { caller, meetingId });
  return { success: true, meetingId };
}

/** Whether the person is yet to agree to the recording that is on. */
export async function lacksConsent(
  { recordings }: { recordings: Pick<RecordingRepository, 'hasConsent'> },
  { clubId, recordingConsent, recording, meeting }: Club,
  { userId }: Caller,
): Promise<boolean> {
  if (recordingConsent !== 'required' || !recording || !meeting) return false;
  return !(await recordings.hasConsent(clubId, meeting.meetingId, userId));
}

/**
 * Refuses a person who did not agree to the recording that is on, in a club that requires it; keeps the
 * consent that is given.
 *
 * @param seen what was read of the club and the person
 * @throws ConsentRequired
 */
export async function requireConsent(
  deps: ConsentDeps,
  seen: SeenPerson,
  { caller, isGiven }: { caller: Caller; isGiven: boolean },
): Promise<void> {
  const { club } = seen;
  if (club?.recordingConsent !== 'required' || !club.meeting) return;
  const { meetingId } = club.meeting;
  if (isGiven) await keepConsent(deps, { ...seen, club }, { caller, meetingId });
  else if (await lacksConsent(deps, club, caller)) throw new ConsentRequired();
}

interface SeenPerson {
  club: Club | undefined;
  forgottenAt?: string | undefined;
}

/**
 * Puts the consent, and looks once more whether the club was removed or the person forgotten meanwhile:
 * both make their note first and delete then, so one of the two sees the other.
 */
async function keepConsent(
  { clubs, recordings, recording, now }: ConsentDeps,
  { club, forgottenAt }: SeenPerson & { club: Club },
  { caller, meetingId }: { caller: Caller; meetingId: string },
): Promise<void> {
  const { clubId, generation } = club;
  const { userId } = caller;
  const givenAt = now().toISOString();
  const expiresAt = latestExpiryOf(givenAt, recording);
  await recordings.putConsent({ clubId, meetingId, userId, givenAt, generation, expiresAt });
  const current = await clubs.getClubAndMember(clubId, userId);
  const isSame = current.club !== undefined && current.club.generation === generation;
  if (isSame && current.forgottenAt === forgottenAt) return;
  await recordings.removeConsent(clubId, meetingId, userId);
}
