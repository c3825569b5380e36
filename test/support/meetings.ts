/**
 * A meeting's whole life around the four routes, in this process and on loopback: LiveKit's events, the
 * cleanup, the history. Several of these can share one LiveKit, each with a table of its own.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  BatchWriteCommand,
  DeleteCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb';
import {
  ParticipantInfo,
  ParticipantInfo_Kind,
  ParticipantInfo_State,
  ParticipantPermission,
  Room,
  WebhookEvent,
} from '@livekit/protocol';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { AccessToken } from 'livekit-server-sdk';
import { ulid } from 'ulid';
import meetingEvent from '../../events/meeting.json' with { type: 'json' };
import meetingsEvent from '../../events/meetings.json' with { type: 'json' };
import webhookEvent from '../../events/webhook.json' with { type: 'json' };
import * as cleanup from '../../functions/cleanup.ts';
import * as end from '../../functions/end.ts';
import * as meeting from '../../functions/meeting.ts';
import * as meetings from '../../functions/meetings.ts';
import * as start from '../../functions/start.ts';
import * as status from '../../functions/status.ts';
import * as token from '../../functions/token.ts';
import * as webhook from '../../functions/webhook.ts';
import * as config from '../../lib/config.ts';
import type { MeetingDetails, MeetingList } from '../../lib/contract/answers.ts';
import {
  createCleanupDeps,
  createDeps,
  createRecordDeps,
  createWebhookDeps,
} from '../../lib/deps.ts';
import { activeShardOf } from '../../lib/dynamodb/keys.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { CleanupDeps, CleanupReport } from '../../lib/meetings/cleanup/types.ts';
import {
  type Club,
  type EndedMeeting,
  type Meeting,
  roomNameOf,
  type Session,
} from '../../lib/meetings/model.ts';
import type { Log, LogFields } from '../../lib/meetings/ports.ts';
import { documentClient } from '../../local/dynamodb.ts';
import { type MissingRoom, type StandIn, startStandIn } from '../../local/livekit/stand-in.ts';
import { askHandler, type CallOptions, eventOf, invoke, type Route } from './calls.ts';
import { CLEANUP_TIMEOUT_MS, contextOf } from './context.ts';
import { startTestDatabase } from './database.ts';
import { accessClaims, CLIENT_ID, rs256, startIssuer, type User } from './issuer.ts';
import { RECORDING_ENV } from './no-recordings.ts';
import { type Fault, startWire } from './wire.ts';
import { API_KEY, API_SECRET } from './world.ts';

const BATCH_WRITES = 25;

export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => minutes(60 * count);

/** A clock that is this far ahead of everybody else's. */
export const later = (ms: number) => ({ now: () => new Date(Date.now() + ms) });

// ---- webhooks

type EventName =
  | 'room_started'
  | 'room_finished'
  | 'participant_joined'
  | 'participant_left'
  | 'participant_connection_aborted'
  | 'track_published';

export interface RoomFacts {
  name: string;
  sid: string;
  createdAtMs: number;
}

export interface ParticipantFacts {
  identity: string;
  sid: string;
  joinedAtMs: number;
  name?: string;
  kind?: keyof typeof ParticipantInfo_Kind;
  hidden?: boolean;
}

/** An event in the form in which LiveKit 1.13.5 sends it: seen there. */
export function eventBody(
  event: EventName,
  { room, participant, at }: { room: RoomFacts; participant?: ParticipantFacts; at: number },
): string {
  return new WebhookEvent({
    event,
    room: new Room({
      sid: room.sid,
      name: room.name,
      emptyTimeout: 2100,
      departureTimeout: 2100,
      creationTime: BigInt(Math.floor(room.createdAtMs / 1000)),
      creationTimeMs: BigInt(room.createdAtMs),
      turnPassword: 'what-must-not-be-handed-on',
    }),
    ...(participant && {
      participant: new ParticipantInfo({
        sid: participant.sid,
        identity: participant.identity,
        name: participant.name ?? '',
        state:
          event === 'participant_joined'
            ? ParticipantInfo_State.ACTIVE
            : ParticipantInfo_State.DISCONNECTED,
        joinedAt: BigInt(Math.floor(participant.joinedAtMs / 1000)),
        joinedAtMs: BigInt(participant.joinedAtMs),
        kind: ParticipantInfo_Kind[participant.kind ?? 'STANDARD'],
        permission: new ParticipantPermission({
          canPublish: true,
          canSubscribe: true,
          canPublishData: true,
          hidden: participant.hidden ?? false,
        }),
      }),
    }),
    id: `EV_${randomUUID().slice(0, 12)}`,
    createdAt: BigInt(Math.floor(at / 1000)),
  }).toJsonString();
}

/** The time of such an event, as the service takes it: LiveKit names the second only. */
export const eventTime = (at: number): string =>
  new Date(Math.floor(at / 1000) * 1000 + 999).toISOString();

export interface Signature {
  apiKey?: string;
  apiSecret?: string;
  /** Of which body; by default the one that is sent. */
  of?: string | Buffer;
  ttlSeconds?: number;
}

/** What LiveKit sends as `Authorization` with this body. */
export function sign(
  body: string | Buffer,
  { apiKey = API_KEY, apiSecret = API_SECRET, of = body, ttlSeconds = 300 }: Signature = {},
): Promise<string> {
  const jwt = new AccessToken(apiKey, apiSecret, { ttl: ttlSeconds });
  jwt.sha256 = createHash('sha256').update(of).digest('base64');
  return jwt.toJwt();
}

export interface Post {
  body: string | Buffer;
  authorization?: string | undefined;
  /** As serverless-offline passes it on. API Gateway encodes it. */
  asText?: boolean;
}

/** The event with which API Gateway calls the webhook function. */
export function webhookPost({ body, authorization, asText = false }: Post): APIGatewayProxyEventV2 {
  const { authorization: _, ...headers } = webhookEvent.headers;
  return {
    ...webhookEvent,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    requestContext: { ...webhookEvent.requestContext, requestId: randomUUID() },
    isBase64Encoded: !asText,
    body: asText ? String(body) : Buffer.from(body).toString('base64'),
  };
}

export interface Told {
  status: number;
  body: { result?: string; error?: string; code?: ErrorCode };
}

// ---- the service

export interface BootOptions {
  /** Over the usual environment. */
  env?: Record<string, string>;
  now?: () => Date;
  faults?: Fault[];
  /** Past the wire, where nothing is counted or broken: faster. */
  direct?: boolean;
  /** Around what the cleanup is given. */
  cleanupDeps?: (deps: CleanupDeps) => CleanupDeps;
}

export interface Line {
  level: 'info' | 'warn' | 'error';
  message: string;
  fields: LogFields;
  error?: unknown;
}

export type Service = Awaited<ReturnType<Meetings['boot']>>;
export type Meetings = Awaited<ReturnType<typeof startMeetings>>;
export type TestClub = Awaited<ReturnType<Meetings['createClub']>>;

export interface MeetingsOptions {
  /** Another one's, which outlives this. */
  standIn?: StandIn;
  countLagMs?: number;
  missingRoom?: MissingRoom;
  webhookRetryDelaysMs?: number[];
}

export async function startMeetings(options: MeetingsOptions = {}) {
  const [database, issuer] = await Promise.all([startTestDatabase(), startIssuer()]);
  const documents = documentClient(database.endpoint);
  const TableName = database.tableName;

  /** Who gets what LiveKit sends; nobody at first. */
  let listener: ((post: Post) => Promise<number>) | undefined;
  const door = createServer(async (request, response) => {
    const post = { body: await buffer(request), authorization: request.headers.authorization };
    response.writeHead(listener ? await listener(post) : 200).end();
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const address = door.address();
  const doorPort = typeof address === 'object' && address ? address.port : 0;

  const standIn =
    options.standIn ??
    (await startStandIn({
      port: 0,
      apiKeys: { [API_KEY]: API_SECRET },
      countLagMs: options.countLagMs ?? 0,
      missingRoom: options.missingRoom,
      webhook: { urls: [`http://127.0.0.1:${doorPort}/`], apiKey: API_KEY },
      webhookRetryDelaysMs: options.webhookRetryDelaysMs ?? [],
    }));
  const wires: Awaited<ReturnType<typeof startWire>>[] = [];

  async function boot({ env, now, faults = [], direct = false, cleanupDeps }: BootOptions = {}) {
    const wire = direct
      ? undefined
      : await startWire({ store: database.endpoint, media: standIn.url, identity: issuer.url });
    if (wire) wires.push(wire);
    for (const fault of faults) wire?.set(fault);
    const trusted = `${wire?.urlOf('identity') ?? issuer.url}/the-pool`;
    const {
      store,
      livekit,
      identity,
      rooms,
      tokens,
      limits,
      cleanup: cleanupRules,
      recording,
    } = config;
    const loaded = config.loadConfig(
      { store, livekit, identity, rooms, tokens, limits, cleanup: cleanupRules, recording },
      {
        ...RECORDING_ENV,
        TABLE_NAME: TableName,
        DYNAMODB_ENDPOINT: wire?.urlOf('store') ?? database.endpoint,
        LIVEKIT_WS_URL: (wire?.urlOf('media') ?? standIn.url).replace('http:', 'ws:'),
        LIVEKIT_API_KEY: API_KEY,
        LIVEKIT_API_SECRET: API_SECRET,
        COGNITO_ISSUER: trusted,
        COGNITO_CLIENT_IDS: CLIENT_ID,
        ...env,
      },
    );
    const lines: Line[] = [];
    const log: Log = {
      info: (message, fields) => lines.push({ level: 'info', message, fields }),
      warn: (message, fields, error) => lines.push({ level: 'warn', message, fields, error }),
      error: (message, fields, error) => lines.push({ level: 'error', message, fields, error }),
    };
    const own = { log, ...(now && { now }) };
    const people = { ...createDeps(loaded), ...own };
    const routes = {
      token: token.createHandler(people),
      start: start.createHandler(people),
      end: end.createHandler(people),
      status: status.createHandler(people),
    };
    const history = { ...createRecordDeps(loaded), ...own };
    const listHandler = meetings.createHandler(history);
    const detailsHandler = meeting.createHandler(history);
    const receive = webhook.createHandler({ ...createWebhookDeps(loaded), ...own });
    const service = { ...createCleanupDeps(loaded), ...own };
    const cleanUpHandler = cleanup.createHandler(cleanupDeps ? cleanupDeps(service) : service);

    const bearer = (who: User | string | undefined) =>
      typeof who === 'object' ? `Bearer ${rs256(issuer.key, accessClaims(trusted, who))}` : who;
    const asked = async <T>(
      handler: typeof listHandler,
      event: APIGatewayProxyEventV2,
    ): Promise<{ status: number; body: T & { error: string; code: ErrorCode } }> => {
      const { status: code, body } = await askHandler(handler, event);
      return { status: code, body: JSON.parse(body) };
    };

    const post = async (event: APIGatewayProxyEventV2): Promise<Told> => {
      const { status: code, body } = await askHandler(receive, event);
      return { status: code, body: JSON.parse(body) };
    };

    return {
      /** Of a process that is not `direct`. */
      get wire() {
        if (!wire) throw new Error('This process has no wire');
        return wire;
      },
      /** What it asked for at the wire since the last `forget`. */
      deps: service,
      lines,
      post,
      /** As LiveKit tells it: signed now. */
      async tell(body: string): Promise<Told> {
        return post(webhookPost({ body, authorization: await sign(body) }));
      },
      call: <R extends Route>(route: R, who: User | undefined, options: CallOptions = {}) =>
        invoke<R>(routes[route], eventOf(route, bearer(who), options), options.remainingMs),
      listMeetings: (who: User | undefined, clubId: string, query?: Record<string, string>) => {
        const authorization = bearer(who);
        return asked<MeetingList>(listHandler, {
          ...meetingsEvent,
          headers: headersWith(meetingsEvent.headers, authorization),
          pathParameters: { clubId },
          ...(query && { queryStringParameters: query }),
        });
      },
      getMeeting: (who: User | undefined, clubId: string, meetingId: string) => {
        const authorization = bearer(who);
        return asked<MeetingDetails>(detailsHandler, {
          ...meetingEvent,
          headers: headersWith(meetingEvent.headers, authorization),
          pathParameters: { clubId, meetingId },
        });
      },
      /** The same, as a table. */
      getAttendanceTable: (who: User | undefined, clubId: string, meetingId: string) =>
        askHandler(detailsHandler, {
          ...meetingEvent,
          headers: { ...headersWith(meetingEvent.headers, bearer(who)), accept: 'text/csv' },
          pathParameters: { clubId, meetingId },
        }),
      cleanUp: (context: Context = contextOf(CLEANUP_TIMEOUT_MS)): Promise<CleanupReport> =>
        cleanUpHandler({}, context),
    };
  }

  const query = async (clubId: string, prefix: string): Promise<Record<string, unknown>[]> => {
    const { Items = [] } = await documents.send(
      new QueryCommand({
        TableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
        ExpressionAttributeValues: { ':pk': `CLUB#${clubId}`, ':sk': prefix },
      }),
    );
    return Items;
  };

  const recordOf = async (clubId: string): Promise<Club> => {
    const [item]: unknown[] = await query(clubId, 'CLUB');
    return item as Club;
  };

  const put = async (...items: object[]): Promise<void> => {
    for (let from = 0; from < items.length; from += BATCH_WRITES) {
      const batch = items.slice(from, from + BATCH_WRITES);
      await documents.send(
        new BatchWriteCommand({
          RequestItems: { [TableName]: batch.map((Item) => ({ PutRequest: { Item } })) },
        }),
      );
    }
  };

  return {
    database,
    standIn,
    boot,
    query,
    recordOf,
    put,

    /** Changes attributes of the club's own item, whatever the rules say. */
    async putRecord(clubId: string, changes: Partial<Club> & Record<string, unknown>) {
      const item = { ...(await recordOf(clubId)), ...changes };
      await documents.send(new PutCommand({ TableName, Item: item }));
    },

    async removeRecord(clubId: string) {
      await documents.send(
        new DeleteCommand({ TableName, Key: { pk: `CLUB#${clubId}`, sk: 'CLUB' } }),
      );
    },

    async scan() {
      const items: Record<string, unknown>[] = [];
      let ExclusiveStartKey: Record<string, unknown> | undefined;
      do {
        const page = await documents.send(
          new ScanCommand({ TableName, ...(ExclusiveStartKey && { ExclusiveStartKey }) }),
        );
        items.push(...(page.Items ?? []));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey);
      return items.sort((a, b) => `${a['pk']} ${a['sk']}`.localeCompare(`${b['pk']} ${b['sk']}`));
    },

    sessionsOf: async (clubId: string, meetingId: string): Promise<Session[]> =>
      (await query(clubId, `ATTENDANCE#${meetingId}#`)) as unknown as Session[],

    /** The rooms that LiveKit has, of one club or of a name. */
    async roomsOf(clubId: string) {
      const rooms = await standIn.rooms();
      return rooms.filter(({ name }) => name.startsWith(`reading-club-${clubId}-`));
    },

    /** A club of its own for each test, with somebody in each role, and a meeting if asked for. */
    async createClub({ meeting: on }: { meeting?: Partial<Meeting> } = {}) {
      const clubId = `club-${randomUUID().slice(0, 8)}`;
      const person = (username: string): User => ({ userId: randomUUID(), username });
      const people = {
        owner: person('owner'),
        moderator: person('moderator'),
        member: person('member'),
        /** A member without a display name. */
        nameless: person('nameless'),
        outsider: person('outsider'),
      };
      const displayNames = { moderator: `Mo ${clubId}`, member: `Me ${clubId}` };
      const pk = `CLUB#${clubId}`;
      const joinedAt = '2026-01-01T00:00:00.000Z';
      const member = (who: User, role: string, displayName?: string) => ({
        pk,
        sk: `MEMBER#${who.userId}`,
        userId: who.userId,
        role,
        joinedAt,
        ...(displayName && { displayName }),
      });
      await put(
        clubItem(clubId, people.owner.userId, on && newMeeting(clubId, on)),
        member(people.moderator, 'moderator', displayNames.moderator),
        member(people.member, 'member', displayNames.member),
        member(people.nameless, 'member'),
      );
      return { clubId, displayNames, ...people };
    },

    /** What LiveKit sends from now on reaches this process, and nobody else. */
    async tellTo(
      service: { post(event: APIGatewayProxyEventV2): Promise<Told> } | undefined,
    ): Promise<void> {
      await standIn.webhooks.settled();
      listener = service && (async (sent) => (await service.post(webhookPost(sent))).status);
    },
    /** What LiveKit sends from now on comes here, signed as it is. */
    async tellHere(take: (post: Post) => void): Promise<void> {
      await standIn.webhooks.settled();
      listener = async (sent) => {
        take(sent);
        return 200;
      };
    },

    async close() {
      await Promise.all(wires.map((wire) => wire.close()));
      documents.destroy();
      if (!options.standIn) await standIn.close();
      door.close();
      door.closeAllConnections();
      await Promise.all([database.stop(), issuer.close()]);
    },
  };
}

/** A meeting as `start` would have set it. */
export function newMeeting(clubId: string, meeting: Partial<Meeting> = {}): Meeting {
  const startedAt = meeting.startedAt ?? new Date(Date.now() - minutes(1)).toISOString();
  const meetingId = meeting.meetingId ?? ulid(Date.parse(startedAt));
  return {
    meetingId,
    roomName: roomNameOf(clubId, meetingId),
    startedAt,
    startedBy: 'somebody',
    maxParticipants: 50,
    ...meeting,
  };
}

export const clubItem = (clubId: string, moderatorId: string, on?: Meeting) => ({
  pk: `CLUB#${clubId}`,
  sk: 'CLUB',
  clubId,
  name: `The readers of ${clubId}`,
  moderatorId,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...(on && { meeting: on, activeShard: activeShardOf(clubId), activeSince: on.startedAt }),
});

/** A meeting that is over. */
export function endedMeeting(clubId: string, ended: Partial<EndedMeeting> = {}): EndedMeeting {
  const startedAt = ended.startedAt ?? new Date(Date.now() - hours(2)).toISOString();
  const meetingId = ended.meetingId ?? ulid(Date.parse(startedAt));
  const endedAt = ended.endedAt ?? new Date(Date.parse(startedAt) + hours(1)).toISOString();
  return {
    meetingId,
    roomName: roomNameOf(clubId, meetingId),
    startedAt,
    endedAt,
    durationSeconds: Math.floor((Date.parse(endedAt) - Date.parse(startedAt)) / 1000),
    endedBy: 'somebody',
    reason: 'moderator',
    ...ended,
  };
}

export const endedRow = (clubId: string, ended: EndedMeeting) => ({
  pk: `CLUB#${clubId}`,
  sk: `MEETING#${ended.meetingId}`,
  ...ended,
});

function headersWith(headers: Record<string, string>, authorization: string | undefined) {
  const { authorization: _, ...others } = headers;
  return { ...others, ...(authorization !== undefined && { authorization }) };
}
