/** One LiveKit of each kind behind the same few verbs, for tests that run on both. */
import {
  AccessToken,
  type AccessTokenOptions,
  EncodedFileOutput,
  EncodedFileType,
  RoomServiceClient,
  S3Upload,
  type VideoGrant,
  type WebhookEvent,
  WebhookReceiver,
} from 'livekit-server-sdk';
import {
  findLiveKitServer,
  type LiveKitServerOptions,
  startLiveKitServer,
} from '../../local/livekit/server.ts';
import { startStandIn } from '../../local/livekit/stand-in.ts';
import { joinRoom, joinStandIn, type Participant } from '../../local/participant.ts';
import type { S3 } from '../../local/s3.ts';
import { eventually } from '../harness/eventually.ts';
import { serveHttp } from '../harness/http-server.ts';
import { claimsOf } from '../harness/issuer.ts';
import { API_KEY, API_SECRET } from '../harness/livekit-events.ts';
import { joinAs } from '../harness/people.ts';
import type { LiveKitKind } from '../harness/world.ts';

export const OTHER_KEY = 'otherkey';
export const OTHER_SECRET = 'another-secret-that-only-tests-know';
const API_KEYS = { [API_KEY]: API_SECRET, [OTHER_KEY]: OTHER_SECRET };

export interface World {
  url: string;
  wsUrl: string;
  rooms: RoomServiceClient;
  received: Received;
  /** Joins as a client; throws `JoinRefused` with LiveKit's status. */
  join(token: string): Promise<Participant>;
  /** A participant with a microphone track; the token must let them publish. */
  joinWithMicrophone(token: string): Promise<{ trackSid: string; leave(): Promise<void> }>;
  close(): Promise<void>;
}

export async function startWorld(
  kind: LiveKitKind,
  options: { autoCreate?: boolean; participantsByRpc?: boolean } = {},
) {
  const received = await receiveWebhooks();
  const settings = {
    apiKeys: API_KEYS,
    webhook: { urls: [received.url], apiKey: API_KEY },
    autoCreate: options.autoCreate,
    participantsByRpc: options.participantsByRpc,
  };
  return kind === 'server' ? serverWorld(settings, received) : standInWorld(settings, received);
}

type Settings = Omit<LiveKitServerOptions, 'binary'>;

async function serverWorld(settings: Settings, received: Received): Promise<World> {
  const binary = findLiveKitServer();
  if (binary === undefined) {
    throw new Error('LIVEKIT=server, but there is none: npm run livekit:install');
  }
  const server = await startLiveKitServer({ ...settings, binary });
  const present: { leave(): Promise<void> }[] = [];
  return {
    ...clientOf(server.wsUrl),
    received,
    join: async (token) => {
      const person = await joinRoom(server.wsUrl, token);
      present.push(person);
      return person;
    },
    joinWithMicrophone: async (token) => {
      const person = await joinAs(server.wsUrl, token);
      present.push(person);
      return { trackSid: await person.speak(), leave: person.leave };
    },
    close: async () => {
      await Promise.all(present.map((person) => person.leave()));
      await server.stop();
      await received.close();
    },
  };
}

async function standInWorld(settings: Settings, received: Received): Promise<World> {
  const standIn = await startStandIn({
    ...settings,
    missingRoom: settings.participantsByRpc ? 'unavailable' : 'empty',
  });
  return {
    ...clientOf(standIn.wsUrl),
    received,
    join: (token) => joinStandIn(standIn, token),
    joinWithMicrophone: async (token) => {
      // The stand-in knows no publishing: its people bring their tracks with them.
      const { video, sub } = claimsOf(token) as { video: { room: string }; sub: string };
      const { sid, trackSids } = await standIn.join(video.room, {
        identity: sub,
        tracks: [{ source: 'MICROPHONE' }],
      });
      return { trackSid: trackSids[0] ?? '', leave: () => standIn.leave(video.room, sid) };
    },
    close: async () => {
      await standIn.close();
      await received.close();
    },
  };
}

const clientOf = (wsUrl: string) => ({
  wsUrl,
  url: wsUrl.replace('ws:', 'http:'),
  rooms: new RoomServiceClient(wsUrl, API_KEY, API_SECRET),
});

/** An Ogg file in this S3, as a request to LiveKit's Egress names it. */
export const fileIn = (s3: S3, filepath: string, bucket = s3.bucket) =>
  new EncodedFileOutput({
    fileType: EncodedFileType.OGG,
    filepath,
    output: {
      case: 's3',
      value: new S3Upload({
        accessKey: s3.accessKeyId,
        secret: s3.secretAccessKey,
        region: s3.region,
        endpoint: s3.endpoint,
        bucket,
        forcePathStyle: true,
      }),
    },
  });

export interface TokenOptions extends AccessTokenOptions {
  key?: string;
  secret?: string;
  kind?: string;
  roomConfig?: AccessToken['roomConfig'];
}

/** A token signed with the known key, unless the options give another one. */
export async function tokenWith(grant: VideoGrant | undefined, options: TokenOptions = {}) {
  const { key = API_KEY, secret = API_SECRET, kind, roomConfig, ...rest } = options;
  const token = new AccessToken(key, secret, { identity: 'participant', ttl: 60, ...rest });
  if (grant !== undefined) token.addGrant(grant);
  if (kind !== undefined) token.kind = kind;
  if (roomConfig !== undefined) token.roomConfig = roomConfig;
  return token.toJwt();
}

export const joinToken = (room: string, options: TokenOptions = {}) =>
  tokenWith({ roomJoin: true, room }, options);

// ---- webhooks

export interface Received {
  url: string;
  /** Verified events, in the order of their arrival. Rejects when fewer come within 15 s. */
  events(roomName: string, count: number): Promise<WebhookEvent[]>;
  close(): Promise<void>;
}

async function receiveWebhooks(): Promise<Received> {
  const receiver = new WebhookReceiver(API_KEY, API_SECRET);
  const arrived: WebhookEvent[] = [];
  const problems: unknown[] = [];
  const { url, close } = await serveHttp(
    async ({ headers, body }) => {
      try {
        if (headers['content-type'] !== 'application/webhook+json') {
          throw new Error(`content type ${headers['content-type']}`);
        }
        arrived.push(await receiver.receive(body, headers.authorization));
      } catch (error) {
        problems.push(error);
      }
      return {};
    },
    () => undefined,
  );
  return {
    url: `${url}/webhook`,
    events: (roomName, count) =>
      eventually(
        async () => {
          if (problems.length > 0) throw problems[0];
          const events = arrived.filter(({ room }) => room?.name === roomName);
          return events.length >= count ? events : undefined;
        },
        `fewer than ${count} webhooks of ${roomName}`,
        15_000,
      ),
    close,
  };
}
