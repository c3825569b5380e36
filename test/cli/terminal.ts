/** The command line without a process: what it prints, and its exit code. */
import { type Io, run } from '../../cli/run.ts';

export interface Printed {
  exit: number;
  out: string;
  err: string;
}

export async function typed(
  args: string[],
  connect: Io['connect'],
  env: NodeJS.ProcessEnv = {},
): Promise<Printed> {
  const printed = { out: '', err: '' };
  const exit = await run(args, {
    env,
    connect,
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
  });
  return { exit, ...printed };
}
