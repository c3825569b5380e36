/** Calls of the store and of LiveKit as steps of a stage. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { MediaServer } from '../../lib/meetings/media.ts';
import type { Call, Gate } from './stage.ts';

/** What a request to DynamoDB says of the items that it is about; which parts depend on the operation. */
interface Request {
  Key?: Key;
  Item?: Key;
  IndexName?: string;
  RequestItems?: Record<string, { Keys: Key[] } | { DeleteRequest?: { Key: Key } }[]>;
  ExpressionAttributeValues?: Record<string, unknown>;
}
interface Key {
  pk: string;
  sk: string;
}

/** Each request is a step, its attempts included. */
export function gateTable(documents: DynamoDBDocumentClient, gate: Gate): void {
  documents.middlewareStack.add(
    (next, context) => (args) => {
      const call = callOf(String(context['commandName']), args.input as Request);
      return call ? gate(call, () => next(args)) : next(args);
    },
    { step: 'initialize' },
  );
}

const textOf = ({ pk, sk }: Key): string => `${pk.replace(/^CLUB#/, '')}/${sk}`;

/**
 * Undefined for what is no step of its own: an index is read once, and lags, so it does not matter
 * when.
 */
function callOf(command: string, request: Request): Call | undefined {
  if (request.IndexName) return undefined;
  const operation = command.replace(/Command$/, '');
  const keys = keysOf(request);
  const isRead = ['GetItem', 'BatchGetItem', 'Query'].includes(operation);
  return {
    label: `${operation} ${keys.join(', ')}`,
    reads: isRead ? keys : [],
    writes: isRead ? [] : keys,
  };
}

function keysOf({ Key, Item, RequestItems, ExpressionAttributeValues: values = {} }: Request) {
  if (Key) return [textOf(Key)];
  if (Item) return [textOf(Item)];
  if (!RequestItems) {
    return [textOf({ pk: String(values[':pk']), sk: `${values[':prefix'] ?? ''}*` })];
  }
  const [batch = []] = Object.values(RequestItems);
  if ('Keys' in batch) return batch.Keys.map(textOf);
  return batch.flatMap(({ DeleteRequest }) => (DeleteRequest ? [textOf(DeleteRequest.Key)] : []));
}

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
