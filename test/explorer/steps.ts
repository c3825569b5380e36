/** Calls of the store and of LiveKit as steps of a stage. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { MediaServer } from '../../lib/meetings/media.ts';
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

const queried = ({ ExpressionAttributeValues: values = {} }: Request): string =>
  textOf({ pk: String(values[':pk']), sk: `${values[':prefix'] ?? ''}*` });

/** What a call to LiveKit touches; absent: nothing that another call could change. */
const TOUCHES: Partial<
  Record<keyof MediaServer, (room: string) => Pick<Call, 'reads' | 'writes'>>
> = {
  createRoom: (room) => ({ reads: [], writes: [room, 'events'] }),
  deleteRoom: (room) => ({ reads: [], writes: [room, 'events'] }),
  removeParticipant: (room) => ({ reads: [], writes: [room, 'events'] }),
  getRoom: (room) => ({ reads: [room], writes: [] }),
  getParticipants: (room) => ({ reads: [room], writes: [] }),
  getRoomStatus: (room) => ({ reads: [room], writes: [] }),
  listRooms: () => ({ reads: ['reading-club-*'], writes: [] }),
};

export const gateMedia = (media: MediaServer, gate: Gate): MediaServer =>
  new Proxy(media, {
    get(target, name: keyof MediaServer) {
      const method = target[name] as (...parts: unknown[]) => Promise<unknown>;
      const touches = TOUCHES[name];
      if (!touches) return method;
      return (...parts: unknown[]) => {
        const said = parts.filter((part) => typeof part === 'string');
        const label = [name, ...said].join(' ');
        return gate({ label, ...touches(said[0] ?? '') }, () => method(...parts));
      };
    },
  });
