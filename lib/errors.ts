/** Every way in which a request can fail. `lib/http/errors.ts` gives each its HTTP status. */
export type ErrorCode =
  | 'INVALID_REQUEST'
  | 'UNAUTHENTICATED'
  | 'NOT_A_MEMBER'
  | 'NOT_A_MODERATOR'
  | 'NOT_ALLOWED'
  | 'REMOVED_FROM_MEETING'
  | 'CLUB_NOT_FOUND'
  | 'MEMBER_NOT_FOUND'
  | 'PARTICIPANT_NOT_FOUND'
  | 'MEETING_NOT_FOUND'
  | 'MEETING_NOT_ACTIVE'
  | 'MEETING_FULL'
  | 'CONSENT_REQUIRED'
  | 'RECORDING_NOT_FOUND'
  | 'RECORDING_NOT_ACTIVE'
  | 'RECORDING_NOT_FINISHED'
  | 'RECORDING_UNAVAILABLE'
  | 'MEDIA_UNAVAILABLE'
  | 'STORE_UNAVAILABLE'
  | 'IDENTITY_UNAVAILABLE'
  | 'TIMED_OUT'
  | 'INTERNAL';

/** An error that the caller may see: `message` is the sentence that the answer carries. */
export abstract class AppError extends Error {
  abstract override readonly name: string; // a literal: bundling renames classes
  abstract readonly code: ErrorCode;
}

export class InvalidRequest extends AppError {
  override readonly name = 'InvalidRequest';
  readonly code = 'INVALID_REQUEST';
}

export class Unauthenticated extends AppError {
  override readonly name = 'Unauthenticated';
  readonly code = 'UNAUTHENTICATED';

  constructor(options?: ErrorOptions) {
    super('A valid access token is required', options);
  }
}

export class NotAMember extends AppError {
  override readonly name = 'NotAMember';
  readonly code = 'NOT_A_MEMBER';

  constructor() {
    super('Not a member of this reading club');
  }
}

export class NotAModerator extends AppError {
  override readonly name = 'NotAModerator';
  readonly code = 'NOT_A_MODERATOR';

  /** @param action completes "Only moderators can …" */
  constructor(action: string) {
    super(`Only moderators can ${action}`);
  }
}

/** What is refused to moderators, too. */
export class NotAllowed extends AppError {
  override readonly name = 'NotAllowed';
  readonly code = 'NOT_ALLOWED';
}

export class RemovedFromMeeting extends AppError {
  override readonly name = 'RemovedFromMeeting';
  readonly code = 'REMOVED_FROM_MEETING';

  constructor() {
    super('A moderator removed you from this meeting');
  }
}

export class ClubNotFound extends AppError {
  override readonly name = 'ClubNotFound';
  readonly code = 'CLUB_NOT_FOUND';

  constructor() {
    super('Reading club not found');
  }
}

export class MemberNotFound extends AppError {
  override readonly name = 'MemberNotFound';
  readonly code = 'MEMBER_NOT_FOUND';

  constructor() {
    super('No such member in this reading club');
  }
}

export class ParticipantNotFound extends AppError {
  override readonly name = 'ParticipantNotFound';
  readonly code = 'PARTICIPANT_NOT_FOUND';

  /** @param what completes "… is not in the meeting" */
  constructor(what: string) {
    super(`${what} is not in the meeting`);
  }
}

export class MeetingNotFound extends AppError {
  override readonly name = 'MeetingNotFound';
  readonly code = 'MEETING_NOT_FOUND';

  constructor() {
    super('No such meeting has ended in this reading club');
  }
}

export class MeetingNotActive extends AppError {
  override readonly name = 'MeetingNotActive';
  readonly code = 'MEETING_NOT_ACTIVE';
}

export class MeetingFull extends AppError {
  override readonly name = 'MeetingFull';
  readonly code = 'MEETING_FULL';

  constructor(maxParticipants: number) {
    super(`The meeting is full: ${maxParticipants} people are in it`);
  }
}

/** A recording is on, or about to be, in a club that requires consent. */
export class ConsentRequired extends AppError {
  override readonly name = 'ConsentRequired';
  readonly code = 'CONSENT_REQUIRED';

  constructor() {
    super('The meeting is being recorded: joining it takes your consent');
  }
}

export class RecordingNotFound extends AppError {
  override readonly name = 'RecordingNotFound';
  readonly code = 'RECORDING_NOT_FOUND';

  constructor() {
    super('No such recording in this meeting');
  }
}

export class RecordingNotActive extends AppError {
  override readonly name = 'RecordingNotActive';
  readonly code = 'RECORDING_NOT_ACTIVE';

  constructor() {
    super('No recording is on');
  }
}

export class RecordingNotFinished extends AppError {
  override readonly name = 'RecordingNotFinished';
  readonly code = 'RECORDING_NOT_FINISHED';

  constructor() {
    super('The recording is still on');
  }
}

/** No recorder is free, or the bucket does not answer. Nothing is being recorded by this request. */
export class RecordingUnavailable extends AppError {
  override readonly name = 'RecordingUnavailable';
  readonly code = 'RECORDING_UNAVAILABLE';

  constructor(options?: ErrorOptions) {
    super('Recording is not available right now; please try again', options);
  }
}

/** LiveKit did not answer in time, refused the API key or failed. The outcome is unknown. */
export class MediaUnavailable extends AppError {
  override readonly name = 'MediaUnavailable';
  readonly code = 'MEDIA_UNAVAILABLE';
  /** LiveKit is there, but was asked too often. */
  readonly isRateLimit: boolean;

  constructor({ isRateLimit = false, ...options }: ErrorOptions & { isRateLimit?: boolean } = {}) {
    super('The meeting server cannot be reached right now; please try again', options);
    this.isRateLimit = isRateLimit;
  }
}

/** DynamoDB did not answer in time, throttled or failed. The outcome is unknown. */
export class StoreUnavailable extends AppError {
  override readonly name = 'StoreUnavailable';
  readonly code = 'STORE_UNAVAILABLE';

  constructor(options?: ErrorOptions) {
    super('The club records cannot be reached right now; please try again', options);
  }
}

/** The user pool's key set has never been fetched, so no token can be checked yet. */
export class IdentityUnavailable extends AppError {
  override readonly name = 'IdentityUnavailable';
  readonly code = 'IDENTITY_UNAVAILABLE';

  constructor(options?: ErrorOptions) {
    super('Your sign-in cannot be checked right now; please try again', options);
  }
}

/** The function's own time budget ran out before its dependencies answered. */
export class TimedOut extends AppError {
  override readonly name = 'TimedOut';
  readonly code = 'TIMED_OUT';

  constructor() {
    super('This took too long; please try again');
  }
}
