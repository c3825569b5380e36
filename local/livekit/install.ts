/** `npm run livekit:install`: builds the pinned LiveKit server, once, outside the tree. */
import { spawn } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lastLinesOf } from '../lines.ts';
import { tryLock } from '../lock.ts';
import { installedServerPath, isExecutable, LIVEKIT_SERVER_VERSION } from './server.ts';

const PACKAGE = `github.com/livekit/livekit-server/cmd/server@${LIVEKIT_SERVER_VERSION}`;
const LOCK_FILE = 'livekit-install.lock';
const PROGRESS_EVERY_MS = 15_000;
const KEPT_LOG_LINES = 20;

const WITHOUT_GO =
  'Go is needed to build LiveKit, and there is no `go` on the PATH. Install it ' +
  '(https://go.dev/dl, 1.26 or later), or put a `livekit-server` on the PATH, or set LIVEKIT_WS_URL, ' +
  'LIVEKIT_API_KEY and LIVEKIT_API_SECRET. Without any of these the stand-in is used.';

async function install(): Promise<void> {
  const target = installedServerPath();
  if (isExecutable(target)) {
    console.log(`LiveKit ${LIVEKIT_SERVER_VERSION} is installed: ${target}`);
    return;
  }
  const cache = dirname(dirname(target));
  await mkdir(cache, { recursive: true });
  const lock = tryLock(join(cache, LOCK_FILE));
  if (!lock) throw new Error('Another process is building LiveKit: wait for that one.');
  const building = join(cache, 'building');
  // Left by a build that was killed.
  await rm(building, { recursive: true, force: true });
  await mkdir(building);
  console.log(
    `Building LiveKit ${LIVEKIT_SERVER_VERSION} with Go into ${dirname(target)}. ` +
      'The first time takes 3 to 10 minutes on two cores.',
  );
  const startedAt = Date.now();
  try {
    await build(building);
    await mkdir(dirname(target), { recursive: true });
    // The file appears whole or not at all: nothing half-built ever looks installed.
    await rename(join(building, 'server'), target);
  } finally {
    await rm(building, { recursive: true, force: true });
    lock.release();
  }
  console.log(`Done in ${elapsed(startedAt)}: ${target}`);
}

/** Rejects with the compiler's last lines, or with what to do when there is no Go. */
async function build(folder: string): Promise<void> {
  const go = spawn('go', ['install', '-v', PACKAGE], {
    cwd: folder,
    env: { ...process.env, GOBIN: folder },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const stop = (signal: NodeJS.Signals) => go.kill(signal);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);

  const startedAt = Date.now();
  let downloaded = 0;
  let compiled = 0;
  const lastLines = lastLinesOf([go.stderr], KEPT_LOG_LINES, (line) => {
    if (line.startsWith('go: downloading')) downloaded += 1;
    else compiled += 1;
  });
  const progress = setInterval(() => {
    const counts = `${downloaded} modules downloaded, ${compiled} packages compiled`;
    console.log(`  ${elapsed(startedAt)}: ${counts}`);
  }, PROGRESS_EVERY_MS);

  try {
    await new Promise<void>((resolve, reject) => {
      go.once('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'ENOENT' ? new Error(WITHOUT_GO) : error),
      );
      go.once('close', (code, signal) => {
        if (code === 0) resolve();
        else if (signal) reject(new Error(`The build was stopped (${signal})`));
        else reject(new Error(`go install failed:\n${lastLines.join('\n')}`));
      });
    });
  } finally {
    clearInterval(progress);
    process.removeListener('SIGINT', stop);
    process.removeListener('SIGTERM', stop);
  }
}

const elapsed = (sinceMs: number) => `${Math.round((Date.now() - sinceMs) / 1000)} s`;

try {
  await install();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
