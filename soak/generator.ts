/**
 * Everything that is drawn before a run begins: who does what and when, when what breaks. The same seed
 * and length make the same plan. How requests then meet is up to the machine, and so are the answers.
 */
import type { MissingRoom } from '../local/livekit/stand-in.ts';
import { type Draws, drawsOf, pick } from './chance.ts';

/** Everybody acts on the half second, so that many act at the same moment. */
const BEAT_MS = 500;

const TEMPERS = ['lively', 'lively', 'lively', 'endless', 'deserted'] as const;
/** `lively`: moderators start and end. The others are ended by the cleanup alone. */
export type Temper = (typeof TEMPERS)[number];

/** The owner, another moderator, two members, a member whose role changes, and one who is added and removed. */
export const PARTS = ['owner', 'moderator', 'member', 'reader', 'climber', 'guest'] as const;
export type Part = (typeof PARTS)[number];

export type Action =
  | 'start'
  | 'end'
  | 'endNamed'
  | 'endEarlier'
  | 'join'
  | 'joinAgain'
  | 'leave'
  | 'poll'
  | 'list'
  | 'details'
  | 'participants'
  | 'mute'
  | 'muteAll'
  | 'remove'
  | 'disconnect'
  | 'readmit'
  | 'setRole'
  | 'record'
  | 'stopRecording'
  | 'deleteRecording'
  | 'consent'
  | 'trespass';

/** What the application that owns the clubs, the schedule and LiveKit do. */
export type Errand =
  | 'enrol'
  | 'strike'
  | 'repeat'
  | 'outOfOrder'
  | 'show'
  | 'cleanUp'
  | 'cleanUpTwice'
  | 'timeOut'
  | 'crash'
  | 'recordersDie'
  | 'recordersFail'
  | 'recordersAreBusy'
  | 'recordersAreFree';

export interface Step<Does extends string> {
  atMs: number;
  does: Does;
  /** From 0 to 1: which person, meeting or room it is about, of those that there are by then. */
  choice: number;
}

/** More goes wrong on this side than usual. */
interface Storm {
  side: Side;
  fromMs: number;
  toMs: number;
  /** The share of requests that something happens to. */
  chance: number;
}
/** From then on the functions' clock is so far ahead, or behind. */
export interface ClockStep {
  fromMs: number;
  aheadMs: number;
}
/** So far it is from LiveKit's at most, and from itself twice as far: the doctor warns from five seconds on. */
export const MAX_SKEW_MS = 2_000;

export const STORMY_SIDES = ['store', 'media', 'files', 'webhook'] as const;
export type Side = (typeof STORMY_SIDES)[number];

export interface Plan {
  seed: string;
  lengthMs: number;
  clubs: { clubId: string; temper: Temper; parts: Record<Part, Step<Action>[]> }[];
  errands: Step<Errand>[][];
  storms: Storm[];
  clockSteps: ClockStep[];
  /** What LiveKit answers about the participants of a room that does not exist. */
  missingRoom: MissingRoom;
  /** When the API's process is killed; it comes back as fast as it can. */
  kills: number[];
}

const MEMBER = {
  join: 7,
  joinAgain: 1.5,
  leave: 3,
  poll: 6,
  list: 1,
  details: 1,
  start: 0.6,
  end: 0.6,
  remove: 0.2,
  record: 0.2,
  consent: 0.4,
  trespass: 0.6,
};
const MODERATOR = {
  ...MEMBER,
  start: 8,
  end: 2.5,
  endNamed: 1.5,
  endEarlier: 1,
  participants: 1,
  mute: 0.7,
  muteAll: 0.7,
  remove: 2,
  disconnect: 0.7,
  readmit: 2,
  record: 5,
  stopRecording: 2,
  deleteRecording: 2,
};
const WEIGHTS: Record<Part, Partial<Record<Action, number>>> = {
  owner: { ...MODERATOR, setRole: 2 },
  moderator: MODERATOR,
  member: MEMBER,
  reader: MEMBER,
  climber: { ...MEMBER, start: 3, end: 1, participants: 1 },
  guest: MEMBER,
};

/** What several of a club do at the same moment, besides what each does alone; beat by beat. */
const ENCOUNTERS: Partial<Record<Part, Action>>[][] = [
  [{ owner: 'end' }, { owner: 'start', moderator: 'start' }],
  [
    { owner: 'end', moderator: 'end' },
    { owner: 'start', moderator: 'start', climber: 'start' },
  ],
  [{ owner: 'start', moderator: 'end', member: 'join' }],
  [{ owner: 'endNamed', moderator: 'start', reader: 'join', climber: 'end' }],
  [{ owner: 'start', moderator: 'start', climber: 'start', member: 'join' }],
  [{ owner: 'remove', reader: 'join', climber: 'join', guest: 'join' }, { owner: 'readmit' }],
  [{ owner: 'remove', moderator: 'readmit', reader: 'joinAgain', climber: 'joinAgain' }],
  [{ owner: 'setRole', climber: 'start', moderator: 'muteAll' }],
  [
    { owner: 'record', moderator: 'record' },
    { owner: 'stopRecording', moderator: 'record' },
  ],
  [{ owner: 'record', moderator: 'end' }, { owner: 'start' }, { owner: 'record' }],
];

/** After this part of the run no person joins a deserted club any more. */
const DESERTED_AFTER = 0.25;

/** There is something to lose by then. */
const FIRST_KILL_AFTER_MS = 10_000;

export function planOf(seed: string, seconds: number): Plan {
  const lengthMs = seconds * 1000;
  const clubs = TEMPERS.map((temper, index) => {
    const clubId = `${temper}-${index + 1}`;
    const met = drawsOf(seed, `${clubId}/encounters`);
    const encounters = momentsOf(met, [3_000, 8_000], lengthMs).flatMap((atMs) =>
      (pick(ENCOUNTERS, met.draw()) ?? []).map((deeds, beat) => ({
        atMs: atMs + beat * BEAT_MS,
        deeds,
      })),
    );
    const stepsOf = (part: Part) => {
      const draws = drawsOf(seed, `${clubId}/${part}`);
      const alone = momentsOf(draws, [500, 5_500], lengthMs).map((atMs) => ({
        atMs,
        does: draws.oneOf<Action>(WEIGHTS[part]),
      }));
      const together = encounters.flatMap(({ atMs, deeds }) => {
        const does = deeds[part];
        return does ? [{ atMs, does }] : [];
      });
      return [...alone, ...together]
        .filter(({ atMs, does }) => !isOutOfPlace(temper, does, atMs / lengthMs))
        .toSorted((a, b) => a.atMs - b.atMs)
        .map((step) => ({ ...step, choice: draws.draw() }));
    };
    return {
      clubId,
      temper,
      parts: byName(PARTS, stepsOf),
    };
  });
  const errands = <E extends Errand>(
    name: string,
    gap: [number, number],
    weights: Partial<Record<E, number>>,
  ) => {
    const draws = drawsOf(seed, name);
    return momentsOf(draws, gap, lengthMs).map((atMs) => ({
      atMs,
      does: draws.oneOf(weights),
      choice: draws.draw(),
    }));
  };
  return {
    seed,
    lengthMs,
    clubs,
    errands: [
      errands('office', [1_500, 4_000], { enrol: 5, strike: 4, repeat: 4, outOfOrder: 2, show: 1 }),
      errands('schedule', [3_000, 7_000], { cleanUp: 4, cleanUpTwice: 1 }),
      errands('timers', [3_000, 9_000], { timeOut: 1 }),
      errands('crashes', [15_000, 35_000], { crash: 1 }),
      errands('recorders', [8_000, 20_000], {
        recordersDie: 1,
        recordersFail: 1,
        recordersAreBusy: 1,
        recordersAreFree: 3,
      }),
    ],
    storms: STORMY_SIDES.flatMap((side) =>
      stormsOf(drawsOf(seed, `storms/${side}`), side, lengthMs),
    ),
    clockSteps: clockStepsOf(drawsOf(seed, 'clock'), lengthMs),
    missingRoom: drawsOf(seed, 'missing room').oneOf<MissingRoom>({
      empty: 1,
      'not-found': 1,
      unavailable: 1,
    }),
    kills: momentsOf(drawsOf(seed, 'kills'), [10_000, 60_000], lengthMs - 15_000).map(
      (atMs) => atMs + FIRST_KILL_AFTER_MS,
    ),
  };
}

export const byName = <Name extends string, T>(names: readonly Name[], of: (name: Name) => T) =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, T>;

/** `progress`: the part of the run that is over by then. */
const isOutOfPlace = (temper: Temper, does: Action, progress: number): boolean =>
  (temper !== 'lively' && ['end', 'endNamed'].includes(does)) ||
  (temper === 'deserted' && progress > DESERTED_AFTER && ['join', 'joinAgain'].includes(does));

/** Back and forth; right at the end. */
const clockStepsOf = (draws: Draws, lengthMs: number): ClockStep[] => [
  ...momentsOf(draws, [5_000, 25_000], lengthMs).map((fromMs) => ({
    fromMs,
    aheadMs: Math.round(draws.between(-MAX_SKEW_MS, MAX_SKEW_MS)),
  })),
  { fromMs: lengthMs, aheadMs: 0 },
];

function stormsOf(draws: Draws, side: Side, lengthMs: number): Storm[] {
  return momentsOf(draws, [6_000, 16_000], lengthMs).map((fromMs) => ({
    side,
    fromMs,
    toMs: fromMs + draws.between(1_500, 4_500),
    chance: draws.between(0.1, 0.7),
  }));
}

function momentsOf(draws: Draws, [least, most]: [number, number], untilMs: number): number[] {
  const moments: number[] = [];
  for (let atMs = draws.between(0, least); ; atMs += draws.between(least, most)) {
    const beat = Math.round(atMs / BEAT_MS) * BEAT_MS;
    if (beat >= untilMs) return moments;
    moments.push(beat);
  }
}
