/** One stack for all whole-API tests: serverless-offline with the functions' real bundles. */
import type { TestProject } from 'vitest/node';
import { startStack } from '../../local/stack.ts';
import type { StackDescription } from '../../local/stack-file.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    stack: StackDescription;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Nothing else of the environment: the tests' own holds addresses behind which there is nothing.
  // LIVEKIT=server makes the absence of a server a failure of the start.
  const { PATH, HOME, XDG_CACHE_HOME, TMPDIR, LIVEKIT } = process.env;
  const stack = await startStack({
    ports: 'free',
    env: { PATH, HOME, XDG_CACHE_HOME, TMPDIR, LIVEKIT },
  });
  project.provide('stack', stack.description);
  return stack.stop;
}
