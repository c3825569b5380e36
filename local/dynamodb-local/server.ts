/** Amazon's DynamoDB Local, for tests and the benchmark: Java, with its table code as AWS has it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BatchGetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import getPort from 'get-port';
import { documentClient, startDatabase } from '../dynamodb.ts';
import { lastLinesOf } from '../lines.ts';
import { installDynamoDbLocal } from './install.ts';

const HOST = '127.0.0.1';
const READY_WITHIN_MS = 30_000;
const READY_POLL_MS = 100;
const KEPT_OUTPUT_LINES = 20;

/** Installs it where it is missing. Throws where Java is. */
export async function startDynamoDbLocal() {
  const server = await launch();
  await becomesReady(server);
  return { endpoint: server.endpoint, stop: () => void server.java.kill() };
}

interface Server {
  endpoint: string;
  java: ChildProcess;
  /** The last lines that it wrote. */
  lastLog(): string;
}

async function launch(): Promise<Server> {
  const folder = await installDynamoDbLocal();
  const port = await getPort({ host: HOST });
  const java = spawn(
    'java',
    [
      `-Djava.library.path=${folder}`,
      `-Dport=${port}`,
      ...['-cp', join(folder, '*')],
      'org.eclipse.jetty.xml.XmlConfiguration',
      fileURLToPath(new URL('./server.xml', import.meta.url)),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  process.once('exit', () => java.kill('SIGKILL'));
  const lines = lastLinesOf([java.stdout, java.stderr], KEPT_OUTPUT_LINES);
  return { endpoint: `http://${HOST}:${port}`, java, lastLog: () => lines.join('\n') };
}

async function becomesReady({ endpoint, java, lastLog }: Server): Promise<void> {
  const giveUpAt = Date.now() + READY_WITHIN_MS;
  while (!(await answers(endpoint))) {
    if (java.exitCode !== null || java.signalCode !== null || Date.now() > giveUpAt) {
      throw new Error(`DynamoDB Local does not answer. Its last lines:\n${lastLog()}`);
    }
    await delay(READY_POLL_MS);
  }
  await warmUp(endpoint);
}

/** A Java program's first answers can take longer than the second for which the functions wait. */
async function warmUp(endpoint: string): Promise<void> {
  const database = await startDatabase({ endpoint });
  const documents = documentClient(endpoint);
  const { tableName: TableName } = database;
  const Key = { pk: 'a', sk: 'b' };
  await documents.send(
    new UpdateCommand({
      TableName,
      Key,
      ConditionExpression: 'attribute_not_exists(pk)',
      UpdateExpression: 'SET activeSince = :text ADD presentSids :sids',
      ExpressionAttributeValues: { ':text': 'c', ':sids': new Set(['d']) },
    }),
  );
  await documents.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys: [Key] } } }));
  await documents.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': 'a', ':sk': 'b' },
    }),
  );
  documents.destroy();
  await database.stop();
}

const answers = (endpoint: string): Promise<boolean> =>
  fetch(endpoint).then(
    () => true,
    () => false,
  );

export async function hasJava(): Promise<boolean> {
  try {
    const [code] = await once(spawn('java', ['-version'], { stdio: 'ignore' }), 'exit');
    return code === 0;
  } catch {
    return false;
  }
}
