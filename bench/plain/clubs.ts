import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';

const { CLUBS_TABLE = '', MEMBERS_TABLE = '', DYNAMODB_ENDPOINT = '' } = process.env;

const documents = DynamoDBDocumentClient.from(
  new DynamoDBClient({
    endpoint: DYNAMODB_ENDPOINT,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    useFipsEndpoint: false,
  }),
);

export interface Club {
  clubId: string;
  name: string;
  moderatorId: string;
  meetingActive?: boolean;
  meetingStartedAt?: string;
}

export async function getClub(clubId: string): Promise<Club | undefined> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: CLUBS_TABLE, Key: { clubId }, ConsistentRead: true }),
  );
  return Item as Club | undefined;
}

export async function isMember(clubId: string, userId: string): Promise<boolean> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: MEMBERS_TABLE, Key: { clubId, userId }, ConsistentRead: true }),
  );
  return Item !== undefined;
}

export async function setMeetingStarted(clubId: string, startedAt: string): Promise<void> {
  await documents.send(
    new UpdateCommand({
      TableName: CLUBS_TABLE,
      Key: { clubId },
      UpdateExpression: 'SET meetingActive = :yes, meetingStartedAt = :startedAt',
      ExpressionAttributeValues: { ':yes': true, ':startedAt': startedAt },
    }),
  );
}

export async function setMeetingEnded(
  clubId: string,
  endedAt: string,
  durationSeconds: number,
): Promise<void> {
  await documents.send(
    new UpdateCommand({
      TableName: CLUBS_TABLE,
      Key: { clubId },
      UpdateExpression:
        'SET meetingActive = :no, meetingEndedAt = :endedAt, lastMeetingDuration = :duration',
      ExpressionAttributeValues: {
        ':no': false,
        ':endedAt': endedAt,
        ':duration': durationSeconds,
      },
    }),
  );
}
