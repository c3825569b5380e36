/** Command-line arguments, parsed to an action. */
import { InvalidRequest } from '../lib/errors.ts';
import { parse } from '../lib/http/request.ts';
import { Command } from '../lib/meetings/club-commands.ts';
import { parseOptions, UsageError } from '../local/options.ts';
import type { Deployment } from './targets.ts';

export const HELP = `Keeps the clubs of the meeting service up to date.

  npm run clubs -- <command> [options]

Commands
  put-club <clubId> --name <name> --moderator <userId>
                              Makes a club, or changes its name and its own moderator.
  remove-club <clubId> --yes  Ends its meeting, then removes the club and everything in it.
  put-member <clubId> <userId> [--name <display name>] [--role member|moderator]
                              Makes a member, or changes what is given.
  remove-member <clubId> <userId>
                              Takes a member off the club, and out of a meeting that is on.
  set-role <clubId> <userId> member|moderator
  show <clubId>               The club, its members and its meeting.
  list                        All clubs, and those whose removal broke off.
  forget-user <clubId> <userId> --yes
                              As remove-member; takes them out of attendance and history, too.
  import <file.json>          Puts clubs and members: { "clubs": [{ "clubId", "name",
                              "moderatorId", "members": [{ "userId", "displayName"?, "role"? }] }] }
                              Nothing is written unless the whole file is right. What is there
                              already is left as it is, so it can be stopped and repeated.
  import <file.json> --exact [--yes]
                              Makes the clubs equal to the file: removes what is not in it, too.
                              Without --yes it only shows what it would remove and change.

Options
  --json             Answers as JSON, for scripts: npm run --silent clubs -- show a-club --json
  --stage <stage>    The function that is deployed as this stage, with
    --region <region>     Else AWS_REGION, else eu-central-1, as for \`serverless deploy\`.
    --profile <profile>   As for AWS's own tools.
                     Without it: the development stack of this checkout (npm run dev).
  --yes              Yes, delete it for good.
  --help

Exit codes
  0  done
  1  refused: there is no such club, the file has a mistake, … (repeating it changes nothing);
     with --exact and without --yes: the clubs differ from the file
  2  not understood: an unknown command or option, a missing or bad value
  3  no answer: not running, not reachable, not allowed to; outcome unknown, safe to retry
`;

/** `exact` removes what the file does not have; `plan` says what that would be, and writes nothing. */
export type ImportMode = 'additive' | 'plan' | 'exact';

export type Task = { command: Command } | { importFile: string; mode: ImportMode };

export interface Request {
  task: Task;
  isJson: boolean;
  /** Undefined is the development stack. */
  deployment: Deployment | undefined;
}

/** Options of every program here. */
export const COMMON = {
  json: { type: 'boolean' },
  stage: { type: 'string' },
  region: { type: 'string' },
  profile: { type: 'string' },
  help: { type: 'boolean' },
} as const;

interface Shape {
  /** Positional arguments, in this order, by the command's own field names. */
  positionals: string[];
  /** Options, and the field that each sets. */
  options?: Record<string, string>;
  /** Options without a value. */
  flags?: string[];
  /** Deletes something for good. */
  asksForYes?: boolean;
}

const SHAPES: Record<Command['command'] | 'import', Shape> = {
  'put-club': { positionals: ['clubId'], options: { name: 'name', moderator: 'moderatorId' } },
  'remove-club': { positionals: ['clubId'], asksForYes: true },
  'put-member': {
    positionals: ['clubId', 'userId'],
    options: { name: 'displayName', role: 'role' },
  },
  'remove-member': { positionals: ['clubId', 'userId'] },
  'set-role': { positionals: ['clubId', 'userId', 'role'] },
  show: { positionals: ['clubId'] },
  'forget-user': { positionals: ['clubId', 'userId'], asksForYes: true },
  list: { positionals: [] },
  import: { positionals: ['file.json'], flags: ['exact', 'yes'] },
};

const isCommand = (name: string): name is keyof typeof SHAPES => Object.hasOwn(SHAPES, name);

/**
 * `help` when asked for.
 * @throws UsageError that says what is wrong
 */
export function parseArguments(args: string[], env: NodeJS.ProcessEnv): Request | 'help' {
  const [name = '', ...rest] = args;
  if (args.includes('--help')) return 'help';
  if (name === '') throw new UsageError('A command is missing');
  if (!isCommand(name)) throw new UsageError(`"${name}" is no command`);
  const shape = SHAPES[name];
  const { values, positionals } = parsed(name, shape, rest, env);
  const { json, stage, region, profile, yes, ...own } = values;

  const missing = shape.positionals[positionals.length];
  if (missing) throw new UsageError(`${name}: ${missing} is missing`);
  const extra = positionals[shape.positionals.length];
  if (extra !== undefined) throw new UsageError(`${name}: "${extra}" is one argument too many`);
  if (shape.asksForYes && !yes) {
    throw new UsageError(`${name} deletes for good: add --yes if that is what you want`);
  }
  return {
    task:
      name === 'import'
        ? { importFile: positionals[0] ?? '', mode: modeOf({ yes, exact: own['exact'] }) }
        : { command: commandOf() },
    isJson: json === true,
    deployment: deploymentOf({ stage, region, profile }, env),
  };

  function commandOf(): Command {
    const fields = Object.entries(shape.options ?? {}).map(([option, field]) => [
      field,
      own[option],
    ]);
    const arranged = shape.positionals.map((field, index) => [field, positionals[index]]);
    const given = [...arranged, ...fields].filter(([, value]) => value !== undefined);
    try {
      return parse({ command: name, ...Object.fromEntries(given) }, Command);
    } catch (error) {
      if (!(error instanceof InvalidRequest)) throw error;
      throw new UsageError(`${name}: ${withOption(error.message, shape)}`);
    }
  }
}

function modeOf({ exact, yes }: Values): ImportMode {
  if (exact) return yes ? 'exact' : 'plan';
  if (yes) throw new UsageError('import: --yes belongs to --exact');
  return 'additive';
}

/** The sentence with the option in place of the field that it sets. */
function withOption(sentence: string, { options = {} }: Shape): string {
  const named = Object.entries(options).find(([, field]) => sentence.startsWith(`${field} `));
  return named ? `--${named[0]}${sentence.slice(named[1].length)}` : sentence;
}

type Values = Record<string, string | boolean | undefined>;

function parsed(
  name: string,
  { options = {}, flags = [], asksForYes }: Shape,
  args: string[],
  env: NodeJS.ProcessEnv,
) {
  const own = Object.keys(options).map((option) => [option, { type: 'string' as const }]);
  const withoutValue = [...flags, ...(asksForYes ? ['yes'] : [])];
  try {
    const { values, positionals } = parseOptions(
      'clubs',
      {
        args,
        options: {
          ...COMMON,
          ...Object.fromEntries(own),
          ...Object.fromEntries(withoutValue.map((flag) => [flag, { type: 'boolean' as const }])),
        },
        allowPositionals: true,
      },
      env,
    );
    return { values: values as Values, positionals };
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${name}: ${error.message}`);
    throw error;
  }
}

/** Where `serverless deploy` puts a stage that it is given no region for (serverless.yml). */
export const DEFAULT_REGION = 'eu-central-1';

/**
 * Undefined is the development stack. The region is the one that `serverless deploy` would take, whatever
 * region a profile names.
 * @throws UsageError
 */
export function deploymentOf(
  { stage, region, profile }: Values,
  { AWS_REGION }: NodeJS.ProcessEnv,
): Deployment | undefined {
  if (stage === undefined || stage === 'local') {
    if (region === undefined && profile === undefined) return undefined;
    throw new UsageError('--region and --profile belong to a --stage that is deployed');
  }
  if (!/^[A-Za-z0-9-]{1,40}$/.test(String(stage))) {
    throw new UsageError('--stage must be letters, digits or "-"');
  }
  return {
    stage: String(stage),
    region: String(region ?? (AWS_REGION || DEFAULT_REGION)),
    ...(profile !== undefined && { profile: String(profile) }),
  };
}
