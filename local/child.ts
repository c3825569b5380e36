import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLinesOf } from './lines.ts';

/** From SIGTERM to SIGKILL. The whole stack has four seconds to stop. */
const STOP_GRACE_MS = 2_500;
const KEPT_OUTPUT_LINES = 20;

const endWithParent = new URL('./end-with-parent.ts', import.meta.url).href;

export type Child = {
  pid: number;
  /** Settles, with a sentence, if the process ends without having been stopped. */
  exited: Promise<string>;
  /** Ends the process and everything that it started. */
  stop(): Promise<void>;
  /** Kills it at once, as a crash does: nothing in it can react. */
  kill(): Promise<void>;
};

export type ChildOptions = {
  /** Begins the sentences about it: "Cognito". */
  name: string;
  /** Script and arguments, for the Node that runs us. */
  args: string[];
  cwd: string | URL;
  env: NodeJS.ProcessEnv;
  /** The line of its output that says that it answers: its own word, unlike a port that answers. */
  readyLine: RegExp;
  readyWithinMs: number;
  /** Gets every line of its output. */
  onLine?: ((line: string) => void) | undefined;
  /** Gives up the start. */
  signal?: AbortSignal | undefined;
};

/** Starts a Node program in its own process group and waits until it says that it is ready. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, args, cwd, env, readyLine, readyWithinMs, onLine, signal } = options;
  signal?.throwIfAborted();
  const child = spawn(process.execPath, ['--import', endWithParent, ...args], {
    cwd,
    env,
    // A group of its own: Ctrl-C in a terminal reaches only us, and what it starts ends with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { pid = Number.NaN } = child;
  const ended = once(child, 'exit').then(
    ([code, by]) => `${name} ended unexpectedly (${by ?? `exit code ${code}`}).`,
    (error: unknown) => `${name} could not be run: ${error}`,
  );
  const closed = once(child, 'close').catch(() => undefined);
  const ready = Promise.withResolvers<void>();
  const lines = lastLinesOf([child.stdout, child.stderr], KEPT_OUTPUT_LINES, (line) => {
    onLine?.(line);
    if (readyLine.test(line)) ready.resolve();
  });
  const withOutput = (sentence: string) =>
    [sentence, ...lines.map((line) => `  | ${line}`)].join('\n');

  let stopped = false;
  const exited = new Promise<string>((resolve) => {
    void ended.then(async (sentence) => {
      if (stopped) return;
      signalGroup(child, 'SIGKILL');
      await closed;
      resolve(withOutput(sentence));
    });
  });
  const stop = async () => {
    stopped = true;
    signalGroup(child, 'SIGTERM');
    await Promise.race([ended, sleep(STOP_GRACE_MS, undefined, { ref: false })]);
    // Also when it has ended: its own children may live on for a while.
    signalGroup(child, 'SIGKILL');
    await ended;
  };
  const kill = async () => {
    stopped = true;
    signalGroup(child, 'SIGKILL');
    await closed;
  };

  const givenUp = AbortSignal.any([
    AbortSignal.timeout(readyWithinMs),
    ...(signal ? [signal] : []),
  ]);
  try {
    await Promise.race([
      ready.promise,
      exited.then((sentence) => Promise.reject(new Error(sentence))),
      once(givenUp, 'abort').then(() => {
        signal?.throwIfAborted();
        throw new Error(withOutput(`${name} was not ready within ${readyWithinMs / 1_000} s.`));
      }),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid, exited, stop, kill };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    const gone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    if (!gone) throw error;
  }
}
