/**
 * The service in this process against a real LiveKit server, for tests that decide about webhooks,
 * outages, clocks and counts: its functions behind a tiny HTTP server that makes API Gateway's events
 * of requests, so that clients and LiveKit call it as they call the API.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { RoomServiceClient } from 'livekit-server-sdk';
import webhookEvent from '../../../events/webhook.json' with { type: 'json' };
import * as cleanupFunction from '../../../functions/cleanup.ts';
import * as end from '../../../functions/end.ts';
import * as meeting from '../../../functions/meeting.ts';
import * as meetings from '../../../functions/meetings.ts';
import * as start from '../../../functions/start.ts';
import * as status from '../../../functions/status.ts';
import * as token from '../../../functions/token.ts';
import * as webhook from '../../../functions/webhook.ts';
import {
  cleanup,
  identity,
  limits,
  livekit,
  loadConfig,
  recording,
  rooms,
  store,
  tokens,
} from '../../../lib/config.ts';
import { createCleanupDeps, createDeps, createWebhookDeps } from '../../../lib/deps.ts';
import { LiveKitService } from '../../../lib/livekit/service.ts';
import type { LiveKitSettings } from '../../../lib/livekit/settings.ts';
import { createWebhookVerifier } from '../../../lib/livekit/webhook.ts';
import type { CleanupReport } from '../../../lib/meetings/cleanup/types.ts';
import { apiClient } from '../../../local/client.ts';
import { createClub } from '../../../local/demo-data.ts';
import { startDatabase } from '../../../local/dynamodb.ts';
import {
  findLiveKitServer,
  type LiveKitServer,
  startLiveKitServer,
} from '../../../local/livekit/server.ts';
import { JoinRefused } from '../../../local/livekit/stand-in.ts';
import { joinRoom } from '../../../local/participant.ts';
import {
  accessClaims,
  CLIENT_ID,
  claimsOf,
  rs256,
  startIssuer,
  type User,
} from '../../harness/issuer.ts';
import { CLEANUP_TIMEOUT_MS, contextOf, type Handler, invoke } from '../../harness/lambda.ts';
import { RECORDING_ENV } from '../../harness/no-recordings.ts';
import { startWire } from '../../harness/wire.ts';

const JOINS = 3;
const JOIN_AGAIN_MS = 2_100;

// Restarts are outages, and each is logged as a warning; what is unexpected is seen.
process.env['POWERTOOLS_LOG_LEVEL'] ??= 'ERROR';

const HOST = '127.0.0.1';
const BASE_PATH = '/api/reading-clubs/meeting';
const WEBHOOK_PATH = '/api/livekit/webhook';
export const KEY = { apiKey: 'devkey', apiSecret: 'a-secret-that-only-these-tests-know' };
const RESTART_WITHIN_MS = 10_000;

/** `LIVEKIT=server` makes the absence of a server a failure, and not something to skip. */
export const isServerMissing = (): boolean =>
  process.env['LIVEKIT'] !== 'server' && findLiveKitServer() === undefined;

type ApiKey = Pick<LiveKitSettings, 'apiKey' | 'apiSecret'>;

/** `POST /{clubId}/start` and so on, below the base path; `webhook` is LiveKit's. */
type Handlers = Record<string, Handler>;

export type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** What API Gateway is between the world and the functions. It has its address before it has those. */
export async function startGateway() {
  let processes: Handlers[] = [];
  const events: Told[] = [];

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { pathname } = new URL(request.url ?? '/', `http://${HOST}`);
    const handlers = processes[Math.floor(Math.random() * processes.length)] ?? {};
    const found = routeOf(handlers, request.method ?? '', pathname);
    if (!found) {
      response.writeHead(404).end('{"message":"Not Found"}');
      return;
    }
    const event = eventOf(request, body, found);
    const answer = await invoke(found.handler, event);
    if (found.route === 'webhook') events.push(toldIn(request, body, answer.status));
    const headers = Object.entries(answer.headers).map(
      ([name, value]) => [name, String(value)] as const,
    );
    response.writeHead(answer.status, Object.fromEntries(headers)).end(answer.body);
  }

  const underWay = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const serving = serve(request, response)
      .catch(() => void response.destroy())
      .finally(() => underWay.delete(serving));
    underWay.add(serving);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    apiUrl: `http://${HOST}:${port}${BASE_PATH}`,
    webhookUrl: `http://${HOST}:${port}${WEBHOOK_PATH}`,
    /** Each request goes to one of these. */
    use: (others: Handlers[]) => {
      processes = others;
    },
    /** LiveKit's events that the service has answered, oldest first. */
    events: (): readonly Told[] => events,
    async close() {
      server.close();
      // A webhook may be half-way through the table.
      await Promise.all(underWay);
      server.closeAllConnections();
    },
  };
}

function routeOf(handlers: Handlers, method: string, pathname: string) {
  const { webhook: ofLiveKit } = handlers;
  if (pathname === WEBHOOK_PATH && ofLiveKit) {
    return {
      route: 'webhook',
      routeKey: `POST ${WEBHOOK_PATH}`,
      handler: ofLiveKit,
      pathParameters: {},
    };
  }
  for (const [route, handler] of Object.entries(handlers)) {
    const [ofRoute, path = ''] = route.split(' ');
    const pattern = new RegExp(`^${BASE_PATH}${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
    const match = ofRoute === method ? pattern.exec(pathname) : null;
    const routeKey = `${ofRoute} ${BASE_PATH}${path}`;
    if (match) return { route, routeKey, handler, pathParameters: { ...match.groups } };
  }
  return undefined;
}

function eventOf(
  { method = '', url = '/', headers }: IncomingMessage,
  body: Buffer,
  { routeKey, pathParameters }: { routeKey: string; pathParameters: Record<string, string> },
): APIGatewayProxyEventV2 {
  const { pathname, search, searchParams } = new URL(url, `http://${HOST}`);
  const { requestContext } = webhookEvent;
  return {
    ...webhookEvent,
    routeKey,
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, String(value)]),
    ),
    queryStringParameters: Object.fromEntries(searchParams),
    pathParameters,
    requestContext: {
      ...requestContext,
      routeKey,
      requestId: randomUUID(),
      http: { ...requestContext.http, method, path: pathname },
    },
    body: body.toString('base64'),
    isBase64Encoded: true,
  };
}

interface Told {
  type: string;
  roomName: string | undefined;
  sid: string | undefined;
  /** By LiveKit's clock, in milliseconds; the event's own time is in whole seconds. */
  at: number;
  joinedAt: number;
  /** The name of the API key. */
  signedWith: string;
  /** What the service answered. */
  status: number;
}

function toldIn({ headers }: IncomingMessage, body: Buffer, status: number): Told {
  const { event, room, participant, createdAt }: Webhook = JSON.parse(body.toString());
  return {
    type: event,
    roomName: room?.name,
    sid: participant?.sid,
    at: Number(createdAt) * 1000 + 999,
    joinedAt: Number(participant?.joinedAtMs),
    signedWith: String(claimsOf(headers.authorization ?? '')['iss']),
    status,
  };
}

interface Webhook {
  event: string;
  createdAt: string;
  room?: { name: string };
  participant?: { sid: string; joinedAtMs: string };
}

export type Media = Awaited<ReturnType<typeof startMedia>>;

/**
 * A real LiveKit server that can be restarted where it was. It knows all of the keys, and tells the
 * gateways of its events, signed with the first one.
 */
export async function startMedia(
  gateways: Pick<Gateway, 'webhookUrl'>[] = [],
  [key, ...otherKeys]: [ApiKey, ...ApiKey[]] = [KEY],
) {
  const binary = findLiveKitServer();
  if (!binary) throw new Error('LIVEKIT=server, but there is none: npm run livekit:install');
  const options = {
    binary,
    apiKeys: Object.fromEntries(
      [key, ...otherKeys].map(({ apiKey, apiSecret }) => [apiKey, apiSecret]),
    ),
    ...(gateways.length > 0 && {
      webhook: { urls: gateways.map(({ webhookUrl }) => webhookUrl), apiKey: key.apiKey },
    }),
  };
  let server: LiveKitServer = await startLiveKitServer(options);
  const { wsUrl, ports } = server;
  return {
    wsUrl,
    httpUrl: wsUrl.replace('ws:', 'http:'),
    /** Past the service and its counts. */
    rooms: new RoomServiceClient(wsUrl, key.apiKey, key.apiSecret),
    /** `graceful`: as an operator stops it, with people in its rooms; `SIGKILL`: a crash. */
    async restart(how: 'graceful' | 'SIGKILL'): Promise<void> {
      await (how === 'graceful' ? server.stop() : server.kill('SIGKILL'));
      const giveUpAt = Date.now() + RESTART_WITHIN_MS;
      for (;;) {
        try {
          server = await startLiveKitServer({ ...options, ports });
          return;
        } catch (error) {
          // The ports of a process that has just ended may be taken for a moment.
          if (Date.now() > giveUpAt) throw error;
          await delay(100);
        }
      }
    },
    stop: () => server.stop(),
  };
}

export type Service = Awaited<ReturnType<typeof startService>>;

/**
 * One deployment: a table of its own, and its functions behind `gateway`. It runs as one process, or as
 * several that read LiveKit's settings each for itself; which of them gets a request is up to chance.
 */
export async function startService(
  media: Media,
  gateway: Gateway,
  readAllSettings?: (() => Promise<LiveKitSettings>)[],
) {
  const [database, issuer] = await Promise.all([startDatabase({ port: 0 }), startIssuer()]);
  const wire = await startWire({
    store: database.endpoint,
    media: media.httpUrl,
    identity: issuer.url,
  });
  const trusted = `${wire.urlOf('identity')}/the-pool`;
  const config = loadConfig(
    { store, livekit, identity, rooms, tokens, limits, cleanup, recording },
    {
      ...RECORDING_ENV,
      TABLE_NAME: database.tableName,
      DYNAMODB_ENDPOINT: wire.urlOf('store'),
      LIVEKIT_WS_URL: wire.urlOf('media').replace('http:', 'ws:'),
      LIVEKIT_API_KEY: KEY.apiKey,
      LIVEKIT_API_SECRET: KEY.apiSecret,
      COGNITO_ISSUER: trusted,
      COGNITO_CLIENT_IDS: CLIENT_ID,
    },
  );
  const deps = {
    ...createDeps(config),
    ...createCleanupDeps(config),
    ...createWebhookDeps(config),
  };
  const processes = readAllSettings?.map((settings) => ({
    ...deps,
    media: new LiveKitService(settings),
    verifyWebhook: createWebhookVerifier(settings),
  })) ?? [deps];
  const handlersOf = (own: typeof deps): Handlers => ({
    'POST /token': token.createHandler(own),
    'POST /{clubId}/start': start.createHandler(own),
    'POST /{clubId}/end': end.createHandler(own),
    'GET /{clubId}/status': status.createHandler(own),
    'GET /{clubId}/meetings': meetings.createHandler(own),
    'GET /{clubId}/meetings/{meetingId}': meeting.createHandler(own),
    webhook: webhook.createHandler(own),
  });
  gateway.use(processes.map(handlersOf));

  const personOf = (user: User) => ({
    ...user,
    ...apiClient(gateway.apiUrl, rs256(issuer.key, accessClaims(trusted, user))),
    /** Joins the club's meeting as a real client, which says so when its room is missing. */
    async join(clubId: string) {
      for (let attempt = 1; ; attempt += 1) {
        const { status: code, body } = await this.token(clubId, { roomMissing: attempt > 1 });
        if (code !== 200) throw new Error(`No token: ${code} ${body.error}`);
        try {
          return await this.joinWith(body.token);
        } catch (error) {
          if (!(error instanceof JoinRefused) || attempt === JOINS) throw error;
        }
        // A room that was made sure of a moment ago is not asked about again at once.
        await delay(JOIN_AGAIN_MS);
      }
    },
    joinWith: (joinToken: string) => joinRoom(media.wsUrl, joinToken),
  });

  return {
    /** LiveKit's calls, as they pass between the service and it. */
    wire,
    config,
    /** Two members, the first of them its moderator. */
    async createClub(clubId = `club-${randomUUID().slice(0, 8)}`) {
      const [ann, bob] = ['Ann', 'Bob'].map((username) =>
        personOf({ userId: `${username}-${randomUUID().slice(0, 8)}`, username }),
      );
      if (!ann || !bob) throw new Error('Nobody there');
      await createClub(database, {
        clubId,
        name: 'The readers',
        moderatorId: ann.userId,
        members: [
          { userId: ann.userId, role: 'moderator', displayName: 'Ann' },
          { userId: bob.userId, role: 'member', displayName: 'Bob' },
        ],
      });
      return { clubId, ann, bob };
    },
    /** One run of the scheduled function, so much later than now. */
    cleanUp: (laterMs = 0): Promise<CleanupReport> =>
      cleanupFunction.createHandler({ ...deps, now: () => new Date(Date.now() + laterMs) })(
        {},
        contextOf(CLEANUP_TIMEOUT_MS),
      ),
    async stop() {
      await gateway.close();
      await wire.close();
      await Promise.all([database.stop(), issuer.close()]);
    },
  };
}

/** Resolves with the milliseconds that it took until `isSo`. Rejects after `withinMs`. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 10_000,
): Promise<number> {
  const beganAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - beganAt > withinMs) {
      throw new Error(`Not ${what} within ${withinMs / 1000} s`);
    }
    await delay(10);
  }
  return performance.now() - beganAt;
}
