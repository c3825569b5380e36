import { createHash } from 'node:crypto';
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  DynamoDBServiceException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type * as z from 'zod/mini';
import { StoreUnavailable } from '../errors.ts';
import { Club, EndedMeeting, type Meeting, Member } from '../meetings/model.ts';
import type { ClubRepository } from '../meetings/ports.ts';

const ATTEMPTS = 3;
const ATTEMPT_TIMEOUT_MS = 1000;

/** How long keys that came back unprocessed are asked for again, and how long to wait between. */
const UNPROCESSED_BUDGET_MS = 3000;
const UNPROCESSED_PAUSE_MS = 50;

/** How many partitions of the index the clubs with a meeting on are spread over. */
const ACTIVE_SHARDS = 8;

const clubKey = (clubId: string) => ({ pk: `CLUB#${clubId}`, sk: 'CLUB' });
const memberKey = (clubId: string, userId: string) => ({
  pk: `CLUB#${clubId}`,
  sk: `MEMBER#${userId}`,
});
const meetingKey = (clubId: string, meetingId: string) => ({
  pk: `CLUB#${clubId}`,
  sk: `MEETING#${meetingId}`,
});

const activeShardOf = (clubId: string): string =>
  String(createHash('sha256').update(clubId).digest().readUInt8(0) % ACTIVE_SHARDS);

export interface StoreOptions {
  tableName: string;
  /** A local database's; the region's own by default. */
  endpoint?: string | undefined;
}

/** The clubs and their meetings in one DynamoDB table; items and keys are in docs/decisions.md. */
export function createClubRepository({ tableName, endpoint }: StoreOptions): ClubRepository {
  const documents = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      maxAttempts: ATTEMPTS,
      requestHandler: {
        connectionTimeout: ATTEMPT_TIMEOUT_MS,
        requestTimeout: ATTEMPT_TIMEOUT_MS,
        throwOnRequestTimeout: true,
        socketTimeout: ATTEMPT_TIMEOUT_MS,
      },
      ...(endpoint && { endpoint, region: 'local', credentials: LOCAL_CREDENTIALS }),
    }),
    { marshallOptions: { removeUndefinedValues: true } },
  );

  const get = async <S extends z.ZodMiniType>(
    Key: Record<string, string>,
    schema: S,
  ): Promise<z.infer<S> | undefined> => {
    const { Item } = await answer(
      documents.send(new GetCommand({ TableName: tableName, Key, ConsistentRead: true })),
    );
    return Item && schema.parse(Item);
  };

  /** In any order. An item is absent only when no key is left unprocessed. */
  const batchGet = async (keys: Record<string, string>[]): Promise<Record<string, unknown>[]> => {
    const giveUpAt = Date.now() + UNPROCESSED_BUDGET_MS;
    const items: Record<string, unknown>[] = [];
    let request: BatchGetCommandInput['RequestItems'] = {
      [tableName]: { Keys: keys, ConsistentRead: true },
    };
    for (;;) {
      const page: BatchGetCommandOutput = await answer(
        documents.send(new BatchGetCommand({ RequestItems: request })),
      );
      items.push(...(page.Responses?.[tableName] ?? []));
      request = page.UnprocessedKeys;
      if (!request?.[tableName]?.Keys?.length) return items;
      if (Date.now() + UNPROCESSED_PAUSE_MS > giveUpAt) {
        throw new StoreUnavailable({ cause: new Error('keys stayed unprocessed') });
      }
      await new Promise((resolve) => setTimeout(resolve, UNPROCESSED_PAUSE_MS));
    }
  };

  /** Whether the condition held. */
  const updateIf = async (
    clubId: string,
    update: { condition: string; change: string; values: Record<string, unknown> },
  ): Promise<boolean> => {
    try {
      await answer(
        documents.send(
          new UpdateCommand({
            TableName: tableName,
            Key: clubKey(clubId),
            ConditionExpression: update.condition,
            UpdateExpression: update.change,
            ExpressionAttributeValues: update.values,
          }),
        ),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  return {
    async getClubAndMember(clubId, userId) {
      const items = await batchGet([clubKey(clubId), memberKey(clubId, userId)]);
      const club = items.find(({ sk }) => sk === 'CLUB');
      const member = items.find(({ sk }) => sk !== 'CLUB');
      return { club: club && Club.parse(club), member: member && Member.parse(member) };
    },

    getClub: (clubId) => get(clubKey(clubId), Club),

    claimMeeting: (clubId, meeting: Meeting) =>
      updateIf(clubId, {
        condition: 'attribute_exists(pk) AND attribute_not_exists(meeting)',
        change: 'SET meeting = :meeting, activeShard = :shard, activeSince = :since',
        values: {
          ':meeting': meeting,
          ':shard': activeShardOf(clubId),
          ':since': meeting.startedAt,
        },
      }),

    concludeMeeting: (clubId, ended) =>
      updateIf(clubId, {
        condition: 'meeting.meetingId = :meetingId',
        change: 'SET lastMeeting = :ended REMOVE meeting, activeShard, activeSince',
        values: { ':meetingId': ended.meetingId, ':ended': ended },
      }),

    async recordEndedMeeting(clubId, ended) {
      const Item = { ...meetingKey(clubId, ended.meetingId), ...ended };
      await answer(documents.send(new PutCommand({ TableName: tableName, Item })));
    },

    getEndedMeeting: (clubId, meetingId) => get(meetingKey(clubId, meetingId), EndedMeeting),
  };
}

/** Databases on this machine check no credentials, but the SDK signs with some. */
const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };

/**
 * DynamoDB's answer. What it refuses for good (a condition, a request that is wrong, missing rights)
 * stays as it is; everything else, after the SDK's own retries, is an outage.
 */
async function answer<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (isOutage(error)) throw new StoreUnavailable({ cause: error });
    throw error;
  }
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
