import type { RecordingClaim } from '../model.ts';
import type { ClubRepository } from '../ports.ts';
import { isOpen, type RecordingRef } from './model.ts';
import type { Egress, RecordingRepository } from './ports.ts';

/** Moves row and claim on to what LiveKit says of a recording that is on; never back. */
export async function noteProgress(
  {
    recordings,
    now,
  }: { recordings: Pick<RecordingRepository, 'advance' | 'advanceClaim'>; now: () => Date },
  ref: RecordingRef,
  { egressId, state, startedAt }: Egress,
): Promise<void> {
  if (!isOpen(state)) return;
  await recordings.advance(ref, state, {
    egressId,
    ...(state !== 'starting' && { startedAt }),
    ...(state === 'stopping' && { stoppingSince: now().toISOString() }),
  });
  await recordings.advanceClaim(ref, state, {
    egressId,
    ...(state !== 'starting' && { startedAt }),
  });
}

/**
 * The claim of the recording. Whoever noted LiveKit's id of it first reads it then: somebody may have stopped
 * it before they could know the id.
 */
export async function claimOf(
  { clubs }: { clubs: Pick<ClubRepository, 'getClub'> },
  { clubId, recordingId }: RecordingRef,
): Promise<RecordingClaim | undefined> {
  const { recording } = (await clubs.getClub(clubId)) ?? {};
  return recording?.recordingId === recordingId ? recording : undefined;
}
