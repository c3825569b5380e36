import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ChildOptions, startChild } from '../../local/child.ts';
import { isRunning } from './processes.ts';

const STAYS = 'setInterval(() => {}, 1_000);';
const READY = 'console.log("ready");';

const start = async (code: string, options: Partial<ChildOptions> = {}) => {
  const child = await startChild({
    name: 'The part',
    args: ['-e', code],
    cwd: tmpdir(),
    env: {},
    readyLine: /^ready/,
    readyWithinMs: 10_000,
    ...options,
  });
  onTestFinished(() => child.stop());
  return child;
};

const isGone = (pid: number) => expect.poll(() => isRunning(pid), { timeout: 15_000 }).toBe(false);

describe('a child process of the stack', () => {
  it('names the part that ends unexpectedly, with its last output', async () => {
    const child = await start(
      `${READY} console.error('out of ink'); setTimeout(process.exit, 10, 3);`,
    );
    expect(await child.exited).toBe(
      'The part ended unexpectedly (exit code 3).\n  | ready\n  | out of ink',
    );
  });

  it('that ends before it is ready fails the start with its last words', async () => {
    await expect(start(`console.error('no paper');`)).rejects.toThrow(
      'The part ended unexpectedly (exit code 0).\n  | no paper',
    );
  });

  it('that is never ready fails the start in time', async () => {
    await expect(start(STAYS, { readyWithinMs: 500 })).rejects.toThrow(
      'The part was not ready within 0.5 s.',
    );
  });

  it('that cannot be run fails the start', async () => {
    await expect(start(READY, { cwd: '/there/is/no/such/folder' })).rejects.toThrow(
      'The part could not be run: ',
    );
  });

  it('is given up when the start is', async () => {
    const reason = new Error('never mind');
    const giveUp = new AbortController();
    setTimeout(() => giveUp.abort(reason), 200);
    await expect(start(STAYS, { signal: giveUp.signal })).rejects.toBe(reason);
  });

  it('that ignores SIGTERM is killed, silently', async () => {
    const child = await start(`process.on('SIGTERM', () => {}); ${READY} ${STAYS}`);
    await child.stop();
    expect(isRunning(child.pid)).toBe(false);
    expect(await Promise.race([child.exited, sleep(50, 'silence')])).toBe('silence');
  });

  it('takes what it started along when it is stopped', async () => {
    let pid = 0;
    const child = await start(
      `const { pid } = require('node:child_process').spawn(process.execPath, ['-e', '${STAYS}']);
       console.log('ready', pid); ${STAYS}`,
      { onLine: (line) => (pid = Number(line.split(' ')[1])) },
    );
    expect(isRunning(pid)).toBe(true);
    await child.stop();
    await isGone(pid);
  });

  it('ends when the process that started it is killed', async () => {
    const module = new URL('../../local/child.ts', import.meta.url).href;
    const options = `{ name: 'x', args: ['-e', 'console.log("ready", process.pid); ${STAYS}'], cwd: '.',
      env: {}, readyLine: /ready/, readyWithinMs: 9_000, onLine: (line) => console.log(line) }`;
    const parent = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `const { startChild } = await import('${module}'); await startChild(${options});`,
    ]);
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    const pid = Number(line.split(' ')[1]);
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await isGone(pid);
  });
});
