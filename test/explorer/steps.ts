/** Calls of the store and of LiveKit as steps of a stage. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { MediaServer } from '../../lib/meetings/media.ts';
import type { FileStore, Recorder } from '../../lib/meetings/recording/ports.ts';
import { type Engine, isRead, type Key, keysOf, type Request } from './engine.ts';
import type { Call, Gate } from './stage.ts';

/** The table's client, each of whose requests is a step, its attempts included. */
export const gateTable = (
  { send }: Pick<Engine, 'send'>,
  { gate, tears = { left: 0 } }: { gate?: Gate; tears?: { left: number } } = {},
): DynamoDBDocumentClient => {
  const client = {
    send({ input, constructor: { name } }: { input: Request; constructor: { name: string } }) {
      const operation = OPERATIONS[name] ?? name;
      const call = callOf(operation, input);
      const isTorn = operation === 'BatchGetItem' && keysOf(input).length > 1 && tears.left > 0;
      if (isTorn) tears.left -= 1;
      const make = async () => {
        const answer = await send(operation, input);
        return isTorn ? withoutClub(answer) : answer;
      };
      return call && gate ? gate(call, make) : make();
    },
  };
  return client as unknown as DynamoDBDocumentClient;
};

/** DynamoDB may answer in part, and say what it left out. */
function withoutClub({ Responses = {} }: BatchAnswer): BatchAnswer {
  const [[table = '', items = []] = []] = Object.entries(Responses);
  const isClub = ({ sk }: Key) => sk === 'CLUB';
  const Keys = items.filter(isClub).map(({ pk, sk }) => ({ pk, sk }));
  return {
    Responses: { [table]: items.filter((item) => !isClub(item)) },
    UnprocessedKeys: Keys.length > 0 ? { [table]: { Keys } } : {},
  };
}
interface BatchAnswer {
  Responses?: Record<string, Key[]>;
  UnprocessedKeys?: Record<string, { Keys: Key[] }>;
}

const OPERATIONS: Record<string, string> = {
  GetCommand: 'GetItem',
  PutCommand: 'PutItem',
  UpdateCommand: 'UpdateItem',
  DeleteCommand: 'DeleteItem',
  QueryCommand: 'Query',
  BatchGetCommand: 'BatchGetItem',
  BatchWriteCommand: 'BatchWriteItem',
};

const textOf = ({ pk, sk }: Key): string => `${pk.replace(/^CLUB#/, '')}/${sk}`;

/**
 * Undefined for what is no step of its own: an index is read once, and lags, so it does not matter
 * when.
 */
function callOf(operation: string, request: Request): Call | undefined {
  if (request.IndexName) return undefined;
  const keys = operation === 'Query' ? [queried(request)] : keysOf(request).map(textOf);
  return {
    label: `${operation} ${keys.join(', ')}`,
    reads: isRead(operation) ? keys : [],
    writes: isRead(operation) ? [] : keys,
  };
}

/** Whatever begins so; of a range, what its ends have in common. */
const queried = ({ ExpressionAttributeValues: values = {} }: Request): string => {
  const [from, to] = [values[':prefix'] ?? values[':from'], values[':prefix'] ?? values[':to']];
  return textOf({
    pk: String(values[':pk']),
    sk: `${commonStart(`${from ?? ''}`, `${to ?? ''}`)}*`,
  });
};

function commonStart(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return one.slice(0, length);
}

type Touches = (about: string) => Pick<Call, 'reads' | 'writes'>;
/** Those of one port that touch anything that another call could change. */
type Touching<P> = Partial<Record<keyof P, Touches>>;

const MEDIA: Touching<MediaServer> = {
  createRoom: (room) => ({ reads: [], writes: [room, 'events'] }),
  deleteRoom: (room) => ({ reads: [], writes: [room, 'events', 'recorders'] }),
  removeParticipant: (room) => ({ reads: [], writes: [room, 'events'] }),
  getRoom: (room) => ({ reads: [room], writes: [] }),
  getParticipants: (room) => ({ reads: [room, 'recorders'], writes: [] }),
  getRoomStatus: (room) => ({ reads: [room], writes: [] }),
  listRooms: () => ({ reads: ['reading-club-*'], writes: [] }),
};

const RECORDER: Touching<Recorder> = {
  start: (room) => ({ reads: [room], writes: ['recorders', 'events'] }),
  stop: () => ({ reads: [], writes: ['recorders', 'events'] }),
  listActive: () => ({ reads: ['recorders'], writes: [] }),
  listOf: () => ({ reads: ['recorders'], writes: [] }),
};

const FILES: Touching<FileStore> = {
  find: () => ({ reads: ['files'], writes: [] }),
  remove: () => ({ reads: [], writes: ['files'] }),
};

export const gateMedia = (media: MediaServer, gate: Gate) => gated(media, MEDIA, gate);
export const gateRecorder = (recorder: Recorder, gate: Gate) => gated(recorder, RECORDER, gate);
export const gateFiles = (files: FileStore, gate: Gate) => gated(files, FILES, gate);

const gated = <P extends object>(port: P, touching: Touching<P>, gate: Gate): P =>
  new Proxy(port, {
    get(target, property) {
      const name = property as keyof P & string;
      const method = target[name] as (...parts: unknown[]) => Promise<unknown>;
      const touches = touching[name];
      if (!touches) return method;
      return (...parts: unknown[]) => {
        const said = parts.flatMap(saidIn);
        const label = [name, ...said].join(' ');
        return gate({ label, ...touches(said[0] ?? '') }, () => method(...parts));
      };
    },
  });

const saidIn = (part: unknown): string[] => {
  if (typeof part === 'string') return [part];
  return hasRoom(part) ? [part.roomName] : [];
};
const hasRoom = (part: unknown): part is { roomName: string } =>
  typeof part === 'object' && part !== null && 'roomName' in part;
