/** ISO 8601 in UTC, as `Date.toISOString` writes it, so that times sort as text. */
type Instant = string;

/**
 * The time of a change: the one that it carries, or else its arrival. A command without a time means the
 * order of arrival, so its time is a moment later than every time that it changes, even if the clock that
 * wrote that one was ahead.
 */
export function timeOfChange(
  { occurredAt, now }: { occurredAt?: Instant | undefined; now: Date },
  known: (Instant | undefined)[],
): Instant {
  if (occurredAt !== undefined) return occurredAt;
  const last = known.flatMap((instant) => (instant === undefined ? [] : Date.parse(instant)));
  return new Date(Math.max(now.getTime(), ...last.map((ms) => ms + 1))).toISOString();
}

/** Whether the record has something newer: then the change is stale. Of equal times the change counts. */
export const isStale = (changedAt: Instant, known: Instant | undefined): boolean =>
  known !== undefined && changedAt < known;
