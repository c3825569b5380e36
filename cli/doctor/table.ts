/** The table, compared with the file from which it is deployed. */
import { isDeepStrictEqual } from 'node:util';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { readTableDefinition } from '../../local/dynamodb.ts';
import { reasonOf } from './reasons.ts';
import type { Finding, Found } from './runner.ts';

const EXPIRES_AT = 'expiresAt';
const REMEDY = 'Deploy the stack again, from deploy/table.yml and deploy/resources.yml';

export async function describeTable(
  client: DynamoDBClient,
  TableName: string,
): Promise<Found<TableDescription>> {
  let table: TableDescription = {};
  try {
    ({ Table: table = {} } = await client.send(new DescribeTableCommand({ TableName })));
  } catch (error) {
    return {
      outcome: 'failure',
      sentence: `${TableName} cannot be described: ${reasonOf(error)}`,
      remedy: 'Is the table there, and may you do dynamodb:DescribeTable?',
    };
  }
  const wanted = await readTableDefinition();
  if (!isDeepStrictEqual(keysOf(table.KeySchema), keysOf(wanted.KeySchema))) {
    const sentence = `${TableName} has the keys ${spokenKeys(table.KeySchema)}, not ${spokenKeys(wanted.KeySchema)}`;
    return { outcome: 'failure', sentence, remedy: REMEDY };
  }
  const { TableStatus: status } = table;
  if (status !== 'ACTIVE' && status !== 'UPDATING') {
    return {
      outcome: 'failure',
      sentence: `${TableName} is ${status}`,
      remedy: 'Wait until it is ACTIVE',
    };
  }
  return { outcome: 'ok', sentence: `${TableName} has its keys`, found: table };
}

/** What does not work without each index. */
const NEEDED_BY: Record<string, string> = {
  activeMeetings: 'the cleanup cannot find meetings',
  clubsOfPerson: 'people cannot list their clubs',
};

/** The first index that is not as `deploy/table.yml` has it, or that all are. */
export async function compareIndexes(table: TableDescription): Promise<Finding> {
  const wanted = (await readTableDefinition()).GlobalSecondaryIndexes ?? [];
  const findings = wanted.map((index) => compareIndex(table, index));
  const names = wanted.map(({ IndexName }) => IndexName);
  return (
    findings.find(({ outcome }) => outcome !== 'ok') ?? {
      outcome: 'ok',
      sentence: `${names.join(' and ')} have their keys and their projections`,
    }
  );
}

function compareIndex(table: TableDescription, wanted: GlobalSecondaryIndex): Finding {
  const { IndexName: name = '' } = wanted;
  const index = table.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === name);
  const failure = (sentence: string): Finding => ({
    outcome: 'failure',
    sentence,
    remedy: REMEDY,
  });
  if (!index) return failure(`${name} is missing: ${NEEDED_BY[name]}`);
  if (!isDeepStrictEqual(keysOf(index.KeySchema), keysOf(wanted.KeySchema))) {
    return failure(
      `${name} has the keys ${spokenKeys(index.KeySchema)}, not ${spokenKeys(wanted.KeySchema)}`,
    );
  }
  const [projects, wants] = [index, wanted].map(({ Projection }) => Projection?.ProjectionType);
  if (projects !== wants) return failure(`${name} projects ${projects}, not ${wants}`);
  if (index.IndexStatus !== 'ACTIVE' && index.IndexStatus !== 'UPDATING') {
    return { ...failure(`${name} is ${index.IndexStatus}`), remedy: 'Wait until it is ACTIVE' };
  }
  return { outcome: 'ok', sentence: `${name} has its keys and its projection` };
}

export async function compareExpiry(
  client: DynamoDBClient,
  { TableName }: TableDescription,
): Promise<Finding> {
  const { TimeToLiveDescription: { TimeToLiveStatus: status, AttributeName: name } = {} } =
    await client.send(new DescribeTimeToLiveCommand({ TableName }));
  if (name === EXPIRES_AT && (status === 'ENABLED' || status === 'ENABLING')) {
    return { outcome: 'ok', sentence: `Items expire by ${EXPIRES_AT}` };
  }
  return {
    outcome: 'failure',
    sentence: name
      ? `Time to live is ${status}, by ${name} and not ${EXPIRES_AT}: attendance never expires`
      : `Time to live is ${status}: attendance never expires`,
    remedy: REMEDY,
  };
}

export async function compareRecovery(
  client: DynamoDBClient,
  { TableName, DeletionProtectionEnabled }: TableDescription,
): Promise<Finding> {
  const { ContinuousBackupsDescription: backups } = await client.send(
    new DescribeContinuousBackupsCommand({ TableName }),
  );
  const recovery = backups?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
  const off = [
    ...(recovery === 'ENABLED' ? [] : ['point-in-time recovery']),
    ...(DeletionProtectionEnabled ? [] : ['deletion protection']),
  ];
  if (off.length === 0) {
    return {
      outcome: 'ok',
      sentence: 'Point-in-time recovery and deletion protection are on',
    };
  }
  return {
    outcome: 'warning',
    sentence: `Off: ${off.join(' and ')}`,
    remedy:
      "Right for a stage to try things in; else set isTableProtected: true in the stage's file",
  };
}

/** In DynamoDB's own form the order of keys, and of their fields, is any. */
const keysOf = (schema: KeySchemaElement[] = []): Record<string, string | undefined> =>
  Object.fromEntries(schema.map(({ AttributeName, KeyType }) => [KeyType, AttributeName]));

const spokenKeys = (schema: KeySchemaElement[] = []): string =>
  schema.map(({ AttributeName }) => AttributeName).join(' and ');
