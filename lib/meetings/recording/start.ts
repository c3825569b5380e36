import type { RecordingAnswer } from '../../contract/answers.ts';
import {
  MediaUnavailable,
  MeetingNotActive,
  RecordingUnavailable,
  StoreUnavailable,
} from '../../errors.ts';
import { requireModerator, requireNotBarred } from '../access.ts';
import type { MediaServer } from '../media.ts';
import type { Caller, Club, Meeting, RecordingClaim } from '../model.ts';
import type { ClubRepository } from '../ports.ts';
import { ensureRoom, type RoomLimits } from '../room.ts';
import { type CloseDeps, closeRecording, ids, latestExpiryOf } from './close.ts';
import { fileKeyOf, type Recording, type RecordingRef } from './model.ts';
import type { Recorder, RecordingRepository } from './ports.ts';
import { noteProgress } from './progress.ts';

/** How often a claim is decided anew that met another change of the club. */
const ATTEMPTS = 3;

export interface StartRecordingDeps extends CloseDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'getClub'>;
  recordings: Pick<
    RecordingRepository,
    | 'claim'
    | 'open'
    | 'close'
    | 'lift'
    | 'advance'
    | 'advanceClaim'
    | 'anonymize'
    | 'settle'
    | 'remove'
  >;
  recorder: Pick<Recorder, 'start' | 'stop'>;
  media: Pick<MediaServer, 'createRoom' | 'deleteRoom'>;
  rooms: RoomLimits;
  newRecordingId: (requestedAt: Date) => string;
}

/** Whether it records, as far as is known: `isCertain` is false while a recorder may start yet. */
export interface AskedRecording {
  answer: RecordingAnswer;
  isCertain: boolean;
}

/**
 * Records the meeting that is on, or answers with the recording that is on: one conditional write
 * decides. The row comes before the recorder is asked, so that every file has one.
 *
 * @throws NotAModerator also for an unknown club
 * @throws MeetingNotActive, RemovedFromMeeting
 * @throws RecordingUnavailable when no recorder is free: nothing is recorded
 */
export async function startRecording(
  deps: StartRecordingDeps,
  {
    caller,
    clubId,
    audioOnly,
  }: { caller: Caller; clubId: string; audioOnly?: boolean | undefined },
): Promise<AskedRecording> {
  const { club, meeting, claim, isOwn } = await decideStart(deps, { caller, clubId, audioOnly });
  if (!isOwn) return asked(claim);
  const ref = { clubId, meetingId: meeting.meetingId, recordingId: claim.recordingId };
  const recording = rowOf(deps, club, meeting, claim);
  await openRow(deps, ref, recording, club);
  await makeSureOfRoom(deps, ref, recording, { club, meeting });
  return ask(deps, ref, recording, meeting);
}

/** Claims the meeting, or finds the claim that there is. */
async function decideStart(
  deps: StartRecordingDeps,
  { caller, clubId, audioOnly }: { caller: Caller; clubId: string; audioOnly: boolean | undefined },
): Promise<{ club: Club; meeting: Meeting; claim: RecordingClaim; isOwn: boolean }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
    const club = requireModerator(read, caller, 'record meetings');
    const { meeting } = club;
    if (!meeting) throw new MeetingNotActive('No meeting is on');
    requireNotBarred(club, caller);
    if (club.recording) return { club, meeting, claim: club.recording, isOwn: false };

    const own = newClaim(deps, { caller, audioOnly });
    if (await deps.recordings.claim(club, meeting.meetingId, own)) {
      return { club, meeting, claim: own, isOwn: true };
    }
    const current = await deps.clubs.getClub(clubId);
    if (current?.meeting?.meetingId !== meeting.meetingId) {
      throw new MeetingNotActive('The meeting has just ended');
    }
    if (current.recording) {
      // By id, not by who won: a retry inside the SDK can lose against its own first attempt.
      const isOwn = current.recording.recordingId === own.recordingId;
      return { club, meeting, claim: current.recording, isOwn };
    }
  }
  throw new StoreUnavailable({ cause: new Error('the club kept being changed') });
}

function newClaim(
  { now, newRecordingId, recording }: StartRecordingDeps,
  { caller, audioOnly }: { caller: Caller; audioOnly: boolean | undefined },
): RecordingClaim {
  const requestedAt = now();
  return {
    recordingId: newRecordingId(requestedAt),
    state: 'starting',
    audioOnly: audioOnly ?? recording.default === 'audio',
    requestedAt: requestedAt.toISOString(),
    requestedBy: caller.userId,
  };
}

const rowOf = (
  { recording }: StartRecordingDeps,
  { generation }: Club,
  { meetingId }: Meeting,
  { recordingId, audioOnly, requestedAt, requestedBy }: RecordingClaim,
): Recording => ({
  meetingId,
  recordingId,
  generation,
  state: 'starting',
  audioOnly,
  requestedAt,
  requestedBy,
  expiresAt: latestExpiryOf(requestedAt, recording),
});

/**
 * Puts the row, and looks at the club once more: its meeting may have ended, it may have been removed,
 * and the caller may have been forgotten. All of these write first and look for rows then.
 */
async function openRow(
  deps: StartRecordingDeps,
  ref: RecordingRef,
  recording: Recording,
  seen: Club,
): Promise<void> {
  await deps.recordings.open(ref, recording);
  const club = await deps.clubs.getClub(ref.clubId);
  if (club?.generation !== seen.generation || !club) {
    await deps.recordings.remove(ref);
    throw new MeetingNotActive('The meeting has just ended');
  }
  const claim = club.recording?.recordingId === ref.recordingId ? club.recording : undefined;
  // `forget-user` looks for rows after the claim: while the claim names the caller, it finds this one.
  const isNamed = claim?.requestedBy === recording.requestedBy;
  if (club.forgetCount !== seen.forgetCount && !isNamed) await deps.recordings.anonymize(ref);
  if (!claim) {
    await closeRecording(deps, ref, recording, { state: 'aborted', isSettled: true });
    throw new MeetingNotActive('The meeting has just ended');
  }
}

async function makeSureOfRoom(
  deps: StartRecordingDeps,
  ref: RecordingRef,
  recording: Recording,
  { club, meeting }: { club: Club; meeting: Meeting },
): Promise<void> {
  try {
    await ensureRoom(deps, club, meeting);
  } catch (error) {
    // No recorder was asked, so none can start.
    if (error instanceof MediaUnavailable || error instanceof MeetingNotActive) {
      await closeRecording(deps, ref, recording, { state: 'failed', isSettled: true });
    }
    throw error;
  }
}

async function ask(
  deps: StartRecordingDeps,
  ref: RecordingRef,
  recording: Recording,
  { roomName }: Meeting,
): Promise<AskedRecording> {
  const key = fileKeyOf(ref, recording);
  const { audioOnly } = recording;
  const result = await deps.recorder.start({ roomName, key, audioOnly });
  switch (result.outcome) {
    case 'started':
      return started(deps, ref, result.egress);
    case 'unknown':
      deps.log.warn('it is not known whether it records', ids(ref), result.cause);
      return { answer: answerOf(ref.recordingId, 'starting'), isCertain: false };
    case 'no-room':
    case 'refused': {
      deps.log.warn('no recorder', { ...ids(ref), outcome: result.outcome }, result.cause);
      // A recorder that LiveKit gave up may still start: the cleanup looks for it.
      const isSettled = result.outcome === 'no-room';
      await closeRecording(deps, ref, recording, { state: 'failed', isSettled });
      const club = await deps.clubs.getClub(ref.clubId);
      if (club?.meeting?.meetingId !== ref.meetingId) {
        throw new MeetingNotActive('The meeting has just ended');
      }
      throw new RecordingUnavailable({ cause: result.cause });
    }
  }
}

/** It records. A moderator may have stopped it before LiveKit's id of it was known. */
async function started(
  deps: StartRecordingDeps,
  ref: RecordingRef,
  egress: Parameters<typeof noteProgress>[2],
): Promise<AskedRecording> {
  await noteProgress(deps, ref, egress);
  const club = await deps.clubs.getClub(ref.clubId);
  const claim = club?.recording?.recordingId === ref.recordingId ? club.recording : undefined;
  // The room of an ended meeting goes, and the recorder with it.
  if (club?.meeting?.meetingId !== ref.meetingId) {
    throw new MeetingNotActive('The meeting has just ended');
  }
  if (claim?.state !== 'stopping' && claim) {
    deps.meter.run('recording', { started: 1 });
    return asked(claim);
  }
  await deps.recorder
    .stop(egress.egressId)
    .catch((error) => deps.log.warn('stopping is left to the cleanup', ids(ref), error));
  return { answer: answerOf(ref.recordingId, 'stopping'), isCertain: true };
}

const asked = ({ recordingId, state, egressId }: RecordingClaim): AskedRecording => ({
  answer: answerOf(recordingId, state),
  isCertain: egressId !== undefined,
});

const answerOf = (recordingId: string, state: RecordingClaim['state']): RecordingAnswer => ({
  success: true,
  recordingId,
  state,
});
