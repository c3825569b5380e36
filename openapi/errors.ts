/** What is answered instead of an answer: by the functions, and by the gateway in their place. */
import * as z from 'zod';
import type { ErrorCode } from '../lib/errors.ts';
import { STATUS } from '../lib/http/errors.ts';

/** When each code is answered, whichever the route. A code without a sentence does not compile. */
export const WHEN: Record<ErrorCode, string> = {
  INVALID_REQUEST: 'Body, path or query does not fit; the sentence names the field.',
  UNAUTHENTICATED: 'The signature or the access token is missing, or does not verify.',
  NOT_A_MEMBER: 'The caller is no member of this club.',
  NOT_A_MODERATOR: 'The caller is no moderator of this club, or there is no such club.',
  NOT_ALLOWED: 'Moderators may not do this either.',
  REMOVED_FROM_MEETING:
    'A moderator removed the caller from the meeting that is on: they neither join nor moderate it. The next one is open to them.',
  CLUB_NOT_FOUND: 'There is no such club.',
  MEMBER_NOT_FOUND: 'The person is no member of this club.',
  PARTICIPANT_NOT_FOUND: 'The person is not in the meeting, or the track is not theirs.',
  MEETING_NOT_FOUND: 'No meeting of this id has ended in this club.',
  MEETING_NOT_ACTIVE:
    'No meeting is on, or not the one that is named, or it ended while the request ran.',
  CONSENT_REQUIRED:
    'A recording is on, or about to be, the club requires consent, and the caller has not given it. The same request with `consent: true` gives it.',
  RECORDING_NOT_FOUND:
    'There is no such recording in this meeting, it has expired, or it left no file.',
  RECORDING_NOT_ACTIVE: 'No recording is on, and none is named.',
  RECORDING_NOT_FINISHED: 'The recording is still on.',
  RECORDING_UNAVAILABLE:
    'No recorder is free, or the bucket does not answer. Nothing is recorded by this request.',
  MEETING_FULL: 'As many people as may be are in the meeting, and the caller is none of them.',
  INTERNAL: 'Anything else. The log has more, under the `requestId`.',
  MEDIA_UNAVAILABLE:
    'LiveKit or its settings cannot be reached, or it refuses the key. What was decided before stays decided: the same request again does what is left.',
  STORE_UNAVAILABLE: 'DynamoDB does not answer in time, throttles or fails.',
  IDENTITY_UNAVAILABLE: 'The key set of the user pool could not be fetched yet.',
  TIMED_OUT: 'The time of the function ran out.',
};

const codes = Object.keys(STATUS) as ErrorCode[];

export const ErrorAnswer = z
  .strictObject({
    error: z.string().describe('A sentence for people.'),
    code: z
      .enum(codes)
      .meta({ id: 'ErrorCode', description: 'For programs: what to do depends on this alone.' }),
    requestId: z.string().describe('The id under which the log has the request.'),
  })
  .meta({ id: 'Error', description: 'How the functions answer errors.' });

/** An error with one of these codes, as a schema of its own: that of `Error`, narrowed. */
export const errorWith = (some: ErrorCode[]) =>
  ErrorAnswer.and(z.looseObject({ code: z.enum(some) }));

export const GatewayAnswer = z.strictObject({ message: z.string() }).meta({
  id: 'GatewayError',
  description:
    'What API Gateway itself answers, before or in place of a function: without a code, so clients go by the status.',
});

export interface GatewayFailure {
  status: number;
  message: string;
  when: string;
  /** Only where its authorizer stands before the function, and says what is wrong with the token. */
  byAuthorizer?: true;
  /** Only where the path has something of the caller's in it. */
  byPath?: true;
  /** Only where there is a body. */
  byBody?: true;
}

/** What API Gateway itself answers. Its wording is not part of the contract. */
export const GATEWAY: GatewayFailure[] = [
  { status: 400, message: 'Bad Request', when: 'the path cannot be decoded.', byPath: true },
  { status: 401, message: 'Unauthorized', when: 'no valid access token.', byAuthorizer: true },
  {
    status: 404,
    message: 'Not Found',
    when: 'no such route: an empty id, or an encoded `/` in one.',
    byPath: true,
  },
  {
    status: 413,
    message: 'Request Entity Too Large',
    when: 'the body is too large.',
    byBody: true,
  },
  {
    status: 431,
    message: 'Request Header Fields Too Large',
    when: 'the path and the headers have more than 10,240 bytes.',
  },
  { status: 429, message: 'Too Many Requests', when: 'the limit of the route is reached.' },
  { status: 500, message: 'Internal Server Error', when: 'the function failed without an answer.' },
  { status: 503, message: 'Service Unavailable', when: 'the function cannot be reached.' },
];
