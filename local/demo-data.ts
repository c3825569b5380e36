import { DeleteCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { documentClient, type Table } from './dynamodb.ts';
import { type Cognito, createUser } from './identity.ts';

/** No secret: it opens a user pool that exists on loopback while the stack runs. */
const DEMO_PASSWORD = 'Reading-Club-1';

export type Member = {
  userId: string;
  role: 'member' | 'moderator';
  displayName?: string | undefined;
};

/** A club as one writes it down: its moderator need not be among its members. */
export type ClubWithMembers = {
  clubId: string;
  name: string;
  moderatorId: string;
  members: readonly Member[];
  recordingConsent?: 'required' | 'notice';
  recordingAccess?: 'moderators' | 'members';
};

export type DemoUser = {
  username: string;
  password: string;
  userId: string;
  clubId: string | null;
  role: 'moderator' | 'member' | 'outsider';
};

const demoClubs = [
  {
    clubId: 'novels',
    name: 'Novels on Monday',
    moderator: { username: 'ada', displayName: 'Ada', role: 'moderator' },
    others: [
      { username: 'ben', displayName: 'Ben', role: 'moderator' },
      { username: 'cleo', displayName: 'Cleo', role: 'member' },
      { username: 'dan', displayName: 'Dan', role: 'member' },
    ],
  },
  {
    clubId: 'poems',
    name: 'Poems at Noon',
    moderator: { username: 'eva', displayName: 'Eva', role: 'moderator' },
    others: [{ username: 'finn', displayName: 'Finn', role: 'member' }],
  },
] as const;

const outsider = 'gus';

/** Writes a club and its member items, as the deployed service finds them in the table. */
export async function createClub(table: Table, club: ClubWithMembers): Promise<void> {
  const { clubId, name, moderatorId, members, ...recording } = club;
  const now = new Date().toISOString();
  const pk = `CLUB#${clubId}`;
  const items = [
    {
      pk,
      sk: 'CLUB',
      clubId,
      name,
      moderatorId,
      personId: moderatorId,
      createdAt: now,
      ...recording,
    },
    ...members.map(({ userId, role, displayName }) => ({
      pk,
      sk: `MEMBER#${userId}`,
      userId,
      personId: userId,
      role,
      displayName,
      joinedAt: now,
    })),
  ];
  const client = documentClient(table.endpoint);
  try {
    const puts = items.map((Item) => new PutCommand({ TableName: table.tableName, Item }));
    await Promise.all(puts.map((put) => client.send(put)));
  } finally {
    client.destroy();
  }
}

/** Takes a club away, with its members, its meetings and everything else in its partition. */
export async function removeClub(table: Table, clubId: string): Promise<void> {
  const client = documentClient(table.endpoint);
  const TableName = table.tableName;
  try {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `CLUB#${clubId}` },
      }),
    );
    const keys = Items.map(({ pk, sk }) => ({ pk, sk }));
    await Promise.all(keys.map((Key) => client.send(new DeleteCommand({ TableName, Key }))));
  } finally {
    client.destroy();
  }
}

/** The clubs and users that every development stack has; each club's moderator is its first. */
export async function createDemoData(
  table: Table,
  cognito: Cognito,
): Promise<{ clubs: { clubId: string; name: string }[]; users: DemoUser[] }> {
  const signUp = async (username: string) => {
    const user = { username, password: DEMO_PASSWORD };
    return { ...user, userId: await createUser(cognito, user) };
  };
  const usersOfClubs = await Promise.all(
    demoClubs.map(async ({ clubId, name, moderator, others }) => {
      const first = { ...(await signUp(moderator.username)), ...moderator };
      const members = await Promise.all(
        others.map(async (person) => ({ ...(await signUp(person.username)), ...person })),
      );
      await createClub(table, {
        clubId,
        name,
        moderatorId: first.userId,
        members: [first, ...members],
      });
      return [first, ...members].map(({ username, password, userId, role }) => ({
        username,
        password,
        userId,
        clubId,
        role,
      }));
    }),
  );
  const stranger = { ...(await signUp(outsider)), clubId: null, role: 'outsider' as const };
  return {
    clubs: demoClubs.map(({ clubId, name }) => ({ clubId, name })),
    users: [...usersOfClubs.flat(), stranger],
  };
}
