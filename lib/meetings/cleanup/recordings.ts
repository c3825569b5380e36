import type { RecordingRef } from '../recording/model.ts';
import { byRecording, keyOf, reconcile } from '../recording/reconcile.ts';
import { attempt } from './attempt.ts';
import type { Run } from './types.ts';

/**
 * Makes the record of each recording that is claimed or not settled agree with LiveKit, which is asked
 * for its list only when there is one.
 */
export async function reconcileRecordings(
  run: Run,
  claimed: RecordingRef[],
  hasTime: () => boolean,
): Promise<void> {
  const refs = new Map(
    [...claimed, ...(await run.recordings.listUnsettled())].map((ref) => [keyOf(ref), ref]),
  );
  run.report.recordings = refs.size;
  if (refs.size === 0) return;

  const active = byRecording(await run.recorder.listActive());
  // A recorder that came alive after its recording was over and settled.
  for (const [key, { ref }] of active) refs.set(key, ref);
  const rows = new Map(
    (await run.recordings.getAll([...refs.values()])).map(({ ref, recording }) => [
      keyOf(ref),
      recording,
    ]),
  );
  for (const [key, ref] of refs) {
    if (!hasTime()) {
      run.report.postponed += 1;
      continue;
    }
    await attempt(run, ref, async () => {
      // After LiveKit's list, so that a claim made meanwhile is not taken for one without a recording.
      const club = await run.clubs.getClub(ref.clubId);
      await reconcile(run, { ref, recording: rows.get(key), club }, active.get(key)?.egress);
    });
  }
}
