import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLocked, tryLock } from '../../local/lock.ts';

const module = new URL('../../local/lock.ts', import.meta.url).href;
const HOLD = `
  const { tryLock } = await import('${module}');
  console.log(tryLock(process.argv[1]) ? 'locked' : 'refused');
  setInterval(() => {}, 1_000);`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Another process that tries, and stays. */
async function holder(file: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLD, file]);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return {
    said: line,
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

describe('a lock', () => {
  it('of a file that is not there is free', () => {
    expect(isLocked(join(folder, 'none'))).toBe(false);
  });

  it('is held until it is released, also within one process', () => {
    const file = join(folder, 'one');
    const lock = tryLock(file);
    expect([isLocked(file), tryLock(file)]).toEqual([true, undefined]);
    lock?.release();
    expect(isLocked(file)).toBe(false);
    tryLock(file)?.release();
  });

  it('is free again when the process that holds it is killed', async () => {
    const file = join(folder, 'two');
    const { said, kill } = await holder(file);
    expect([said, isLocked(file), tryLock(file)]).toEqual(['locked', true, undefined]);
    await kill();
    expect(isLocked(file)).toBe(false);
  });

  it('is given to one of many who try at once', async () => {
    const file = join(folder, 'three');
    const holders = await Promise.all(Array.from({ length: 4 }, () => holder(file)));
    expect(holders.map(({ said }) => said).toSorted()).toEqual([
      'locked',
      'refused',
      'refused',
      'refused',
    ]);
    await Promise.all(holders.map(({ kill }) => kill()));
  });
});
