/**
 * Every route, the webhook, the cleanup and the clubs function in this process, on a LiveKit of either
 * kind: for what a moderator does to people who are really there.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { BatchWriteCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { RoomServiceClient } from 'livekit-server-sdk';
import endEvent from '../../events/end.json' with { type: 'json' };
import meetingEvent from '../../events/meeting.json' with { type: 'json' };
import meetingsEvent from '../../events/meetings.json' with { type: 'json' };
import membersEvent from '../../events/members.json' with { type: 'json' };
import muteEvent from '../../events/mute.json' with { type: 'json' };
import muteAllEvent from '../../events/muteAll.json' with { type: 'json' };
import myClubsEvent from '../../events/myClubs.json' with { type: 'json' };
import participantsEvent from '../../events/participants.json' with { type: 'json' };
import readmitEvent from '../../events/readmit.json' with { type: 'json' };
import recordingConsentEvent from '../../events/recordingConsent.json' with { type: 'json' };
import recordingDeleteEvent from '../../events/recordingDelete.json' with { type: 'json' };
import recordingDownloadEvent from '../../events/recordingDownload.json' with { type: 'json' };
import recordingStartEvent from '../../events/recordingStart.json' with { type: 'json' };
import recordingStopEvent from '../../events/recordingStop.json' with { type: 'json' };
import recordingsEvent from '../../events/recordings.json' with { type: 'json' };
import removeEvent from '../../events/remove.json' with { type: 'json' };
import roleEvent from '../../events/role.json' with { type: 'json' };
import startEvent from '../../events/start.json' with { type: 'json' };
import statusEvent from '../../events/status.json' with { type: 'json' };
import tokenEvent from '../../events/token.json' with { type: 'json' };
import * as cleanup from '../../functions/cleanup.ts';
import * as clubs from '../../functions/clubs.ts';
import * as end from '../../functions/end.ts';
import * as meeting from '../../functions/meeting.ts';
import * as meetings from '../../functions/meetings.ts';
import * as members from '../../functions/members.ts';
import * as mute from '../../functions/mute.ts';
import * as muteAll from '../../functions/mute-all.ts';
import * as myClubs from '../../functions/my-clubs.ts';
import * as participants from '../../functions/participants.ts';
import * as readmit from '../../functions/readmit.ts';
import * as recordingConsent from '../../functions/recording-consent.ts';
import * as recordingDelete from '../../functions/recording-delete.ts';
import * as recordingDownload from '../../functions/recording-download.ts';
import * as recordingStart from '../../functions/recording-start.ts';
import * as recordingStop from '../../functions/recording-stop.ts';
import * as recordings from '../../functions/recordings.ts';
import * as remove from '../../functions/remove.ts';
import * as role from '../../functions/role.ts';
import * as start from '../../functions/start.ts';
import * as status from '../../functions/status.ts';
import * as token from '../../functions/token.ts';
import * as webhook from '../../functions/webhook.ts';
import * as config from '../../lib/config.ts';
import type { ShownClub } from '../../lib/contract/commands.ts';
import {
  createCleanupDeps,
  createClubCommandDeps,
  createDeps,
  createRecordingDeps,
  createWebhookDeps,
} from '../../lib/deps.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { CleanupReport } from '../../lib/meetings/cleanup/types.ts';
import type { Club, Session } from '../../lib/meetings/model.ts';
import type { Log } from '../../lib/meetings/ports.ts';
import type { Answers as ClientAnswers } from '../../local/client.ts';
import { documentClient } from '../../local/dynamodb.ts';
import { type LiveKitOptions, startLiveKit } from '../../local/livekit/start.ts';
import { startS3 } from '../../local/s3.ts';
import { eventually } from '../livekit/livekits.ts';
import { askHandler, type Handler } from './calls.ts';
import { CLEANUP_TIMEOUT_MS, contextOf } from './context.ts';
import { startTestDatabase } from './database.ts';
import { accessClaims, CLIENT_ID, rs256, startIssuer, type User } from './issuer.ts';
import { type Line, type Told, webhookPost } from './meetings.ts';
import { RECORDING_ENV } from './no-recordings.ts';
import { withinRoles } from './roles.ts';
import { type Fault, startWire } from './wire.ts';
import type { LiveKitKind } from './world.ts';

export const ROUTES = [
  'token',
  'start',
  'end',
  'status',
  'meetings',
  'meeting',
  'myClubs',
  'members',
  'participants',
  'mute',
  'muteAll',
  'remove',
  'readmit',
  'role',
  'recordingStart',
  'recordingStop',
  'recordingConsent',
  'recordings',
  'recordingDownload',
  'recordingDelete',
] as const;
export type Route = (typeof ROUTES)[number];

/** By the functions' names. */
interface Answers extends Omit<ClientAnswers, 'setRole'> {
  role: ClientAnswers['setRole'];
}

/** The route's answer or an error: a test reads the fields of what it expects. */
export interface Answer<R extends Route> {
  status: number;
  body: Answers[R] & { error: string; code: ErrorCode; requestId: string };
}

const EVENTS: Record<Route, object & { headers: Record<string, string> }> = {
  token: tokenEvent,
  start: startEvent,
  end: endEvent,
  status: statusEvent,
  meetings: meetingsEvent,
  meeting: meetingEvent,
  myClubs: myClubsEvent,
  members: membersEvent,
  participants: participantsEvent,
  mute: muteEvent,
  muteAll: muteAllEvent,
  remove: removeEvent,
  readmit: readmitEvent,
  role: roleEvent,
  recordingStart: recordingStartEvent,
  recordingStop: recordingStopEvent,
  recordingConsent: recordingConsentEvent,
  recordings: recordingsEvent,
  recordingDownload: recordingDownloadEvent,
  recordingDelete: recordingDeleteEvent,
};

export interface CallOptions {
  clubId: string;
  userId?: string;
  meetingId?: string;
  recordingId?: string;
  body?: object;
  query?: Record<string, string>;
  /** What is left of the function's time. */
  remainingMs?: number;
}

export interface BootOptions {
  /** Over the usual environment. */
  env?: Record<string, string>;
  now?: () => Date;
  faults?: Fault[];
}

export type Moderation = Awaited<ReturnType<typeof startModeration>>;
export type Service = Awaited<ReturnType<Moderation['boot']>>;
export type TestClub = Awaited<ReturnType<Moderation['createClub']>>;

export interface ModerationOptions {
  /** Whether there is a recorder, and a bucket for its files. */
  isRecorded?: boolean;
}

export async function startModeration(
  kind: LiveKitKind = 'stand-in',
  { missingRoom, isRecorded = false }: Pick<LiveKitOptions, 'missingRoom'> & ModerationOptions = {},
) {
  const [database, issuer] = await Promise.all([startTestDatabase(), startIssuer()]);
  const documents = documentClient(database.endpoint);

  /** Who gets what LiveKit sends; nobody at first. */
  let listener: { tell(event: APIGatewayProxyEventV2): Promise<Told> } | undefined;
  /** How long each event is on its way. */
  const door = createServer(async (request, response) => {
    const post = { body: await buffer(request), authorization: request.headers.authorization };
    const status = listener ? (await listener.tell(webhookPost(post))).status : 200;
    response.writeHead(status).end();
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const address = door.address();
  const doorPort = typeof address === 'object' && address ? address.port : 0;

  const livekit = await startLiveKit({
    env: { ...process.env, LIVEKIT: kind },
    webhookUrl: `http://127.0.0.1:${doorPort}/`,
    missingRoom,
    hasRecorder: isRecorded,
  });
  const s3 = isRecorded ? await startS3() : undefined;
  const wires: Awaited<ReturnType<typeof startWire>>[] = [];

  async function boot({ env, now, faults = [] }: BootOptions = {}) {
    const wire = await startWire({
      store: database.endpoint,
      media: livekit.wsUrl.replace('ws:', 'http:'),
      identity: issuer.url,
      ...(s3 && { files: s3.endpoint }),
    });
    wires.push(wire);
    const trusted = `${wire.urlOf('identity')}/the-pool`;
    const {
      store,
      livekit: media,
      identity,
      rooms,
      tokens,
      limits,
      cleanup: rules,
      recording,
    } = config;
    const loaded = config.loadConfig(
      { store, livekit: media, identity, rooms, tokens, limits, cleanup: rules, recording },
      {
        ...RECORDING_ENV,
        TABLE_NAME: database.tableName,
        DYNAMODB_ENDPOINT: wire.urlOf('store'),
        LIVEKIT_WS_URL: wire.urlOf('media').replace('http:', 'ws:'),
        LIVEKIT_API_KEY: livekit.apiKey,
        LIVEKIT_API_SECRET: livekit.apiSecret,
        COGNITO_ISSUER: trusted,
        COGNITO_CLIENT_IDS: CLIENT_ID,
        ...(s3 && {
          RECORDINGS_BUCKET: s3.bucket,
          RECORDINGS_ENDPOINT: wire.urlOf('files'),
          RECORDING_DEFAULT: 'audio',
          RECORDING_UPLOAD_ACCESS_KEY: s3.accessKeyId,
          RECORDING_UPLOAD_SECRET: s3.secretAccessKey,
          RECORDING_UPLOAD_REGION: s3.region,
        }),
        ...env,
      },
    );
    const lines: Line[] = [];
    const log: Log = {
      info: (message, fields) => lines.push({ level: 'info', message, fields }),
      warn: (message, fields, error) => lines.push({ level: 'warn', message, fields, error }),
      error: (message, fields, error) => lines.push({ level: 'error', message, fields, error }),
    };
    const deps = {
      ...createDeps(loaded),
      ...createRecordingDeps(loaded),
      log,
      ...(now && { now }),
    };
    const routes: Record<Route, Handler> = {
      token: token.createHandler(deps),
      start: start.createHandler(deps),
      end: end.createHandler(deps),
      status: status.createHandler(deps),
      meetings: meetings.createHandler(deps),
      meeting: meeting.createHandler(deps),
      myClubs: myClubs.createHandler(deps),
      members: members.createHandler(deps),
      participants: participants.createHandler(deps),
      mute: mute.createHandler(deps),
      muteAll: muteAll.createHandler(deps),
      remove: remove.createHandler(deps),
      readmit: readmit.createHandler(deps),
      role: role.createHandler(deps),
      recordingStart: recordingStart.createHandler(deps),
      recordingStop: recordingStop.createHandler(deps),
      recordingConsent: recordingConsent.createHandler(deps),
      recordings: recordings.createHandler(deps),
      recordingDownload: recordingDownload.createHandler(deps),
      recordingDelete: recordingDelete.createHandler(deps),
    };
    const receive = webhook.createHandler({
      ...createWebhookDeps(loaded),
      log,
      ...(now && { now }),
    });
    const cleanUpHandler = cleanup.createHandler({ ...createCleanupDeps(loaded), ...deps });
    const manage = clubs.createHandler({ ...createClubCommandDeps(loaded), ...deps });
    // What it fetches while it starts is not counted, and nothing is wrong with it.
    await eventually(
      async () => (wire.operations().includes('GetKeys') ? true : undefined),
      'the key set is not fetched',
    );
    wire.forget();
    for (const fault of faults) wire.set(fault);
    const as = withinRoles(wire);
    const bearer = (who: User | undefined) =>
      who && `Bearer ${rs256(issuer.key, accessClaims(trusted, who))}`;

    return {
      wire,
      lines,
      /** The lines about what moderators did. */
      actions: () =>
        lines.filter(({ message }) => message === 'moderation').map(({ fields }) => fields),
      async call<R extends Route>(
        route: R,
        who: User | undefined,
        options: CallOptions,
      ): Promise<Answer<R>> {
        const event = eventOf(route, bearer(who), options);
        const time = options.remainingMs ?? (route === 'recordingStart' ? 29_000 : undefined);
        const ask = () => askHandler(routes[route], event, time);
        const { status: code, body } = await as(route, ask);
        return { status: code, body: JSON.parse(body) };
      },
      /** One command of the clubs function, as Lambda gives it. */
      manage: (command: unknown): Promise<Record<string, unknown>> =>
        as('clubs', () => manage(command, contextOf(60_000))).then((answer) => ({ ...answer })),
      async show(clubId: string): Promise<ShownClub> {
        const answer = await manage({ command: 'show', clubId }, contextOf(60_000));
        if (!('members' in answer)) throw new Error(JSON.stringify(answer));
        return answer;
      },
      async tell(event: APIGatewayProxyEventV2): Promise<Told> {
        const { status: code, body } = await as('webhook', () => askHandler(receive, event));
        return { status: code, body: JSON.parse(body) };
      },
      cleanUp: (): Promise<CleanupReport> =>
        as('cleanup', () => cleanUpHandler({}, contextOf(CLEANUP_TIMEOUT_MS))),
    };
  }

  const itemsOf = async (clubId: string, prefix = ''): Promise<Record<string, unknown>[]> => {
    const { Items = [] } = await documents.send(
      new QueryCommand({
        TableName: database.tableName,
        ConsistentRead: true,
        KeyConditionExpression: prefix ? 'pk = :pk AND begins_with(sk, :sk)' : 'pk = :pk',
        ExpressionAttributeValues: { ':pk': `CLUB#${clubId}`, ...(prefix && { ':sk': prefix }) },
      }),
    );
    return Items;
  };

  return {
    kind,
    database,
    /** Where files are, when it is recorded. */
    get s3() {
      if (!s3) throw new Error('There is no bucket');
      return s3;
    },
    /** The recorder of a server. */
    get recorder() {
      if (!livekit.recorder) throw new Error('There is no recorder');
      return livekit.recorder;
    },
    wsUrl: livekit.wsUrl,
    livekit: {
      kind: livekit.kind,
      wsUrl: livekit.wsUrl,
      apiKey: livekit.apiKey,
      apiSecret: livekit.apiSecret,
    },
    /** As whoever holds the project's key. */
    media: new RoomServiceClient(livekit.wsUrl, livekit.apiKey, livekit.apiSecret),
    get standIn() {
      if (!livekit.standIn) throw new Error('This LiveKit is no stand-in');
      return livekit.standIn;
    },
    boot,
    itemsOf,

    /** What is left of a club that was removed: all but the notes that it, and members, were. */
    leftOf: async (clubId: string) =>
      (await itemsOf(clubId)).filter(({ removedAt }) => removedAt === undefined),

    async recordOf(clubId: string): Promise<Club> {
      const [item]: unknown[] = await itemsOf(clubId, 'CLUB');
      return item as Club;
    },
    /** Past every rule. */
    async putItem(Item: { pk: string; sk: string } & Record<string, unknown>): Promise<void> {
      await documents.send(new PutCommand({ TableName: database.tableName, Item }));
    },
    /** Of every meeting of the club. */
    sessionsOf: async (clubId: string): Promise<Session[]> =>
      (await itemsOf(clubId, 'ATTENDANCE#')) as unknown as Session[],
    roomsOf: async (clubId: string): Promise<string[]> =>
      (await new RoomServiceClient(livekit.wsUrl, livekit.apiKey, livekit.apiSecret).listRooms())
        .map(({ name }) => name)
        .filter((name) => name.startsWith(`reading-club-${clubId}-`)),

    /** A club of its own for each test, with somebody in each role. */
    async createClub() {
      const clubId = `club-${randomUUID().slice(0, 8)}`;
      const person = (username: string): User => ({ userId: randomUUID(), username });
      const people = {
        /** A moderator because the club names them: they have no member item. */
        owner: person('owner'),
        /** Moderators because their member items say so. */
        moderator: person('moderator'),
        deputy: person('deputy'),
        member: person('member'),
        other: person('other'),
        outsider: person('outsider'),
      };
      const { owner, moderator, deputy, member, other } = people;
      const key = { pk: `CLUB#${clubId}`, sk: 'CLUB' };
      const at = '2026-01-01T00:00:00.000Z';
      const memberItem = ({ userId }: User, role: string, displayName: string) => {
        return { ...key, sk: `MEMBER#${userId}`, userId, role, displayName, joinedAt: at };
      };
      const name = `The readers of ${clubId}`;
      const items = [
        { ...key, clubId, name, moderatorId: owner.userId, createdAt: at },
        memberItem(moderator, 'moderator', 'Mo'),
        memberItem(deputy, 'moderator', 'De'),
        memberItem(member, 'member', 'Me'),
        memberItem(other, 'member', 'Ot'),
      ];
      const puts = items.map((Item) => ({ PutRequest: { Item } }));
      await documents.send(new BatchWriteCommand({ RequestItems: { [database.tableName]: puts } }));
      return { clubId, ...people };
    },

    /** From now on LiveKit's events reach this process, or nobody. */
    tellTo(service: { tell(event: APIGatewayProxyEventV2): Promise<Told> } | undefined): void {
      listener = service;
    },

    async close() {
      listener = undefined;
      await Promise.all(wires.map((wire) => wire.close()));
      documents.destroy();
      await livekit.stop();
      await s3?.stop();
      door.close();
      door.closeAllConnections();
      await Promise.all([database.stop(), issuer.close()]);
    },
  };
}

function eventOf(
  route: Route,
  authorization: string | undefined,
  { clubId, userId, meetingId, recordingId, body, query }: CallOptions,
): APIGatewayProxyEventV2 {
  const { authorization: _, ...headers } = EVENTS[route].headers;
  const sent = body ?? (route === 'token' ? { readingClubId: clubId } : undefined);
  return {
    ...(EVENTS[route] as unknown as APIGatewayProxyEventV2),
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    pathParameters: {
      clubId,
      ...(userId && { userId }),
      ...(meetingId && { meetingId }),
      ...(recordingId && { recordingId }),
    },
    ...(query && { queryStringParameters: query }),
    body: sent ? JSON.stringify(sent) : '',
    isBase64Encoded: false,
  };
}
