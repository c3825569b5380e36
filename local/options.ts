/** Options after `npm run …`. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** The options make no sense; the message is a sentence for the terminal. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** These mean a deployed stage, also where a program has no such option. */
const OF_DEPLOYMENTS = ['stage', 'region', 'profile'];

/**
 * `parseArgs` of `node:util`, for a program that `npm run <script>` starts.
 *
 * npm takes an option that stands before `--` for one of its own and leaves it in the environment, where
 * the program would run without it: `npm run clubs remove-club novels --stage=prod` would be about the
 * development stack (npm 11 does so, with a warning for those that it does not know).
 *
 * @throws UsageError in one sentence: an unknown option, a value missing, an option that npm kept
 */
export function parseOptions<const T extends ParseArgsConfig>(
  script: string,
  config: T,
  env: NodeJS.ProcessEnv = process.env,
): ReturnType<typeof parseArgs<T>> {
  const { args = process.argv.slice(2), options = {} } = config;
  const isGiven = (name: string) =>
    args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  const kept = [...new Set([...OF_DEPLOYMENTS, ...Object.keys(options)])].filter(
    (name) => !isGiven(name) && isKept(name, env),
  );
  if (kept.length > 0) {
    const names = kept.map((name) => `--${name}`);
    throw new UsageError(
      `npm kept ${names.join(' and ')} for itself; write \`--\` before it: npm run ${script} -- … ${names.join(' … ')}`,
    );
  }
  try {
    return parseArgs(config);
  } catch (error) {
    // Of all that it says: what is wrong.
    const [sentence = ''] = error instanceof Error ? error.message.split('. ') : [];
    throw new UsageError(sentence, { cause: error });
  }
}

/** The same for a program that has nothing else to say: prints the sentence and exits with 2. */
export function parseOptionsOrExit<const T extends ParseArgsConfig>(script: string, config: T) {
  try {
    return parseOptions(script, config);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
}

/** npm's own `--verbose` is a log level. An option that was not given is unset or empty. */
function isKept(name: string, env: NodeJS.ProcessEnv): boolean {
  if (name === 'verbose') return env['npm_config_loglevel'] === 'verbose';
  return Boolean(env[`npm_config_${name.replaceAll('-', '_')}`]);
}
