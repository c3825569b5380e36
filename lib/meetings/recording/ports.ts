import type { Club, RecordingClaim } from '../model.ts';
import type { ClubRef, SeenClub } from '../ports.ts';
import type { ClosedState, OpenState, Recording, RecordingRef, RecordingState } from './model.ts';

/** What LiveKit reports of a recording while it runs. */
export interface Progress {
  egressId?: string | undefined;
  startedAt?: string | undefined;
  stoppingSince?: string | undefined;
}

/** How a recording ended. */
export interface Ending {
  state: ClosedState;
  endedAt: string;
  durationSeconds?: number | undefined;
  bytes?: number | undefined;
  egressId?: string | undefined;
  startedAt?: string | undefined;
  /** Seconds of the epoch. */
  expiresAt: number;
  /** Nothing of it can come any more. */
  isSettled: boolean;
}

/**
 * The record of recordings: the claim in the club's item, and a row for each. Every read is consistent;
 * every write can be repeated and come late. Each method throws `StoreUnavailable` when the outcome
 * cannot be known in time.
 */
export interface RecordingRepository {
  /**
   * Claims the meeting for a recording, if it is active and has none, no user was forgotten since the club
   * was read, and the caller is not barred from it; returns whether it did.
   */
  claim(club: SeenClub, meetingId: string, claim: RecordingClaim): Promise<boolean>;

  /** Moves the claim of this recording on, never back; does nothing where there is none. */
  advanceClaim(ref: RecordingRef, to: OpenState, progress?: Progress): Promise<void>;

  /** The meeting is not being recorded any more; does nothing when it is by another recording. */
  lift(ref: RecordingRef): Promise<void>;

  /** Puts the row of a recording that is about to be asked for; never twice. */
  open(ref: RecordingRef, recording: Recording): Promise<void>;

  /** Moves an open row on, never back, and notes what is not known yet. */
  advance(ref: RecordingRef, to: OpenState, progress?: Progress): Promise<void>;

  /** Closes the row, unless it has a later state; says whether it did. */
  close(ref: RecordingRef, ending: Ending): Promise<boolean>;

  /** The recorder was missed in the room; undefined takes that back. */
  noteMissing(ref: RecordingRef, since: string | undefined): Promise<void>;

  /** The cleanup does not check the closed row again, unless it is discarded. */
  settle(ref: RecordingRef): Promise<void>;

  /** No route shows it from now on; the cleanup checks it until file and row are gone. */
  discard(ref: RecordingRef, now: Date): Promise<void>;

  /** Those of the club's id that are not of the club that there is now. */
  listOfEarlierClubs(clubId: string): Promise<RecordingRef[]>;

  /** Removes the name of the person who asked for it. */
  anonymize(ref: RecordingRef): Promise<void>;

  /**
   * Keeps of the row only that the recording was deleted. If the cleanup still checks it, because a file
   * may arrive or it is discarded, that does not change.
   */
  tombstone(ref: RecordingRef): Promise<void>;

  /** Deletes the row. */
  remove(ref: RecordingRef): Promise<void>;

  get(ref: RecordingRef): Promise<Recording | undefined>;

  /** Those that exist, each with its reference. */
  getAll(refs: RecordingRef[]): Promise<{ ref: RecordingRef; recording: Recording }[]>;

  /** Those of a meeting of this club, in the order in which they were asked for. */
  listOf(club: ClubRef, meetingId: string): Promise<Recording[]>;

  /** Those of the meetings from the first to the last, of this club. */
  listBetween(club: ClubRef, first: string, last: string): Promise<Recording[]>;

  /** The rows that are not settled a moment ago: from an index, which lags. */
  listUnsettled(): Promise<RecordingRef[]>;

  hasConsent(clubId: string, meetingId: string, userId: string): Promise<boolean>;

  /** @param expiresAt seconds of the epoch */
  putConsent(consent: Consent): Promise<void>;

  removeConsent(clubId: string, meetingId: string, userId: string): Promise<void>;

  removeConsents(clubId: string, meetingId: string): Promise<void>;
}

/** A person's agreement to be recorded in a meeting. */
export interface Consent {
  clubId: string;
  meetingId: string;
  userId: string;
  givenAt: string;
  generation: Club['generation'];
  /** Seconds of the epoch. */
  expiresAt: number;
}

/** A recording at LiveKit, of this service or of another application. */
export interface Egress {
  egressId: string;
  roomName: string;
  /** The file that it writes. */
  key: string;
  state: Exclude<RecordingState, 'lost' | 'deleted'>;
  /** ISO 8601, by the recorder's clock. */
  startedAt?: string | undefined;
  endedAt?: string | undefined;
  /** Not to be trusted to more than 1.5 s. */
  durationSeconds?: number | undefined;
}

/** LiveKit's names of these events. */
export const EGRESS_EVENT_TYPES: string[] = ['egress_started', 'egress_updated', 'egress_ended'];

/** An event of LiveKit's about a recording. */
export interface EgressEvent {
  type: 'egress';
  egress: Egress;
}

/**
 * The outcome of a request to record. `refused`: no recorder starts. `no-room`: none, since the room does
 * not exist. `unknown`: LiveKit did not answer; a recorder may still start.
 */
export type StartOutcome =
  | { outcome: 'started'; egress: Egress }
  | { outcome: 'refused' | 'no-room' | 'unknown'; cause: unknown };

/**
 * The outcome of a request to stop. `stopping`: the file is still to come. `over`: LiveKit does not know
 * the recording, or says that it has ended. `unanswered`: its recorder does not answer.
 */
export type StopOutcome = 'stopping' | 'over' | 'unanswered';

/**
 * LiveKit's Egress. Where no outcome says it, each method throws `MediaUnavailable` when LiveKit does not
 * answer: it never reads "not answered" as "none".
 */
export interface Recorder {
  /** Never repeats the request: each that arrives is another recording. Waits up to 26 s. */
  start(request: { roomName: string; key: string; audioOnly: boolean }): Promise<StartOutcome>;

  /** May take more than 3 s, unless the recorder answers. */
  stop(egressId: string): Promise<StopOutcome>;

  /** Every recording of the LiveKit project that starts, runs or ends now. */
  listActive(): Promise<Egress[]>;

  /** Every recording of the room that LiveKit still knows (24 hours). */
  listOf(roomName: string): Promise<Egress[]>;
}

/** The files. Each method throws `RecordingUnavailable` when the bucket does not answer in time. */
export interface FileStore {
  find(key: string): Promise<{ bytes: number } | undefined>;

  /** Does nothing when there is none. */
  remove(key: string): Promise<void>;

  /** A URL that returns the file, under that name, for so many seconds, without any other credential. */
  addressOf(key: string, file: { name: string; ttlSeconds: number }): Promise<string>;
}
