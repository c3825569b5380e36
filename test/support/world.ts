/**
 * Everything that the service needs, in this process and on loopback: a database, a LiveKit, a user
 * pool. `boot` starts the service itself, with its real dependencies, as one Lambda process would.
 */
import { randomUUID } from 'node:crypto';
import { QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { RoomServiceClient } from 'livekit-server-sdk';
import { expect } from 'vitest';
import * as end from '../../functions/end.ts';
import * as start from '../../functions/start.ts';
import * as status from '../../functions/status.ts';
import * as token from '../../functions/token.ts';
import {
  identity,
  limits,
  livekit,
  loadConfig,
  recording,
  rooms,
  store,
  tokens,
} from '../../lib/config.ts';
import { createDeps } from '../../lib/deps.ts';
import type { Club, EndedMeeting } from '../../lib/meetings/model.ts';
import { createClub } from '../../local/demo-data.ts';
import { documentClient } from '../../local/dynamodb.ts';
import { findLiveKitServer, startLiveKitServer } from '../../local/livekit/server.ts';
import { startStandIn } from '../../local/livekit/stand-in.ts';
import { type Answer, type CallOptions, eventOf, invoke, type Route } from './calls.ts';
import { startTestDatabase } from './database.ts';
import { accessClaims, CLIENT_ID, type Issuer, rs256, startIssuer, type User } from './issuer.ts';
import { RECORDING_ENV } from './no-recordings.ts';
import { type Fault, type Side, startWire, type Wire } from './wire.ts';

// Outages are what these tests are about, and each is logged as a warning; what is unexpected is seen.
process.env['POWERTOOLS_LOG_LEVEL'] ??= 'ERROR';

export const API_KEY = 'devkey';
export const API_SECRET = 'a-secret-that-only-these-tests-know';

export type LiveKitKind = 'stand-in' | 'server';
export const LIVEKITS: LiveKitKind[] = ['stand-in', 'server'];

/** `LIVEKIT=server` makes the absence of a server a failure, and not something to skip. */
export const isMissing = (kind: LiveKitKind) =>
  kind === 'server' && process.env['LIVEKIT'] !== 'server' && findLiveKitServer() === undefined;

export interface BootOptions {
  /** Over the usual environment. */
  env?: Record<string, string>;
  /** The clock of the rules. */
  now?: () => Date;
  /** What is wrong on the wire from the cold start on. */
  faults?: Fault[];
  refused?: Side[];
}

/** A process whose clock is ahead by so much: what was noted about a room has lost its worth. */
export const later = (seconds: number): Pick<BootOptions, 'now'> => ({
  now: () => new Date(Date.now() + seconds * 1000),
});

/** One process of the service, with a wire of its own. */
export interface Process {
  wire: Wire;
  /** Calls a route as this user, or with this `Authorization` header. */
  call<R extends Route>(
    route: R,
    who: User | string | undefined,
    options?: CallOptions,
  ): Promise<Answer<R>>;
  /** The issuer that this process trusts. */
  issuer: string;
  /** An access token of that issuer. */
  tokenFor(user: User, claims?: Record<string, unknown>): string;
}

export type World = Awaited<ReturnType<typeof startWorld>>;
export type TestClub = Awaited<ReturnType<World['createClub']>>;

export async function startWorld(kind: LiveKitKind = 'stand-in') {
  const [database, media, issuer] = await Promise.all([
    startTestDatabase(),
    startMedia(kind),
    startIssuer(),
  ]);
  const documents = documentClient(database.endpoint);
  const roomService = new RoomServiceClient(media.wsUrl, API_KEY, API_SECRET);
  const wires: Wire[] = [];

  async function boot({ env, now, faults = [], refused = [] }: BootOptions = {}): Promise<Process> {
    const wire = await startWire({
      store: database.endpoint,
      media: media.wsUrl.replace('ws:', 'http:'),
      identity: issuer.url,
    });
    wires.push(wire);
    for (const fault of faults) wire.set(fault);
    await Promise.all(refused.map(wire.refuse));
    const trusted = `${wire.urlOf('identity')}/the-pool`;
    const handlers = handlersWith(
      {
        TABLE_NAME: database.tableName,
        DYNAMODB_ENDPOINT: wire.urlOf('store'),
        LIVEKIT_WS_URL: wire.urlOf('media').replace('http:', 'ws:'),
        LIVEKIT_API_KEY: API_KEY,
        LIVEKIT_API_SECRET: API_SECRET,
        COGNITO_ISSUER: trusted,
        COGNITO_CLIENT_IDS: CLIENT_ID,
        ...env,
      },
      now,
    );
    const tokenFor = (user: User, claims: Record<string, unknown> = {}) =>
      rs256(issuer.key, { ...accessClaims(trusted, user), ...claims });
    return {
      wire,
      issuer: trusted,
      tokenFor,
      call: (route, who, options = {}) => {
        const authorization = typeof who === 'object' ? `Bearer ${tokenFor(who)}` : who;
        const event = eventOf(route, authorization, options);
        return invoke(handlers[route], event, options.remainingMs);
      },
    };
  }

  const scan = async () => {
    const { Items = [] } = await documents.send(new ScanCommand({ TableName: database.tableName }));
    return Items.sort((a, b) => `${a['pk']} ${a['sk']}`.localeCompare(`${b['pk']} ${b['sk']}`));
  };

  /** The club's items whose sort key begins so. */
  const itemsOf = async (clubId: string, prefix: string): Promise<Record<string, unknown>[]> => {
    const { Items = [] } = await documents.send(
      new QueryCommand({
        TableName: database.tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
        ExpressionAttributeValues: { ':pk': `CLUB#${clubId}`, ':sk': prefix },
      }),
    );
    return Items;
  };

  const recordOf = async (clubId: string): Promise<Club> => {
    const [item]: unknown[] = await itemsOf(clubId, 'CLUB');
    return item as Club;
  };

  /** The meetings of the club that are over: `lastMeeting`, and the rows of the others. */
  const historyOf = async (clubId: string): Promise<EndedMeeting[]> => {
    const { lastMeeting } = await recordOf(clubId);
    const rows = (await itemsOf(clubId, 'MEETING#')) as unknown as EndedMeeting[];
    const others = rows.filter(({ meetingId }) => meetingId !== lastMeeting?.meetingId);
    return [...(lastMeeting ? [lastMeeting] : []), ...others];
  };

  /** The names of the club's rooms that there are. */
  const roomsOf = async (clubId: string): Promise<string[]> =>
    (await roomService.listRooms())
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`reading-club-${clubId}-`));

  const healthy = await boot();

  return {
    kind,
    issuer: issuer as Issuer,
    media: roomService,
    /** The control of the stand-in. */
    get standIn() {
      if (!media.standIn) throw new Error('This LiveKit is no stand-in');
      return media.standIn;
    },
    boot,
    /** By a process that has been up for a while, with nothing wrong. */
    call: healthy.call,
    scan,
    recordOf,
    historyOf,
    roomsOf,

    /** A club of its own for each test, with somebody in each role. */
    async createClub(prefix = 'club') {
      const clubId = `${prefix}-${randomUUID().slice(0, 8)}`;
      const person = (name: string): User => ({
        userId: randomUUID(),
        username: `${name}-${randomUUID().slice(0, 8)}`,
      });
      const people = {
        /** A moderator because the club names them: they have no member item. */
        owner: person('owner'),
        /** A moderator because their member item says so. */
        moderator: person('moderator'),
        member: person('member'),
        /** A member without a display name. */
        nameless: person('nameless'),
      };
      const name = `The readers of ${randomUUID()}`;
      const displayNames = {
        moderator: `Moderator ${randomUUID().slice(0, 8)}`,
        member: `Member ${randomUUID().slice(0, 8)}`,
      };
      await createClub(database, {
        clubId,
        name,
        moderatorId: people.owner.userId,
        members: [
          {
            userId: people.moderator.userId,
            role: 'moderator',
            displayName: displayNames.moderator,
          },
          { userId: people.member.userId, role: 'member', displayName: displayNames.member },
          { userId: people.nameless.userId, role: 'member' },
        ],
      });
      return { clubId, name, displayNames, ...people };
    },

    /** What must hold whenever nobody is in the middle of something. */
    async expectAgreement(clubId: string): Promise<void> {
      const { meeting } = await recordOf(clubId);
      expect(await roomsOf(clubId)).toEqual(meeting ? [meeting.roomName] : []);
      const ended = (await historyOf(clubId)).map(({ meetingId }) => meetingId);
      expect(ended, 'each ended meeting once').toEqual([...new Set(ended)]);
    },

    async close() {
      await Promise.all(wires.map((wire) => wire.close()));
      documents.destroy();
      await Promise.all([database.stop(), media.stop(), issuer.close()]);
    },
  };
}

function handlersWith(env: Record<string, string>, now: (() => Date) | undefined) {
  const config = loadConfig(
    { store, livekit, identity, rooms, tokens, limits, recording },
    { ...RECORDING_ENV, ...env },
  );
  const deps = { ...createDeps(config), ...(now && { now }) };
  return {
    token: token.createHandler(deps),
    start: start.createHandler(deps),
    end: end.createHandler(deps),
    status: status.createHandler(deps),
  };
}

async function startMedia(kind: LiveKitKind) {
  const apiKeys = { [API_KEY]: API_SECRET };
  if (kind === 'stand-in') {
    const standIn = await startStandIn({ apiKeys, port: 0 });
    return { wsUrl: standIn.wsUrl, standIn, stop: () => standIn.close() };
  }
  const binary = findLiveKitServer();
  if (!binary) throw new Error('LIVEKIT=server, but there is none: npm run livekit:install');
  const server = await startLiveKitServer({ binary, apiKeys });
  return { wsUrl: server.wsUrl, stop: () => server.stop() };
}
