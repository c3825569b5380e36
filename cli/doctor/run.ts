import { styleText } from 'node:util';
import { parseOptions, UsageError } from '../../local/options.ts';
import { COMMON, deploymentOf } from '../arguments.ts';
import { printable, printableLines } from '../printable.ts';
import type { Deployment } from '../targets.ts';
import { examine, type Options } from './examine.ts';
import { reasonOf } from './reasons.ts';
import type { Outcome, Report } from './runner.ts';
import type { Target } from './targets.ts';

export const HELP = `Checks a configuration before users find out: one line a check.

  npm run doctor -- [options]

It makes rooms at LiveKit and items in the table, and takes them away again, also after Ctrl-C. When it is
killed, its rooms close within a minute, and its items expire after ten: DynamoDB then deletes them when
it comes round to it.

Options
  --json             The findings as JSON, for scripts: npm run --silent doctor -- --json
  --stage <stage>    What is deployed as this stage, with
    --region <region>     Else AWS_REGION, else eu-central-1, as for \`serverless deploy\`.
    --profile <profile>   As for AWS's own tools.
                     Without it: the development stack of this checkout (npm run dev).
  --token <token>    An access token of a person: what are they answered? It is not shown.
  --help

Exit codes
  0  nothing failed; there may be warnings
  1  something failed
  2  not understood: an unknown option, a bad value
  130  stopped, as by Ctrl-C
`;

/** The last as shells have it of a program that Ctrl-C ended. */
export const EXIT = { healthy: 0, failure: 1, usage: 2, stopped: 130 } as const;

const OPTIONS = { ...COMMON, token: { type: 'string' } } as const;

export interface Io {
  /** Undefined: there is no development stack. */
  connect(deployment: Deployment | undefined): Promise<Target | undefined>;
  env: NodeJS.ProcessEnv;
  out(text: string): void;
  err(text: string): void;
  /** A terminal that shows them, and whose user wants them. */
  hasColours?: boolean;
  eventsWithinMs?: number;
  /** Skips the remaining checks, and still deletes what the checks made. */
  stop?: AbortSignal;
}

/** Runs the checks and returns the exit code. */
export async function run(args: string[], io: Io): Promise<number> {
  let request: { isJson: boolean; token: string | undefined; deployment: Deployment | undefined };
  try {
    const { values } = parseOptions('doctor', { args, options: OPTIONS }, io.env);
    if (values.help) {
      io.out(HELP);
      return EXIT.healthy;
    }
    request = {
      isJson: values.json ?? false,
      token: values.token,
      deployment: deploymentOf(values, io.env),
    };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (args.includes('--json')) {
      io.out(`${JSON.stringify({ error: error.message, code: 'USAGE' })}\n`);
    }
    io.err(`${printableLines(error.message)}\nnpm run doctor -- --help\n`);
    return EXIT.usage;
  }

  const { isJson, token, deployment } = request;
  const tell = (report: Report) => {
    if (!isJson) io.out(lineOf(report, io.hasColours));
  };
  const { target, checks } = await examined(deployment, tell, { ...io, token });
  if (isJson) io.out(printableLines(`${JSON.stringify({ target, checks }, null, 2)}\n`));
  if (io.stop?.aborted) return EXIT.stopped;
  return checks.some(({ outcome }) => outcome === 'failure') ? EXIT.failure : EXIT.healthy;
}

async function examined(
  deployment: Deployment | undefined,
  tell: (report: Report) => void,
  { connect, token, eventsWithinMs, stop }: Io & Pick<Options, 'token'>,
): Promise<{ target: string | null; checks: Report[] }> {
  let target: Target | undefined;
  let sentence = 'No development stack runs here';
  try {
    target = await connect(deployment);
  } catch (error) {
    sentence = `The development stack cannot be found: ${reasonOf(error)}`;
  }
  if (!target) {
    const remedy = 'Start one with `npm run dev`, or name a deployed --stage';
    const report: Report = { check: 'configuration', outcome: 'failure', sentence, remedy };
    tell(report);
    return { target: null, checks: [report] };
  }
  try {
    return {
      target: target.name,
      checks: await examine(target, tell, { token, eventsWithinMs, stop }),
    };
  } finally {
    target.close();
  }
}

const COLOURS = { ok: 'green', warning: 'yellow', failure: 'red', skipped: 'gray' } as const;
const OUTCOME_WIDTH = 'failure'.length + 2;
const CHECK_WIDTH = 'livekit-clock'.length + 2;

function lineOf({ check, outcome, sentence, remedy }: Report, hasColours = false): string {
  const shown = (text: Outcome) =>
    hasColours ? styleText(COLOURS[text], text, { validateStream: false }) : text;
  const start = `${shown(outcome)}${' '.repeat(OUTCOME_WIDTH - outcome.length)}${check.padEnd(CHECK_WIDTH)}`;
  const indent = ' '.repeat(OUTCOME_WIDTH + CHECK_WIDTH);
  return `${start}${printable(sentence)}\n${remedy ? `${indent}→ ${printable(remedy)}\n` : ''}`;
}
