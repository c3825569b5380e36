import { granted } from '../history.ts';
import {
  clubsOf,
  differs,
  each,
  isDone,
  isFollowed,
  type Promised,
  requestOf,
} from './invariant.ts';

/** LiveKit's rooms, the people in them, and what the record says of both. */
export const ROOMS: Promised[] = [
  each(
    'Every room is the room of a meeting that is on',
    ({ outcome }) => outcome.rooms.map((room) => ({ clubId: room.name, ...room })),
    ({ name }, { outcome }) =>
      [...outcome.records.values()].some(({ club }) => club.meeting?.roomName === name)
        ? undefined
        : `${name} is still there`,
  ),
  each(
    'A successful end disconnects every participant',
    ({ history }) => granted(history.of('end')).filter(({ body }) => body.success),
    (entry, { events }) => {
      const { roomName, endedAt } = entry.body;
      const stayed = events.find(
        (each) =>
          each.event === 'participant_left' &&
          each.roomName === roomName &&
          (each.joinedAt ?? endedAt) < endedAt &&
          Date.parse(each.at) - 999 > entry.answeredAt,
      );
      return (
        stayed && `${stayed.sid} was in ${roomName} until ${stayed.at}; ended ${requestOf(entry)}`
      );
    },
  ),
  each(
    'No barred person is in the meeting',
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
    'The recorded presence and the participants of the room are the same, except where an event was lost',
    (run) => clubsOf(run).filter(({ club }) => club.presence !== undefined),
    ({ club, inRoom, room }, { events }) => {
      const there = new Set(inRoom.map(({ sid }) => sid));
      const present = club.presentSids ?? new Set<string>();
      const wasFollowed = (event: string, sid: string) =>
        events.some((each) => each.event === event && each.sid === sid && isFollowed(each));
      /** Half of it may have been done, and never the rest. */
      const wasBrokenOff = (sid: string) =>
        events.some((each) => each.sid === sid && each.results.some((result) => !isDone(result)));
      const ghosts = [...present].filter((sid) => !there.has(sid));
      const unseen = [...there].filter((sid) => !present.has(sid));
      const wrong = [
        ...ghosts.filter((sid) => wasFollowed('participant_left', sid) && !wasBrokenOff(sid)),
        ...unseen.filter((sid) => wasFollowed('participant_joined', sid)),
      ];
      if (ghosts.length === unseen.length && wrong.length === 0) return undefined;
      return `${[...present].join()} in the record, ${[...there].join()} in ${room?.name}`;
    },
  ),
  each(
    'The open sessions are those of the people whom the record has as present',
    (run) => clubsOf(run).filter(({ club }) => club.presence?.isFinished === false),
    ({ club, sessions }) => {
      const open = sessions.filter(
        ({ meetingId, roomSid, leftAt }) =>
          meetingId === club.meeting?.meetingId &&
          roomSid === club.presence?.roomSid &&
          leftAt === undefined,
      );
      return differs(
        open.map(({ participantSid }) => participantSid).toSorted(),
        [...(club.presentSids ?? [])].toSorted(),
      );
    },
  ),
  each(
    'A meeting is vacant when its room has no person, and only then',
    (run) => clubsOf(run).filter(({ club }) => club.meeting !== undefined),
    ({ club, inRoom }) =>
      (club.meeting?.vacantSince === undefined) === inRoom.length > 0
        ? undefined
        : `vacant since ${club.meeting?.vacantSince}, with ${inRoom.length} people`,
  ),
];
