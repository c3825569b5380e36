import { HELP, parseArguments, type Request, UsageError } from './arguments.ts';
import { count, importClubs, Mistakes, readImport } from './import.ts';
import { printableLines } from './printable.ts';
import { importTable, sentenceFor } from './tables.ts';
import { OutOfReach, Refused, type Target } from './targets.ts';

export const EXIT = { done: 0, refused: 1, usage: 2, outOfReach: 3 } as const;

/** How often progress is told, at most. */
const PROGRESS_EVERY_MS = 500;

export interface Surroundings {
  /** @throws OutOfReach when the development stack does not run */
  connect(deployment: Request['deployment']): Promise<Target>;
  out(text: string): void;
  err(text: string): void;
}

/** Does what was asked for, and gives the exit code. */
export async function run(args: string[], surroundings: Surroundings): Promise<number> {
  const around: Surroundings = {
    ...surroundings,
    out: (text) => surroundings.out(printableLines(text)),
    err: (text) => surroundings.err(printableLines(text)),
  };
  let isJson = args.includes('--json');
  try {
    const request = parseArguments(args);
    if (request === 'help') {
      around.out(HELP);
      return EXIT.done;
    }
    ({ isJson } = request);
    around.out(await answerTo(request, around));
    return EXIT.done;
  } catch (error) {
    const { code, exit, sentence } = failureOf(error);
    const hint = exit === EXIT.usage ? '\nnpm run clubs -- --help' : '';
    if (isJson) around.out(`${JSON.stringify({ error: sentence, code })}\n`);
    around.err(`${sentence}${hint}\n`);
    return exit;
  }
}

async function answerTo({ task, isJson, deployment }: Request, around: Surroundings) {
  const json = (answer: unknown) => `${JSON.stringify(answer, null, 2)}\n`;
  if ('importFile' in task) {
    const file = await readImport(task.importFile);
    const counts = await withTarget(around, deployment, (target) =>
      importClubs(target, file, progressOn(around)),
    );
    return isJson ? json({ clubs: counts }) : `${importTable(counts)}\n`;
  }
  const { command } = task;
  const answer = await withTarget(around, deployment, (target) => target.send(command));
  return isJson ? json(answer) : `${sentenceFor(answer)}\n`;
}

async function withTarget<T>(
  { connect }: Surroundings,
  deployment: Request['deployment'],
  work: (target: Target) => Promise<T>,
): Promise<T> {
  const target = await connect(deployment);
  try {
    return await work(target);
  } finally {
    target.close();
  }
}

function progressOn({ err }: Surroundings) {
  let toldAt = Number.NEGATIVE_INFINITY;
  return ({ clubId }: { clubId: string }, done: number, of: number): void => {
    if (done < of && performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    err(`${clubId}: ${done.toLocaleString('en')} of ${count(of, 'member')}\n`);
  };
}

function failureOf(error: unknown): { code: string; exit: number; sentence: string } {
  const sentence = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError) return { code: 'USAGE', exit: EXIT.usage, sentence };
  if (error instanceof Mistakes) return { code: 'MISTAKES', exit: EXIT.refused, sentence };
  if (error instanceof Refused) return { code: error.code, exit: EXIT.refused, sentence };
  if (error instanceof OutOfReach) return { code: 'NO_ANSWER', exit: EXIT.outOfReach, sentence };
  // A file that cannot be read, as its path was typed.
  if (error instanceof Error && 'syscall' in error) {
    return { code: 'USAGE', exit: EXIT.usage, sentence };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return { code: 'INTERNAL', exit: EXIT.outOfReach, sentence: stack ?? sentence };
}
