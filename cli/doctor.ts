/** `npm run doctor`: checks a configuration, local or deployed. */
import { onInterruption } from '../local/interruption.ts';
import { bypassProxiesOnLoopback } from '../local/proxies.ts';
import { readStack } from '../local/stack-file.ts';
import { run } from './doctor/run.ts';
import { deployedTarget, stackTarget } from './doctor/targets.ts';

// The reader of the output may close first, as `head` does.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

bypassProxiesOnLoopback();
const stopped = onInterruption();

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
