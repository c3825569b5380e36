import { isAttendee } from '../attendees.ts';
import type { Room } from '../media.ts';
import type { Club, Meeting } from '../model.ts';
import { stopClaimed } from '../recording/stop.ts';
import { endByCleanup } from './end.ts';
import { observeRoom, type RoomObservation } from './observation.ts';
import type { Run } from './types.ts';

/**
 * For how long a vacant room is recorded: a minute, less what a schedule is early, and far less than the
 * meeting itself stays active.
 */
const RECORDED_VACANT_MS = 55_000;

/**
 * A room list's count lags, so it only chooses which meetings to check: none is ended before LiveKit has
 * listed its participants, and the list is empty.
 */
export async function endIfVacant(
  run: Run,
  club: Club,
  meeting: Meeting,
  listed: Room | undefined,
  known: RoomObservation | undefined,
): Promise<void> {
  const { clubs, now, cleanup } = run;
  const { clubId } = club;
  const { meetingId, vacantSince } = meeting;
  const seemsOccupied = known ? known.inRoom.some(isAttendee) : hasCount(listed);
  if (seemsOccupied && !vacantSince) return;

  const vacantMs = vacantSince === undefined ? 0 : now().getTime() - Date.parse(vacantSince);
  const isDue = vacantSince !== undefined && vacantMs >= cleanup.graceSeconds * 1000;
  const { recording } = club;
  const isRecordedInVain =
    recording !== undefined && recording.state !== 'stopping' && vacantMs >= RECORDED_VACANT_MS;
  const observation =
    known ??
    (seemsOccupied || isDue || isRecordedInVain
      ? await observeRoom(run, club, meeting, listed)
      : undefined);
  if (observation?.inRoom.some(isAttendee)) {
    await clubs.clearVacant(clubId, meetingId);
    return;
  }

  run.report.vacant += 1;
  if (!vacantSince) {
    await clubs.markVacant(clubId, { meetingId, since: now().toISOString() });
  } else if (isDue && observation && isConfirmedEmpty(observation)) {
    await endByCleanup(run, club, meeting, 'vacant', { vacantSince });
  } else if (isRecordedInVain && observation) {
    const { recordingId } = recording;
    await stopClaimed(run, { clubId, meetingId, recordingId }, recording);
    run.report.stoppedVacant += 1;
  }
}

const hasCount = (room: Room | undefined): boolean => (room?.participantCount ?? 0) > 0;

/**
 * An empty list of participants can be a mistake of LiveKit's, so the room's own count must not say
 * otherwise. Where the count lags, the next run ends the meeting.
 */
const isConfirmedEmpty = ({ room, inRoom }: RoomObservation): boolean =>
  room.participantCount <= inRoom.length;
