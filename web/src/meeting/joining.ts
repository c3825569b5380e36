/** Getting into a meeting, and back in after the connection was lost. No browser and no LiveKit in here. */
import type { JoinToken } from '../../../lib/contract/answers.ts';
import { ApiError, hasCode, isTransient, retryDelayMs, SessionEnded } from '../api/errors.ts';

/** Every way to be out for good, or until the person does something. */
export type Exit =
  | { kind: 'left' | 'removed' | 'barred' | 'elsewhere' | 'not-on' | 'full' }
  | { kind: 'not-a-member' | 'no-club' | 'session-over' | 'failed' }
  | { kind: 'over'; meetingId: string };

/** A join that LiveKit did not take. */
export class JoinFailed extends Error {
  override readonly name = 'JoinFailed';
  /** What LiveKit answered; undefined when it did not. */
  readonly status: number | undefined;

  constructor(status: number | undefined) {
    super('LiveKit did not take the join');
    this.status = status;
  }
}

/** It did not work yet, and is tried again. */
export interface Trouble {
  attempt: number;
  /** Who does not answer. */
  side: 'api' | 'livekit';
  waitMs: number;
}

export interface Joining {
  /** `isRoomMissing`: LiveKit had no room for the token before. */
  requestToken(options: { isRoomMissing: boolean; hasConsent: boolean }): Promise<JoinToken>;
  /** Agreed to being recorded, before the first attempt. */
  hasConsent?: boolean;
  /** Asks whether the person agrees to it: the club requires it, and a recording is on. */
  askConsent(): Promise<boolean>;
  /** @throws JoinFailed */
  connect(token: JoinToken): Promise<void>;
  /** Resolves after the time, or sooner when the person does not want to wait. */
  wait(ms: number): Promise<void>;
  onTrouble(trouble: Trouble): void;
  /** The meeting that the person was in before: then none being on means that it is over. */
  meetingId?: string | undefined;
  signal: AbortSignal;
}

/** Tries until it is in, or has to be out. Undefined when it was given up, also by not agreeing. */
export async function join(
  joining: Joining,
): Promise<{ token: JoinToken } | { exit: Exit } | undefined> {
  let isRoomMissing = false;
  let hasConsent = joining.hasConsent ?? false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const token = await joinOnce(joining, { isRoomMissing, hasConsent });
      return joining.signal.aborted ? undefined : { token };
    } catch (error) {
      if (joining.signal.aborted) return undefined;
      if (hasCode(error, 'CONSENT_REQUIRED') && !hasConsent) {
        hasConsent = await joining.askConsent();
        if (joining.signal.aborted || !hasConsent) return undefined;
        continue;
      }
      const isLiveKit = error instanceof JoinFailed;
      isRoomMissing = isLiveKit && error.status === 404;
      if (!isLiveKit && !isTransient(error)) return { exit: exitOf(error, joining.meetingId) };
      const waitMs = retryDelayMs(attempt, error);
      joining.onTrouble({ attempt: attempt + 1, side: isLiveKit ? 'livekit' : 'api', waitMs });
      await joining.wait(waitMs);
      if (joining.signal.aborted) return undefined;
    }
  }
}

/** A token that LiveKit refuses is followed by a second one, once; 404 says that there is no room for it. */
async function joinOnce(
  { requestToken, connect, signal }: Joining,
  options: { isRoomMissing: boolean; hasConsent: boolean },
): Promise<JoinToken> {
  const token = await requestToken(options);
  signal.throwIfAborted();
  let isRoomMissing = false;
  try {
    await connect(token);
    return token;
  } catch (error) {
    if (!(error instanceof JoinFailed)) throw error;
    isRoomMissing = error.status === 404;
    if (!isRoomMissing && error.status !== 401) throw error;
  }
  signal.throwIfAborted();
  const fresh = await requestToken({ ...options, isRoomMissing });
  signal.throwIfAborted();
  await connect(fresh);
  return fresh;
}

function exitOf(error: unknown, meetingId: string | undefined): Exit {
  if (error instanceof SessionEnded) return { kind: 'session-over' };
  if (!(error instanceof ApiError)) return { kind: 'failed' };
  switch (error.code) {
    case 'MEETING_NOT_ACTIVE':
      return meetingId === undefined ? { kind: 'not-on' } : { kind: 'over', meetingId };
    case 'MEETING_FULL':
      return { kind: 'full' };
    case 'REMOVED_FROM_MEETING':
      return { kind: 'barred' };
    case 'NOT_A_MEMBER':
      return { kind: 'not-a-member' };
    case 'CLUB_NOT_FOUND':
      return { kind: 'no-club' };
    default:
      return { kind: 'failed' };
  }
}
