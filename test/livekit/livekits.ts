/** One LiveKit of each kind behind the same few verbs, for tests that run on both. */
import { createServer, type Server } from 'node:http';
import { DisconnectReason } from '@livekit/protocol';
import {
  AudioFrame,
  AudioSource,
  LocalAudioTrack,
  Room,
  RoomEvent,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import {
  AccessToken,
  type AccessTokenOptions,
  RoomServiceClient,
  type VideoGrant,
  type WebhookEvent,
  WebhookReceiver,
} from 'livekit-server-sdk';
import { findLiveKitServer, startLiveKitServer } from '../../local/livekit/server.ts';
import { JoinRefused, startStandIn } from '../../local/livekit/stand-in.ts';
import { eventually } from '../harness/eventually.ts';
import { API_KEY, API_SECRET } from '../harness/livekit-events.ts';
import type { LiveKitKind } from '../harness/world.ts';

export const OTHER_KEY = 'otherkey';
export const OTHER_SECRET = 'another-secret-that-only-tests-know';
const API_KEYS = { [API_KEY]: API_SECRET, [OTHER_KEY]: OTHER_SECRET };

export interface Person {
  sid: string;
  leave(): Promise<void>;
  /** LiveKit's name for why they are out. Rejects when they are still in after 5 s. */
  outBecause(): Promise<string>;
}

export interface World {
  url: string;
  wsUrl: string;
  rooms: RoomServiceClient;
  received: Received;
  /** Joins as a client; throws `Refused` with LiveKit's status. */
  join(token: string): Promise<Person>;
  /** A participant with a microphone track; the token must let them publish. */
  joinWithMicrophone(token: string): Promise<{ person: Person; trackSid: string }>;
  close(): Promise<void>;
}

export class Refused extends Error {
  readonly status: number;

  constructor(status: number, cause: unknown) {
    super(`refused with ${status}`, { cause });
    this.status = status;
  }
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

interface Settings {
  apiKeys: Record<string, string>;
  webhook: { urls: string[]; apiKey: string };
  autoCreate: boolean | undefined;
  participantsByRpc: boolean | undefined;
}

async function serverWorld(settings: Settings, received: Received): Promise<World> {
  const binary = findLiveKitServer();
  if (binary === undefined) {
    throw new Error('LIVEKIT=server, but there is none: npm run livekit:install');
  }
  const server = await startLiveKitServer({ ...settings, binary });
  const connected: Room[] = [];
  const join = async (token: string) => {
    const room = new Room();
    const out = new Promise<string>((resolve) => {
      room.once(RoomEvent.Disconnected, (reason) => resolve(DisconnectReason[reason] ?? 'none'));
    });
    try {
      await room.connect(server.wsUrl, token, { autoSubscribe: true, dynacast: false });
    } catch (error) {
      const [status] = /\b[45]\d\d\b/.exec(String(error)) ?? [];
      throw new Refused(Number(status), error);
    }
    connected.push(room);
    const person: Person = {
      sid: room.localParticipant?.sid ?? '',
      leave: () => room.disconnect(),
      outBecause: () => withinFiveSeconds(out, 'still in the room'),
    };
    return { person, room };
  };
  return {
    ...clientOf(server.wsUrl),
    received,
    join: async (token) => (await join(token)).person,
    joinWithMicrophone: async (token) => {
      const { person, room } = await join(token);
      const source = new AudioSource(48_000, 1);
      const track = LocalAudioTrack.createAudioTrack('microphone', source);
      const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
      const publication = await room.localParticipant?.publishTrack(track, options);
      // LiveKit counts a track as published when its first packets arrive.
      await source.captureFrame(new AudioFrame(new Int16Array(4_800), 48_000, 1, 4_800));
      return { person, trackSid: publication?.sid ?? '' };
    },
    close: async () => {
      await Promise.all(connected.map((room) => room.disconnect()));
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
  const personOf = (roomName: string, sid: string): Person => ({
    sid,
    leave: () => standIn.leave(roomName, sid),
    outBecause: () =>
      eventually(async () => {
        const departure = (await standIn.departures()).find((each) => each.sid === sid);
        return departure?.reason;
      }, 'still in the room'),
  });
  const join = async (token: string) => {
    try {
      const { roomName, sid } = await standIn.joinWithToken(token);
      return personOf(roomName, sid);
    } catch (error) {
      if (error instanceof JoinRefused) throw new Refused(error.status, error);
      throw error;
    }
  };
  return {
    ...clientOf(standIn.wsUrl),
    received,
    join,
    joinWithMicrophone: async (token) => {
      // The stand-in knows no publishing: its people bring their tracks with them.
      const { video, sub = '' } = claimsOf(token);
      const roomName = video?.room ?? '';
      const { sid, trackSids } = await standIn.join(roomName, {
        identity: sub,
        tracks: [{ source: 'MICROPHONE' }],
      });
      return { person: personOf(roomName, sid), trackSid: trackSids[0] ?? '' };
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

function claimsOf(token: string): { video?: VideoGrant; sub?: string } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

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
  const server = createServer(async (request, response) => {
    try {
      if (request.headers['content-type'] !== 'application/webhook+json') {
        throw new Error(`content type ${request.headers['content-type']}`);
      }
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      arrived.push(await receiver.receive(body, request.headers.authorization));
    } catch (error) {
      problems.push(error);
    }
    response.end();
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}/webhook`,
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
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

export const listen = (server: Server) =>
  new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

async function withinFiveSeconds<T>(promise: Promise<T>, stillTheCase: string): Promise<T> {
  let value: { is: T } | undefined;
  void promise.then((is) => {
    value = { is };
  });
  return (await eventually(async () => value, stillTheCase)).is;
}
