import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  PutCommand,
  paginateQuery,
  paginateScan,
} from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';
import { parse } from 'yaml';
import { listen } from './listen.ts';

const TABLE_NAME = 'reading-club-meetings-local';
/** Part of the four seconds in which the stack stops. */
const DELETE_WITHIN_MS = 2_000;
const ANSWER_WITHIN_MS = 1_000;
const CLOSE_IDLE_EVERY_MS = 10;
const tableFile = new URL('../deploy/table.yml', import.meta.url);

/** Where a table is: all that a client needs. */
export type Table = { endpoint: string; tableName: string };

export type Database = Table & { stop(): Promise<void> };

/** A database with our table, empty: dynalite on `port` (0: any), or the one at `endpoint`. */
export async function startDatabase(
  where: { port: number } | { endpoint: string },
  signal?: AbortSignal,
): Promise<Database> {
  if ('endpoint' in where) {
    // It may outlive this process: a table of our own, deleted on exit.
    const table = { endpoint: where.endpoint, tableName: `${TABLE_NAME}-${randomUUID()}` };
    await createTable(table, signal).catch(async (error) => {
      // It may exist anyway; an error of this deletion would hide the first one.
      await deleteTable(table).catch(() => undefined);
      throw error;
    });
    return { ...table, stop: () => deleteTable(table) };
  }
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  surviveAbortedRequests(server);
  const port = await listen(server, where.port);
  const table = { endpoint: `http://127.0.0.1:${port}`, tableName: TABLE_NAME };
  try {
    await createTable(table, signal);
  } catch (error) {
    await closeGently(server);
    throw error;
  }
  return { ...table, stop: () => closeGently(server) };
}

export const readTableDefinition = async (): Promise<Omit<CreateTableCommandInput, 'TableName'>> =>
  parse(await readFile(tableFile, 'utf8'));

/** Creates the table that is deployed, from the same file. */
async function createTable(
  { endpoint, tableName }: Table,
  abortSignal: AbortSignal | undefined,
): Promise<void> {
  const definition = await readTableDefinition();
  const client = localClient(endpoint);
  try {
    const command = new CreateTableCommand({ ...definition, TableName: tableName });
    const abort = abortSignal && { abortSignal };
    await client.send(command, { ...abort });
    const polling = { client, minDelay: 0.02, maxDelay: 0.5, maxWaitTime: 10, ...abort };
    await waitUntilTableExists(polling, { TableName: tableName });
  } catch (error) {
    abortSignal?.throwIfAborted();
    throw error;
  } finally {
    client.destroy();
  }
}

async function deleteTable({ endpoint, tableName }: Table): Promise<void> {
  const client = localClient(endpoint);
  const abortSignal = AbortSignal.timeout(DELETE_WITHIN_MS);
  try {
    await client.send(new DeleteTableCommand({ TableName: tableName }), { abortSignal });
  } finally {
    client.destroy();
  }
}

/** A document client for a local endpoint; `destroy()` it when done. */
export function documentClient(endpoint: string): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(localClient(endpoint), {
    marshallOptions: { removeUndefinedValues: true },
  });
}

/** Every item of the table, or of one partition. */
export const readItems = ({ endpoint, tableName }: Table, pk?: string) =>
  withDocuments(endpoint, async (client) => {
    const all = { TableName: tableName, ConsistentRead: true };
    const pages =
      pk === undefined
        ? paginateScan({ client }, all)
        : paginateQuery(
            { client },
            {
              ...all,
              KeyConditionExpression: 'pk = :pk',
              ExpressionAttributeValues: { ':pk': pk },
            },
          );
    return (await Array.fromAsync(pages)).flatMap(({ Items = [] }) => Items);
  });

export const putItems = ({ endpoint, tableName: TableName }: Table, items: object[]) =>
  withDocuments(endpoint, (client) =>
    Promise.all(items.map((Item) => client.send(new PutCommand({ TableName, Item })))),
  );

export const deletePartition = async (table: Table, partition: string): Promise<void> => {
  const items = await readItems(table, partition);
  const TableName = table.tableName;
  await withDocuments(table.endpoint, (client) =>
    Promise.all(
      items.map(({ pk, sk }) => client.send(new DeleteCommand({ TableName, Key: { pk, sk } }))),
    ),
  );
};

async function withDocuments<T>(
  endpoint: string,
  use: (client: DynamoDBDocumentClient) => Promise<T>,
): Promise<T> {
  const client = documentClient(endpoint);
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

export const localClient = (endpoint: string): DynamoDBClient =>
  new DynamoDBClient({ endpoint, ...ON_THIS_MACHINE });

/** Whatever the environment or ~/.aws/config have for AWS: an endpoint of ours has no FIPS or dual stack. */
export const ON_THIS_MACHINE = {
  region: 'local',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  useFipsEndpoint: false,
  useDualstackEndpoint: false,
};

/**
 * What is under way is answered first: for a request that finds its database closed, dynalite throws
 * where it cannot be caught (4.0.0, db/index.js).
 */
async function closeGently(server: ReturnType<typeof dynalite>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A client keeps its connections, and each is idle only for as long as it asks nothing.
  const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
  const enough = setTimeout(() => server.closeAllConnections(), ANSWER_WITHIN_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(enough);
}

/**
 * dynalite throws where it cannot be caught when a client goes away in the middle of a request
 * (4.0.0, index.js), which would end this process with it.
 */
function surviveAbortedRequests(server: ReturnType<typeof dynalite>): void {
  const [handle] = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    handle?.(request, response);
    request.removeAllListeners('error').on('error', () => response.destroy());
  });
}
