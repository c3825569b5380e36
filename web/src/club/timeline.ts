/** Where the stays of a meeting are drawn. */

export interface Stay {
  joinedAt: string;
  leftAt: string;
  /** The end is an estimate: LiveKit did not report it. */
  isEstimated: boolean;
}

export interface Bar extends Stay {
  /** Percent of the meeting. */
  from: number;
  length: number;
}

interface Span {
  startedAt: string;
  endedAt: string;
}

/** Each stay as a part of the meeting; what lies outside of it is cut off. */
export function barsOf(stays: Stay[], { startedAt, endedAt }: Span): Bar[] {
  const start = Date.parse(startedAt);
  const length = Math.max(1, Date.parse(endedAt) - start);
  const at = (instant: string) =>
    Math.min(100, Math.max(0, ((Date.parse(instant) - start) / length) * 100));
  return stays.map((stay) => {
    const from = at(stay.joinedAt);
    return { ...stay, from, length: Math.max(0, at(stay.leftAt) - from) };
  });
}

const STEPS_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180];
const MOST_TICKS = 6;

/** The start, the end, and round times between them, as percent and instant. */
export function ticksOf({ startedAt, endedAt }: Span): { at: number; instant: string }[] {
  const start = Date.parse(startedAt);
  const length = Math.max(1, Date.parse(endedAt) - start);
  const stepMs =
    60_000 *
    (STEPS_MINUTES.find((minutes) => length / (minutes * 60_000) <= MOST_TICKS) ??
      Math.ceil(length / 60_000 / MOST_TICKS));
  const ticks = [{ at: 0, instant: startedAt }];
  // Not so near to an end that the two would be written over each other.
  for (let tick = Math.ceil(start / stepMs) * stepMs; tick < start + length; tick += stepMs) {
    const at = ((tick - start) / length) * 100;
    if (at > 14 && at < 82) ticks.push({ at, instant: new Date(tick).toISOString() });
  }
  return [...ticks, { at: 100, instant: endedAt }];
}
