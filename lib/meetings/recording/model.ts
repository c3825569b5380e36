import * as z from 'zod/mini';
import { type Club, Instant, MeetingId, RecordingId, roomNameOf, UserId } from '../model.ts';

/**
 * The states of a recording, in the order in which one may follow another; none is ever followed by an
 * earlier one. So LiveKit's events, the cleanup's findings and people's requests may come in any order and
 * any number of times. A file that arrives late makes a lost recording complete.
 */
const STATES = [
  'starting',
  'active',
  'stopping',
  'lost',
  'failed',
  'aborted',
  'completed',
  'deleted',
] as const;

export const RecordingState = z.enum(STATES);
export type RecordingState = z.infer<typeof RecordingState>;

export type OpenState = 'starting' | 'active' | 'stopping';
export type ClosedState = Exclude<RecordingState, OpenState>;

/** The states that may be followed by this one. */
export const statesBefore = (state: RecordingState): RecordingState[] =>
  STATES.slice(0, STATES.indexOf(state));

const OPEN: readonly RecordingState[] = ['starting', 'active', 'stopping'];
export const isOpen = (state: RecordingState): state is OpenState => OPEN.includes(state);

/** One recording: what was asked for, and what became of it. */
export const Recording = z.object({
  meetingId: MeetingId,
  recordingId: RecordingId,
  /** The club's, when it was asked for. */
  generation: z.optional(z.string()),
  state: RecordingState,
  audioOnly: z.boolean(),
  requestedAt: Instant,
  /** Null once that moderator was forgotten. */
  requestedBy: z.nullable(UserId),
  /** LiveKit's id of it, once that is known. */
  egressId: z.optional(z.string()),
  startedAt: z.optional(Instant),
  endedAt: z.optional(Instant),
  durationSeconds: z.optional(z.int()),
  bytes: z.optional(z.int()),
  /** Since when it is being stopped. */
  stoppingSince: z.optional(Instant),
  /** Since when the recorder is not in the room, although LiveKit says that it records. */
  missingSince: z.optional(Instant),
  /** No recorder or file of it can arrive any more: the cleanup does not check it again. */
  isSettled: z.optional(z.boolean()),
  /** Its club was removed: once it is over, file and row go. */
  isDiscarded: z.optional(z.boolean()),
  /** Seconds of the epoch. After that no route shows the recording or its file. */
  expiresAt: z.int(),
});
export type Recording = z.infer<typeof Recording>;

/** Which recording of which meeting. */
export interface RecordingRef {
  clubId: string;
  meetingId: string;
  recordingId: string;
}

/** Neither the lifecycle of the bucket nor the table's TTL comes on time. */
export const isExpired = ({ expiresAt }: Recording, now: Date): boolean =>
  expiresAt * 1000 <= now.getTime();

export const isOfClub = ({ generation }: Recording, club: Pick<Club, 'generation'>): boolean =>
  generation === club.generation;

/** The key of the file in the bucket. It has the ids alone, so it identifies the recording in LiveKit's events. */
export const fileKeyOf = (
  { clubId, meetingId, recordingId }: RecordingRef,
  { audioOnly }: Pick<Recording, 'audioOnly'>,
): string => `recordings/${clubId}/${meetingId}/${recordingId}.${audioOnly ? 'ogg' : 'mp4'}`;

const FILE_KEY =
  /^recordings\/([A-Za-z0-9_-]{1,64})\/([0-7][0-9A-HJKMNP-TV-Z]{25})\/([0-7][0-9A-HJKMNP-TV-Z]{25})\.(?:ogg|mp4)$/;

/** The reverse of {@link fileKeyOf}, for a recording of this room; undefined for one that cannot be ours. */
export function parseFileKey(key: string, roomName: string): RecordingRef | undefined {
  const [, clubId, meetingId, recordingId] = FILE_KEY.exec(key) ?? [];
  if (!clubId || !meetingId || !recordingId) return undefined;
  if (roomName !== roomNameOf(clubId, meetingId)) return undefined;
  return { clubId, meetingId, recordingId };
}
