/** What LiveKit's API answers in place of a result: Twirp's JSON, or a bare line of text. */

const STATUS_OF = {
  bad_route: 404,
  deadline_exceeded: 408,
  failed_precondition: 412,
  internal: 500,
  invalid_argument: 400,
  malformed: 400,
  not_found: 404,
  resource_exhausted: 429,
  unauthenticated: 401,
  unavailable: 503,
  unimplemented: 501,
} as const;

export type TwirpCode = keyof typeof STATUS_OF;

export class TwirpError extends Error {
  readonly code: TwirpCode;
  readonly meta: Record<string, string> | undefined;

  constructor(code: TwirpCode, message: string, meta?: Record<string, string>) {
    super(message);
    this.code = code;
    this.meta = meta;
  }

  get status(): number {
    return STATUS_OF[this.code];
  }
}

/** An error that reached the server's Twirp layer as a plain Go error carries this prefix. */
export const goError = (code: TwirpCode, message: string) =>
  new TwirpError(code, `twirp error unknown: ${message}`);

export const roomNotFound = () => goError('not_found', 'requested room does not exist');

/** Answered as text: by the authorization in front of everything, and by the join. */
export class PlainError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
