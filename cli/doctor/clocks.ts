import type { Finding } from './examination.ts';
import { LEEWAY_MS } from './livekit.ts';

/**
 * A room that is younger than ten seconds is checked against the record again (lib/meetings/room.ts).
 * By a clock that is behind, a new room looks old; a call may take three seconds of the ten.
 */
const LIVEKIT_WARNING_MS = 5_000;

/** The shortest life that an app client's tokens can have: a fresh one would be refused. */
const POOL_FAILURE_MS = 300_000;
const POOL_WARNING_MS = 30_000;

const REMEDY =
  'Keep the clocks by NTP. It is the one of this machine when LiveKit and the pool differ from it alike';

export const livekitClock = (aheadMs: number): Finding =>
  Math.abs(aheadMs) >= LEEWAY_MS
    ? clock('failure', aheadMs, ': beyond the minute that LiveKit allows, so tokens are refused')
    : Math.abs(aheadMs) >= LIVEKIT_WARNING_MS
      ? clock('warning', aheadMs, ': new rooms may be taken for old ones, and live on')
      : clock('ok', aheadMs);

export const poolClock = (aheadMs: number): Finding =>
  Math.abs(aheadMs) >= POOL_FAILURE_MS
    ? clock('failure', aheadMs, ': fresh tokens may count as expired, or old ones as valid')
    : Math.abs(aheadMs) >= POOL_WARNING_MS
      ? clock('warning', aheadMs, ': tokens count for less long than they should, or longer')
      : clock('ok', aheadMs);

const clock = (outcome: 'ok' | 'warning' | 'failure', aheadMs: number, effect = ''): Finding => ({
  outcome,
  sentence: `Its clock is ${spoken(aheadMs)} here${effect}`,
  ...(outcome !== 'ok' && { remedy: REMEDY }),
});

/** Measured by a header in whole seconds, or by one call: nothing below a second is known. */
export function spoken(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (seconds < 1) return 'within a second of';
  return `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
}
