import type { WebhookAnswer } from '../../contract/answers.ts';
import { MediaUnavailable, RecordingUnavailable } from '../../errors.ts';
import type { ClubRepository } from '../ports.ts';
import { type CloseDeps, closeRecording, ids } from './close.ts';
import { isOpen, parseFileKey } from './model.ts';
import type { Egress, Recorder, RecordingRepository } from './ports.ts';
import { claimOf, noteProgress } from './progress.ts';

export interface EgressEventDeps extends CloseDeps {
  recordings: CloseDeps['recordings'] &
    Pick<RecordingRepository, 'get' | 'advance' | 'advanceClaim'>;
  recorder: Pick<Recorder, 'stop'>;
  clubs: Pick<ClubRepository, 'getClub'>;
}

/**
 * Follows what LiveKit reports of a recording of ours, known by its file's name; also after its meeting,
 * and after the next one began. A recording without a row belongs to another application.
 */
export async function followEgress(
  deps: EgressEventDeps,
  egress: Egress,
): Promise<WebhookAnswer['result']> {
  const ref = parseFileKey(egress.key, egress.roomName);
  const recording = ref && (await deps.recordings.get(ref));
  if (!ref || !recording) return 'ignored';
  try {
    const { state } = egress;
    if (!isOpen(state)) {
      // The file of one that was deleted is the cleanup's.
      if (recording.state === 'deleted') return 'ignored';
      const inferred = state === 'completed' ? 'failed' : state;
      await closeRecording(deps, ref, recording, { state: inferred, isSettled: true, egress });
    } else if (isOpen(recording.state)) {
      await noteProgress(deps, ref, egress);
      if (recording.egressId === undefined && state !== 'stopping') {
        const claim = await claimOf(deps, ref);
        if (claim?.state === 'stopping') await deps.recorder.stop(egress.egressId);
      }
    } else if (!recording.isSettled && state !== 'stopping') {
      // Given up, but alive: it records, and no participant sees a notice.
      await deps.recorder.stop(egress.egressId);
    }
    return 'followed';
  } catch (error) {
    const isOutage = error instanceof RecordingUnavailable || error instanceof MediaUnavailable;
    if (!isOutage) throw error;
    deps.log.warn('left to the cleanup', { ...ids(ref), egress: egress.state }, error);
    return 'postponed';
  }
}
