/** A table with one club in it, rooms, and threads of the service: the same again for each run. */
import { BatchWriteCommand, type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { ulid } from 'ulid';
import { tableOn } from '../../lib/dynamodb/table.ts';
import { documentClient } from '../../local/dynamodb.ts';
import { createRooms, type Rooms } from '../model/rooms.ts';
import { type Service, serviceOn } from '../model/service.ts';
import { startEngine } from './engine.ts';
import { createStage, type Gate, type Stage } from './stage.ts';
import { gateMedia, gateTable } from './steps.ts';

const TableName = 'reading-club-meetings';

export type Item = Record<string, unknown>;

/** Everything that a run begins with. */
export interface Scene {
  items: Item[];
  rooms: Rooms['state'];
  tokens: JoinToken[];
  clock: number;
  /** The name of each meeting that there was, by its id. */
  meetings: ReadonlyMap<string, string>;
}

export const THREADS = ['A', 'B', 'C'] as const;
export type Thread = (typeof THREADS)[number];

/** One of those who act at the same time. */
export interface Actor {
  service: Service;
  rooms: Rooms;
  /** For what happens outside of the service. */
  step: Gate;
  /** The join tokens that anybody was given, the newest last. */
  tokens: JoinToken[];
}

interface JoinToken {
  roomName: string;
  identity: string;
}

export interface World {
  tokens: JoinToken[];
  actors: Record<Thread, Actor>;
  /** Not part of any thread: its calls wait for nobody. */
  observer: Actor;
  wait(ms: number): void;
  /** The scene as it is by now. */
  state(): Promise<Scene>;
}

const NOTHING: Scene = {
  items: [],
  rooms: createRooms(() => new Date()).state,
  tokens: [],
  clock: Date.parse('2026-11-01T18:00:00.000Z'),
  meetings: new Map(),
};

/** A moderator's token cannot be taken back, so that what was granted has to be known. */
const GRANTS = { ttlSeconds: 600, moderatorGrants: 'full' as const };

/** Nothing is behind it: requests do not go that far. */
const NO_ENDPOINT = 'http://127.0.0.1:9';

export type Theatre = Awaited<ReturnType<typeof openTheatre>>;

export async function openTheatre() {
  const stage: Stage = createStage();
  const engine = await startEngine(TableName);
  const clientOf = (gate?: Gate): DynamoDBDocumentClient => {
    const client = documentClient(NO_ENDPOINT);
    if (gate) gateTable(client, gate);
    engine.serve(client);
    return client;
  };
  const bystander = clientOf();
  const tables = new Map(
    THREADS.map((thread) => [thread, tableOn(clientOf(stage.gateOf(thread)), TableName)]),
  );
  const observers = tableOn(bystander, TableName);

  async function allItems(): Promise<Item[]> {
    const { Items = [] } = await bystander.send(
      new ScanCommand({ TableName, ConsistentRead: true }),
    );
    return Items;
  }

  async function replaceItems(items: Item[]): Promise<void> {
    const keyOf = ({ pk, sk }: Item) => ({ pk, sk });
    const textOf = ({ pk, sk }: Item) => `${pk} ${sk}`;
    const wanted = new Set(items.map(textOf));
    const requests = [
      ...items.map((Item) => ({ PutRequest: { Item } })),
      ...(await allItems())
        .filter((item) => !wanted.has(textOf(item)))
        .map((item) => ({ DeleteRequest: { Key: keyOf(item) } })),
    ];
    if (requests.length === 0) return;
    await bystander.send(new BatchWriteCommand({ RequestItems: { [TableName]: requests } }));
  }

  async function open(scene: Scene = NOTHING): Promise<World> {
    await replaceItems(scene.items);
    let clock = scene.clock;
    const now = () => new Date(++clock);
    const rooms = createRooms(now, scene.rooms);
    const meetings = new Map(scene.meetings);
    const tokens = [...scene.tokens];

    const actorOf = (name: string, table = observers, step: Gate = (_, make) => make()): Actor => {
      const newMeetingId = (startedAt: Date) => {
        const meetingId = ulid(startedAt.getTime());
        const number = [...meetings.values()].filter((one) => one.startsWith(name)).length + 1;
        meetings.set(meetingId, `${name}${number}`);
        return meetingId;
      };
      const service = serviceOn({ table, rooms, now, newMeetingId });
      return {
        service: { ...service, tokens: GRANTS, media: gateMedia(rooms.media, step) },
        rooms,
        step,
        tokens,
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
      state: async () => ({
        items: await allItems(),
        rooms: structuredClone(rooms.state),
        tokens: [...tokens],
        clock,
        meetings: new Map(meetings),
      }),
    };
  }

  return { stage, open };
}
