import { setTimeout as delay } from 'node:timers/promises';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import type { ApiSettings } from '../local/api.ts';
import { localClient, putItems, startDatabase, type Table } from '../local/dynamodb.ts';
import { type LiveKit, startLiveKit } from '../local/livekit/start.ts';
import { accessClaims, CLIENT_ID, rs256, startIssuer } from '../test/harness/issuer.ts';
import { RECORDING_ENV } from '../test/harness/no-recordings.ts';
import type { Route } from './events.ts';
import { markRoomsStarted } from './mark-rooms-started.ts';
import { callsOf, startWorker, type Worker } from './worker-client.ts';

const CLUBS_TABLE = 'plain-clubs';
const MEMBERS_TABLE = 'plain-members';
const MODERATOR = 'bench-moderator';

/** So many clubs stand side by side for the requests that change nothing. */
const STANDING_CLUBS = 16;
/** Enough for the largest round of starts, each of which needs a club without a meeting. */
const CYCLED_CLUBS = 100;
const WARM_UP_CYCLES = 4;
/** A younger room costs a read more (lib/meetings/room.ts), with a second to spare. */
const ROOM_IS_OLD_AFTER_MS = 11_000;

interface Addresses {
  dynamodb: string;
  livekit: string;
}

/** Database, issuer and LiveKit on loopback, the same clubs for both ways, and a worker for each. */
export interface World {
  addresses: Addresses;
  livekit: LiveKit;
  accessToken: string;
  clubs: {
    /** A meeting is active, with an empty room, which no webhook was about. */
    on: string[];
    /** As `on`, with webhooks: LiveKit has reported that the room started. */
    reported: string[];
    idle: string[];
    /** Their meetings start and end: no meeting is on, and one has ended already. */
    cycled: string[];
  };
  workers: Record<'ours' | 'plain', Worker>;
  /** What either way needs to know; other addresses are for what stands in between. */
  environment(addresses?: Addresses): ApiSettings & { CLUBS_TABLE: string; MEMBERS_TABLE: string };
  /** Resolves when the rooms of the meetings that are on no longer count as new. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const started: { stop(): Promise<void> }[] = [];
  const begin = async <T extends { stop(): Promise<void> }>(part: Promise<T>): Promise<T> => {
    const running = await part;
    started.push(running);
    return running;
  };
  const stop = async () => {
    await Promise.all(started.map((part) => part.stop()));
  };
  try {
    const [database, issuer, livekit] = await Promise.all([
      begin(startDatabase({ port: 0 })),
      begin(startIssuer()),
      begin(startLiveKit({ env: { ...process.env, LIVEKIT: 'server' } })),
    ]);
    const clubs = {
      on: names('on', STANDING_CLUBS),
      reported: names('reported', STANDING_CLUBS),
      idle: names('idle', STANDING_CLUBS),
      cycled: names('cycled', CYCLED_CLUBS),
    };
    await createPlainTables(database.endpoint);
    await writeClubs(database, Object.values(clubs).flat());

    const trusted = `${issuer.url}/bench-pool`;
    const addresses = { dynamodb: database.endpoint, livekit: livekit.wsUrl };
    const environment = ({ dynamodb, livekit: wsUrl } = addresses) => ({
      DYNAMODB_ENDPOINT: dynamodb,
      TABLE_NAME: database.tableName,
      CLUBS_TABLE,
      MEMBERS_TABLE,
      LIVEKIT_WS_URL: wsUrl,
      LIVEKIT_API_KEY: livekit.apiKey,
      LIVEKIT_API_SECRET: livekit.apiSecret,
      COGNITO_ISSUER: trusted,
      COGNITO_CLIENT_IDS: CLIENT_ID,
      ...RECORDING_ENV,
    });
    const moderator = { userId: MODERATOR, username: 'moderator' };
    const accessToken = rs256(issuer.key, accessClaims(trusted, moderator));
    const [ours, plain] = await Promise.all([
      begin(startWorker('ours', environment())),
      begin(startWorker('plain', environment())),
    ]);
    for (const worker of [ours, plain]) await warmUp(worker, clubs, accessToken);
    await markRoomsStarted(environment(), clubs.reported);
    const settlesAt = performance.now() + ROOM_IS_OLD_AFTER_MS;
    return {
      addresses,
      livekit,
      accessToken,
      clubs,
      workers: { ours, plain },
      environment,
      settled: async () => {
        await delay(Math.max(0, settlesAt - performance.now()));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const names = (kind: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);

async function createPlainTables(endpoint: string): Promise<void> {
  const client = localClient(endpoint);
  const create = (TableName: string, hash: string, range?: string) => {
    const keys = range ? [hash, range] : [hash];
    return client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: keys.map((AttributeName, index) => ({
          AttributeName,
          KeyType: index === 0 ? 'HASH' : 'RANGE',
        })),
      }),
    );
  };
  try {
    await Promise.all([create(CLUBS_TABLE, 'clubId'), create(MEMBERS_TABLE, 'clubId', 'userId')]);
  } finally {
    client.destroy();
  }
}

/** The same facts in the shape that each way keeps them in. */
async function writeClubs(table: Table, clubIds: string[]): Promise<void> {
  const now = new Date().toISOString();
  const member = { userId: MODERATOR, role: 'moderator', displayName: 'Mo', joinedAt: now };
  const rest = { moderatorId: MODERATOR, createdAt: now };
  const clubOf = (clubId: string) => ({ clubId, name: `Club ${clubId}`, ...rest });
  const { endpoint } = table;
  await putItems(
    table,
    clubIds.flatMap((clubId) => [
      { pk: `CLUB#${clubId}`, sk: 'CLUB', ...clubOf(clubId) },
      { pk: `CLUB#${clubId}`, sk: `MEMBER#${MODERATOR}`, ...member },
    ]),
  );
  await putItems({ endpoint, tableName: CLUBS_TABLE }, clubIds.map(clubOf));
  const members = clubIds.map((clubId) => ({ clubId, ...member }));
  await putItems({ endpoint, tableName: MEMBERS_TABLE }, members);
}

/** Every route often enough for the compiler, and the clubs as {@link World} promises them. */
async function warmUp(
  worker: Worker,
  { on, reported, idle, cycled }: World['clubs'],
  accessToken: string,
): Promise<void> {
  const run = (route: Route, clubIds: string[], requests = cycled.length) =>
    worker.run({ calls: callsOf(route, clubIds, requests), accessToken, pace: { atATime: 16 } });
  await run('start', on, on.length);
  await run('start', reported, reported.length);
  for (let cycle = 0; cycle < WARM_UP_CYCLES; cycle++) {
    await run('start', cycled);
    await run('end', cycled);
    await run('token', on);
    await run('status', on);
    await run('status', idle);
  }
}
