import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { AppError, type ErrorCode } from '../errors.ts';
import { json } from './response.ts';

/** The one table of statuses: a code without a status does not compile. */
export const STATUS: Record<ErrorCode, number> = {
  INVALID_REQUEST: 400,
  UNAUTHENTICATED: 401,
  NOT_A_MEMBER: 403,
  NOT_A_MODERATOR: 403,
  NOT_ALLOWED: 403,
  REMOVED_FROM_MEETING: 403,
  CLUB_NOT_FOUND: 404,
  MEMBER_NOT_FOUND: 404,
  PARTICIPANT_NOT_FOUND: 404,
  MEETING_NOT_FOUND: 404,
  MEETING_NOT_ACTIVE: 409,
  CONSENT_REQUIRED: 409,
  RECORDING_NOT_FOUND: 404,
  RECORDING_NOT_ACTIVE: 409,
  RECORDING_NOT_FINISHED: 409,
  RECORDING_UNAVAILABLE: 503,
  MEETING_FULL: 409,
  INTERNAL: 500,
  MEDIA_UNAVAILABLE: 503,
  STORE_UNAVAILABLE: 503,
  IDENTITY_UNAVAILABLE: 503,
  TIMED_OUT: 503,
};

const RETRY_AFTER_SECONDS = 2;

export const codeOf = (error: unknown): ErrorCode =>
  error instanceof AppError ? error.code : 'INTERNAL';

/** `{ error, code, requestId }`. An error that is not ours is answered with `failure` alone. */
export function errorResponse(
  error: unknown,
  { failure, requestId }: { failure: string; requestId: string },
): APIGatewayProxyStructuredResultV2 {
  const code = codeOf(error);
  const sentence = error instanceof AppError ? error.message : failure;
  return json(
    STATUS[code],
    { error: sentence, code, requestId },
    STATUS[code] === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {},
  );
}
