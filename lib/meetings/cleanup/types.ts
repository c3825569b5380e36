import type { MediaServer } from '../media.ts';
import type {
  ClubAdministration,
  ClubRepository,
  Log,
  Meter,
  PresenceRepository,
} from '../ports.ts';
import type { RecordingRepository } from '../recording/ports.ts';
import type { ReconcileDeps } from '../recording/reconcile.ts';
import type { RemovalDeps } from '../removals.ts';
import type { RoomLimits } from '../room.ts';

export interface CleanupDeps
  extends Pick<ReconcileDeps, 'recorder' | 'files' | 'recording'>,
    Pick<RemovalDeps, 'members'> {
  administration: RemovalDeps['administration'] &
    Pick<ClubAdministration, 'listRemovals' | 'dropRemoval'>;
  recordings: ReconcileDeps['recordings'] &
    RemovalDeps['recordings'] &
    Pick<RecordingRepository, 'listUnsettled'>;
  clubs: Pick<
    ClubRepository,
    | 'listActiveClubIds'
    | 'getClub'
    | 'getClubs'
    | 'getClubAndMember'
    | 'getMembers'
    | 'filterEnded'
    | 'markVacant'
    | 'clearVacant'
    | 'recordEndedMeeting'
    | 'removeEndedMeeting'
    | 'concludeMeeting'
  >;
  presence: Pick<
    PresenceRepository,
    | 'roomStarted'
    | 'roomReopened'
    | 'roomAdopted'
    | 'roomSeen'
    | 'addPresent'
    | 'removePresent'
    | 'sessionStarted'
    | 'estimateEnd'
    | 'reopenSession'
    | 'getSession'
    | 'removeSession'
  >;
  media: Pick<
    MediaServer,
    'listRooms' | 'getParticipants' | 'createRoom' | 'deleteRoom' | 'removeParticipant'
  >;
  now: () => Date;
  log: Log;
  meter: Meter;
  rooms: RoomLimits;
  limits: { maxDurationSeconds: number };
  cleanup: { graceSeconds: number; maxLiveKitCalls: number };
}

/** What a run saw and did. */
export interface CleanupReport {
  /** Meetings that were on. */
  active: number;
  /** Of these, those without participants. */
  vacant: number;
  endedVacant: number;
  endedMaxDuration: number;
  zombiesDeleted: number;
  /** Meetings whose presence differed from what LiveKit said, and is right again. */
  repaired: number;
  /** Recordings that were claimed, or not settled. */
  recordings: number;
  /** Recordings that were stopped, since everybody had left. */
  stoppedVacant: number;
  /** Meetings, rooms and recordings left for the next run: no time, or no LiveKit call, was left for them. */
  postponed: number;
  failed: number;
}

/** Something could not be looked at or put right; the rest was. Thrown, so that the alarm rings. */
export class CleanupIncomplete extends Error {
  override readonly name = 'CleanupIncomplete';
}

export type Run = CleanupDeps & { report: CleanupReport };
