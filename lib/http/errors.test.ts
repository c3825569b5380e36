import { describe, expect, test } from 'vitest';
import {
  type AppError,
  ClubNotFound,
  ConsentRequired,
  type ErrorCode,
  IdentityUnavailable,
  InvalidRequest,
  MediaUnavailable,
  MeetingFull,
  MeetingNotActive,
  MeetingNotFound,
  MemberNotFound,
  NotAllowed,
  NotAMember,
  NotAModerator,
  ParticipantNotFound,
  RecordingNotActive,
  RecordingNotFinished,
  RecordingNotFound,
  RecordingUnavailable,
  RemovedFromMeeting,
  StoreUnavailable,
  TimedOut,
  Unauthenticated,
} from '../errors.ts';
import { codeOf, errorResponse, STATUS } from './errors.ts';

const answerTo = (error: unknown) => {
  const { statusCode, headers, body } = errorResponse(error, {
    failure: 'Failed to end meeting',
    requestId: 'r-1',
  });
  return { statusCode, headers, body: JSON.parse(body ?? '') };
};

/** One of each cause; a code without a row here does not compile. */
const CAUSES: Record<Exclude<ErrorCode, 'INTERNAL'>, [AppError, number, string]> = {
  INVALID_REQUEST: [new InvalidRequest('clubId is odd'), 400, 'clubId is odd'],
  UNAUTHENTICATED: [new Unauthenticated(), 401, 'A valid access token is required'],
  NOT_A_MEMBER: [new NotAMember(), 403, 'Not a member of this reading club'],
  NOT_A_MODERATOR: [new NotAModerator('end meetings'), 403, 'Only moderators can end meetings'],
  NOT_ALLOWED: [new NotAllowed('That is not allowed'), 403, 'That is not allowed'],
  REMOVED_FROM_MEETING: [
    new RemovedFromMeeting(),
    403,
    'A moderator removed you from this meeting',
  ],
  MEMBER_NOT_FOUND: [new MemberNotFound(), 404, 'No such member in this reading club'],
  PARTICIPANT_NOT_FOUND: [
    new ParticipantNotFound('This track'),
    404,
    'This track is not in the meeting',
  ],
  CLUB_NOT_FOUND: [new ClubNotFound(), 404, 'Reading club not found'],
  MEETING_NOT_FOUND: [new MeetingNotFound(), 404, 'No such meeting has ended in this reading club'],
  MEETING_NOT_ACTIVE: [new MeetingNotActive('No meeting is on'), 409, 'No meeting is on'],
  CONSENT_REQUIRED: [
    new ConsentRequired(),
    409,
    'The meeting is being recorded: joining it takes your consent',
  ],
  RECORDING_NOT_FOUND: [new RecordingNotFound(), 404, 'No such recording in this meeting'],
  RECORDING_NOT_ACTIVE: [new RecordingNotActive(), 409, 'No recording is on'],
  RECORDING_NOT_FINISHED: [new RecordingNotFinished(), 409, 'The recording is still on'],
  RECORDING_UNAVAILABLE: [
    new RecordingUnavailable(),
    503,
    'Recording is not available right now; please try again',
  ],
  MEETING_FULL: [new MeetingFull(50), 409, 'The meeting is full: 50 people are in it'],
  MEDIA_UNAVAILABLE: [
    new MediaUnavailable(),
    503,
    'The meeting server cannot be reached right now; please try again',
  ],
  STORE_UNAVAILABLE: [
    new StoreUnavailable(),
    503,
    'The club records cannot be reached right now; please try again',
  ],
  IDENTITY_UNAVAILABLE: [
    new IdentityUnavailable(),
    503,
    'Your sign-in cannot be checked right now; please try again',
  ],
  TIMED_OUT: [new TimedOut(), 503, 'This took too long; please try again'],
};

describe('an error of ours', () => {
  test.each(Object.entries(CAUSES))('%s is answered as such', (code, [error, status, sentence]) => {
    const { statusCode, body } = answerTo(error);
    expect({ statusCode, body }).toEqual({
      statusCode: status,
      body: { error: sentence, code, requestId: 'r-1' },
    });
  });

  test('has a name that minifying cannot change', () => {
    for (const [error] of Object.values(CAUSES)) {
      expect(error.name).toBe(error.constructor.name); // not minified here: the literal is right
      expect(Object.hasOwn(error, 'name')).toBe(true);
    }
  });

  test('hides its cause from the caller', () => {
    const cause = new Error('connect ECONNREFUSED 10.0.0.7:443');
    expect(JSON.stringify(answerTo(new MediaUnavailable({ cause })))).not.toContain('10.0.0.7');
  });

  test('says when to try again exactly when trying again can help', () => {
    for (const [error, status] of Object.values(CAUSES)) {
      expect(answerTo(error).headers?.['retry-after']).toBe(status === 503 ? '2' : undefined);
    }
  });
});

describe('any other error', () => {
  test.each([
    ['an Error', new TypeError('secret detail')],
    [
      'one with a code of its own',
      Object.assign(new Error('secret detail'), { code: 'MEETING_FULL' }),
    ],
    [
      'one with a status of its own',
      Object.assign(new Error('secret detail'), { statusCode: 404 }),
    ],
    ['a string', 'secret detail'],
    ['nothing', undefined],
  ])('that is %s is a 500 with the sentence of the route alone', (_, error) => {
    const { statusCode, headers, body } = answerTo(error);
    expect(statusCode).toBe(500);
    expect(body).toEqual({ error: 'Failed to end meeting', code: 'INTERNAL', requestId: 'r-1' });
    expect(headers).not.toHaveProperty('retry-after');
    expect(codeOf(error)).toBe('INTERNAL');
  });
});

test('the table of statuses has every code and no other', () => {
  expect(Object.keys(STATUS).toSorted()).toEqual([...Object.keys(CAUSES), 'INTERNAL'].toSorted());
});

test('no answer may be stored, and each says that it is JSON', () => {
  for (const error of [new ClubNotFound(), new TimedOut(), new Error('any')]) {
    expect(answerTo(error).headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
    });
  }
});
