import type { Log, Meter } from '../ports.ts';
import { type ClosedState, fileKeyOf, type Recording, type RecordingRef } from './model.ts';
import type { Egress, FileStore, RecordingRepository } from './ports.ts';

export interface RetentionRules {
  retentionDays: number;
  /** What an omitted `audioOnly` means. */
  default: 'video' | 'audio';
}

export interface CloseDeps {
  recordings: Pick<RecordingRepository, 'close' | 'lift' | 'settle'>;
  files: Pick<FileStore, 'find'>;
  recording: RetentionRules;
  now: () => Date;
  log: Log;
  meter: Meter;
}

const DAY_SECONDS = 86_400;
/** The longest that a meeting may last: what is open ends by then. */
const LONGEST_MEETING_SECONDS = 7 * DAY_SECONDS;

/** Seconds of the epoch until which a recording is kept that ended then. */
export const expiryOf = (endedAt: string, { retentionDays }: RetentionRules): number =>
  Math.floor(Date.parse(endedAt) / 1000) + retentionDays * DAY_SECONDS;

/** For what is about a recording that is yet to end: kept at least as long as that recording. */
export const latestExpiryOf = (at: string, rules: RetentionRules): number =>
  expiryOf(at, rules) + LONGEST_MEETING_SECONDS;

/**
 * Closes a recording by looking at its file: with a file the recording is complete, even if LiveKit says
 * otherwise. The row first, then the claim.
 *
 * @param state what it is without a file
 * @param isSettled no recorder or file of it can arrive any more
 * @throws RecordingUnavailable when the bucket does not answer: then nothing is decided
 */
export async function closeRecording(
  deps: CloseDeps,
  ref: RecordingRef,
  recording: Recording,
  {
    state,
    isSettled,
    egress,
  }: { state: Exclude<ClosedState, 'completed' | 'deleted'>; isSettled: boolean; egress?: Egress },
): Promise<void> {
  const file = await deps.files.find(fileKeyOf(ref, recording));
  const endedAt = within(egress?.endedAt, recording.requestedAt, deps.now().toISOString());
  const closed = file ? 'completed' : state;
  const isOver = isSettled || file !== undefined;
  const isClosed = await deps.recordings.close(ref, {
    state: closed,
    endedAt,
    durationSeconds: file && egress?.durationSeconds,
    bytes: file?.bytes,
    egressId: egress?.egressId,
    startedAt: egress?.startedAt,
    expiresAt: expiryOf(endedAt, deps.recording),
    isSettled: isOver,
  });
  await deps.recordings.lift(ref);
  if (isOver) await deps.recordings.settle(ref);
  if (!isClosed) return;
  deps.log.info('recording closed', { ...ids(ref), state: closed, bytes: file?.bytes });
  deps.meter.run('recording', { [closed]: 1 });
}

/** The fields of a log line. */
export const ids = ({ clubId, meetingId, recordingId }: RecordingRef) => ({
  clubId,
  meetingId,
  recordingId,
});

/** The recorder's clock is not ours. */
function within(at: string | undefined, from: string, to: string): string {
  if (at === undefined || at > to) return to;
  return at < from ? from : at;
}
