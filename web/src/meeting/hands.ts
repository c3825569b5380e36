/** Raised hands, in the order in which they went up. */

/** The participant's attribute: when the hand went up, in milliseconds, as text; empty when it is down. */
export const HAND = 'hand';

export interface Hand {
  identity: string;
  raisedAtMs: number;
}

/**
 * Each participant writes their own attribute, so a value that is not a time in the past counts as now:
 * no value puts a participant ahead of the others, or at the end of the queue for good.
 */
export function raisedHands(
  participants: { identity: string; attributes: Readonly<Record<string, string>> }[],
  nowMs: number,
): Hand[] {
  return participants
    .flatMap(({ identity, attributes }): Hand[] => {
      const raised = attributes[HAND];
      if (!raised) return [];
      const raisedAtMs = Number(raised);
      const isTime = Number.isFinite(raisedAtMs) && raisedAtMs > 0 && raisedAtMs <= nowMs;
      return [{ identity, raisedAtMs: isTime ? raisedAtMs : nowMs }];
    })
    .sort((a, b) => a.raisedAtMs - b.raisedAtMs || (a.identity < b.identity ? -1 : 1));
}
