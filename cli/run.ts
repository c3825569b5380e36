import type { Command, CommandResult } from '../lib/meetings/club-commands.ts';
import { UsageError } from '../local/options.ts';
import { HELP, parseArguments, type Request, type Task } from './arguments.ts';
import { carryOut, planExact, plannedIn, removalsIn } from './exact.ts';
import { count, ImportErrors, type ImportFile, importClubs, readImport } from './import.ts';
import { printableLines } from './printable.ts';
import { exactText, importTable, planText, removalsText, sentenceFor } from './tables.ts';
import { listClubs, Refused, showClub, type Target, Unreachable } from './targets.ts';

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
    const { answer, text, exit = EXIT.done } = await work(target);
    io.out(isJson ? json({ target: target.name, ...answer }) : `${text}\n${lineOf(target)}`);
    return exit;
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

/** `exit` is 0 unless it is given. */
type Work = (target: Target) => Promise<{ answer: object; text: string; exit?: number }>;

/** All that can be wrong with it is known before a target is asked. */
async function workOf(task: Task, io: Io): Promise<Work> {
  if ('importFile' in task) {
    const startedAt = performance.now();
    const file = await readImport(task.importFile);
    if (task.mode === 'additive') {
      return async (target) => {
        const clubs = await importClubs(target, file, progressOn(io));
        return { answer: { clubs }, text: importTable(clubs) };
      };
    }
    return exactly(file, { isPlan: task.mode === 'plan', startedAt }, io);
  }
  return async (target) => {
    const { command } = task;
    const answer = await answerTo(target, command);
    return { answer, text: sentenceFor(answer) };
  };
}

function answerTo(target: Target, command: Command): Promise<CommandResult> {
  if (command.command === 'show') return showClub(target, command.clubId);
  if (command.command === 'list') return listClubs(target);
  return target.send(command);
}

/** What it removes is shown first; without a yes, that is all. */
function exactly(
  file: ImportFile,
  { isPlan, startedAt }: { isPlan: boolean; startedAt: number },
  io: Io,
): Work {
  return async (target) => {
    const plan = await planExact(target, file, () => performance.now() - startedAt);
    const removals = removalsIn(plan);
    if (isPlan) {
      const clubs = plannedIn(plan);
      const isEqual = clubs.every(({ changes }) => changes === 0);
      return {
        answer: { asOf: plan.asOf, isEqual, removals, clubs },
        text: planText(clubs, removals),
        exit: isEqual ? EXIT.done : EXIT.refused,
      };
    }
    io.err(removalsText(removals, 'Removes'));
    const clubs = await carryOut(target, plan, progressOn(io, 'change'));
    const isRefused = clubs.some(({ refused }) => refused.length > 0);
    return {
      answer: { asOf: plan.asOf, removals, clubs },
      text: exactText(clubs),
      exit: isRefused ? EXIT.refused : EXIT.done,
    };
  };
}

function progressOn({ err }: Io, noun = 'member') {
  let toldAt = Number.NEGATIVE_INFINITY;
  return ({ clubId }: { clubId: string }, done: number, of: number): void => {
    if (done < of && performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    err(`${clubId}: ${done.toLocaleString('en')} of ${count(of, noun)}\n`);
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
