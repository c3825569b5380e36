/** What came of a run, so that two runs can be compared: without times, and with the names of a scene. */
import { isDeepStrictEqual } from 'node:util';
import { attendanceOf } from '../../lib/meetings/attendance.ts';
import { EndedMeeting, RoomLife, Session } from '../../lib/meetings/model.ts';
import { isAlive } from '../model/recorder.ts';
import { type Item, type Scene, THREADS } from './world.ts';

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
const MEETING = /[0-7][0-9A-HJKMNP-TV-Z]{25}/g;
const IS_TIME = new Set(['expiresAt', 'durationSeconds', 'duration', 'secondsPresent']);
/** Names a change, or the time of the last look at the room: without a meaning of its own. */
const IS_NAME = new Set(['barsRevision', 'seenAt', 'roomEnsuredAt', 'recordedMeetingId']);

/** The same text for what differs only in when it was. */
export function comparable(
  value: unknown,
  { meetings, generations }: Pick<Scene, 'meetings' | 'generations'>,
): string {
  const text = JSON.stringify(value, (key, part: unknown) => {
    if (IS_TIME.has(key)) return 'T';
    if (IS_NAME.has(key)) return undefined;
    // Of a club that was made in this run.
    if (key === 'generation' && part && !generations.has(part)) return 'new';
    if (part instanceof Set) return [...part].map(named).sort();
    if (part instanceof Map) {
      return sorted(Object.fromEntries([...part].map(([k, v]) => [named(k), v])));
    }
    if (typeof part === 'string') return named(part);
    return sorted(part);
  });
  function named(part: unknown): unknown {
    if (typeof part !== 'string') return part;
    return part.replace(TIME, 'T').replace(MEETING, (id) => meetings.get(id) ?? id);
  }
  return text ?? 'undefined';
}

/** The fields of an object in the order of their names. */
function sorted(part: unknown): unknown {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Each item of the table, each room, and each event that LiveKit has not delivered yet. */
export function linesOf(scene: Scene): string[] {
  const { items, rooms } = scene;
  const sections = {
    item: items
      .filter((item) => !isCopyOfLast(item, items) && saysSomething(item, scene))
      .map((item) => withoutFutileBars(asShown(item), items)),
    attendance: attendanceIn(items),
    room: [...rooms.rooms.values()],
    recorder: [...rooms.recordings.egresses.values()].filter(isAlive),
    file: [...rooms.recordings.files],
    'on the way': [...rooms.onTheWay, ...rooms.recordings.onTheWay],
  };
  return Object.entries(sections).flatMap(([section, ones]) =>
    ones.map((one) => `${section} ${comparable(one, scene)}`).toSorted(),
  );
}

/** All that what follows can depend on. */
export const wholeOf = (scene: Scene): string[] => [
  ...linesOf(scene),
  ...scene.items.filter(isOfRecordings).map((item) => comparable(item, scene)),
  ...[...scene.rooms.recordings.egresses.values()].map((egress) => comparable(egress, scene)),
];

const isOfRecordings = ({ sk }: Item): boolean => /^(RECORDING|CONSENT)#/.test(String(sk));

/** Of a recording, without the fields that depend on who reported a fact first. */
function asShown(item: Item): Item {
  if (!String(item['sk']).startsWith('RECORDING#')) return item;
  const { pk, sk, generation, state, requestedBy, activeShard } = item;
  return { pk, sk, generation, state, requestedBy, activeShard };
}

/** The row of the last meeting, put before an end that did not come about: the history is the same. */
function isCopyOfLast({ pk: _, sk, generation: __, ...row }: Item, items: Item[]): boolean {
  const last = items.find((item) => item['sk'] === 'CLUB')?.['lastMeeting'];
  return String(sk).startsWith('MEETING#') && isDeepStrictEqual(row, last);
}

/** What is answered about who was in the meetings that are over. */
function attendanceIn(items: Item[]): unknown[] {
  const last = items.find(({ sk }) => sk === 'CLUB')?.['lastMeeting'];
  const rows = items.filter(({ sk }) => String(sk).startsWith('MEETING#'));
  const ended = new Map(
    [...rows, ...(last ? [last] : [])].map((row) => {
      const meeting = EndedMeeting.parse(row);
      return [meeting.meetingId, meeting];
    }),
  );
  return [...ended.values()].map((meeting) => {
    const of = (prefix: string) =>
      items.filter(({ sk }) => String(sk).startsWith(`${prefix}#${meeting.meetingId}#`));
    const sessions = of('ATTENDANCE').map((item) => Session.parse(item));
    const lives = of('ROOM').map((item) => RoomLife.parse(item));
    const { attendance, guestCount } = attendanceOf({ sessions, rooms: lives }, meeting);
    return { meetingId: meeting.meetingId, attendance, guestCount };
  });
}

const NOTHING_RECORDED = new Set(['lost', 'failed', 'aborted']);

/** Notes that no answer depends on: docs/decisions.md says of each why it may be there. */
function saysSomething({ sk, state }: Item, { items, meetings }: Scene): boolean {
  const [kind, id = ''] = String(sk).split('#');
  const club = items.find((one) => one['sk'] === 'CLUB');
  const meeting = club?.['meeting'] as Item | undefined;
  switch (kind) {
    case 'ATTENDANCE':
    case 'ROOM':
      // Else it is compared as it is answered.
      return !club || meeting?.['meetingId'] === id;
    case 'GRANTS':
      // Noted, and then perhaps not given. That what was given is noted is a promise of its own.
      return false;
    case 'RECORDING':
      // Asked for, and nothing was recorded.
      return !NOTHING_RECORDED.has(String(state));
    case 'REMOVED':
      // Began while the club was being removed.
      return !(THREADS as readonly string[]).includes(meetings.get(id) ?? '');
    default:
      return true;
  }
}

/**
 * Without those who are no members (any more): they get no token, and whether they can come in by an
 * old one is tried.
 */
function withoutFutileBars(item: Item, items: Item[]): Item {
  const { barredUserIds, ...rest } = item;
  if (!(barredUserIds instanceof Set)) return item;
  const members = new Set([
    item['moderatorId'],
    ...items
      .filter(({ sk, removedAt }) => String(sk).startsWith('MEMBER#') && !removedAt)
      .map(({ userId }) => userId),
  ]);
  const barred = barredUserIds.intersection(members);
  return barred.size > 0 ? { ...rest, barredUserIds: barred } : rest;
}
