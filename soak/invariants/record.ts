import type { EndedMeeting } from '../../lib/meetings/model.ts';
import { type Entry, granted } from '../history.ts';
import {
  type Case,
  clubsOf,
  differs,
  each,
  instant,
  type Promised,
  requestOf,
} from './invariant.ts';

/** The longest that a request goes on in a function, and so between reading a club and writing it. */
const REQUEST_MS = 12_000;
/** A webhook is tried again for so long. */
const WEBHOOK_MS = 15_000;

const guestOf = ({ clubs }: Case, clubId: string): string | undefined =>
  clubs.find((club) => club.clubId === clubId)?.people.guest.userId;

/** The record of meetings, compared with the answers about them. */
export const RECORD: Promised[] = [
  each(
    'Every item of the table is one of the service, and can be read',
    ({ outcome }) => outcome.items.map((item) => ({ clubId: '', ...item })),
    ({ key, mistake }) => mistake && `${key}: ${mistake}`,
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
    'The change of a member that was made last stands, in whatever order the commands came',
    (run) => clubsOf(run).map((club) => ({ ...club, guest: guestOf(run, club.clubId) })),
    ({ clubId, members, guest }, { history }) => {
      const changes = history.commands
        .filter((one) => one.command !== 'show' && one.clubId === clubId && one.userId === guest)
        .toSorted((a, b) => (a.occurredAt < b.occurredAt ? 1 : -1));
      const newest = changes.findIndex(({ isDone }) => isDone);
      // The outcome of the later ones is unknown.
      const possible = changes.slice(0, newest + 1).map(({ command }) => command === 'put-member');
      const isMember = members.some(({ userId }) => userId === guest);
      if (newest < 0 || possible.includes(isMember)) return undefined;
      return `${guest} is ${isMember ? 'a' : 'no'} member after ${JSON.stringify(changes[newest])}`;
    },
  ),
  each(
    'Every answer about a meeting agrees with the record',
    ({ sightings }) => sightings,
    ({ story, facts, isOver, entry }) => {
      const { record } = story;
      if (!record)
        return `${story.meetingId} is not in the record, but was answered ${requestOf(entry)}`;
      if (isOver && !record.endedAt)
        return `${story.meetingId} is on, but was answered as over ${requestOf(entry)}`;
      const differing = Object.entries(facts).filter(
        ([name, value]) => record[name as keyof EndedMeeting] !== value,
      );
      return differing.length === 0
        ? undefined
        : `${JSON.stringify(Object.fromEntries(differing))}, but the record is ${JSON.stringify(record)}; answered ${requestOf(entry)}`;
    },
  ),
  each(
    'Every meeting was started by a moderator who asked for it at that moment',
    ({ stories }) => stories,
    ({ clubId, meetingId, record }, { history }) => {
      if (!record) return undefined; // said above
      const startedAt = Date.parse(record.startedAt);
      const started = history.of('start').some(
        ({ clubId: club, sentAt, overAt, answer }) =>
          club === clubId &&
          sentAt <= startedAt &&
          startedAt <= overAt &&
          (answer?.status !== 200 ||
            (answer.body.meetingId === meetingId && !answer.body.alreadyActive) ||
            // The answer of its claim was lost, and when it looked, the next meeting was on.
            (record.endedAt !== undefined && answer.body.startedAt >= record.endedAt)),
      );
      return started ? undefined : `no request started ${meetingId} at ${record.startedAt}`;
    },
  ),
  each(
    'At most one start says that it set a meeting',
    ({ stories }) => stories,
    ({ meetingId }, { history }) => {
      const own = granted(history.of('start')).filter(
        ({ body }) => body.meetingId === meetingId && !body.alreadyActive,
      );
      return own.length < 2 ? undefined : own.map(requestOf).join(' and ');
    },
  ),
  each(
    'A start answers that its meeting has just ended only while one is being ended',
    ({ history }) =>
      history.of('start').filter(({ answer }) => answer?.body.code === 'MEETING_NOT_ACTIVE'),
    (entry, { stories, history }) => {
      const asked = history
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
      return asked || happened ? undefined : requestOf(entry);
    },
  ),
  each(
    'After an answer that a meeting is over, no answer says that it is on',
    ({ sightings }) => sightings.filter(({ isOver }) => !isOver),
    ({ story, entry }) =>
      entry.sentAt > story.seenOver
        ? `${story.meetingId} was over by ${instant(story.seenOver)}; on ${requestOf(entry)}`
        : undefined,
  ),
  each(
    'While a meeting is on, no answer says that none is',
    ({ history }) => history.all().filter(saysThatNoneIsOn),
    (entry, { stories }) => {
      const on = stories.find(
        ({ clubId, seenOn, endedAt, meetingId }) =>
          clubId === entry.clubId &&
          seenOn <= entry.sentAt &&
          entry.answeredAt <= endedAt &&
          (entry.meetingId === undefined || entry.meetingId === meetingId),
      );
      return on && `${on.meetingId} was on from ${instant(on.seenOn)}; none ${requestOf(entry)}`;
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
    ({ clubId, meetingId, record, endedAt }, { history, limits, events }) => {
      if (!record?.endedAt) return undefined;
      const { endedBy, reason, durationSeconds = 0 } = record;
      switch (reason) {
        case 'moderator': {
          const asked = history
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
    'The history lists every ended meeting once, newest first, with the facts of the record',
    (run) => clubsOf(run),
    ({ clubId, club, rows }, { outcome }) => {
      const over = new Map(rows.map((row) => [row.meetingId, row]));
      if (club.lastMeeting) over.set(club.lastMeeting.meetingId, club.lastMeeting);
      const expected = [...over.values()].toSorted((a, b) => (a.meetingId < b.meetingId ? 1 : -1));
      const { listed = [], details = [] } = outcome.answers.get(clubId) ?? {};
      const detailed = details.map(
        ({ meeting: { peopleCount: _, guestCount: __, ...meeting } }) => meeting,
      );
      return differs(listed, expected) ?? differs(detailed, expected);
    },
  ),
  each(
    'The cleanup runs until it finds nothing to do',
    ({ outcome }) => [{ clubId: '', ...outcome.cleanups }],
    ({ isAtRest, runs }) => (isAtRest ? undefined : `run ${runs} still found something to do`),
  ),
  each(
    'After the last cleanup no meeting is on that had to be ended',
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

const saysThatNoneIsOn = ({ answer }: Entry): boolean =>
  answer?.body.code === 'MEETING_NOT_ACTIVE' ||
  (answer?.status === 200 && 'state' in answer.body && answer.body.state === 'idle');
