/**
 * A stand-in for a LiveKit server: its API over HTTP, with state, for machines that have no real
 * one. It carries no media, and says so on every answer. It runs in this process.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  DisconnectReason,
  ParticipantInfo_Kind,
  ParticipantInfo_State,
  TrackInfo,
  TrackSource,
  TrackType,
} from '@livekit/protocol';
import getPort from 'get-port';
import { closeNow, listen, readBody } from '../listen.ts';
import { authenticate, type Caller, verify } from './stand-in/auth.ts';
import {
  CONTROL_PREFIX,
  Joiner,
  JoinRefused,
  type StandInControl,
  serveControl,
} from './stand-in/control.ts';
import { createEgressService, RecorderWishes } from './stand-in/egress-service.ts';
import { PlainError, TwirpError } from './stand-in/errors.ts';
import { checkJoin, joinWithGrants } from './stand-in/joins.ts';
import {
  createRoomService,
  type MissingRoom,
  UNSUPPORTED_METHODS,
} from './stand-in/room-service.ts';
import { COUNT_REFRESH_MS, createRooms, EVERYTHING_ALLOWED, newId } from './stand-in/rooms.ts';
import { createWebhooks, RETRY_DELAYS_MS, type WebhookTarget } from './stand-in/webhooks.ts';

export {
  JoinRefused,
  type StandInClients,
  type StandInControl,
  standInClients,
} from './stand-in/control.ts';
export type { MissingRoom } from './stand-in/room-service.ts';

export const STAND_IN_NOTE =
  'This LiveKit is a stand-in: it answers the API calls and keeps rooms, but no client can ' +
  'join, see or hear. `npm run livekit:install` builds the real server (Go, ' +
  '3 to 10 minutes, once); a `livekit-server` on the PATH or LIVEKIT_WS_URL, LIVEKIT_API_KEY ' +
  'and LIVEKIT_API_SECRET do as well.';

const HOST = '127.0.0.1';
const USUAL_PORT = 7880;
const RPC_PREFIX = '/twirp/livekit.RoomService/';
const EGRESS_PREFIX = '/twirp/livekit.Egress/';
const VALIDATE_PATHS = ['/rtc/validate', '/rtc/v1/validate'];
const IDLE_CHECK_MS = 1_000;
const MAX_BODY_BYTES = 4 * 1024 * 1024;

export interface StandInOptions {
  /** By default the usual one, or a free one where that is taken. */
  port?: number | undefined;
  apiKeys: Record<string, string>;
  /** May a join create its room? Off by default, as in production. */
  autoCreate?: boolean | undefined;
  webhook?: WebhookTarget | undefined;
  /** The interval at which `numParticipants` of a Room is refreshed: 5 s, as on the real server. */
  countLagMs?: number | undefined;
  /** What ListParticipants answers about a room that does not exist; `empty` by default. */
  missingRoom?: MissingRoom | undefined;
  /** How long a webhook waits before each retry: the real server's 1, 2, 4 and 8 s. */
  webhookRetryDelaysMs?: readonly number[] | undefined;
}

export interface StandIn extends StandInControl {
  wsUrl: string;
  url: string;
  /** Ends it at once: connections are cut, webhooks that wait are forgotten. */
  close(): Promise<void>;
}

/** Throws an Error when the given port is taken, or the webhook's key is none of the keys. */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const { apiKeys, autoCreate = false, webhook } = options;
  const webhookSecret = webhook && apiKeys[webhook.apiKey];
  if (webhook !== undefined && webhookSecret === undefined) {
    throw new Error(`The webhook's API key ${webhook.apiKey} is none of the stand-in's keys`);
  }
  const webhooks = createWebhooks({
    target: webhook,
    secret: webhookSecret ?? '',
    retryDelaysMs: options.webhookRetryDelaysMs ?? RETRY_DELAYS_MS,
  });
  const rooms = createRooms({
    countLagMs: options.countLagMs ?? COUNT_REFRESH_MS,
    emit: (event) => {
      webhooks.emit(event);
      if (event.event === 'room_finished') egress.roomClosed(event.room.name);
    },
  });
  const egress = createEgressService(rooms, (event, egressInfo) =>
    webhooks.emit({ event, egressInfo }),
  );
  const handlers = new Map<string, RpcHandler>([
    ...methodsBelow(RPC_PREFIX, createRoomService(rooms, options.missingRoom ?? 'empty')),
    ...methodsBelow(EGRESS_PREFIX, egress.handlers),
  ]);

  const server = createServer((request, response) => void serve(request, response));
  // Go's server keeps idle connections, too: a dead socket is a fault to be asked for.
  server.keepAliveTimeout = 0;
  server.on('upgrade', refuseUpgrade);
  const port = await listen(
    server,
    options.port ?? (await getPort({ host: HOST, port: USUAL_PORT })),
  );
  const idleCheck = setInterval(() => rooms.closeIdle(), IDLE_CHECK_MS).unref();

  const control = createControl();
  const answerControl = serveControl(control);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-livekit-stand-in', 'true');
    try {
      await answer(request, response);
    } catch (error) {
      if (response.headersSent || response.destroyed) response.destroy();
      else if (error instanceof TwirpError) sendTwirpError(response, error);
      else if (error instanceof PlainError) sendText(response, error.status, error.message);
      else sendText(response, 500, `A mistake in the stand-in: ${String(error)}`);
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${HOST}`);
    const { pathname } = url;
    const body = (await readBody(request, MAX_BODY_BYTES))?.toString();
    if (body === undefined) throw new PlainError(413, 'body too large for the stand-in');

    if (pathname.startsWith(CONTROL_PREFIX)) {
      await serveControlCall(pathname.slice(CONTROL_PREFIX.length), body, request, response);
      return;
    }
    if (VALIDATE_PATHS.includes(pathname)) {
      response.setHeader('access-control-allow-origin', '*');
      const caller = callerOf(request, url);
      const isNewer = pathname.includes('/v1/');
      if (caller?.video && isNewer && !url.searchParams.get('join_request')) {
        throw new PlainError(400, 'join_request is required');
      }
      checkJoin(caller, rooms, autoCreate);
      sendText(response, 200, 'success');
      return;
    }
    const caller = callerOf(request, url);
    const handle = handlers.get(pathname);
    if (handle) {
      checkRoute(request, pathname);
      const json = await handle(body, caller);
      response.writeHead(200, { 'content-type': 'application/json' }).end(json);
      return;
    }
    if (pathname.startsWith(EGRESS_PREFIX)) throw unsupported(pathname);
    if (pathname.startsWith(RPC_PREFIX)) throw noSuchMethod(request, pathname);
    if (pathname === '/') sendText(response, 200, `OK\n${STAND_IN_NOTE}\n`);
    else if (pathname === '/rtc' || pathname === '/rtc/v1') response.writeHead(404).end();
    else sendText(response, 404, '404 page not found\n');
  }

  const callerOf = (request: IncomingMessage, url: URL): Caller | undefined =>
    authenticate(request.headers.authorization, url.searchParams.get('access_token'), apiKeys);

  async function serveControlCall(
    name: string,
    body: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    // Also keeps web pages out: a browser would ask first, and nothing here says yes.
    if (request.method !== 'POST' || mediaTypeOf(request) !== 'application/json') {
      sendJson(response, 400, { error: 'POST with application/json, please', refusedJoin: false });
      return;
    }
    const { status, body: result } = await answerControl(name, body);
    sendJson(response, status, result);
  }

  /** A client that wants to join over a WebSocket learns why it cannot. */
  function refuseUpgrade(request: IncomingMessage, socket: Duplex): void {
    socket.on('error', () => undefined);
    const url = new URL(request.url ?? '/', `http://${HOST}`);
    const refuse = (status: number, text: string) =>
      socket.end(
        `HTTP/1.1 ${status} Refused\r\nx-livekit-stand-in: true\r\nconnection: close\r\n` +
          `content-type: text/plain; charset=utf-8\r\n` +
          `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      );
    try {
      checkJoin(callerOf(request, url), rooms, autoCreate);
      refuse(501, STAND_IN_NOTE);
    } catch (error) {
      if (error instanceof PlainError) refuse(error.status, error.message);
      else socket.destroy();
    }
  }

  function createControl(): StandInControl {
    return {
      rooms: async () =>
        rooms.list([]).map((room) => ({
          name: room.name,
          sid: room.sid,
          metadata: room.metadata,
          maxParticipants: room.maxParticipants,
          emptyTimeoutSeconds: room.emptyTimeout,
          departureTimeoutSeconds: room.departureTimeout,
          participants: rooms.people(room.name).map(({ sid, identity, kind }) => ({
            sid,
            identity,
            kind: ParticipantInfo_Kind[kind],
          })),
        })),
      join: async (roomName, who) => {
        const { identity, name, metadata, attributes, kind, state, tracks } = Joiner.parse(who);
        const person = refusable(() => {
          if (autoCreate) rooms.create(roomName, NO_WISHES);
          return rooms.admit(roomName, {
            identity,
            name,
            metadata,
            attributes,
            kind: ParticipantInfo_Kind[kind],
            state: ParticipantInfo_State[state],
            permission: EVERYTHING_ALLOWED,
            tracks: tracks.map(
              (track) =>
                new TrackInfo({
                  sid: newId('TR_'),
                  name: track.name,
                  source: TrackSource[track.source],
                  type: TRACK_TYPE[track.source],
                }),
            ),
          });
        });
        return { sid: person.sid, trackSids: person.tracks.map(({ sid }) => sid) };
      },
      joinWithToken: async (token) => {
        const { roomName, person } = refusable(() =>
          joinWithGrants(verify(token, apiKeys), rooms, autoCreate),
        );
        return { sid: person.sid, identity: person.identity, roomName };
      },
      leave: async (roomName, sid, reason = 'CLIENT_INITIATED') => {
        const person = rooms.people(roomName).find((each) => each.sid === sid);
        if (person === undefined)
          throw new Error(`no participant with sid ${sid} is in ${roomName}`);
        rooms.remove(roomName, person, DisconnectReason[reason]);
      },
      finishRoom: async (roomName) => {
        if (!rooms.close(roomName, DisconnectReason.ROOM_CLOSED)) {
          throw new Error(`no room ${roomName}`);
        }
      },
      departures: async () => [...rooms.departures()],
      recorder: {
        set: async (wishes) => egress.set(RecorderWishes.parse(wishes)),
        kill: async () => egress.kill(),
        end: async (how) => egress.end(how),
        forget: async () => egress.forget(),
      },
      webhooks: {
        deliveries: async () => [...webhooks.deliveries()],
        settled: webhooks.settled,
      },
    };
  }

  return {
    ...control,
    url: `http://${HOST}:${port}`,
    wsUrl: `ws://${HOST}:${port}`,
    close: async () => {
      clearInterval(idleCheck);
      webhooks.close();
      if (server.listening) await closeNow(server);
    },
  };
}

const NO_WISHES = { emptyTimeout: 0, departureTimeout: 0, maxParticipants: 0, metadata: '' };

const TRACK_TYPE = {
  CAMERA: TrackType.VIDEO,
  MICROPHONE: TrackType.AUDIO,
  SCREEN_SHARE: TrackType.VIDEO,
  SCREEN_SHARE_AUDIO: TrackType.AUDIO,
} as const;

type RpcHandler = (json: string, caller: Caller | undefined) => string | Promise<string>;

const methodsBelow = (prefix: string, methods: Record<string, RpcHandler>) =>
  Object.entries(methods).map(([name, handle]) => [prefix + name, handle] as const);

function refusable<T>(join: () => T): T {
  try {
    return join();
  } catch (error) {
    if (error instanceof PlainError) throw new JoinRefused(error.status, error.message);
    throw error;
  }
}

function checkRoute(request: IncomingMessage, pathname: string): void {
  const meta = { twirp_invalid_route: `${request.method} ${pathname}` };
  if (request.method !== 'POST') {
    const message = `unsupported method "${request.method}" (only POST is allowed)`;
    throw new TwirpError('bad_route', message, meta);
  }
  if (mediaTypeOf(request) !== 'application/json') {
    const message = `unexpected Content-Type: "${request.headers['content-type'] ?? ''}"`;
    throw new TwirpError('bad_route', message, meta);
  }
}

const unsupported = (pathname: string) =>
  new TwirpError(
    'unimplemented',
    `the stand-in for LiveKit does not do ${pathname.split('/').at(-1)}`,
  );

function noSuchMethod(request: IncomingMessage, pathname: string): TwirpError {
  if (UNSUPPORTED_METHODS.includes(pathname.slice(RPC_PREFIX.length))) return unsupported(pathname);
  return new TwirpError('bad_route', `no handler for path "${pathname}"`, {
    twirp_invalid_route: `${request.method} ${pathname}`,
  });
}

const mediaTypeOf = (request: IncomingMessage) =>
  (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendTwirpError(response: ServerResponse, { status, code, message, meta }: TwirpError) {
  sendJson(response, status, { code, msg: message, ...(meta && { meta }) });
}
