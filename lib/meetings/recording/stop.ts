import {
  MediaUnavailable,
  MeetingNotActive,
  RecordingNotActive,
  RecordingNotFound,
} from '../../errors.ts';
import { requireModerator, requireNotBarred } from '../access.ts';
import type { Caller, RecordingClaim } from '../model.ts';
import type { ClubRepository, Log } from '../ports.ts';
import { ids } from './close.ts';
import { isOfClub, type RecordingRef } from './model.ts';
import type { Recorder, RecordingRepository } from './ports.ts';
import type { AskedRecording } from './start.ts';

export interface StopDeps {
  recordings: Pick<RecordingRepository, 'advance' | 'advanceClaim'>;
  recorder: Pick<Recorder, 'stop'>;
  now: () => Date;
  log: Log;
}

export interface StopRecordingDeps extends StopDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'getClub'>;
  recordings: StopDeps['recordings'] & Pick<RecordingRepository, 'get'>;
}

/**
 * Stops the recording that is on; its file comes a moment later. Repeating it is no error, also after it
 * is over, when the recording is named. With a `recordingId` it is about that recording only, so that a
 * late repetition cannot stop the next one.
 *
 * @throws NotAModerator also for an unknown club
 * @throws MeetingNotActive, RemovedFromMeeting
 * @throws RecordingNotActive when none is on and none is named
 * @throws RecordingNotFound for one that never was in this meeting
 */
export async function stopRecording(
  deps: StopRecordingDeps,
  {
    caller,
    clubId,
    recordingId,
  }: { caller: Caller; clubId: string; recordingId?: string | undefined },
): Promise<AskedRecording> {
  const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
  const club = requireModerator(read, caller, 'stop recordings');
  const { meeting, recording: claim } = club;
  if (!meeting) throw new MeetingNotActive('No meeting is on');
  requireNotBarred(club, caller);
  const { meetingId } = meeting;
  if (claim && (recordingId === undefined || claim.recordingId === recordingId)) {
    const ref = { clubId, meetingId, recordingId: claim.recordingId };
    const isCertain = await stopClaimed(deps, ref, claim);
    return {
      answer: { success: true, recordingId: ref.recordingId, state: 'stopping' },
      isCertain,
    };
  }
  if (recordingId === undefined) throw new RecordingNotActive();
  const row = await deps.recordings.get({ clubId, meetingId, recordingId });
  if (!row || !isOfClub(row, club) || row.state === 'deleted') throw new RecordingNotFound();
  return { answer: { success: true, recordingId, state: row.state }, isCertain: true };
}

/**
 * The record first: a start that does not know LiveKit's id of it yet stops it once it does.
 * @returns whether LiveKit said that it stops
 */
export async function stopClaimed(
  deps: StopDeps & { clubs: Pick<ClubRepository, 'getClub'> },
  ref: RecordingRef,
  claim: RecordingClaim,
): Promise<boolean> {
  await deps.recordings.advanceClaim(ref, 'stopping');
  let { egressId } = claim;
  if (egressId === undefined) {
    const { recording } = (await deps.clubs.getClub(ref.clubId)) ?? {};
    if (recording?.recordingId === ref.recordingId) egressId = recording.egressId;
  }
  return egressId !== undefined && stopAtLiveKit(deps, ref, egressId);
}

/** Whether LiveKit said that it stops. What it does not say is the cleanup's. */
export async function stopAtLiveKit(
  { recordings, recorder, now, log }: StopDeps,
  ref: RecordingRef,
  egressId: string,
): Promise<boolean> {
  try {
    const outcome = await recorder.stop(egressId);
    if (outcome === 'unanswered') return false;
    await recordings.advance(ref, 'stopping', { stoppingSince: now().toISOString() });
    return true;
  } catch (error) {
    if (!(error instanceof MediaUnavailable)) throw error;
    log.warn('stopping is left to the cleanup', ids(ref), error);
    return false;
  }
}
