/** What holds whatever happened at the same time: docs/decisions.md, one sentence each. */
import { findClubIn } from '../../lib/dynamodb/clubs.ts';
import { attendanceOf } from '../../lib/meetings/attendance.ts';
import {
  type Club,
  EndedMeeting,
  isBarred,
  Member,
  MemberRecord,
  RoomLife,
  Session,
} from '../../lib/meetings/model.ts';
import {
  fileKeyOf,
  isOpen,
  parseFileKey,
  Recording,
  RecordingState,
} from '../../lib/meetings/recording/model.ts';
import type { Managing, Outcome } from '../model/calls.ts';
import { isAlive } from '../model/recorder.ts';
import { CLUB, type Operation } from './stories.ts';
import type { Item, Scene } from './world.ts';

/** The run's end, or its first moment at rest. */
export interface Seen {
  operations: Operation[];
  answers: unknown[];
  scene: Scene;
}

interface Promise_ {
  promise: string;
  /** What speaks against it. */
  broken(seen: Seen): unknown[];
}

const clubOf = ({ items }: Scene): Club | undefined => findClubIn(items).club;
const rowsOf = ({ items }: Scene, prefix: string): Item[] =>
  items.filter(({ sk }) => String(sk).startsWith(prefix));

const endedIn = (scene: Scene): EndedMeeting[] => {
  const { lastMeeting } = clubOf(scene) ?? {};
  const rows = rowsOf(scene, 'MEETING#').map((row) => EndedMeeting.parse(row));
  return [...(lastMeeting ? [lastMeeting] : []), ...rows];
};

const answersOf = ({ operations, answers }: Seen, does: string): NonNullable<Outcome['answer']>[] =>
  operations.flatMap((operation, index) => {
    const { answer } = (answers[index] ?? {}) as Outcome;
    return operation.does === does && answer ? [answer] : [];
  });
const isAmong = ({ operations }: Seen, ...kinds: string[]) =>
  operations.some(({ does }) => kinds.includes(does ?? ''));

/** What the notes consist of: docs/decisions.md, Data. */
const NOTE = ['pk', 'sk', 'removedAt', 'expiresAt', 'isEmptied'];
const MEETING_NOTE = [...NOTE, 'meetingId'];
const MEMBER_NOTE = [
  ...NOTE,
  ...['userId', 'generation', 'role'],
  ...['membershipAt', 'nameAt', 'roleAt', 'forgottenAt'],
];
const hasNothingBut = (item: Item, names: string[]): boolean =>
  item['removedAt'] !== undefined && Object.keys(item).every((name) => names.includes(name));

/** The notes of what they were granted went, too. */
const onceForgottenIn = (scene: Scene): string[] =>
  rowsOf(scene, 'MEMBER#')
    .map((row) => MemberRecord.parse(row))
    .filter(({ removedAt, forgottenAt }) => removedAt !== undefined && forgottenAt)
    .map(({ userId }) => userId);

/** An owner of the club came back. */
const forgottenIn = (scene: Scene): string[] =>
  onceForgottenIn(scene).filter((userId) => userId !== clubOf(scene)?.moderatorId);

/** Promises about the answers, checked as soon as every caller has one. */
export const ANSWERED: Promise_[] = [
  {
    promise: 'An end is final, and its answer is what is recorded',
    broken: (seen) =>
      isAmong(seen, 'remove-club')
        ? []
        : answersOf(seen, 'end').filter(({ meetingId, endedAt }) => {
            const ended = endedIn(seen.scene).filter((one) => one.meetingId === meetingId);
            return (
              ended.length === 0 ||
              ended.some((one) => one.endedAt !== endedAt) ||
              clubOf(seen.scene)?.meeting?.meetingId === meetingId
            );
          }),
  },
  {
    promise: 'A meeting that a start answered is on, or has ended',
    broken: (seen) =>
      isAmong(seen, 'remove-club')
        ? []
        : answersOf(seen, 'start').filter(
            ({ meetingId }) =>
              clubOf(seen.scene)?.meeting?.meetingId !== meetingId &&
              !endedIn(seen.scene).some((one) => one.meetingId === meetingId),
          ),
  },
  {
    promise: 'A meeting is on or has ended, and is never both',
    broken: ({ scene }) =>
      endedIn(scene).filter(({ meetingId }) => meetingId === clubOf(scene)?.meeting?.meetingId),
  },
  {
    promise: 'At most one recorder records a meeting',
    broken: ({ scene }) => scene.rooms.recordings.overlaps,
  },
  {
    promise: 'A claim is of the meeting that is on',
    broken: ({ scene }) => {
      const { meeting, recording } = clubOf(scene) ?? {};
      const others = rowsOf(scene, 'RECORDING#').filter(
        ({ meetingId }) => meetingId !== meeting?.meetingId,
      );
      return recording &&
        (!meeting || others.some((row) => row['recordingId'] === recording.recordingId))
        ? [recording]
        : [];
    },
  },
];

/** Also when LiveKit did not answer then. */
const isCarriedOut = (outcome: unknown): boolean => {
  const { answer, code } = (outcome ?? {}) as Outcome;
  return code === 'MEDIA_UNAVAILABLE' || (answer !== undefined && !('stale' in answer));
};

/** The newest of the commands that decide it: of several at one time, none. */
function newestOf(commands: Managing[], ...kinds: Managing['command'][]): Managing | undefined {
  const all = commands.filter(({ command }) => kinds.includes(command));
  if (all.some(({ occurredAt }) => occurredAt === undefined)) return undefined;
  return all.toSorted((a, b) => ((a.occurredAt ?? '') < (b.occurredAt ?? '') ? 1 : -1))[0];
}

/** Of what is left after everything that comes by itself. */
export const LEFT: Promise_[] = [
  {
    promise: 'Of the commands about a member, the one that occurred last stands',
    broken: ({ operations, scene }) => {
      const commands = operations.flatMap(({ command }) => command ?? []);
      const newest = newestOf(commands, 'put-member', 'remove-member', 'forget-user');
      if (
        !newest ||
        !('userId' in newest) ||
        commands.some(({ command }) => /club/.test(command))
      ) {
        return [];
      }
      const isThere = rowsOf(scene, `MEMBER#${newest.userId}`).some(
        ({ removedAt }) => removedAt === undefined,
      );
      return isThere === (newest.command === 'put-member') ? [] : [newest];
    },
  },
  {
    promise: 'A removed member is no member, whatever LiveKit answers',
    broken: (seen) =>
      isAmong(seen, 'put-member', 'put-club', 'remove-club')
        ? []
        : rowsOf(seen.scene, 'MEMBER#').filter(
            ({ removedAt, userId }) =>
              removedAt === undefined &&
              seen.operations.some(
                ({ command }, index) =>
                  command &&
                  ['remove-member', 'forget-user'].includes(command.command) &&
                  'userId' in command &&
                  command.userId === userId &&
                  isCarriedOut(seen.answers[index]),
              ),
          ),
  },
  {
    promise: 'A moderator who was removed from a meeting does not end it',
    broken: (seen) => {
      if (isAmong(seen, 'readmit', 'put-club', 'start')) return [];
      const { operations, answers, scene } = seen;
      const barred = operations.flatMap(({ removes }, index) =>
        removes && (answers[index] as Outcome | undefined)?.answer?.isBarred ? removes : [],
      );
      const ended = answersOf(seen, 'end').map(({ meetingId }) => meetingId);
      return endedIn(scene).filter(
        ({ meetingId, endedBy }) =>
          endedBy !== null && ended.includes(meetingId) && barred.includes(endedBy),
      );
    },
  },
  {
    promise: 'A meeting that a start answered goes on until a request ends it',
    broken: (seen) =>
      isAmong(seen, 'end', 'remove-club')
        ? []
        : answersOf(seen, 'start').filter(
            ({ meetingId }) => clubOf(seen.scene)?.meeting?.meetingId !== meetingId,
          ),
  },
  {
    promise: 'No room of an ended meeting survives the cleanup',
    broken: ({ scene }) => {
      const { meeting } = clubOf(scene) ?? {};
      return [...scene.rooms.rooms.keys()].filter((name) => name !== meeting?.roomName);
    },
  },
  {
    promise: 'Presence is who is in the room',
    broken: ({ scene }) => {
      const { meeting, presence, presentSids = new Set() } = clubOf(scene) ?? {};
      if (!presence || !meeting) return [...presentSids];
      const room = scene.rooms.rooms.get(meeting.roomName);
      const there = new Set([...(room?.people.values() ?? [])].map(({ sid }) => sid));
      const isRight =
        presence.isFinished === !room && there.symmetricDifference(presentSids).size === 0;
      return isRight ? [] : [{ presence, presentSids, there }];
    },
  },
  {
    promise: 'Attendance does not go on for a person who is known to have left',
    broken: ({ scene }) => {
      const { meeting } = clubOf(scene) ?? {};
      if (!meeting) return [];
      const { meetingId, roomName } = meeting;
      const there = scene.rooms.rooms.get(roomName)?.people;
      const sids = [...(there?.values() ?? [])].map(({ sid }) => sid);
      const sessions = rowsOf(scene, `ATTENDANCE#${meetingId}`).map((row) => Session.parse(row));
      const rooms = rowsOf(scene, `ROOM#${meetingId}`).map((row) => RoomLife.parse(row));
      // As if the meeting went on for a day. An event's time is the end of its second.
      const endedAt = new Date(scene.clock + 86_400_000).toISOString();
      const ended = { ...meeting, endedAt, durationSeconds: 0, endedBy: null } as const;
      const { attendance } = attendanceOf({ sessions, rooms }, { ...ended, reason: 'vacant' });
      const stays = attendance.flatMap((one) =>
        one.stays.map((stay) => ({ userId: one.userId, ...stay })),
      );
      return stays.filter(
        ({ userId, joinedAt, leftAt }) =>
          Date.parse(leftAt) >= scene.clock + 1000 &&
          !sessions.some(
            (session) =>
              session.userId === userId &&
              session.joinedAt === joinedAt &&
              sids.includes(session.participantSid),
          ),
      );
    },
  },
  {
    promise: 'A history row that the club says was put is there',
    broken: ({ scene }) => {
      const { recordedMeetingId, lastMeeting } = scene.items.find(({ sk }) => sk === 'CLUB') ?? {};
      const { meetingId } = clubOf(scene)?.lastMeeting ?? {};
      const isPut = rowsOf(scene, `MEETING#${meetingId}`).length > 0;
      return recordedMeetingId !== undefined && recordedMeetingId === meetingId && !isPut
        ? [lastMeeting]
        : [];
    },
  },
  {
    promise: 'The index has the clubs with a meeting on, and no other',
    broken: ({ scene }) =>
      rowsOf(scene, 'CLUB').filter(
        ({ activeShard, activeSince, meeting }) =>
          (activeShard !== undefined) !== (meeting !== undefined) ||
          (activeSince !== undefined) !== (meeting !== undefined),
      ),
  },
  {
    promise: 'A barred person is not in the room',
    broken: ({ scene }) => {
      const club = clubOf(scene);
      const people = scene.rooms.rooms.get(club?.meeting?.roomName ?? '')?.people;
      return club ? [...(people?.keys() ?? [])].filter((userId) => isBarred(club, userId)) : [];
    },
  },
  {
    promise: 'Of a club that was removed, nothing is left but the notes that it was',
    broken: ({ scene }) =>
      clubOf(scene)
        ? []
        : scene.items.filter(
            (item) =>
              item['pk'] === `CLUB#${CLUB}` &&
              !hasNothingBut(item, String(item['sk']).startsWith('REMOVED#') ? MEETING_NOTE : NOTE),
          ),
  },
  {
    promise: 'All that has a club’s generation is of the club that there is, and of no earlier one',
    broken: ({ scene }) =>
      ['MEMBER#', 'MEETING#', 'RECORDING#', 'CONSENT#']
        .flatMap((prefix) => rowsOf(scene, prefix))
        .filter(({ generation }) => generation !== clubOf(scene)?.generation),
  },
  {
    promise:
      'Every member belongs to the club by a whole item, and of who was removed there is a note',
    broken: ({ scene }) =>
      rowsOf(scene, 'MEMBER#').filter((row) =>
        row['removedAt'] === undefined
          ? !Member.safeParse(row).success || row['personId'] !== row['userId']
          : !MemberRecord.safeParse(row).success || !hasNothingBut(row, MEMBER_NOTE),
      ),
  },
  {
    promise: 'What a moderator was granted in the meeting that is on is noted',
    broken: ({ scene }) => {
      const { meeting } = clubOf(scene) ?? {};
      const noted = rowsOf(scene, 'GRANTS#').filter(
        (row) => row['meetingId'] === meeting?.meetingId,
      );
      return scene.tokens.filter(
        ({ identity, isModerator, roomName }) =>
          isModerator &&
          roomName === meeting?.roomName &&
          !onceForgottenIn(scene).includes(identity) &&
          !noted.some(({ userId }) => userId === identity),
      );
    },
  },
  {
    promise: 'Of who was forgotten, nothing is left but the note and the bar',
    broken: ({ scene }) => {
      const forgotten = forgottenIn(scene);
      return scene.items
        .filter(({ sk }) => !String(sk).startsWith('MEMBER#'))
        .map(({ barredUserIds: _, ...item }) => item)
        .filter((item) =>
          forgotten.some((userId) => JSON.stringify(item).includes(JSON.stringify(userId))),
        );
    },
  },
];

const recordingsOf = ({ rooms }: Scene) =>
  [...rooms.recordings.egresses.values()].map((egress) => ({
    ...egress,
    ...parseFileKey(egress.key, egress.roomName),
  }));

/** Of recordings, once two cleanups ran. */
export const CLAIMED: Promise_[] = [
  {
    promise: 'What is claimed is recorded, or its file is yet to come',
    broken: ({ scene }) => {
      const { recording } = clubOf(scene) ?? {};
      const egress = recordingsOf(scene).find(
        ({ recordingId }) => recordingId === recording?.recordingId,
      );
      const isListed = egress && (isAlive(egress) || egress.state === 'stopping');
      return recording && !isListed ? [recording] : [];
    },
  },
  {
    promise: 'What records is claimed by the meeting that is on',
    broken: ({ scene }) => {
      const { meeting, recording } = clubOf(scene) ?? {};
      return recordingsOf(scene).filter(
        (egress) =>
          isAlive(egress) &&
          (egress.meetingId !== meeting?.meetingId ||
            egress.recordingId !== recording?.recordingId),
      );
    },
  },
];

/** Of recordings of which nothing can come any more. */
export const SETTLED: Promise_[] = [
  ...CLAIMED,
  {
    promise: 'Every file is that of a complete recording, and every complete recording has one',
    broken: ({ scene }) => {
      const complete = rowsOf(scene, 'RECORDING#')
        .filter(({ state }) => state === 'completed')
        .map((row) => fileKeyOf({ clubId: CLUB, ...Recording.parse(row) }, Recording.parse(row)));
      return [...new Set(complete).symmetricDifference(scene.rooms.recordings.files)];
    },
  },
  {
    promise: 'A row is open, and looked after, while its recording is claimed, and no longer',
    broken: ({ scene }) => {
      const { recording } = clubOf(scene) ?? {};
      return rowsOf(scene, 'RECORDING#').filter(
        ({ recordingId, state, activeShard, isSettled }) => {
          const isClaimed = recordingId === recording?.recordingId;
          const open = isOpen(RecordingState.parse(state));
          return (
            open !== isClaimed || (activeShard !== undefined) !== isClaimed || open === isSettled
          );
        },
      );
    },
  },
];

export function brokenOf(promises: Promise_[], seen: Seen): string[] {
  return promises.flatMap(({ promise, broken }) =>
    broken(seen).map((against) => `${promise}: ${JSON.stringify(against)}`),
  );
}
