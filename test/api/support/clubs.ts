/** Clubs and people of a test's own, on the stack that all whole-API tests share. */
import { randomUUID } from 'node:crypto';
import { RoomServiceClient } from 'livekit-server-sdk';
import { inject } from 'vitest';
import { apiClient, type Reply } from '../../../local/client.ts';
import { createClub } from '../../../local/demo-data.ts';
import { readItems } from '../../../local/dynamodb.ts';
import { createUser, logIn } from '../../../local/identity.ts';
import { standInClients } from '../../../local/livekit/stand-in.ts';
import { joinRoom, joinStandIn, type Participant } from '../../../local/participant.ts';
import { fetchNoting } from '../../harness/openapi.ts';

export const stack = inject('stack');

/** Real participants can join. Tests that need them are skipped on the stand-in, by name. */
export const hasRealLiveKit = stack.livekit.kind === 'server';

export const liveKit = new RoomServiceClient(
  stack.livekit.wsUrl,
  stack.livekit.apiKey,
  stack.livekit.apiSecret,
);

const PASSWORD = 'Reading-Club-1';

export type Person = Awaited<ReturnType<typeof createPerson>>;

/** A Cognito user, logged in. */
export async function createPerson(name: string) {
  const username = `${name}-${randomUUID().slice(0, 8)}`;
  const userId = await createUser(stack.cognito, { username, password: PASSWORD });
  const { accessToken, idToken } = await logIn(stack.cognito, username, PASSWORD);
  const api = apiClient(stack.apiUrl, accessToken, fetchNoting);
  return { userId, username, accessToken, idToken, ...api };
}

/** A club with a user in each role. */
export async function createTestClub() {
  const clubId = `club-${randomUUID().slice(0, 8)}`;
  const name = `The readers of ${clubId}`;
  const [owner, moderator, member] = await Promise.all([
    /** A moderator because the club names them: they have no member item. */
    createPerson('owner'),
    createPerson('moderator'),
    createPerson('member'),
  ]);
  await createClub(stack.dynamodb, {
    clubId,
    name,
    moderatorId: owner.userId,
    members: [
      { userId: moderator.userId, role: 'moderator', displayName: 'Mo' },
      { userId: member.userId, role: 'member', displayName: 'Mem' },
    ],
  });
  return { clubId, name, owner, moderator, member };
}

export async function createStartedClub() {
  const club = await createTestClub();
  const meeting = await answered(club.moderator.start(club.clubId));
  return { ...club, meeting };
}

/** The body of an answer that was a success, by the service itself. */
export async function answered<T>(answer: Promise<Reply<T>>): Promise<Reply<T>['body']> {
  const { status, body } = await answer;
  if (status === 200) return body;
  throw new Error(`Expected 200, got ${status}: ${JSON.stringify(body)}`);
}

/** Joins as this person: a real client where there is a real server. */
export async function join(person: Person, clubId: string): Promise<Participant> {
  const body = await answered(person.token(clubId));
  return hasRealLiveKit
    ? joinRoom(body.serverUrl, body.token)
    : joinStandIn(standInClients(stack.livekit.wsUrl), body.token);
}

/** The names of the club's rooms that there are. */
export async function roomsOf(clubId: string): Promise<string[]> {
  const rooms = await liveKit.listRooms();
  return rooms.map(({ name }) => name).filter((name) => name.startsWith(`reading-club-${clubId}-`));
}

/** Every item of the table that is about these clubs. */
export async function itemsOf(...clubIds: string[]): Promise<Record<string, unknown>[]> {
  const items = clubIds.map((clubId) => readItems(stack.dynamodb, `CLUB#${clubId}`));
  return (await Promise.all(items)).flat();
}
