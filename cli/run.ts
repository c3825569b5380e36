import { UsageError } from '../local/options.ts';
import { HELP, parseArguments, type Request, type Task } from './arguments.ts';
import { count, ImportErrors, importClubs, readImport } from './import.ts';
import { printableLines } from './printable.ts';
import { importTable, sentenceFor } from './tables.ts';
import { Refused, showClub, type Target, Unreachable } from './targets.ts';

export const EXIT = { done: 0, refused: 1, usage: 2, unreachable: 3 } as const;

/** Progress is printed at most this often. */
const PROGRESS_EVERY_MS = 500;

export interface Io {
  /** @throws Unreachable when the development stack does not run */
  connect(deployment: Request['deployment']): Promise<Target>;
  env: NodeJS.ProcessEnv;
  out(text: string): void;
  err(text: string): void;
}

/** Runs the command, names its target, and returns the exit code. */
export async function run(args: string[], rawIo: Io): Promise<number> {
  const io: Io = {
    ...rawIo,
    out: (text) => rawIo.out(printableLines(text)),
    err: (text) => rawIo.err(printableLines(text)),
  };
  let isJson = args.includes('--json');
  let target: Target | undefined;
  try {
    const request = parseArguments(args, io.env);
    if (request === 'help') {
      io.out(HELP);
      return EXIT.done;
    }
    ({ isJson } = request);
    const work = await workOf(request.task, io);
    target = await io.connect(request.deployment);
    const { answer, text } = await work(target);
    io.out(isJson ? json({ target: target.name, ...answer }) : `${text}\n${lineOf(target)}`);
    return EXIT.done;
  } catch (error) {
    const { code, exit, sentence } = failureOf(error);
    if (isJson) io.out(json({ error: sentence, code, target: target?.name }));
    const hint = exit === EXIT.usage ? 'npm run clubs -- --help\n' : '';
    io.err(`${sentence}\n${hint}${target ? lineOf(target) : ''}`);
    return exit;
  } finally {
    target?.close();
  }
}

const json = (answer: object): string => `${JSON.stringify(answer, null, 2)}\n`;

const lineOf = ({ name }: Target): string => `Target: ${name}\n`;

type Work = (target: Target) => Promise<{ answer: object; text: string }>;

/** All that can be wrong with it is known before a target is asked. */
async function workOf(task: Task, io: Io): Promise<Work> {
  if ('importFile' in task) {
    const file = await readImport(task.importFile);
    return async (target) => {
      const clubs = await importClubs(target, file, progressOn(io));
      return { answer: { clubs }, text: importTable(clubs) };
    };
  }
  return async (target) => {
    const { command } = task;
    const answer =
      command.command === 'show'
        ? await showClub(target, command.clubId)
        : await target.send(command);
    return { answer, text: sentenceFor(answer) };
  };
}

function progressOn({ err }: Io) {
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
  if (error instanceof ImportErrors) return { code: 'MISTAKES', exit: EXIT.refused, sentence };
  if (error instanceof Refused) return { code: error.code, exit: EXIT.refused, sentence };
  if (error instanceof Unreachable) return { code: 'NO_ANSWER', exit: EXIT.unreachable, sentence };
  // A file that cannot be read, as its path was typed.
  if (error instanceof Error && 'syscall' in error) {
    return { code: 'USAGE', exit: EXIT.usage, sentence };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return { code: 'INTERNAL', exit: EXIT.unreachable, sentence: stack ?? sentence };
}
