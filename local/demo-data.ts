import { deletePartition, putItems, type Table } from './dynamodb.ts';
import { type Cognito, createUser } from './identity.ts';
import type { StackUser } from './stack-file.ts';

/** No secret: it opens a user pool that exists on loopback while the stack runs. */
const DEMO_PASSWORD = 'Reading-Club-1';

/** A club as one writes it down: its moderator need not be among its members. */
export type ClubWithMembers = {
  clubId: string;
  name: string;
  moderatorId: string;
  members: readonly {
    userId: string;
    role: 'member' | 'moderator';
    displayName?: string | undefined;
  }[];
  recordingConsent?: 'required' | 'notice';
  recordingAccess?: 'moderators' | 'members';
};

/** The first person of each is its owner. */
const demoClubs = [
  {
    clubId: 'novels',
    name: 'Novels on Monday',
    people: [
      { username: 'ada', displayName: 'Ada', role: 'moderator' },
      { username: 'ben', displayName: 'Ben', role: 'moderator' },
      { username: 'cleo', displayName: 'Cleo', role: 'member' },
      { username: 'dan', displayName: 'Dan', role: 'member' },
    ],
  },
  {
    clubId: 'poems',
    name: 'Poems at Noon',
    people: [
      { username: 'eva', displayName: 'Eva', role: 'moderator' },
      { username: 'finn', displayName: 'Finn', role: 'member' },
    ],
  },
] as const;

const outsider = 'gus';

/** Writes a club and its member items, as the deployed service finds them in the table. */
export async function createClub(table: Table, club: ClubWithMembers): Promise<void> {
  const { members, ...facts } = club;
  const now = new Date().toISOString();
  const pk = `CLUB#${club.clubId}`;
  await putItems(table, [
    { pk, sk: 'CLUB', ...facts, personId: club.moderatorId, createdAt: now },
    ...members.map((member) => ({
      pk,
      sk: `MEMBER#${member.userId}`,
      ...member,
      personId: member.userId,
      joinedAt: now,
    })),
  ]);
}

/** Deletes a club with its members, its meetings and everything else in its partition. */
export const removeClub = (table: Table, clubId: string): Promise<void> =>
  deletePartition(table, `CLUB#${clubId}`);

/** The clubs and users that every development stack has; each club's moderator is its first. */
export async function createDemoData(
  table: Table,
  cognito: Cognito,
): Promise<{ clubs: { clubId: string; name: string }[]; users: StackUser[] }> {
  const signUp = async (username: string) => {
    const user = { username, password: DEMO_PASSWORD };
    return { ...user, userId: await createUser(cognito, user) };
  };
  const usersOfClubs = await Promise.all(
    demoClubs.map(async ({ clubId, name, people }) => {
      const users = await Promise.all(
        people.map(async ({ username, role }) => ({ ...(await signUp(username)), clubId, role })),
      );
      const members = users.map(({ userId, role }, index) => ({
        userId,
        role,
        displayName: people[index]?.displayName,
      }));
      await createClub(table, { clubId, name, moderatorId: members[0]?.userId ?? '', members });
      return users;
    }),
  );
  const stranger = { ...(await signUp(outsider)), clubId: null, role: 'outsider' as const };
  return {
    clubs: demoClubs.map(({ clubId, name }) => ({ clubId, name })),
    users: [...usersOfClubs.flat(), stranger],
  };
}
