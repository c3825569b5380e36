import { execFileSync } from 'node:child_process';

type Process = { pid: number; parent: number; args: string };

/** What runs on this machine, without the dead whose parent has not asked after them yet. */
export function listProcesses(): Process[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid, parent, stat = '', args = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || stat.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), args }];
  });
}

export function isRunning(pid: number): boolean {
  return listProcesses().some((one) => one.pid === pid);
}

/** Its children, their children, and so on. */
export function descendantsOf(pid: number, all = listProcesses()): Process[] {
  const children = all.filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child, ...descendantsOf(child.pid, all)]);
}
