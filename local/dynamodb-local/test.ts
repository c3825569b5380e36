/**
 * `npm run test:dynamodb-local`: the tests that use the table, on Amazon's DynamoDB Local instead of
 * dynalite. Arguments are vitest's, in place of all those tests.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob } from 'node:fs/promises';
import { hasJava, startDynamoDbLocal } from './server.ts';

const WITHOUT_JAVA =
  'DynamoDB Local needs Java 17 or later, and there is no `java` on the PATH. ' +
  'Without it `npm run test:all` still runs the same tests on dynalite.';

/**
 * What the table itself decides: conditions, sets, indexes, and who wins. Whatever gets its table from
 * test/harness/database.ts can be named instead.
 */
const TESTS = [
  'lib/dynamodb',
  'test/model',
  ...['crashes', 'history', 'interleavings', 'presence-stories', 'races'].map(
    (name) => `test/handlers/${name}.`,
  ),
];

/** @throws an Error that names those that match no test file: vitest runs the others without a word */
async function checkNames(names: string[]): Promise<void> {
  const files = await Array.fromAsync(glob('{lib,test}/**/*.test.ts'));
  const unknown = names.filter((name) => !files.some((file) => file.includes(name)));
  if (unknown.length > 0) throw new Error(`No test file matches ${unknown.join(' or ')}`);
}

async function test(tests: string[]): Promise<number> {
  if (!(await hasJava())) throw new Error(WITHOUT_JAVA);
  const server = await startDynamoDbLocal();
  try {
    const vitest = spawn('vitest', ['run', '--project', 'lib', '--project', 'handlers', ...tests], {
      stdio: 'inherit',
      env: { ...process.env, TEST_DYNAMODB_ENDPOINT: server.endpoint },
    });
    const [code] = await once(vitest, 'exit');
    return code ?? 1;
  } finally {
    server.stop();
  }
}

try {
  const [, , ...chosen] = process.argv;
  if (chosen.length === 0) chosen.push(...TESTS);
  await checkNames(chosen.filter((each) => !each.startsWith('-')));
  process.exitCode = await test(chosen);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
