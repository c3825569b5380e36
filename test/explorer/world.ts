/** A table with one club in it, rooms, and threads of the service: the same again for each run. */
import { ulid } from 'ulid';
import { tableOn } from '../../lib/dynamodb/table.ts';
import { parseFileKey, type RecordingRef } from '../../lib/meetings/recording/model.ts';
import { createRooms, type Rooms } from '../model/rooms.ts';
import { type Service, serviceOn } from '../model/service.ts';
import { type Item, startEngine } from './engine.ts';
import { createStage, type Gate, type Stage } from './stage.ts';
import { gateFiles, gateMedia, gateRecorder, gateTable } from './steps.ts';

const TableName = 'reading-club-meetings';

export type { Item };

/** Everything that a run begins with. */
export interface Scene {
  items: Item[];
  rooms: Rooms['state'];
  tokens: JoinToken[];
  clock: number;
  /** The name of each meeting and recording that there was, by its id. */
  meetings: ReadonlyMap<string, string>;
  /** Of the clubs that there were. */
  generations: ReadonlySet<unknown>;
}

export const THREADS = ['A', 'B', 'C'] as const;
export type Thread = (typeof THREADS)[number];

/** One of those who act at the same time. */
export interface Actor {
  service: Service;
  rooms: Rooms;
  /** For what happens outside of the service. */
  step: Gate;
  /** DynamoDB leaves the club unprocessed in the next answer with several items. */
  tearNextRead(): void;
  /** Every join token that an answer gave, the newest last. */
  tokens: JoinToken[];
  /** The recording that the scene begins with: the newest. */
  recorded: RecordingRef | undefined;
}

interface JoinToken {
  roomName: string;
  identity: string;
  isModerator: boolean;
}

export interface World {
  tokens: JoinToken[];
  actors: Record<Thread, Actor>;
  /** Not part of any thread: its calls do not wait. */
  observer: Actor;
  wait(ms: number): void;
  clock(): number;
  /** The scene as it is by now. */
  state(): Scene;
}

const NOTHING: Scene = {
  items: [],
  rooms: createRooms(() => new Date()).state,
  tokens: [],
  clock: Date.parse('2026-11-01T18:00:00.000Z'),
  meetings: new Map(),
  generations: new Set(),
};

/** A moderator's token cannot be taken back, so that what was granted has to be known. */
const GRANTS = { ttlSeconds: 600, moderatorGrants: 'full' as const };

export type Theatre = Awaited<ReturnType<typeof openTheatre>>;

export async function openTheatre() {
  const stage: Stage = createStage();
  const engine = await startEngine(TableName);
  const tables = new Map(
    THREADS.map((thread) => {
      const tears = { left: 0 };
      const client = gateTable(engine, { gate: stage.gateOf(thread), tears });
      return [thread, { table: tableOn(client, TableName), tears }];
    }),
  );
  const observers = { table: tableOn(gateTable(engine), TableName), tears: { left: 0 } };

  async function open(scene: Scene = NOTHING): Promise<World> {
    await engine.replace(scene.items);
    let clock = scene.clock;
    const now = () => new Date(++clock);
    const rooms = createRooms(now, scene.rooms);
    const meetings = new Map(scene.meetings);
    const tokens = [...scene.tokens];
    const [recorded] = [...scene.rooms.recordings.egresses.values()]
      .flatMap(({ key, roomName }) => parseFileKey(key, roomName) ?? [])
      .toReversed();

    const actorOf = (
      name: string,
      { table, tears } = observers,
      step: Gate = (_, make) => make(),
    ): Actor => {
      tears.left = 0;
      const newMeetingId = (startedAt: Date) => {
        const meetingId = ulid(startedAt.getTime());
        // A start that has to decide anew makes up another one, and only the last is ever on.
        const number = THREADS.includes(name as Thread) ? '' : meetings.size + 1;
        meetings.set(meetingId, `${name}${number}`);
        return meetingId;
      };
      const newRecordingId = (requestedAt: Date) => {
        const recordingId = ulid(requestedAt.getTime());
        meetings.set(recordingId, `recording ${name}`);
        return recordingId;
      };
      const service = serviceOn({ table, rooms, now, newMeetingId, newRecordingId });
      return {
        service: {
          ...service,
          tokens: GRANTS,
          media: gateMedia(rooms.media, step),
          recorder: gateRecorder(service.recorder, step),
          files: gateFiles(service.files, step),
        },
        rooms,
        step,
        tearNextRead() {
          tears.left = 1;
        },
        tokens,
        recorded,
      };
    };
    const ofThread = (thread: Thread) => actorOf(thread, tables.get(thread), stage.gateOf(thread));
    return {
      actors: { A: ofThread('A'), B: ofThread('B'), C: ofThread('C') },
      observer: actorOf('M'),
      tokens,
      wait(ms) {
        clock += ms;
      },
      clock: () => clock,
      state: () => ({
        // Without the notes of what the cleanup removes once more.
        items: engine.items().filter(({ pk }) => String(pk).startsWith('CLUB#')),
        rooms: structuredClone(rooms.state),
        tokens: [...tokens],
        clock,
        meetings: new Map(meetings),
        generations: scene.generations,
      }),
    };
  }

  return { stage, open };
}
