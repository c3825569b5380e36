/** What an invariant is, and what each check reads. */
import type { Entry, History, ReportedEvent } from '../history.ts';
import type { Outcome } from '../outcome.ts';
import type { Sighting, Story } from '../stories.ts';
import type { CastClub, Limits, Person } from '../world.ts';

export interface Run {
  clubs: CastClub[];
  limits: Limits;
  history: History;
  outcome: Outcome;
  /** Answers that are not as docs/openapi.json has them. */
  misfits: string[];
}

export interface Broken {
  invariant: string;
  clubId: string;
  /** What was seen instead. */
  seen: string;
}

/** A run, with what is worked out of it once for all invariants. */
export interface Case extends Run {
  stories: Story[];
  sightings: Sighting[];
  personOf: (userId: string) => Person | undefined;
  events: ReportedEvent[];
}

export interface Promised {
  invariant: string;
  check(run: Case): { looked: number; broken: Omit<Broken, 'invariant'>[] };
}

/** `isBroken` says what was seen instead of what is promised. */
export const each = <T extends { clubId: string }>(
  invariant: string,
  casesOf: (run: Case) => T[],
  isBroken: (one: T, run: Case) => string | undefined,
): Promised => ({
  invariant,
  check: (run) => {
    const cases = casesOf(run);
    const broken = cases.flatMap((one) => {
      const seen = isBroken(one, run);
      return seen === undefined ? [] : [{ clubId: one.clubId, seen }];
    });
    return { looked: cases.length, broken };
  },
});

export function clubsOf({ outcome }: Case) {
  return [...outcome.records].map(([clubId, record]) => {
    const room = outcome.rooms.find(({ name }) => name === record.club.meeting?.roomName);
    return { clubId, ...record, room, inRoom: room?.participants ?? [] };
  });
}

export const isFollowed = ({ results }: ReportedEvent): boolean => results.some(isDone);

/** What the API answered to a webhook whose event is in the record. */
export const isDone = (result: string): boolean =>
  ['followed', 'zombie-deleted', 'postponed'].includes(result);

export const requestOf = ({ route, by, sentAt, answeredAt }: Entry): string =>
  `(${route} by ${by}, ${instant(sentAt)} to ${instant(answeredAt)})`;

export const instant = (ms: number): string =>
  Number.isFinite(ms) ? new Date(ms).toISOString() : 'ever';

/** What was seen, if it is not as expected. */
export function differs(seen: unknown, expected: unknown): string | undefined {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(expected)];
  return a === b ? undefined : `${a}, not ${b}`;
}
