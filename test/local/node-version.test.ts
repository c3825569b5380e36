import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { PATH = '' } = process.env;
/** A Node of this machine that is too old, as one has it whose `npm ci` ran no install scripts. */
const oldNode = PATH.split(delimiter)
  .map((folder) => join(folder, 'node'))
  .filter((file) => existsSync(file))
  .find((file) => /^v(1\d|2[0-3])\./.test(spawnSync(file, ['--version']).stdout?.toString() ?? ''));

it.skipIf(!oldNode)('an older Node says in one sentence what to do', () => {
  const [, ...args] = 'node --import ./local/node-version.js local/dev.ts'.split(' ');
  const { status, stderr } = spawnSync(oldNode ?? '', args, { cwd: root, encoding: 'utf8' });
  expect(stderr).toMatch(
    /^Node 24 is needed, and this is \d+\.\d+\.\d+: .* `npm rebuild node .*`\.\n$/,
  );
  expect(status).toBe(1);
});
