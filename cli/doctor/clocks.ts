import type { Finding } from './runner.ts';

/** LiveKit allows tokens this much, and we allow it to webhooks: lib/livekit/webhook.ts. */
export const LEEWAY_MS = 60_000;

/** From so far on, and with this effect; the gravest first. */
interface Limit {
  fromMs: number;
  outcome: 'warning' | 'failure';
  effect: string;
}

/** Tokens that we sign are valid from our now on, webhooks from LiveKit's. */
const BEHIND: Limit[] = [
  { fromMs: LEEWAY_MS, outcome: 'failure', effect: 'LiveKit refuses tokens as too new' },
  // Younger than ten seconds by LiveKit's clock, of which a call may take three: lib/meetings/room.ts.
  { fromMs: 5_000, outcome: 'warning', effect: 'new rooms may be taken for old ones, and live on' },
];
const AHEAD: Limit[] = [
  { fromMs: LEEWAY_MS, outcome: 'failure', effect: 'webhooks are refused as too new' },
  { fromMs: 30_000, outcome: 'warning', effect: 'webhooks are refused from a minute on' },
];
/** An app client's tokens live for five minutes at least. */
const OF_POOL: Limit[] = [
  { fromMs: 300_000, outcome: 'failure', effect: 'new tokens may count as expired' },
  { fromMs: 30_000, outcome: 'warning', effect: 'tokens live for longer or shorter than they say' },
];

export const livekitClock = (aheadMs: number): Finding =>
  findingOf(aheadMs, aheadMs > 0 ? AHEAD : BEHIND);

export const poolClock = (aheadMs: number): Finding => findingOf(aheadMs, OF_POOL);

function findingOf(aheadMs: number, limits: Limit[]): Finding {
  const limit = limits.find(({ fromMs }) => Math.abs(aheadMs) >= fromMs);
  const sentence = `Its clock is ${spoken(aheadMs)} here`;
  if (!limit) return { outcome: 'ok', sentence };
  return {
    outcome: limit.outcome,
    sentence: `${sentence}: ${limit.effect}`,
    remedy:
      'Keep the clocks by NTP. It is the one of this machine when LiveKit and the pool differ from it alike',
  };
}

/** Measured by a header in whole seconds, or by one call: nothing below a second is known. */
export function spoken(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  if (seconds < 1) return 'within a second of';
  return `${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
}
