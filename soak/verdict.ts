/**
 * What the service promises, one sentence each, and how it is seen in what is left of a run: the ledger
 * of what callers were told, the table, the rooms.
 */

import type { EndedMeeting, Session } from '../lib/meetings/model.ts';
import { type Entry, granted, type Ledger, type Route, type Told } from './ledger.ts';
import type { Outcome } from './outcome.ts';
import { possibleStandings, type Standing } from './standings.ts';
import { type Sighting, type Story, storiesOf } from './stories.ts';
import type { CastClub, Limits, Person } from './world.ts';

export interface Run {
  clubs: CastClub[];
  limits: Limits;
  ledger: Ledger;
  outcome: Outcome;
  /** Answers that are not as docs/openapi.json has them. */
  misfits: string[];
}

export interface Broken {
  promise: string;
  clubId: string;
  /** What was seen instead. */
  seen: string;
}

export interface Verdict {
  broken: Broken[];
  /** How many cases of each promise were looked at. */
  looked: Record<string, number>;
}

/** A run, with what is worked out of it once for all promises. */
interface Case extends Run {
  stories: Story[];
  sightings: Sighting[];
  personOf: (userId: string) => Person | undefined;
  events: Told[];
}

interface Promised {
  promise: string;
  check(run: Case): { looked: number; broken: Omit<Broken, 'promise'>[] };
}

/** `isBroken` says what was seen instead of what is promised. */
const each = <T extends { clubId: string }>(
  promise: string,
  casesOf: (run: Case) => T[],
  isBroken: (one: T, run: Case) => string | undefined,
): Promised => ({
  promise,
  check: (run) => {
    const cases = casesOf(run);
    const broken = cases.flatMap((one) => {
      const seen = isBroken(one, run);
      return seen === undefined ? [] : [{ clubId: one.clubId, seen }];
    });
    return { looked: cases.length, broken };
  },
});

/** The longest that a request goes on in a function, and so between reading a club and writing it. */
const REQUEST_MS = 12_000;
/** A webhook is tried again for so long. */
const WEBHOOK_MS = 15_000;

// ---- the record

const RECORD: Promised[] = [
  each(
    'Every item of the table is one of the service, and can be read',
    ({ outcome }) => outcome.unreadable.map((seen) => ({ clubId: '', seen })),
    ({ seen }) => seen,
  ),
  each(
    'The index names the clubs with a meeting on, and no other',
    (run) => clubsOf(run),
    ({ clubId, club }, { outcome }) => {
      const times = outcome.indexed.filter((indexed) => indexed === clubId).length;
      const isOn = club.meeting !== undefined;
      if (times === Number(isOn) && club.activeSince === club.meeting?.startedAt) return undefined;
      return `named ${times} times, since ${club.activeSince}; on since ${club.meeting?.startedAt}`;
    },
  ),
  each(
    'What anybody was told of a meeting is what the record says of it',
    ({ sightings }) => sightings,
    ({ story, facts, isOver, entry }) => {
      const { record } = story;
      if (!record) return `${story.meetingId} is nowhere, but was told ${told(entry)}`;
      if (isOver && !record.endedAt)
        return `${story.meetingId} is on, but was told as over ${told(entry)}`;
      const differing = Object.entries(facts).filter(
        ([name, value]) => record[name as keyof EndedMeeting] !== value,
      );
      return differing.length === 0
        ? undefined
        : `${JSON.stringify(Object.fromEntries(differing))}, but the record is ${JSON.stringify(record)}; told ${told(entry)}`;
    },
  ),
  each(
    'Every meeting was started by a moderator who asked for it at that moment',
    ({ stories }) => stories,
    ({ clubId, meetingId, record }, { ledger }) => {
      if (!record) return undefined; // said above
      const startedAt = Date.parse(record.startedAt);
      const started = ledger
        .of('start')
        .some(
          ({ clubId: club, sentAt, overAt, answer }) =>
            club === clubId &&
            sentAt <= startedAt &&
            startedAt <= overAt &&
            (answer?.status !== 200 ||
              (answer.body.meetingId === meetingId && !answer.body.alreadyActive)),
        );
      return started ? undefined : `nobody started ${meetingId} at ${record.startedAt}`;
    },
  ),
  each(
    'At most one start says that it set a meeting',
    ({ stories }) => stories,
    ({ meetingId }, { ledger }) => {
      const own = granted(ledger.of('start')).filter(
        ({ body }) => body.meetingId === meetingId && !body.alreadyActive,
      );
      return own.length < 2 ? undefined : own.map(told).join(' and ');
    },
  ),
  each(
    'A start is told that its meeting has just ended only while one is being ended',
    ({ ledger }) =>
      ledger.of('start').filter(({ answer }) => answer?.body.code === 'MEETING_NOT_ACTIVE'),
    (entry, { stories, ledger }) => {
      const asked = ledger
        .of('end')
        .some(
          ({ clubId, sentAt, overAt }) =>
            clubId === entry.clubId && sentAt <= entry.answeredAt && overAt >= entry.sentAt,
        );
      const happened = stories.some(
        ({ clubId, record, endedAt }) =>
          clubId === entry.clubId &&
          record?.endedBy === null &&
          entry.sentAt - REQUEST_MS <= endedAt &&
          endedAt <= entry.answeredAt,
      );
      return asked || happened ? undefined : told(entry);
    },
  ),
  each(
    'Once anybody was told that a meeting is over, nobody is told that it is on',
    ({ sightings }) => sightings.filter(({ isOver }) => !isOver),
    ({ story, entry }) =>
      entry.sentAt > story.toldOver
        ? `${story.meetingId} was over by ${instant(story.toldOver)}; on ${told(entry)}`
        : undefined,
  ),
  each(
    'While a meeting is on, nobody is told that none is',
    ({ ledger }) => ledger.all().filter(saysThatNoneIsOn),
    (entry, { stories }) => {
      const on = stories.find(
        ({ clubId, toldOn, endedAt, meetingId }) =>
          clubId === entry.clubId &&
          toldOn <= entry.sentAt &&
          entry.answeredAt <= endedAt &&
          (entry.meetingId === undefined || entry.meetingId === meetingId),
      );
      return on && `${on.meetingId} was on from ${instant(on.toldOn)}; none ${told(entry)}`;
    },
  ),
  each(
    'A meeting begins after the one before it has ended',
    ({ stories }) => stories,
    ({ clubId, meetingId, record, endedAt }, { stories }) => {
      if (!record) return undefined;
      const startedAt = Date.parse(record.startedAt);
      // A start notes its time before it decides, so a slow one may say that it was earlier.
      const other = stories.find(
        (each) =>
          each.clubId === clubId &&
          each.meetingId !== meetingId &&
          each.record !== undefined &&
          Date.parse(each.record.startedAt) <= startedAt &&
          Math.min(each.endedAt, endedAt) > startedAt + REQUEST_MS,
      );
      return (
        other && `${meetingId} began at ${record.startedAt}, in the middle of ${other.meetingId}`
      );
    },
  ),
  each(
    'A meeting was ended by whom the record names, when they asked for it, or by the cleanup when it had to be',
    ({ stories }) => stories,
    ({ clubId, meetingId, record, endedAt }, { ledger, limits, events }) => {
      if (!record?.endedAt) return undefined;
      const { endedBy, reason, durationSeconds = 0 } = record;
      switch (reason) {
        case 'moderator': {
          const asked = ledger
            .of('end')
            .some(
              (entry) =>
                entry.clubId === clubId &&
                entry.by === endedBy &&
                entry.sentAt <= endedAt &&
                endedAt <= entry.overAt &&
                (entry.answer?.status !== 200 || entry.answer.body.meetingId === meetingId),
            );
          return asked
            ? undefined
            : `${endedBy} did not ask for the end of ${meetingId} at ${record.endedAt}`;
        }
        case 'max-duration':
          return endedBy === null && durationSeconds >= limits.maxDurationSeconds
            ? undefined
            : `${meetingId} lasted ${durationSeconds} s and was ended by ${endedBy}`;
        case 'vacant': {
          const putOut = events.find(
            ({ event, roomName, reason: why, joinedAt }) =>
              event === 'participant_left' &&
              roomName === record.roomName &&
              why === 'ROOM_DELETED' &&
              Date.parse(joinedAt ?? '') < endedAt - WEBHOOK_MS,
          );
          if (putOut) return `${putOut.userId} was in ${meetingId} since ${putOut.joinedAt}`;
          return endedBy === null && durationSeconds >= limits.graceSeconds
            ? undefined
            : `${meetingId} lasted ${durationSeconds} s and was ended by ${endedBy}`;
        }
        default:
          return `${meetingId} was ended for the reason ${reason}`;
      }
    },
  ),
  each(
    'The history lists every meeting that is over, once, newest first, and tells the same of each',
    (run) => clubsOf(run),
    ({ clubId, club, rows }, { outcome }) => {
      const over = new Map(rows.map((row) => [row.meetingId, row]));
      if (club.lastMeeting) over.set(club.lastMeeting.meetingId, club.lastMeeting);
      const expected = [...over.values()].toSorted((a, b) => (a.meetingId < b.meetingId ? 1 : -1));
      const { listed = [], details = [] } = outcome.answers.get(clubId) ?? {};
      const detailed = details.map(({ meeting: { peopleCount: _, ...meeting } }) => meeting);
      return differs(listed, expected) ?? differs(detailed, expected);
    },
  ),
  each(
    'The cleanup comes to rest',
    ({ outcome }) => [{ clubId: '', ...outcome.cleanups }],
    ({ isAtRest, runs }) => (isAtRest ? undefined : `run ${runs} still found something to do`),
  ),
  each(
    'At rest no meeting is on that had to be ended',
    (run) => clubsOf(run),
    ({ club: { meeting } }, { limits, outcome }) => {
      if (!meeting) return undefined;
      const ageOf = (since: string) => (outcome.cleanups.lastBeganAt - Date.parse(since)) / 1000;
      if (ageOf(meeting.startedAt) >= limits.maxDurationSeconds)
        return `on since ${meeting.startedAt}`;
      const { vacantSince } = meeting;
      return vacantSince && ageOf(vacantSince) >= limits.graceSeconds
        ? `vacant since ${vacantSince}`
        : undefined;
    },
  ),
];

// ---- rooms and the people in them

const ROOMS: Promised[] = [
  each(
    'Every room is the room of a meeting that is on',
    ({ outcome }) => outcome.rooms.map((room) => ({ clubId: room.name, ...room })),
    ({ name }, { outcome }) =>
      [...outcome.records.values()].some(({ club }) => club.meeting?.roomName === name)
        ? undefined
        : `${name} is still there`,
  ),
  each(
    'Whoever was in a meeting is out of it when its end is told with success',
    ({ ledger }) => granted(ledger.of('end')).filter(({ body }) => body.success),
    (entry, { events }) => {
      const { roomName, endedAt } = entry.body;
      const stayed = events.find(
        (each) =>
          each.event === 'participant_left' &&
          each.roomName === roomName &&
          (each.joinedAt ?? endedAt) < endedAt &&
          Date.parse(each.at) > entry.answeredAt,
      );
      return stayed && `${stayed.sid} was in ${roomName} until ${stayed.at}; ended ${told(entry)}`;
    },
  ),
  each(
    'Nobody is in a meeting who is kept out of it',
    (run) => clubsOf(run),
    ({ club, inRoom }) => {
      const inside = inRoom.filter(({ identity }) => club.barredUserIds?.has(identity));
      return inside.length === 0 ? undefined : inside.map(({ identity }) => identity).join();
    },
  ),
  each(
    'The status says what the record and the room say',
    (run) => clubsOf(run),
    ({ clubId, club, inRoom, room }, { outcome }) => {
      const status = outcome.answers.get(clubId)?.status;
      const { meeting } = club;
      return differs(
        status && [status.state, status.participantCount, status.meetingId, status.roomName],
        [
          meeting ? (inRoom.length > 0 ? 'live' : 'waiting') : 'idle',
          inRoom.length,
          meeting?.meetingId ?? null,
          room?.name ?? null,
        ],
      );
    },
  ),
  each(
    'Whoever is in the record as present is in the room, and the other way round, unless their event was lost',
    (run) => clubsOf(run).filter(({ club }) => club.presence !== undefined),
    ({ club, inRoom, room }, { events }) => {
      const there = new Set(inRoom.map(({ sid }) => sid));
      const present = club.presentSids ?? new Set<string>();
      const wasTold = (event: string, sid: string) =>
        events.some((each) => each.event === event && each.sid === sid && isFollowed(each));
      const ghosts = [...present].filter((sid) => !there.has(sid));
      const unseen = [...there].filter((sid) => !present.has(sid));
      const wrong = [
        ...ghosts.filter((sid) => wasTold('participant_left', sid)),
        ...unseen.filter((sid) => wasTold('participant_joined', sid)),
      ];
      if (ghosts.length === unseen.length && wrong.length === 0) return undefined;
      return `${[...present].join()} in the record, ${[...there].join()} in ${room?.name}`;
    },
  ),
  each(
    'A meeting is vacant when nobody is in it, and only then',
    (run) => clubsOf(run).filter(({ club }) => club.meeting !== undefined),
    ({ club, inRoom }) =>
      (club.meeting?.vacantSince === undefined) === inRoom.length > 0
        ? undefined
        : `vacant since ${club.meeting?.vacantSince}, with ${inRoom.length} people`,
  ),
];

// ---- attendance

const ATTENDANCE: Promised[] = [
  each(
    'Every attendance is that of somebody who was there, with their own times',
    ({ outcome }) => sessionsOf(outcome),
    (session, { ledger, events, personOf }) => {
      const { participantSid: sid, userId, meetingId, joinedAt, leftAt, displayName } = session;
      const stay = ledger.stays.find((each) => each.sid === sid);
      if (!stay || stay.userId !== userId || stay.meetingId !== meetingId) {
        return `${JSON.stringify(session)}, but nobody was there`;
      }
      const joined = Date.parse(joinedAt);
      if (joined < stay.from || joined > stay.to) {
        return `${sid} joined at ${joinedAt}, not from ${instant(stay.from)} to ${instant(stay.to)}`;
      }
      const departure = events.find(
        (each) => each.event === 'participant_left' && each.sid === sid && each.results.length > 0,
      );
      if (leftAt !== undefined && leftAt !== departure?.at) {
        return `${sid} left at ${leftAt}, but was told to have left at ${departure?.at}`;
      }
      const name = personOf(userId)?.displayName ?? null;
      return displayName === name || displayName === null
        ? undefined
        : `${sid} is called ${displayName}, not ${name}`;
    },
  ),
  each(
    'Every arrival that LiveKit told of is in the attendance',
    (run) => toldOf(run, 'participant_joined'),
    ({ sid, meetingId }, { outcome }) =>
      sessionsOf(outcome).some((session) => session.participantSid === sid)
        ? undefined
        : `${sid} was in ${meetingId}`,
  ),
  each(
    'Every departure that LiveKit told of is in the attendance, by the second',
    (run) => toldOf(run, 'participant_left'),
    ({ sid, at }, { outcome }) => {
      const session = sessionsOf(outcome).find(({ participantSid }) => participantSid === sid);
      return session?.leftAt === at
        ? undefined
        : `${sid} left at ${at}: ${JSON.stringify(session)}`;
    },
  ),
  each(
    'The details of a meeting tell of everybody in its attendance, within its time',
    ({ outcome }) =>
      [...outcome.answers].flatMap(([clubId, { details }]) =>
        details.map((detail) => ({ clubId, ...detail })),
      ),
    ({ clubId, meeting, attendance }, { outcome }) => {
      const sessions = sessionsOf(outcome).filter(
        (session) =>
          session.clubId === clubId &&
          session.meetingId === meeting.meetingId &&
          session.joinedAt < meeting.endedAt,
      );
      const people = new Set(sessions.map(({ userId }) => userId));
      const late = attendance.find(
        ({ lastLeftAt, secondsPresent }) =>
          lastLeftAt > meeting.endedAt || secondsPresent > meeting.durationSeconds + 1,
      );
      if (late) return `${JSON.stringify(late)} in ${JSON.stringify(meeting)}`;
      return differs(
        [
          meeting.peopleCount,
          attendance.map(({ userId, sessions: times }) => [userId, times]).toSorted(),
        ],
        [
          people.size,
          [...people]
            .map((userId) => [userId, sessions.filter((each) => each.userId === userId).length])
            .toSorted(),
        ],
      );
    },
  ),
  each(
    'No event of a meeting of ours is taken for somebody else’s',
    ({ events }) => events.map((event) => ({ clubId: event.roomName, ...event })),
    ({ event, roomName, results }) =>
      results.includes('ignored') ? `${event} of ${roomName}` : undefined,
  ),
];

// ---- answers

const NEEDS: Record<Route, Standing[]> = {
  token: ['member', 'moderator'],
  status: ['member', 'moderator'],
  meetings: ['member', 'moderator'],
  meeting: ['member', 'moderator'],
  start: ['moderator'],
  end: ['moderator'],
  participants: ['moderator'],
  mute: ['moderator'],
  muteAll: ['moderator'],
  remove: ['moderator'],
  readmit: ['moderator'],
  setRole: ['moderator'],
};

const ANSWERS: Promised[] = [
  each(
    'Every answer is one of docs/openapi.json',
    ({ misfits }) => misfits.map((seen) => ({ clubId: '', seen })),
    ({ seen }) => seen,
  ),
  each(
    'Nothing happens that the service does not expect',
    ({ ledger }) => ledger.all(),
    (entry) => (entry.answer?.body.code === 'INTERNAL' ? told(entry) : undefined),
  ),
  each(
    'Nobody is granted what their role does not allow, or refused what it does',
    ({ ledger }) => ledger.all().filter(({ answer }) => answer !== undefined),
    (entry, run) => {
      const person = run.personOf(entry.by);
      if (!person) return undefined;
      const standings = possibleStandings(run.ledger, person, entry);
      const needed = NEEDS[entry.route];
      const isGranted = entry.answer?.status === 200;
      const isRefused = ['NOT_A_MEMBER', 'NOT_A_MODERATOR'].includes(entry.answer?.body.code ?? '');
      const may = standings.filter((standing) => needed.includes(standing));
      if (isGranted && may.length === 0)
        return `granted to ${person.part} (${standings}) ${told(entry)}`;
      return isRefused && may.length === standings.length
        ? `refused to ${person.part} (${standings}) ${told(entry)}`
        : undefined;
    },
  ),
  each(
    'Whoever was removed gets no token until they are let back in',
    ({ ledger }) => granted(ledger.of('token')),
    (entry, { stories, ledger }) => {
      const story = stories.find(({ meetingId }) => meetingId === entry.body.meetingId);
      const removal = granted(ledger.of('remove')).find(
        ({ clubId, userId, body, sentAt, answeredAt }) =>
          clubId === entry.clubId &&
          userId === entry.by &&
          body.isBarred &&
          answeredAt < entry.sentAt &&
          // of this very meeting
          story !== undefined &&
          story.toldOn <= sentAt &&
          answeredAt <= story.endedAt &&
          !ledger
            .of('readmit')
            .some(
              (readmission) =>
                readmission.clubId === clubId &&
                readmission.userId === userId &&
                readmission.sentAt < entry.answeredAt &&
                readmission.overAt > sentAt,
            ),
      );
      return removal && `removed ${told(removal)}; token ${told(entry)}`;
    },
  ),
  each(
    'Nobody is kept out whom nobody removed',
    ({ ledger }) =>
      ledger.of('token').filter(({ answer }) => answer?.body.code === 'REMOVED_FROM_MEETING'),
    (entry, { ledger }) => {
      const removals = [
        ...ledger.of('remove').filter(({ allowRejoin }) => !allowRejoin),
        ...ledger.commands.filter(({ command }) => command === 'remove-member'),
      ];
      const isRemoved = removals.some(
        ({ clubId, userId, sentAt }) =>
          clubId === entry.clubId && userId === entry.by && sentAt < entry.answeredAt,
      );
      return isRemoved ? undefined : told(entry);
    },
  ),
  each(
    'Nobody gets a token for another meeting than their club’s',
    ({ ledger }) => granted(ledger.of('token')),
    (entry, { stories }) =>
      stories.find(({ meetingId }) => meetingId === entry.body.meetingId)?.clubId === entry.clubId
        ? undefined
        : told(entry),
  ),
];

export function judge(run: Run): Verdict {
  const people = run.clubs.flatMap((club) => Object.values(club.people));
  const { stories, sightings } = storiesOf(run.ledger, run.outcome);
  const whole: Case = {
    ...run,
    stories,
    sightings,
    personOf: (userId) => people.find((person) => person.userId === userId),
    events: [...run.ledger.events.values()],
  };
  const verdict: Verdict = { broken: [], looked: {} };
  for (const { promise, check } of [...RECORD, ...ROOMS, ...ATTENDANCE, ...ANSWERS]) {
    const { looked, broken } = check(whole);
    verdict.looked[promise] = looked;
    verdict.broken.push(...broken.map((one) => ({ promise, ...one })));
  }
  return verdict;
}

// ---- what the promises are about

function clubsOf({ outcome }: Case) {
  return [...outcome.records].map(([clubId, record]) => {
    const room = outcome.rooms.find(({ name }) => name === record.club.meeting?.roomName);
    return { clubId, ...record, room, inRoom: room?.participants ?? [] };
  });
}

const sessionsOf = ({ records }: Outcome): (Session & { clubId: string; meetingId: string })[] =>
  [...records].flatMap(([clubId, { sessions }]) =>
    sessions.map((session) => ({ clubId, ...session })),
  );

/** Events that the API followed, of those whose membership was beyond doubt and whom nobody removed. */
function toldOf({ events, ledger, personOf, stories }: Case, event: string) {
  return events.flatMap((each) => {
    const { sid, userId = '', at } = each;
    const stay = ledger.stays.find((one) => one.sid === sid);
    const person = personOf(userId);
    if (each.event !== event || !isFollowed(each) || !stay || !person) return [];
    if (person.part === 'guest') return [];
    const story = stories.find(({ meetingId }) => meetingId === stay.meetingId);
    const mayBeKeptOut = ledger
      .of('remove')
      .some(
        ({ clubId, userId: removed, allowRejoin, overAt, sentAt }) =>
          clubId === stay.clubId &&
          removed === userId &&
          !allowRejoin &&
          sentAt <= (story?.endedAt ?? 0) &&
          overAt >= Date.parse(story?.record?.startedAt ?? ''),
      );
    return mayBeKeptOut ? [] : [{ clubId: stay.clubId, meetingId: stay.meetingId, sid, at }];
  });
}

const isFollowed = ({ results }: Told): boolean =>
  results.includes('followed') || results.includes('zombie-deleted');

const saysThatNoneIsOn = ({ answer }: Entry): boolean =>
  answer?.body.code === 'MEETING_NOT_ACTIVE' ||
  (answer?.status === 200 && 'state' in answer.body && answer.body.state === 'idle');

const told = ({ route, by, sentAt, answeredAt }: Entry): string =>
  `(${route} by ${by}, ${instant(sentAt)} to ${instant(answeredAt)})`;

const instant = (ms: number): string => (Number.isFinite(ms) ? new Date(ms).toISOString() : 'ever');

function differs(seen: unknown, expected: unknown): string | undefined {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(expected)];
  return a === b ? undefined : `${a}, not ${b}`;
}
