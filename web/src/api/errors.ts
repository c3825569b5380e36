import type { ErrorCode } from '../../../lib/errors.ts';

/** The API answered, and not with what was asked for. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Undefined: the gateway answered by itself. */
  readonly code: ErrorCode | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    body: { error?: string; code?: ErrorCode; requestId?: string },
    retryAfterSeconds: number | undefined,
  ) {
    super(body.error ?? `The API answers ${status}`);
    this.status = status;
    this.code = body.code;
    this.requestId = body.requestId;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer: the network or the API is down. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** The session is over: only a new login helps. */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded';
}

export const hasCode = (error: unknown, ...codes: ErrorCode[]): boolean =>
  error instanceof ApiError && error.code !== undefined && codes.includes(error.code);

/** Worth the same request again: every request of the API can be repeated. */
export const isTransient = (error: unknown): boolean =>
  error instanceof Unreachable ||
  (error instanceof ApiError && (error.status >= 500 || error.status === 429));

/** As the answer asks for, or longer with each attempt; at most half a minute. */
export function retryDelayMs(attempt: number, error: unknown): number {
  const backOffMs = Math.min(1000 * 2 ** attempt, 30_000);
  const asked = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  return Math.max(backOffMs, asked);
}
