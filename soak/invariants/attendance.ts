import type { Session } from '../../lib/meetings/model.ts';
import type { Outcome } from '../outcome.ts';
import { type Case, differs, each, instant, isFollowed, type Promised } from './invariant.ts';

/** Who was there, and for how long. */
export const ATTENDANCE: Promised[] = [
  each(
    'Every session is a real stay of that person, with its times',
    ({ outcome }) => sessionsOf(outcome),
    (session, { history, events, personOf }) => {
      const { participantSid: sid, userId, meetingId, joinedAt, leftAt, displayName } = session;
      const { isEstimated = false } = session;
      const stay = history.stays.find((each) => each.sid === sid);
      if (!stay || stay.userId !== userId || stay.meetingId !== meetingId) {
        return `${JSON.stringify(session)}, but there was no such stay`;
      }
      const joined = Date.parse(joinedAt);
      if (joined < stay.from || joined > stay.to) {
        return `${sid} joined at ${joinedAt}, not from ${instant(stay.from)} to ${instant(stay.to)}`;
      }
      const departure = events.find(
        (each) => each.event === 'participant_left' && each.sid === sid && each.results.length > 0,
      );
      if (leftAt !== undefined && !isEstimated && leftAt !== departure?.at) {
        return `${sid} left at ${leftAt}, but LiveKit reported ${departure?.at}`;
      }
      if (leftAt !== undefined && leftAt < joinedAt) return `${sid} left before it joined`;
      const name = personOf(userId)?.displayName ?? null;
      return displayName === name || displayName === null
        ? undefined
        : `${sid} is called ${displayName}, not ${name}`;
    },
  ),
  each(
    'Every join that LiveKit reported is in the attendance',
    (run) => followedEvents(run, 'participant_joined'),
    ({ sid, meetingId }, { outcome }) =>
      sessionsOf(outcome).some((session) => session.participantSid === sid)
        ? undefined
        : `${sid} was in ${meetingId}`,
  ),
  each(
    'Every departure that LiveKit reported is in the attendance, to the second',
    (run) => followedEvents(run, 'participant_left'),
    ({ sid, at }, { outcome }) => {
      const session = sessionsOf(outcome).find(({ participantSid }) => participantSid === sid);
      return session?.leftAt === at && !session.isEstimated
        ? undefined
        : `${sid} left at ${at}: ${JSON.stringify(session)}`;
    },
  ),
  each(
    'The details of a meeting list everybody in its attendance, within its time',
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
        ({ lastLeftAt, secondsPresent, stays }) =>
          lastLeftAt > meeting.endedAt ||
          secondsPresent > meeting.durationSeconds + 1 ||
          stays.some(({ joinedAt, leftAt }) => joinedAt > leftAt || leftAt > lastLeftAt),
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
    'No event of our meetings is ignored as another application’s',
    ({ events }) => events.map((event) => ({ clubId: event.roomName, ...event })),
    ({ event, roomName, results }) =>
      results.includes('ignored') ? `${event} of ${roomName}` : undefined,
  ),
];

const sessionsOf = ({ records }: Outcome): (Session & { clubId: string; meetingId: string })[] =>
  [...records].flatMap(([clubId, { sessions }]) =>
    sessions.map((session) => ({ clubId, ...session })),
  );

/** Events that the API followed, of people who were certainly members and never removed. */
function followedEvents({ events, history, personOf, stories }: Case, event: string) {
  return events.flatMap((each) => {
    const { sid, userId = '', at } = each;
    const stay = history.stays.find((one) => one.sid === sid);
    const person = personOf(userId);
    if (each.event !== event || !isFollowed(each) || !stay || !person) return [];
    if (person.part === 'guest') return [];
    const story = stories.find(({ meetingId }) => meetingId === stay.meetingId);
    const mayBeKeptOut = history
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
