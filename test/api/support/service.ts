/**
 * The service against a real LiveKit server, for tests that decide about webhooks, outages, clocks and
 * counts: its functions behind the stack's gateway, so that clients and LiveKit call it as they call the API.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { RoomServiceClient } from 'livekit-server-sdk';
import type { LiveKitSettings } from '../../../lib/livekit/settings.ts';
import { apiClient } from '../../../local/client.ts';
import { startGateway as startOurGateway } from '../../../local/gateway.ts';
import {
  findLiveKitServer,
  type LiveKitServer,
  startLiveKitServer,
} from '../../../local/livekit/server.ts';
import { JoinRefused } from '../../../local/livekit/stand-in.ts';
import type { LiveKit } from '../../../local/livekit/start.ts';
import { joinRoom } from '../../../local/participant.ts';
import { contextOf, FUNCTION_TIMEOUT_MS } from '../../harness/context.ts';
import { accessClaims, claimsOf, rs256, type User } from '../../harness/issuer.ts';
import { clubItem, memberItem } from '../../harness/items.ts';
import { noting } from '../../harness/lambda.ts';
import { API_KEY, API_SECRET } from '../../harness/livekit-events.ts';
import { later, type Process } from '../../harness/process.ts';
import { routeKeys } from '../../harness/routes.ts';
import { startWorld } from '../../harness/world.ts';

const JOINS = 3;
const JOIN_AGAIN_MS = 2_100;
const RESTART_WITHIN_MS = 10_000;
const BASE_PATH = '/api/reading-clubs/meeting';

export const KEY = { apiKey: API_KEY, apiSecret: API_SECRET };
type ApiKey = Pick<LiveKitSettings, 'apiKey' | 'apiSecret'>;

export type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** It has its address before there are functions behind it. */
export async function startGateway() {
  let processes: Pick<Process, 'handlers'>[] = [];
  const events: ReceivedEvent[] = [];
  const underWay = new Set<Promise<unknown>>();

  const { url, stop } = await startOurGateway({
    host: '127.0.0.1',
    port: 0,
    routes: Object.entries(routeKeys).map(([functionName, routeKey]) => {
      const [method = '', path = ''] = routeKey.split(' ');
      // The functions verify the caller themselves.
      return { method, path, functionName, isGuarded: false };
    }),
    authorizer: { issuer: 'http://127.0.0.1:9', audience: [] },
    cors: {
      allowedOrigins: [],
      allowedHeaders: [],
      allowedMethods: [],
      exposedResponseHeaders: [],
      maxAge: 0,
    },
    async invoke(functionName, event) {
      const process = processes[Math.floor(Math.random() * processes.length)];
      if (!process) throw new Error('Nothing is behind this gateway');
      const handler = process.handlers[functionName as keyof typeof process.handlers];
      const answering = noting(handler)(
        event as APIGatewayProxyEventV2,
        contextOf(FUNCTION_TIMEOUT_MS),
      );
      underWay.add(answering);
      const answer = await answering.finally(() => underWay.delete(answering));
      if (functionName === 'webhook') events.push(eventIn(event, answer.statusCode ?? 0));
      return answer;
    },
  });
  return {
    apiUrl: `${url}${BASE_PATH}`,
    webhookUrl: `${url}${routeKeys.webhook.split(' ')[1]}`,
    /** Each request goes to one of these. */
    use: (others: typeof processes) => {
      processes = others;
    },
    /** LiveKit's events that the service has answered, oldest first. */
    events: (): readonly ReceivedEvent[] => events,
    async close() {
      // A webhook may be half-way through the table.
      await Promise.allSettled(underWay);
      await stop();
    },
  };
}

interface ReceivedEvent {
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

function eventIn(
  { headers, body = '' }: Pick<APIGatewayProxyEventV2, 'headers' | 'body'>,
  status: number,
): ReceivedEvent {
  const { event, room, participant, createdAt }: Webhook = JSON.parse(
    Buffer.from(body, 'base64').toString(),
  );
  return {
    type: event,
    roomName: room?.name,
    sid: participant?.sid,
    at: Number(createdAt) * 1000 + 999,
    joinedAt: Number(participant?.joinedAtMs),
    signedWith: String(claimsOf(headers['authorization'] ?? '')['iss']),
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
  const livekit: LiveKit = {
    kind: 'server',
    wsUrl,
    ...key,
    exited: new Promise(() => undefined),
    stop: async () => void (await server.stop()),
  };
  return {
    ...livekit,
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
  };
}

export type Deployment = Awaited<ReturnType<typeof startDeployment>>;

/** One deployment on a server that sends it its events. */
export async function startDeployment() {
  const gateway = await startGateway();
  const media = await startMedia([gateway]);
  const service = await startService(media, gateway).catch(async (error) => {
    await media.stop();
    throw error;
  });
  const stop = async () => {
    await media.stop();
    await service.stop();
  };
  return { gateway, media, service, stop };
}

export type Service = Awaited<ReturnType<typeof startService>>;

/**
 * One deployment: a table of its own, and its functions behind `gateway`. It runs as one process, or as
 * several that read LiveKit's settings each for itself; which of them gets a request is up to chance.
 */
export async function startService(
  media: Media,
  gateway: Gateway,
  readAllSettings: (() => Promise<LiveKitSettings>)[] = [],
) {
  const world = await startWorld({ livekit: media });
  const issuer = `${world.issuer.url}/the-pool`;
  const env = { COGNITO_ISSUER: issuer };
  const boot = (options = {}) => world.boot({ isCold: true, env, ...options });
  const [first, ...others] = await Promise.all(
    readAllSettings.length > 0 ? readAllSettings.map((settings) => boot({ settings })) : [boot()],
  );
  if (!first) throw new Error('There is no process');
  gateway.use([first, ...others]);

  const personOf = (user: User) => ({
    ...user,
    ...apiClient(gateway.apiUrl, rs256(world.issuer.key, accessClaims(issuer, user))),
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
    /** LiveKit's calls, as they pass between the first process and it. */
    wire: first.wire,
    /** Two members, the first of them its moderator. */
    async createClub(clubId = `club-${randomUUID().slice(0, 8)}`) {
      const newUser = (username: string) => ({ userId: `${username}-${randomUUID()}`, username });
      const [ann, bob] = [newUser('Ann'), newUser('Bob')];
      await world.put(
        clubItem(clubId, ann.userId),
        memberItem(clubId, ann, 'moderator', 'Ann'),
        memberItem(clubId, bob, 'member', 'Bob'),
      );
      return { clubId, ann: personOf(ann), bob: personOf(bob) };
    },
    /** One run of the scheduled function, so much later than now. */
    cleanUp: async (laterMs = 0) => (await boot(later(laterMs))).cleanUp(),
    async stop() {
      await gateway.close();
      await world.close();
    },
  };
}
