/** The development recorder: LiveKit's Egress for a server on this machine, audio only. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../child.ts';

const READY_WITHIN_MS = 60_000;

interface RecorderOptions {
  /** Of the Redis that the server uses. */
  redisPort: number;
  wsUrl: string;
  apiKey: string;
  apiSecret: string;
}

export interface Recorder {
  /** Resolves once it serves. It starts by itself; LiveKit waits for it when it is asked before. */
  ready(): Promise<void>;
  /** Completes what it records, then ends. */
  stop(): Promise<void>;
  /** Ends it as a crash does: LiveKit hears nothing of it. */
  kill(): Promise<void>;
  /** Starts it again after `stop` or `kill`. */
  restart(): Promise<void>;
}

/** Begins to start the recorder's process, and does not wait for it. */
export function createRecorder(options: RecorderOptions): Recorder {
  let starting = start(options);
  // The callers that wait for it get the error.
  starting.catch(() => undefined);
  const end = async (how: 'stop' | 'kill') => {
    const started = await starting.catch(() => undefined);
    await started?.[how]();
  };
  return {
    ready: async () => void (await starting),
    stop: () => end('stop'),
    kill: () => end('kill'),
    restart: async () => {
      starting = start(options);
      await starting;
    },
  };
}

async function start(settings: RecorderOptions): Promise<Pick<Child, 'stop' | 'kill'>> {
  const folder = await mkdtemp(join(tmpdir(), 'recorder-'));
  const clean = () => rm(folder, { recursive: true, force: true });
  const child = await startChild({
    name: 'The recorder',
    args: [fileURLToPath(new URL('./worker.ts', import.meta.url))],
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      // Otherwise rtc-node writes debug lines to stdout.
      NODE_ENV: 'production',
      // Not an argument: the process list would show the secret.
      RECORDER: JSON.stringify({ ...settings, folder }),
    },
    readyLine: /is ready/,
    readyWithinMs: READY_WITHIN_MS,
  }).catch(async (error) => {
    await clean();
    throw error;
  });
  return {
    stop: () => child.stop().finally(clean),
    kill: () => child.kill().finally(clean),
  };
}
