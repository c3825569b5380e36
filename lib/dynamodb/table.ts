import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  DynamoDBServiceException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  type BatchWriteCommandInput,
  type BatchWriteCommandOutput,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  type ScanCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { StoreUnavailable } from '../errors.ts';
import type { Timed } from '../meetings/ports.ts';

const ATTEMPTS = 3;
const ATTEMPT_TIMEOUT_MS = 1000;

/** For how long a batch that came back in part is sent again, and the first wait, which then doubles. */
const UNPROCESSED_BUDGET_MS = 3000;
const FIRST_PAUSE_MS = 50;

/** As many writes as one BatchWriteItem takes. */
const BATCH_WRITES = 25;

/**
 * Databases on this machine check no credentials, but the SDK signs with some. It refuses an endpoint where
 * the environment or ~/.aws/config want FIPS or dual stack of AWS.
 */
const LOCAL = {
  region: 'local',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  useFipsEndpoint: false,
  useDualstackEndpoint: false,
};

export interface TableOptions {
  tableName: string;
  /** A local database's; the region's own by default. */
  endpoint?: string | undefined;
  /** Other than what the environment says: for programs at a terminal. */
  account?: { region?: string; profile?: string } | undefined;
}

export interface Key {
  pk: string;
  sk: string;
}
export type Item = Record<string, unknown>;
export type Table = ReturnType<typeof tableOn>;

/** The service's table: {@link tableOn} with a client whose calls take bounded time. */
export function openTable({ tableName, endpoint, account }: TableOptions, timed?: Timed): Table {
  const documents = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      maxAttempts: ATTEMPTS,
      requestHandler: {
        connectionTimeout: ATTEMPT_TIMEOUT_MS,
        requestTimeout: ATTEMPT_TIMEOUT_MS,
        throwOnRequestTimeout: true,
        socketTimeout: ATTEMPT_TIMEOUT_MS,
      },
      ...account,
      ...(endpoint && { ...LOCAL, endpoint }),
    }),
    { marshallOptions: { removeUndefinedValues: true } },
  );
  return tableOn(documents, tableName, timed);
}

/**
 * The one table, with what every access to it shares: reads are consistent, and an outage is never an
 * answer. Each call throws `StoreUnavailable` when its outcome cannot be known.
 */
export function tableOn(
  documents: DynamoDBDocumentClient,
  TableName: string,
  timed: Timed = (call) => call(),
) {
  const answer = <T>(call: (options: SendOptions) => Promise<T>): Promise<T> =>
    timed((signal) => classifyOutages(call(signal ? { abortSignal: signal } : {})));

  /** What the write returns; undefined when its condition did not hold. */
  const resultUnlessRefused = async <T>(
    write: (options: SendOptions) => Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await answer(write);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  };
  const unlessRefused = async (
    write: (options: SendOptions) => Promise<object>,
  ): Promise<boolean> => (await resultUnlessRefused(write)) !== undefined;

  const batchGetPage = async (keys: Key[]): Promise<{ items: Item[]; unprocessed: Key[] }> => {
    const { Responses, UnprocessedKeys } = await answer((options) =>
      documents.send(
        new BatchGetCommand({
          RequestItems: { [TableName]: { Keys: keys, ConsistentRead: true } },
        }),
        options,
      ),
    );
    return {
      items: Responses?.[TableName] ?? [],
      unprocessed: (UnprocessedKeys?.[TableName]?.Keys ?? []) as Key[],
    };
  };

  return {
    async get(Key: Key): Promise<Item | undefined> {
      const { Item } = await answer((options) =>
        documents.send(new GetCommand({ TableName, Key, ConsistentRead: true }), options),
      );
      return Item;
    },

    /**
     * Items that have nothing to do with each other: at most 100 keys, in any order. An item is absent
     * only when no key is left unprocessed.
     */
    async batchGet(keys: Key[]): Promise<Item[]> {
      const items: Item[] = [];
      if (keys.length === 0) return items;
      let left = keys;
      await untilProcessed(async () => {
        const page = await batchGetPage(left);
        items.push(...page.items);
        left = page.unprocessed;
        return left.length === 0;
      });
      return items;
    },

    /**
     * A few items that one decision rests on, all from one answer. When DynamoDB leaves one of them
     * unprocessed, all are read again: an item that is seconds older than the others makes a state that
     * never was.
     */
    async getTogether(keys: Key[]): Promise<Item[]> {
      let items: Item[] = [];
      await untilProcessed(async () => {
        const page = await batchGetPage(keys);
        items = page.items;
        return page.unprocessed.length === 0;
      });
      return items;
    },

    /** Every page up to `limit` items. The table itself is read consistently; an index cannot be. */
    async query({ limit, ...input }: QueryRequest): Promise<Item[]> {
      const items: Item[] = [];
      let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'];
      do {
        const page = await answer((options) =>
          documents.send(
            new QueryCommand({
              TableName,
              ConsistentRead: input.IndexName === undefined,
              ...input,
              // What a filter leaves out counts as well.
              ...(limit && { Limit: input.FilterExpression ? limit : limit - items.length }),
              ...(ExclusiveStartKey && { ExclusiveStartKey }),
            }),
            options,
          ),
        );
        items.push(...(page.Items ?? []));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey && (!limit || items.length < limit));
      return limit ? items.slice(0, limit) : items;
    },

    /** One page of the whole table, in no order, and the key after which the next one begins. */
    async scanPage(input: ScanRequest, after: Key | undefined): Promise<ScannedPage> {
      const { Items = [], LastEvaluatedKey } = await answer((options) =>
        documents.send(
          new ScanCommand({
            TableName,
            ConsistentRead: true,
            ...input,
            ...(after && { ExclusiveStartKey: after }),
          }),
          options,
        ),
      );
      return { items: Items, next: LastEvaluatedKey as Key | undefined };
    },

    async put(Item: Key & Item): Promise<void> {
      await answer((options) => documents.send(new PutCommand({ TableName, Item }), options));
    },

    /** Whether the condition held, and so the item is there in place of any other of its key. */
    putIf: (Item: Key & Item, condition: Condition): Promise<boolean> =>
      unlessRefused((options) =>
        documents.send(new PutCommand({ TableName, Item, ...condition }), options),
      ),

    async remove(Key: Key): Promise<void> {
      await answer((options) => documents.send(new DeleteCommand({ TableName, Key }), options));
    },

    /** Whether the condition held, and so the item is gone; true also when there was none. */
    removeIf: (Key: Key, condition: Condition): Promise<boolean> =>
      unlessRefused((options) =>
        documents.send(new DeleteCommand({ TableName, Key, ...condition }), options),
      ),

    /** In any order; stops at the first batch that stays unprocessed. */
    async removeAll(keys: Key[]): Promise<void> {
      for (let start = 0; start < keys.length; start += BATCH_WRITES) {
        const batch = keys.slice(start, start + BATCH_WRITES);
        let request: BatchWriteCommandInput['RequestItems'] = {
          [TableName]: batch.map((Key) => ({ DeleteRequest: { Key } })),
        };
        await untilProcessed(async () => {
          const page: BatchWriteCommandOutput = await answer((options) =>
            documents.send(new BatchWriteCommand({ RequestItems: request }), options),
          );
          request = page.UnprocessedItems;
          return !request?.[TableName]?.length;
        });
      }
    },

    /** The item as it is after the update. */
    async update(Key: Key, input: Update): Promise<Item> {
      const { Attributes } = await answer((options) =>
        documents.send(
          new UpdateCommand({ TableName, Key, ReturnValues: 'ALL_NEW', ...input }),
          options,
        ),
      );
      return Attributes ?? {};
    },

    /** The item as it is after the update; undefined when the condition did not hold. */
    async updateIfReturning(Key: Key, input: Update & Condition): Promise<Item | undefined> {
      const output = await resultUnlessRefused((options) =>
        documents.send(
          new UpdateCommand({ TableName, Key, ReturnValues: 'ALL_NEW', ...input }),
          options,
        ),
      );
      return output && (output.Attributes ?? {});
    },

    /** Whether the condition held, and so the update was made. */
    updateIf: (Key: Key, input: Update & Condition): Promise<boolean> =>
      unlessRefused((options) =>
        documents.send(new UpdateCommand({ TableName, Key, ...input }), options),
      ),
  };
}

/**
 * DynamoDB may answer a batch in part, under load. Sends it again until nothing is left, with waits
 * that double, each shortened by up to a half at random, so that many processes do not come at once.
 */
async function untilProcessed(send: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + UNPROCESSED_BUDGET_MS;
  for (let pauseMs = FIRST_PAUSE_MS; !(await send()); pauseMs *= 2) {
    const jittered = pauseMs * (1 - Math.random() / 2);
    if (Date.now() + jittered > giveUpAt) {
      throw new StoreUnavailable({ cause: new Error('keys stayed unprocessed') });
    }
    await new Promise((resolve) => setTimeout(resolve, jittered));
  }
}

/** The SDK looks at the signal before each of its attempts. */
interface SendOptions {
  abortSignal?: AbortSignal;
}

type Placeholders = Pick<
  UpdateCommandInput,
  'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;
type Update = Pick<UpdateCommandInput, 'UpdateExpression'> & Placeholders;
export type Condition = { ConditionExpression: string } & Placeholders;

type QueryRequest = Pick<
  QueryCommandInput,
  'IndexName' | 'KeyConditionExpression' | 'FilterExpression' | 'ScanIndexForward'
> &
  Placeholders & { limit?: number };

type ScanRequest = Pick<ScanCommandInput, 'FilterExpression' | 'ProjectionExpression' | 'Limit'> &
  Placeholders;

interface ScannedPage {
  items: Item[];
  next: Key | undefined;
}

/**
 * DynamoDB's answer. What it refuses for good (a condition, a request that is wrong, missing rights)
 * stays as it is; everything else, after the SDK's own retries, is an outage.
 */
async function classifyOutages<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const shown = withoutCredentials(error);
    if (isOutage(error)) throw new StoreUnavailable({ cause: shown });
    throw shown;
  }
}

/** When a signature does not fit, DynamoDB quotes the headers that were signed: the session token too. */
function withoutCredentials(error: unknown): unknown {
  const isQuote = error instanceof Error && /x-amz-security-token|Credential=/i.test(error.message);
  return isQuote
    ? new Error(`${error.name}: DynamoDB’s sentence is left out, since it quotes the credentials`)
    : error;
}

const THROTTLING = [
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
];

function isOutage(error: unknown): boolean {
  return (
    !(error instanceof DynamoDBServiceException) ||
    error.$fault === 'server' ||
    THROTTLING.includes(error.name)
  );
}
