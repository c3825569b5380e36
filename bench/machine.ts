import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { LIVEKIT_SERVER_VERSION } from '../local/livekit/server.ts';
import type { Table } from './report.ts';

const BUSY_LOAD = 1;

/** How busy the machine is with other things, before anything of ours runs. */
export const loadAverage = (): string => (loadavg()[0] ?? Number.NaN).toFixed(2);

export function machineTable(loadBefore: string): Table {
  const [cpu] = cpus();
  return {
    title: 'The machine and the run',
    head: ['what', 'which'],
    rows: [
      ['date', new Date().toISOString().slice(0, 10)],
      ['commit', commit()],
      ['processor', `${cpu?.model ?? 'unknown'}, ${cpus().length} cores`],
      ['memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
      ['Node', process.version],
      ['LiveKit server', LIVEKIT_SERVER_VERSION],
      ['load average (1 min) before', loadBefore + remark(loadBefore)],
    ],
  };
}

const remark = (loadBefore: string): string =>
  Number(loadBefore) > BUSY_LOAD ? ': busy with other things, so the figures are too high' : '';

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', 'lib', 'functions', 'bench') !== '';
    return git('rev-parse', '--short', 'HEAD') + (changed ? ', with changes' : '');
  } catch {
    return 'unknown';
  }
}
