/** The command line without a process: what it prints, and its exit code. */
import { type Io, run } from '../../cli/run.ts';

interface Printed {
  exit: number;
  out: string;
  err: string;
}

/** `program` gets an empty environment and where to print. */
export async function printed(
  program: (io: Pick<Io, 'env' | 'out' | 'err'>) => Promise<number>,
): Promise<Printed> {
  const texts = { out: '', err: '' };
  const printTo = (stream: keyof typeof texts) => (text: string) => {
    texts[stream] += text;
  };
  const exit = await program({ env: {}, out: printTo('out'), err: printTo('err') });
  return { exit, ...texts };
}

export const typed = (args: string[], connect: Io['connect'], env: NodeJS.ProcessEnv = {}) =>
  printed((io) => run(args, { ...io, connect, env }));
