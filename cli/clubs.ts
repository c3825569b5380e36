/** `npm run clubs -- …`: the commands of the clubs function at a terminal. */
import { bypassProxiesOnLoopback } from '../local/proxies.ts';
import { readStack } from '../local/stack-file.ts';
import { run } from './run.ts';
import { deployedTarget, stackTarget, Unreachable } from './targets.ts';

// The reader of the output may close first, as `head` does.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

bypassProxiesOnLoopback();
process.exitCode = await run(process.argv.slice(2), {
  async connect(deployment) {
    if (deployment) return deployedTarget(deployment);
    const stack = await readStack().catch((error: Error) => {
      throw new Unreachable(error.message);
    });
    if (stack) return stackTarget(stack);
    throw new Unreachable(
      'No development stack runs here: start one with `npm run dev`, or name a deployed --stage',
    );
  },
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
