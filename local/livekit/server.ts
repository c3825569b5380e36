/** A real LiveKit server as a child process: loopback only, no network beyond it, gone when we go. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import getPort from 'get-port';
import { RoomServiceClient } from 'livekit-server-sdk';
import { stringify } from 'yaml';
import { MEDIA_EVENT_TYPES } from '../../lib/meetings/media.ts';
import { EGRESS_EVENT_TYPES } from '../../lib/meetings/recording/ports.ts';
import { cacheFolder } from '../cache.ts';
import { lastLinesOf } from '../lines.ts';

export const LIVEKIT_SERVER_VERSION = 'v1.13.5';

const HOST = '127.0.0.1';
/** Of a room whose creator names none, as the stand-in has them, too. */
export const EMPTY_TIMEOUT_SECONDS = 600;
export const DEPARTURE_TIMEOUT_SECONDS = 60;
const USUAL_PORTS: Ports = { http: 7880, udp: 7882 };
/** Ports are chosen before the server binds them, so another process may take them first. */
const START_ATTEMPTS = 3;
/** A busy machine may take many times what an idle one does. */
const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 25;
/** Logged once its ports are bound. */
const STARTED_LINE = 'starting LiveKit server';
/** For a version that words it differently: by then it would have failed to bind. */
const STARTED_ANYWAY_AFTER_MS = 2_000;
/** The first SIGTERM waits for the people in the rooms; the second one does not. */
const SECOND_SIGTERM_AFTER_MS = 200;
const SIGKILL_AFTER_MS = 1_500;
const KEPT_LOG_LINES = 40;
const SHOWN_LOG_LINES = 12;

export interface Ports {
  http: number;
  udp: number;
}

export interface LiveKitServerOptions {
  binary: string;
  /** API key to secret; the server complains in its log about secrets under 32 characters. */
  apiKeys: Record<string, string>;
  webhook?: { urls: readonly string[]; apiKey: string } | undefined;
  /** By default the usual ones, or free ones where those are taken. */
  ports?: Ports | undefined;
  /** May a join create its room? Off by default, as in production. */
  autoCreate?: boolean | undefined;
  /** `host:port`; without one the server has no Egress. */
  redisAddress?: string | undefined;
  /** Asks a room's own node for its participants: one that does not exist is then `unavailable`. */
  participantsByRpc?: boolean | undefined;
  /** Where media goes as well, for others on the network. By default it stays on loopback. */
  publicAddress?: string | undefined;
  /** Gives up the start. */
  signal?: AbortSignal | undefined;
}

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface LiveKitServer {
  wsUrl: string;
  pid: number;
  ports: Ports;
  /** Settles when the process has ended, for any reason. Never rejects. */
  exited: Promise<Exit>;
  /** The last lines that the server wrote. */
  lastLog(): string;
  /** Ends the server in under two seconds, also with people in a room. */
  stop(): Promise<Exit>;
  /** Sends one signal, by default SIGKILL, and waits for its effect only. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
}

/** Where `npm run livekit:install` puts the server. */
export function installedServerPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(env), `livekit-server-${LIVEKIT_SERVER_VERSION}`, 'server');
}

/** A `livekit-server` on the PATH, else the installed one, else undefined. */
export function findLiveKitServer(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { PATH = '' } = env;
  const onPath = PATH.split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'livekit-server'));
  return [...onPath, installedServerPath(env)].find(isExecutable);
}

/**
 * Starts a server and waits until it answers, for 15 s at most.
 * Throws an Error with the server's last log lines when it does not come up.
 */
export async function startLiveKitServer(options: LiveKitServerOptions): Promise<LiveKitServer> {
  for (let attempt = 1; ; attempt++) {
    const ports = options.ports ?? (await choosePorts(attempt === 1 ? USUAL_PORTS : undefined));
    const server = launch(options, ports);
    const problem = await becomesReady(server, options);
    if (problem === undefined) return server;
    await server.kill();
    options.signal?.throwIfAborted();
    const portWasTaken = server.lastLog().includes('address already in use');
    if (options.ports === undefined && portWasTaken && attempt < START_ATTEMPTS) continue;
    throw new Error(
      `LiveKit (${options.binary}) ${problem}. Its last lines:\n${server.lastLog() || '(none)'}`,
    );
  }
}

function launch(options: LiveKitServerOptions, ports: Ports): LiveKitServer {
  const child = spawn(options.binary, [], {
    // The configuration holds secrets: an argument would show them in every process list.
    // Nothing else is passed on, because the server reads NODE_IP, UDP_PORT and others.
    env: { LIVEKIT_CONFIG: configOf(options, ports) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A Ctrl-C reaches the whole foreground group; when the server ends is for us to decide.
    detached: true,
  });
  const lines = lastLinesOf([child.stdout, child.stderr], KEPT_LOG_LINES);
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error) => {
      lines.push(String(error));
      resolve({ code: null, signal: null });
    });
    // 'close' comes after the last line of output, so that lastLog() is complete.
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  guard(child, exited);

  const send = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  };
  let stopping: Promise<Exit> | undefined;
  const stopOnce = async () => {
    for (const [signal, patienceMs] of [
      ['SIGTERM', SECOND_SIGTERM_AFTER_MS],
      ['SIGTERM', SIGKILL_AFTER_MS],
    ] as const) {
      send(signal);
      const exit = await within(exited, patienceMs);
      if (exit !== undefined) return exit;
    }
    send('SIGKILL');
    return exited;
  };
  return {
    wsUrl: `ws://${HOST}:${ports.http}`,
    // No pid means that nothing was started; `exited` and the log say why.
    pid: child.pid ?? -1,
    ports,
    exited,
    lastLog: () => lines.slice(-SHOWN_LOG_LINES).join('\n'),
    stop: () => {
      stopping ??= stopOnce();
      return stopping;
    },
    kill: (signal = 'SIGKILL') => {
      send(signal);
      return exited;
    },
  };
}

/** Resolves with what went wrong, or undefined once the server answers to our own key. */
async function becomesReady(
  server: LiveKitServer,
  { apiKeys, signal }: LiveKitServerOptions,
): Promise<string | undefined> {
  const [apiKey, secret] = Object.entries(apiKeys)[0] ?? [];
  if (apiKey === undefined || secret === undefined) return 'was given no API key';
  const url = server.wsUrl.replace('ws:', 'http:');
  const rooms = new RoomServiceClient(url, apiKey, secret, { requestTimeout: 1 });
  const startedAt = Date.now();
  let ended = false;
  const end = server.exited.then(() => {
    ended = true;
  });
  while (Date.now() - startedAt < READY_WITHIN_MS) {
    await Promise.race([end, delay(READY_POLL_MS)]);
    if (ended) return 'ended while it was starting';
    if (signal?.aborted) return 'was given up';
    // Another server on this port would be healthy too, and may even know the same secret.
    const hasItsPorts =
      server.lastLog().includes(STARTED_LINE) || Date.now() - startedAt > STARTED_ANYWAY_AFTER_MS;
    if (!hasItsPorts) continue;
    try {
      const health = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      if (health.ok) {
        await rooms.listRooms(['none']);
        return undefined;
      }
    } catch {
      // Not listening yet.
    }
  }
  return `did not answer at ${url} within ${READY_WITHIN_MS / 1000} s`;
}

function configOf(options: LiveKitServerOptions, ports: Ports): string {
  return stringify({
    port: ports.http,
    bind_addresses: [HOST],
    keys: options.apiKeys,
    logging: { json: false, level: 'info' },
    rtc: {
      // The server binds this one on every interface (mediatransportutil, webrtc_config.go), so
      // media goes over UDP alone.
      tcp_port: 0,
      allow_tcp_fallback: false,
      udp_port: ports.udp,
      node_ip: options.publicAddress ?? HOST,
      use_external_ip: false,
      enable_loopback_candidate: true,
      ...(options.publicAddress === undefined
        ? { interfaces: { includes: ['lo'] }, ips: { includes: [`${HOST}/32`] } }
        : { ips: { includes: [`${HOST}/32`, `${options.publicAddress}/32`] } }),
      // Without one it would ask public STUN servers for our address.
      stun_servers: [`${HOST}:3478`],
    },
    room: {
      auto_create: options.autoCreate ?? false,
      empty_timeout: EMPTY_TIMEOUT_SECONDS,
      departure_timeout: DEPARTURE_TIMEOUT_SECONDS,
    },
    ...(options.redisAddress && { redis: { address: options.redisAddress } }),
    api: { enable_psrpc_for_get_list_participants: options.participantsByRpc ?? false },
    ...(options.webhook && {
      webhook: {
        api_key: options.webhook.apiKey,
        urls: [...options.webhook.urls],
        filter_params: { include_events: [...MEDIA_EVENT_TYPES, ...EGRESS_EVENT_TYPES] },
      },
    }),
  });
}

/**
 * Kills the server when this process dies without saying so, SIGKILL included: a shell waits on
 * a pipe that only we hold, and its end is our end. On a normal exit nothing is left to do.
 */
function guard(child: ChildProcess, exited: Promise<Exit>): void {
  if (child.pid === undefined) return;
  const watchdog = spawn('/bin/sh', ['-c', 'read -r _; kill -KILL "$0"', String(child.pid)], {
    env: {},
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  watchdog.unref();
  // Before its pipe closes, or it would signal a process id that is no longer ours.
  void exited.then(() => watchdog.kill('SIGKILL'));
}

async function choosePorts(wished: Ports | undefined): Promise<Ports> {
  const http = await getPort({ host: HOST, ...(wished && { port: wished.http }) });
  return { http, udp: await freeUdpPort(wished?.udp ?? 0) };
}

async function freeUdpPort(wished: number): Promise<number> {
  const socket = createSocket('udp4');
  try {
    return await new Promise<number>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(wished, HOST, () => resolve(socket.address().port));
    });
  } catch (error) {
    if (wished === 0) throw error;
    return await freeUdpPort(0);
  } finally {
    await new Promise<void>((resolve) => {
      try {
        socket.close(() => resolve());
      } catch {
        // It never opened.
        resolve();
      }
    });
  }
}

async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  const timer = new AbortController();
  const late = delay(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

/** A folder can be searched, which the system asks for the same way. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
