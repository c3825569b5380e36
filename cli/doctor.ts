/** `npm run doctor`: checks a configuration, local or deployed. */
import { readStack } from '../local/stack-file.ts';
import { run } from './doctor/run.ts';
import { deployedTarget, stackTarget } from './doctor/targets.ts';

// The reader of the output may close first, as `head` does.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Also when it comes again: npm passes on a Ctrl-C that the terminal has sent us already.
  process.on(signal, () => stopped.abort());
}

process.exitCode = await run(process.argv.slice(2), {
  async connect(deployment) {
    if (deployment) return deployedTarget(deployment);
    const stack = await readStack();
    return stack && stackTarget(stack);
  },
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  hasColours: process.stdout.isTTY && process.stdout.hasColors(),
  stop: stopped.signal,
});
// The check that was stopped may still wait for something.
if (stopped.signal.aborted) process.exit();
