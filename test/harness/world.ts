/**
 * Everything that the service needs, on loopback: a database, a user pool, a LiveKit of either kind and,
 * where it records, a bucket. `boot` starts the service itself; LiveKit's webhooks reach the process that
 * `sendWebhooksTo` names. Worlds can share a LiveKit, each with a table of its own.
 */
import { randomUUID } from 'node:crypto';
import {
  BatchWriteCommand,
  DeleteCommand,
  PutCommand,
  paginateQuery,
  paginateScan,
} from '@aws-sdk/lib-dynamodb';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, expect } from 'vitest';
import type { Club, EndedMeeting, Meeting, Session } from '../../lib/meetings/model.ts';
import { documentClient } from '../../local/dynamodb.ts';
import { findLiveKitServer } from '../../local/livekit/server.ts';
import { type LiveKit, type LiveKitOptions, startLiveKit } from '../../local/livekit/start.ts';
import { startS3 } from '../../local/s3.ts';
import { startTestDatabase } from './database.ts';
import { startIssuer, type User } from './issuer.ts';
import { clubItem, endedMeeting, endedRow, memberItem, newMeeting } from './items.ts';
import { API_SECRET, type Post, webhookPost } from './livekit-events.ts';
import { type BootOptions, bootProcess, type Process } from './process.ts';
import { startWire } from './wire.ts';

// Outages are what tests are about, and each is logged as a warning; what is unexpected is seen.
process.env['POWERTOOLS_LOG_LEVEL'] ??= 'ERROR';

const BATCH_WRITES = 25;

export type LiveKitKind = 'stand-in' | 'server';
export const LIVEKITS: LiveKitKind[] = ['stand-in', 'server'];

/** `LIVEKIT=server` makes the absence of a server a failure, and not something to skip. */
export const isMissing = (kind: LiveKitKind) =>
  kind === 'server' && process.env['LIVEKIT'] !== 'server' && findLiveKitServer() === undefined;

export interface WorldOptions extends Pick<LiveKitOptions, 'missingRoom'> {
  kind?: LiveKitKind;
  /** Another world's, which outlives this one. */
  livekit?: LiveKit;
  /** Whether there is a recorder, and a bucket for its files. */
  isRecorded?: boolean;
  /** The stand-in's, see there. */
  countLagMs?: number;
  webhookRetryDelaysMs?: number[];
}

export type World = Awaited<ReturnType<typeof startWorld>>;
export type TestClub = Awaited<ReturnType<World['createClub']>>;
export type StartedClub = Awaited<ReturnType<World['startMeeting']>>;
export type TestMeeting = Awaited<ReturnType<World['createMeeting']>>;

/**
 * The world of a whole test file, for its top level. It closes after the file's last test; where none runs,
 * or the file does not load, it ends with the worker.
 */
export async function worldOfFile(options?: WorldOptions): Promise<World> {
  const world = await startWorld(options);
  afterAll(() => world.close());
  return world;
}

export async function startWorld({
  kind = 'stand-in',
  livekit: another,
  isRecorded = false,
  missingRoom,
  countLagMs = 0,
  webhookRetryDelaysMs = [],
}: WorldOptions = {}) {
  /** The receiver of LiveKit's events; none at first. */
  let listener: ((post: Post) => Promise<number>) | undefined;
  const [database, issuer, s3, wire] = await Promise.all([
    startTestDatabase(),
    startIssuer(),
    isRecorded ? startS3() : undefined,
    startWire({
      async webhook({ body, headers: { authorization } }) {
        const status = await listener?.({ body, authorization });
        return { status: status ?? 200, headers: {}, body: '' };
      },
    }),
  ]);
  const TableName = database.tableName;
  const documents = documentClient(database.endpoint);
  const livekit =
    another ??
    (await startLiveKit({
      env: { ...process.env, LIVEKIT: kind },
      apiSecret: API_SECRET,
      webhookUrl: wire.urlOf('webhook'),
      missingRoom,
      hasRecorder: isRecorded,
      standIn: { port: 0, countLagMs, webhookRetryDelaysMs },
    }));
  const media = new RoomServiceClient(livekit.wsUrl, livekit.apiKey, livekit.apiSecret);
  const processes: Process[] = [];

  async function boot(options?: BootOptions): Promise<Process> {
    const process = await bootProcess(
      {
        table: database,
        livekit,
        issuer,
        files: s3,
        env: s3 && {
          RECORDINGS_BUCKET: s3.bucket,
          RECORDING_DEFAULT: 'audio',
          RECORDING_UPLOAD_ACCESS_KEY: s3.accessKeyId,
          RECORDING_UPLOAD_SECRET: s3.secretAccessKey,
          RECORDING_UPLOAD_REGION: s3.region,
        },
      },
      options,
    );
    processes.push(process);
    return process;
  }

  /** The club's items whose sort key begins so. */
  async function itemsOf(clubId: string, prefix = ''): Promise<Record<string, unknown>[]> {
    const pages = paginateQuery(
      { client: documents },
      {
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: prefix ? 'pk = :pk AND begins_with(sk, :sk)' : 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `CLUB#${clubId}`, ...(prefix && { ':sk': prefix }) },
      },
    );
    return (await Array.fromAsync(pages)).flatMap(({ Items = [] }) => Items);
  }

  const recordOf = async (clubId: string): Promise<Club> => {
    const [item]: unknown[] = await itemsOf(clubId, 'CLUB');
    return item as Club;
  };

  const meetingOf = async (clubId: string) => (await recordOf(clubId)).meeting;

  /** The meetings of the club that are over: `lastMeeting`, and the rows of the others. */
  const historyOf = async (clubId: string): Promise<EndedMeeting[]> => {
    const { lastMeeting } = await recordOf(clubId);
    const rows = (await itemsOf(clubId, 'MEETING#')) as unknown as EndedMeeting[];
    const others = rows.filter(({ meetingId }) => meetingId !== lastMeeting?.meetingId);
    return [...(lastMeeting ? [lastMeeting] : []), ...others];
  };

  /** Past every rule. */
  async function put(...items: object[]): Promise<void> {
    for (let from = 0; from < items.length; from += BATCH_WRITES) {
      const batch = items.slice(from, from + BATCH_WRITES);
      const RequestItems = { [TableName]: batch.map((Item) => ({ PutRequest: { Item } })) };
      await documents.send(new BatchWriteCommand({ RequestItems }));
    }
  }

  /** The names of the club's rooms that there are. */
  const roomsOf = async (clubId: string): Promise<string[]> =>
    (await media.listRooms())
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`reading-club-${clubId}-`));

  const openRoom = (name: string) =>
    media.createRoom({ name, emptyTimeout: 600, departureTimeout: 600, maxParticipants: 50 });

  const putRecord = async (clubId: string, changes: Partial<Club> & Record<string, unknown>) => {
    const Item = { ...(await recordOf(clubId)), ...changes };
    await documents.send(new PutCommand({ TableName, Item }));
  };

  async function scan(): Promise<Record<string, unknown>[]> {
    const pages = await Array.fromAsync(paginateScan({ client: documents }, { TableName }));
    return pages
      .flatMap(({ Items = [] }) => Items)
      .sort((a, b) => `${a['pk']} ${a['sk']}`.localeCompare(`${b['pk']} ${b['sk']}`));
  }

  /** A club of its own for each test, with a user in each role. */
  async function createClub() {
    const clubId = `club-${randomUUID().slice(0, 8)}`;
    const person = (role: string): User => {
      const userId = randomUUID();
      return { userId, username: `${role}-${userId.slice(0, 8)}` };
    };
    const people = {
      /** A moderator because the club names them: they have no member item. */
      owner: person('owner'),
      /** Moderators because their member items say so. */
      moderator: person('moderator'),
      deputy: person('deputy'),
      member: person('member'),
      other: person('other'),
      /** A member without a display name. */
      nameless: person('nameless'),
      outsider: person('outsider'),
    };
    const displayNames = {
      moderator: `Mo of ${clubId}`,
      deputy: `De of ${clubId}`,
      member: `Me of ${clubId}`,
      other: `Ot of ${clubId}`,
    };
    const club = clubItem(clubId, people.owner.userId);
    await put(
      club,
      memberItem(clubId, people.moderator, 'moderator', displayNames.moderator),
      memberItem(clubId, people.deputy, 'moderator', displayNames.deputy),
      memberItem(clubId, people.member, 'member', displayNames.member),
      memberItem(clubId, people.other, 'member', displayNames.other),
      memberItem(clubId, people.nameless, 'member'),
    );
    return { clubId, name: club.name, displayNames, ...people };
  }

  const standIn = () => present(livekit.standIn, 'This LiveKit is no stand-in');
  const settled = async () => livekit.standIn?.webhooks.settled();
  const healthy = await boot();

  return {
    database,
    issuer,
    livekit,
    /** LiveKit's way back, its webhooks. Each process has a wire of its own for all else. */
    wire,
    /** With the project's key, past the service. */
    media,
    /** The control of the stand-in. */
    get standIn() {
      return standIn();
    },
    get s3() {
      return present(s3, 'There is no bucket');
    },
    get recorder() {
      return present(livekit.recorder, 'There is no recorder');
    },
    boot,
    /** By a process that has been up for a while, with nothing wrong. */
    call: healthy.call,

    itemsOf,
    recordOf,
    meetingOf,
    historyOf,
    put,
    roomsOf,
    /** What is left of a club that was removed: all but the notes that it, and members, were. */
    leftOf: async (clubId: string) =>
      (await itemsOf(clubId)).filter(({ removedAt }) => removedAt === undefined),
    /** Where the user is named, but for bars and the note that they were removed. */
    tracesOf: async ({ clubId }: { clubId: string }, { userId }: User) =>
      (await itemsOf(clubId))
        .filter(({ sk }) => sk !== `MEMBER#${userId}`)
        .map(({ barredUserIds: _, ...item }) => item)
        .filter((item) => JSON.stringify(item).includes(userId)),
    /** Of one meeting, or of every meeting of the club. */
    sessionsOf: async (clubId: string, meetingId?: string): Promise<Session[]> =>
      (await itemsOf(
        clubId,
        `ATTENDANCE#${meetingId ? `${meetingId}#` : ''}`,
      )) as unknown as Session[],
    /** The club's rooms in the stand-in, with their participants. */
    standInRoomsOf: async (clubId: string) =>
      (await standIn().rooms()).filter(({ name }) => name.startsWith(`reading-club-${clubId}-`)),
    scan,
    /** Changes attributes of the club's own item, whatever the rules say. */
    putRecord,
    async removeRecord(clubId: string) {
      const Key = { pk: `CLUB#${clubId}`, sk: 'CLUB' };
      await documents.send(new DeleteCommand({ TableName, Key }));
    },

    createClub,
    /** A club whose owner has started its meeting. */
    async startMeeting(by: Pick<Process, 'call'> = healthy) {
      const club = await createClub();
      const { status, body: meeting } = await by.call('start', club.owner, club);
      expect(status).toBe(200);
      return { ...club, meeting };
    },
    /** A club whose meeting is on, past every rule. Its room is not there. */
    async createMeeting(given: Partial<Meeting> = {}) {
      const club = await createClub();
      const meeting = newMeeting(club.clubId, given);
      await put(clubItem(club.clubId, club.owner.userId, meeting));
      return { ...club, meeting };
    },
    /** A room as the service makes them, past the service. */
    openRoom,
    /** A meeting of the history whose room is still there, which the next cleanup deletes. */
    async createStaleRoom(clubId: string): Promise<EndedMeeting> {
      const ended = endedMeeting(clubId);
      await put(endedRow(clubId, ended));
      await openRoom(ended.roomName);
      return ended;
    },
    /** Ends what the test before left, past every rule: a cleanup would look at it. */
    async clearAway(): Promise<void> {
      for (const { clubId, meeting } of (await scan()) as { clubId: string; meeting?: Meeting }[]) {
        if (meeting) await putRecord(clubId, { meeting: undefined, activeShard: undefined });
      }
      for (const { name } of await standIn().rooms()) await standIn().finishRoom(name);
    },

    /** What must hold whenever no request is in flight. */
    async expectAgreement(clubId: string): Promise<void> {
      const { meeting } = await recordOf(clubId);
      expect(await roomsOf(clubId)).toEqual(meeting ? [meeting.roomName] : []);
      const ended = (await historyOf(clubId)).map(({ meetingId }) => meetingId);
      expect(ended, 'each ended meeting once').toEqual([...new Set(ended)]);
    },

    /** What LiveKit sends from now on reaches this process, or none. */
    async sendWebhooksTo(process: Pick<Process, 'post'> | undefined): Promise<void> {
      await settled();
      listener = process && (async (sent) => (await process.post(webhookPost(sent))).status);
    },
    /** What LiveKit sends from now on comes here, signed as it is. */
    async takeWebhooks(take: (post: Post) => void): Promise<void> {
      await settled();
      listener = async (sent) => {
        take(sent);
        return 200;
      };
    },

    async close() {
      listener = undefined;
      await Promise.all(processes.map((process) => process.close()));
      documents.destroy();
      if (!another) await livekit.stop();
      await s3?.stop();
      await Promise.all([wire.close(), database.stop(), issuer.stop()]);
    },
  };
}

function present<T>(part: T | undefined, otherwise: string): T {
  if (part === undefined) throw new Error(otherwise);
  return part;
}
