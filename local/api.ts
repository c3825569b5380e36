import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type Child, startChild } from './child.ts';
import { KEYS } from './s3.ts';

const BASE_PATH = '/api/reading-clubs/meeting';
/** Seen: 5 to 12 s on two cores, and 60 s at a load of 20. */
const READY_WITHIN_MS = 240_000;

const projectDir = new URL('../', import.meta.url);
const program = createRequire(import.meta.url).resolve('serverless/bin/serverless.js');

export const apiUrl = (httpPort: number): string => `http://127.0.0.1:${httpPort}${BASE_PATH}`;

/** Where LiveKit sends its events. */
export const webhookUrl = (httpPort: number): string =>
  `http://127.0.0.1:${httpPort}/api/livekit/webhook`;

/** What the `local` stage of serverless.yml reads from the environment. */
export type ApiSettings = {
  TABLE_NAME: string;
  DYNAMODB_ENDPOINT: string;
  LIVEKIT_WS_URL: string;
  LIVEKIT_API_KEY: string;
  LIVEKIT_API_SECRET: string;
  COGNITO_ISSUER: string;
  COGNITO_CLIENT_IDS: string;
  RECORDINGS_BUCKET?: string;
  RECORDINGS_ENDPOINT?: string;
  /** With what the recorder uploads. One elsewhere cannot reach this machine's S3. */
  RECORDING_UPLOAD_ACCESS_KEY?: string;
  RECORDING_UPLOAD_SECRET?: string;
  RECORDING_UPLOAD_REGION?: string;
  /** From where the page of the API calls it. */
  REFERENCE_ORIGIN?: string;
  /** From where the page to meet on calls it. */
  WEB_ORIGIN?: string;
};

export type Api = Child & { url: string };

/**
 * The functions' real bundles, run by serverless-offline, behind the gateway of `gateway.ts`. `env` is the
 * environment to start from.
 */
export async function startApi(options: {
  httpPort: number;
  lambdaPort: number;
  settings: ApiSettings;
  env: NodeJS.ProcessEnv;
  /** Parameters of the stage in place of their defaults. */
  params?: Record<string, string>;
  /** All requests in one thread, and not each of those that come at once in a worker that loads it. */
  useInProcess?: boolean;
  /** A module that the process loads before anything else. */
  preload?: URL | undefined;
  onLine?: ((line: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}): Promise<Api> {
  const { httpPort, lambdaPort, settings, env, params = {}, preload, onLine, signal } = options;
  // One of its own: `serverless package` empties the usual one when it is done.
  const buildDir = `.local/build-${httpPort}`;
  const removeBuildDir = () => rm(new URL(buildDir, projectDir), { recursive: true, force: true });
  const args = [
    ...(preload ? ['--import', preload.href] : []),
    ...[program, 'offline', 'start', '--stage', 'local', '--noSponsor', '--host', '127.0.0.1'],
    ...['--httpPort', `${httpPort}`, '--lambdaPort', `${lambdaPort}`],
    ...Object.entries(params).map(([name, value]) => `--param=${name}=${value}`),
    ...(options.useInProcess ? ['--useInProcess'] : []),
  ];
  try {
    const child = await startChild({
      name: 'API (serverless-offline)',
      args,
      cwd: projectDir,
      env: { ...localOnly(env), ...settings, ESBUILD_WORK_FOLDER: buildDir },
      readyLine: /Gateway ready: /,
      readyWithinMs: READY_WITHIN_MS,
      onLine,
      signal,
    });
    return {
      url: apiUrl(httpPort),
      ...child,
      stop: () => child.stop().finally(removeBuildDir),
    };
  } catch (error) {
    await removeBuildDir();
    throw error;
  }
}

/** The same environment, without what would reach a real account or slow the start tenfold. */
function localOnly(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !name.startsWith('AWS_') && name !== 'NODE_OPTIONS' && name !== 'NODE_V8_COVERAGE',
  );
  return {
    ...Object.fromEntries(kept),
    // For the local S3; local databases check none.
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    SLS_TELEMETRY_DISABLED: '1',
    SLS_NOTIFICATIONS_MODE: 'off',
    SLS_INTERACTIVE_SETUP_ENABLE: '0',
  };
}
