import type { MediaServer } from '../media.ts';
import type { Club, RecordingClaim } from '../model.ts';
import { roomNameOf } from '../model.ts';
import type { ClubRepository } from '../ports.ts';
import { type CloseDeps, closeRecording, ids } from './close.ts';
import {
  type ClosedState,
  fileKeyOf,
  isOpen,
  parseFileKey,
  type Recording,
  type RecordingRef,
} from './model.ts';
import type { Egress, FileStore, Recorder, RecordingRepository } from './ports.ts';
import { claimOf, noteProgress } from './progress.ts';

/** For how long a recording may be asked for without one at LiveKit: longer than any start waits. */
const UNANSWERED_MS = 2 * 60_000;
/** For how long the recorder may be missing in the room: a minute, less what a schedule is early. */
const MISSING_MS = 55_000;
/** For how long a file may be on its way. A recorder that died meanwhile never stops saying so. */
const UPLOAD_MS = 60 * 60_000;
/** For how long a recorder or file may still come from a recording that was given up. */
const AFTERLIFE_MS = 10 * 60_000;

export interface ReconcileDeps extends CloseDeps {
  recordings: CloseDeps['recordings'] &
    Pick<
      RecordingRepository,
      'advance' | 'advanceClaim' | 'noteMissing' | 'settle' | 'remove' | 'getAll'
    >;
  recorder: Pick<Recorder, 'stop' | 'listActive' | 'listOf'>;
  files: Pick<FileStore, 'find' | 'remove'>;
  clubs: Pick<ClubRepository, 'getClub'>;
  media: Pick<MediaServer, 'getParticipants'>;
}

/** A recording that is claimed or not settled, as a cleanup read it. */
export interface Unsettled {
  ref: RecordingRef;
  recording: Recording | undefined;
  club: Club | undefined;
}

/** What of LiveKit's list is which recording's. Recordings of others are left out. */
export function byRecording(
  egresses: Egress[],
): Map<string, { ref: RecordingRef; egress: Egress }> {
  const found = egresses.flatMap((egress) => {
    const ref = parseFileKey(egress.key, egress.roomName);
    return ref ? [{ ref, egress }] : [];
  });
  return new Map(found.map((each) => [keyOf(each.ref), each]));
}

export const keyOf = ({ clubId, recordingId }: RecordingRef): string => `${clubId} ${recordingId}`;

/**
 * Makes the record of one recording agree with LiveKit and the bucket. Decides nothing without their
 * answers: when a call throws, the next run tries again.
 *
 * @param active what LiveKit lists of it as going on
 */
export async function reconcile(
  deps: ReconcileDeps,
  { ref, recording, club }: Unsettled,
  active: Egress | undefined,
): Promise<void> {
  const claim = club?.recording?.recordingId === ref.recordingId ? club.recording : undefined;
  if (!recording) {
    // Claimed, but the row was never written; no recorder is asked before that.
    if (claim && isOlder(deps, claim.requestedAt, UNANSWERED_MS)) await deps.recordings.lift(ref);
    return;
  }
  const { state } = recording;
  if (!isOpen(state)) {
    if (claim) await deps.recordings.lift(ref);
    await lookAfterClosed(deps, { ref, recording, state }, active);
  } else if (active) {
    await lookAfterActive(deps, { ref, recording, claim }, active);
  } else {
    await findOut(deps, { ref, recording, claim });
  }
}

const isOlder = ({ now }: Pick<ReconcileDeps, 'now'>, at: string, ms: number): boolean =>
  now().getTime() - Date.parse(at) >= ms;

/** Given up, or over: a recorder that is alive after all is stopped, a file that came is found. */
async function lookAfterClosed(
  deps: ReconcileDeps,
  { ref, recording, state }: { ref: RecordingRef; recording: Recording; state: ClosedState },
  active: Egress | undefined,
): Promise<void> {
  if (active?.state === 'stopping') return;
  // LiveKit lists one that was killed for good, and waits 3 s for it at each stop.
  if (active && (await isInRoom(deps, ref, active.egressId))) {
    await deps.recorder.stop(active.egressId);
    return;
  }
  const since = recording.endedAt ?? recording.requestedAt;
  const isOver = recording.isSettled || isOlder(deps, since, AFTERLIFE_MS);
  const isGone = recording.isDiscarded || state === 'deleted';
  if (isGone && isOver) {
    await deps.files.remove(fileKeyOf(ref, recording));
    await (recording.isDiscarded ? deps.recordings.remove(ref) : deps.recordings.settle(ref));
  } else if (recording.isSettled || state === 'completed') {
    await deps.recordings.settle(ref);
  } else if (!isGone) {
    const file = await deps.files.find(fileKeyOf(ref, recording));
    if (file) await closeRecording(deps, ref, recording, { state, isSettled: true });
    else if (isOver) await deps.recordings.settle(ref);
  }
}

interface Open {
  ref: RecordingRef;
  recording: Recording;
  claim: RecordingClaim | undefined;
}

/** LiveKit says that it goes on, which is no proof: it says so without end of a recorder that was killed. */
async function lookAfterActive(deps: ReconcileDeps, open: Open, egress: Egress): Promise<void> {
  const { ref, recording } = open;
  await noteProgress(deps, ref, egress);
  const claim = recording.egressId === undefined ? await claimOf(deps, ref) : open.claim;
  if (egress.state === 'stopping') {
    if (isOlder(deps, recording.stoppingSince ?? deps.now().toISOString(), UPLOAD_MS)) {
      await closeRecording(deps, ref, recording, { state: 'lost', isSettled: false });
    }
    return;
  }
  // Without a claim its meeting is over, and no notice is shown in the room.
  if (!claim || claim.state === 'stopping' || recording.isDiscarded) {
    await stopOrClose(deps, open, egress.egressId);
    return;
  }
  if (await isInRoom(deps, ref, egress.egressId)) {
    if (recording.missingSince) await deps.recordings.noteMissing(ref, undefined);
  } else if (!recording.missingSince) {
    await deps.recordings.noteMissing(ref, deps.now().toISOString());
  } else if (isOlder(deps, recording.missingSince, MISSING_MS)) {
    await stopOrClose(deps, open, egress.egressId);
  }
}

/** For a recording that LiveKit's list of active ones does not have, or not yet. */
async function findOut(deps: ReconcileDeps, open: Open): Promise<void> {
  const { ref, recording } = open;
  const roomName = roomNameOf(ref.clubId, ref.meetingId);
  const known = byRecording(await deps.recorder.listOf(roomName)).get(keyOf(ref))?.egress;
  if (known && isOpen(known.state)) {
    await lookAfterActive(deps, open, known);
  } else if (known) {
    const state = known.state === 'failed' || known.state === 'aborted' ? known.state : 'failed';
    await closeRecording(deps, ref, recording, { state, isSettled: true, egress: known });
  } else if (recording.egressId !== undefined) {
    // LiveKit forgets recordings when it loses its Redis, but the recorder goes on.
    await stopOrClose(deps, open, recording.egressId);
  } else if (isOlder(deps, recording.requestedAt, UNANSWERED_MS)) {
    await closeRecording(deps, ref, recording, { state: 'failed', isSettled: false });
  }
}

/** Stops it; closes it when there is nothing that could be stopped. */
async function stopOrClose(
  deps: ReconcileDeps,
  { ref, recording }: Open,
  egressId: string,
): Promise<void> {
  const outcome = await deps.recorder.stop(egressId);
  if (outcome === 'stopping') {
    const stoppingSince = deps.now().toISOString();
    await deps.recordings.advanceClaim(ref, 'stopping');
    await deps.recordings.advance(ref, 'stopping', { stoppingSince });
    return;
  }
  // A recorder that does not answer may hang, and LiveKit may have forgotten one that still records.
  if (await isInRoom(deps, ref, egressId)) {
    deps.log.warn('the recorder does not stop yet', ids(ref));
    return;
  }
  deps.log.warn('the recorder is gone', ids(ref));
  await closeRecording(deps, ref, recording, { state: 'lost', isSettled: false });
}

async function isInRoom(
  { media }: Pick<ReconcileDeps, 'media'>,
  { clubId, meetingId }: RecordingRef,
  egressId: string,
): Promise<boolean> {
  const inRoom = await media.getParticipants(roomNameOf(clubId, meetingId));
  return inRoom.some(({ identity }) => identity === egressId);
}
