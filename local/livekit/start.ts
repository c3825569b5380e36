/** A LiveKit for development and tests: the first of three kinds that is available. */
import { randomBytes } from 'node:crypto';
import { LiveKitUrl } from '../../lib/livekit/url.ts';
import { createRecorder, type Recorder } from '../egress/recorder.ts';
import { startRedis } from '../egress/redis.ts';
import { findLiveKitServer, type Ports, startLiveKitServer } from './server.ts';
import {
  type MissingRoom,
  STAND_IN_NOTE,
  type StandInControl,
  type StandInOptions,
  startStandIn,
} from './stand-in.ts';

const API_KEY = 'devkey';
/** 48 characters in hexadecimal: the server complains about secrets under 32. */
const SECRET_BYTES = 24;

export type LiveKitKind = 'external' | 'server' | 'stand-in';

export interface LiveKitOptions {
  /** Where webhooks go. An external LiveKit has its own settings for that, and keeps them. */
  webhookUrl?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** Gives up the start. */
  signal?: AbortSignal | undefined;
  /** For a server that must come back where it was. By default the usual ports, or free ones. */
  ports?: Ports | undefined;
  /** May a join create its room? Off by default, as in production. */
  autoCreate?: boolean | undefined;
  /** Where a server's media goes as well, for others on the network. */
  publicAddress?: string | undefined;
  /** Whether a server records, by the development recorder. It does not unless asked. */
  hasRecorder?: boolean | undefined;
  /** What it answers about the participants of a room that does not exist; `empty` by default. */
  missingRoom?: MissingRoom | undefined;
  /** Of a LiveKit that is started here; a random one by default. */
  apiSecret?: string | undefined;
  /** Over the stand-in's own defaults. */
  standIn?: Pick<StandInOptions, 'port' | 'countLagMs' | 'webhookRetryDelaysMs'> | undefined;
}

export interface LiveKit {
  kind: LiveKitKind;
  wsUrl: string;
  apiKey: string;
  apiSecret: string;
  /** Where it came from, or that it is a stand-in, as a sentence for the terminal. */
  note?: string;
  /** The control of the stand-in, where it is one. */
  standIn?: StandInControl;
  /** The server's process, where it is one of ours. */
  pid?: number;
  /** What records, where a server has it. */
  recorder?: Recorder;
  /** What server and recorder talk over: for a server that takes this one's place. */
  redisAddress?: string;
  /** Settles with a sentence when it ended, asked or not. Never for one that is not ours. */
  exited: Promise<string>;
  stop(): Promise<void>;
}

/**
 * `LIVEKIT_WS_URL` (or `LIVEKIT_URL`) with its key and secret, else a server on the PATH or an installed one, else
 * the stand-in. `LIVEKIT=server` and `LIVEKIT=stand-in` force theirs.
 * Throws an Error that says what to do when the wish cannot be met.
 */
export async function startLiveKit(options: LiveKitOptions = {}): Promise<LiveKit> {
  const env = options.env ?? process.env;
  const { LIVEKIT: forced } = env;
  switch (forced || undefined) {
    case undefined:
      return externalLiveKit(env) ?? (await startServer(env, options)) ?? startOurStandIn(options);
    case 'server': {
      const server = await startServer(env, options);
      if (server !== undefined) return server;
      throw new Error(
        'LIVEKIT=server, but there is none: no livekit-server on the PATH and none installed. ' +
          'Run `npm run livekit:install` once (needs Go, 3 to 10 minutes).',
      );
    }
    case 'stand-in':
      return startOurStandIn(options);
    default:
      throw new Error(`LIVEKIT is "${forced}"; it can be "server", "stand-in" or left out`);
  }
}

function externalLiveKit(env: NodeJS.ProcessEnv): LiveKit | undefined {
  const { LIVEKIT_API_KEY, LIVEKIT_API_SECRET } = env;
  const url = env['LIVEKIT_URL'] && !env['LIVEKIT_WS_URL'] ? 'LIVEKIT_URL' : 'LIVEKIT_WS_URL';
  const wsUrl = env[url];
  const given = { [url]: wsUrl, LIVEKIT_API_KEY, LIVEKIT_API_SECRET };
  const missing = Object.entries(given).filter(([, value]) => !value);
  if (missing.length === Object.keys(given).length) return undefined;
  if (!wsUrl || !LIVEKIT_API_KEY || !LIVEKIT_API_SECRET) {
    const names = missing.map(([name]) => name).join(' and ');
    throw new Error(
      `${names} missing: ${url}, LIVEKIT_API_KEY and LIVEKIT_API_SECRET belong together. ` +
        'Set all three, or none to use a LiveKit of this machine.',
    );
  }
  const { data, error } = LiveKitUrl.safeParse(wsUrl);
  if (error) throw new Error(`${url} ${error.issues.map(({ message }) => message).join('; ')}`);
  return {
    kind: 'external',
    wsUrl: data,
    apiKey: LIVEKIT_API_KEY,
    apiSecret: LIVEKIT_API_SECRET,
    note: `This LiveKit is the one of ${url}. Its own settings say where its webhooks go.`,
    exited: new Promise(() => undefined),
    stop: async () => undefined,
  };
}

async function startServer(
  env: NodeJS.ProcessEnv,
  options: LiveKitOptions,
): Promise<LiveKit | undefined> {
  const { ports, autoCreate, publicAddress, signal, apiSecret = newSecret() } = options;
  const binary = findLiveKitServer(env);
  if (binary === undefined) return undefined;
  const redis = options.hasRecorder ? await startRedis() : undefined;
  const server = await startLiveKitServer({
    binary,
    apiKeys: { [API_KEY]: apiSecret },
    webhook: webhookOf(options.webhookUrl),
    redisAddress: redis?.address,
    participantsByRpc: options.missingRoom === 'unavailable',
    ports,
    autoCreate,
    publicAddress,
    signal,
  }).catch(async (error) => {
    await redis?.stop();
    throw error;
  });
  void server.exited.then(() => redis?.clear());
  const recorder =
    redis &&
    createRecorder({ redisPort: redis.port, wsUrl: server.wsUrl, apiKey: API_KEY, apiSecret });
  return {
    kind: 'server',
    wsUrl: server.wsUrl,
    apiKey: API_KEY,
    apiSecret,
    pid: server.pid,
    ...(recorder && { recorder }),
    ...(redis && { redisAddress: redis.address }),
    exited: server.exited.then(
      ({ code, signal }) => `the LiveKit server ended (${signal ?? `code ${code}`})`,
    ),
    stop: async () => {
      // In this order, so that a recording that is on is completed and its end is stored.
      await recorder?.stop();
      await server.stop();
      await redis?.stop();
    },
  };
}

async function startOurStandIn(options: LiveKitOptions): Promise<LiveKit> {
  const { autoCreate, missingRoom, apiSecret = newSecret() } = options;
  const { promise: exited, resolve: end } = Promise.withResolvers<string>();
  const standIn = await startStandIn({
    apiKeys: { [API_KEY]: apiSecret },
    webhook: webhookOf(options.webhookUrl),
    port: options.ports?.http,
    autoCreate,
    missingRoom,
    ...options.standIn,
  });
  return {
    kind: 'stand-in',
    wsUrl: standIn.wsUrl,
    apiKey: API_KEY,
    apiSecret,
    note: STAND_IN_NOTE,
    standIn,
    exited,
    stop: async () => {
      await standIn.close();
      end('the stand-in for LiveKit ended');
    },
  };
}

const webhookOf = (url: string | undefined) =>
  url === undefined ? undefined : { urls: [url], apiKey: API_KEY };

const newSecret = () => randomBytes(SECRET_BYTES).toString('hex');
