/**
 * `npm run dev`: the development stack in the foreground, until Ctrl-C. `--verbose` shows its logs; with `--host`,
 * and an address of this machine where it has several, others on the network can open the page.
 */
import { styleText } from 'node:util';
import { removeEvents, writeEvents } from './events.ts';
import { ACCESS_TOKEN_HOURS } from './identity.ts';
import { onInterruption } from './interruption.ts';
import { addressOfThisMachine } from './network.ts';
import { parseOptionsOrExit } from './options.ts';
import { bypassProxiesOnLoopback, noProxyOf } from './proxies.ts';
import { type Stack, startStack } from './stack.ts';
import { claimStackFile, type StackDescription, StackRuns } from './stack-file.ts';

const { values, positionals } = parseOptionsOrExit('dev', {
  allowPositionals: true,
  options: {
    verbose: { type: 'boolean', default: false },
    host: { type: 'boolean', default: false },
  },
});
if (positionals.length > (values.host ? 1 : 0)) {
  console.error(`${positionals.at(-1)} is not known here`);
  process.exit(2);
}

/** As serverless-offline's scheduler says it, with a crontab's five fields. */
const CLEANUP_SCHEDULED = /Scheduling \[cleanup\] cron: \[(.+?)\]/;

bypassProxiesOnLoopback();
const interrupted = onInterruption();
const interruption = new Promise((resolve) => {
  interrupted.signal.addEventListener('abort', resolve);
});
interrupted.signal.addEventListener('abort', () => {
  console.log('\nStopping … (Ctrl-C again ends it at once)');
});
// A closed terminal must not keep us from stopping the parts.
process.stdout.on('error', () => interrupted.abort());
process.stderr.on('error', () => interrupted.abort());

try {
  const stackFile = await claimStackFile();
  try {
    await run(stackFile.publish);
  } finally {
    await removeEvents();
    await stackFile.release();
  }
} catch (error) {
  if (error !== interrupted.signal.reason) {
    const heading =
      error instanceof StackRuns ? 'Not started.' : 'The development stack is not running.';
    console.error(`\n${styleText('red', heading, { stream: process.stderr })}`);
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

async function run(publish: (stack: StackDescription) => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  console.log('Starting the development stack …');
  let cleanupTimes: string | undefined;
  const stack = await startStack({
    web: true,
    host: values.host ? (positionals[0] ?? addressOfThisMachine()) : undefined,
    signal: interrupted.signal,
    onLine: (part, line) => {
      if (values.verbose) console.log(`${part} | ${line}`);
      cleanupTimes ??= CLEANUP_SCHEDULED.exec(line)?.[1];
    },
  });
  try {
    await writeEvents(stack.description);
    await publish(stack.description);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(manual(stack, cleanupTimes));
    console.log(`\nReady after ${seconds} s. Ctrl-C stops it all.`);
    await Promise.race([
      interruption,
      stack.exited.then((sentence) => Promise.reject(new Error(sentence))),
    ]);
  } finally {
    if (!interrupted.signal.aborted) console.log('\nStopping …');
    await stack.stop();
  }
}

function manual({ description, notes }: Stack, cleanupTimes: string | undefined): string {
  const { webUrl, apiUrl, referenceUrl, cognito, dynamodb, livekit, clubs, users } = description;
  const kind = { server: 'real server', external: 'external', 'stand-in': 'STAND-IN' }[
    livekit.kind
  ];
  const [moderator, member] = ['moderator', 'member'].map((role) =>
    users.find((user) => user.role === role),
  );
  const club = clubs[0];
  const noProxy = noProxyOf(process.env);
  if (!moderator || !member || !club) throw new Error('The demo data is incomplete.');
  const title = (text: string) => `\n${styleText('bold', text)}`;
  return [
    title(`Open ${webUrl}`),
    `  and log in as ${moderator.username}, to start a meeting; in a second window as ${member.username}, to join it.`,
    title('What runs where'),
    `  API       ${apiUrl}`,
    `  as a page ${referenceUrl}  (to call it from there, authorize with what login prints)`,
    `  LiveKit   ${livekit.wsUrl}  (${kind}; key ${livekit.apiKey})`,
    `  Cognito   ${cognito.endpoint}  (pool ${cognito.userPoolId}, client ${cognito.clientId})`,
    `  DynamoDB  ${dynamodb.endpoint}  (table ${dynamodb.tableName})`,
    ...notes.map((note) => styleText('yellow', `  ! ${note}`)),
    title('Who can log in'),
    ...users.map(
      ({ username, password, role, clubId }) =>
        `  ${username.padEnd(6)}${password}  ${role}${clubId ? ` of ${clubId}` : ''}`,
    ),
    title('Try it: log in, then call each route'),
    ...(noProxy ? [`  export no_proxy=${noProxy}`] : []),
    `  login() { ${curlLogIn(cognito)}; }`,
    `  MODERATOR=$(login ${moderator.username} ${moderator.password}); MEMBER=$(login ${member.username} ${member.password})`,
    `  curl -sSw '\\n' -X POST ${apiUrl}/${club.clubId}/start -H "Authorization: Bearer $MODERATOR"`,
    `  curl -sSw '\\n' ${apiUrl}/token -H "Authorization: Bearer $MEMBER" -H 'Content-Type: application/json' \\`,
    `    -d '{"readingClubId":"${club.clubId}","participantName":"${member.username}"}'`,
    `  curl -sSw '\\n' ${apiUrl}/${club.clubId}/status -H "Authorization: Bearer $MEMBER"`,
    `  curl -sSw '\\n' ${apiUrl}/${club.clubId}/participants -H "Authorization: Bearer $MODERATOR"`,
    `  curl -sSw '\\n' -X POST ${apiUrl}/${club.clubId}/end -H "Authorization: Bearer $MODERATOR"`,
    `  curl -sSw '\\n' ${apiUrl}/${club.clubId}/meetings -H "Authorization: Bearer $MEMBER"`,
    `  LAST=$(curl -sS '${apiUrl}/${club.clubId}/meetings?limit=1' -H "Authorization: Bearer $MEMBER" \\`,
    `    | sed 's/.*"meetingId":"\\([^"]*\\)".*/\\1/')`,
    `  curl -sSw '\\n' ${apiUrl}/${club.clubId}/meetings/$LAST -H "Authorization: Bearer $MEMBER"`,
    title('Is everything as it should be?'),
    '  npm run doctor',
    title('Or call a function without the API'),
    '  npx serverless invoke local -f start -p .local/events/start.json',
    `  (events with fresh tokens, which expire in ${ACCESS_TOKEN_HOURS} h or when the stack stops)`,
    title('The scheduled cleanup'),
    `  runs here, too: cron ${cleanupTimes ?? 'unknown'} by this machine's clock. At once:`,
    '  npx serverless invoke local -f cleanup -p .local/events/cleanup.json',
    title('For programs'),
    "  .local/stack.json holds all of the above. The functions' logs: npm run dev -- --verbose",
  ].join('\n');
}

/**
 * Prints an access token; `$1` and `$2` are the user's name and password. Any other answer is an error, and
 * is printed as one.
 */
function curlLogIn({ endpoint, clientId }: StackDescription['cognito']): string {
  const request = `{\\"ClientId\\":\\"${clientId}\\",\\"AuthFlow\\":\\"USER_PASSWORD_AUTH\\",\\"AuthParameters\\":{\\"USERNAME\\":\\"$1\\",\\"PASSWORD\\":\\"$2\\"}}`;
  const curl = [
    `curl -sS ${endpoint}`,
    "-H 'Content-Type: application/x-amz-json-1.1'",
    "-H 'X-Amz-Target: AWSCognitoIdentityProviderService.InitiateAuth'",
    `-d "${request}"`,
  ].join(' ');
  const start = `'"AccessToken":"'`;
  const print = `a=\${a#*${start}}; echo "\${a%%'"'*}"`;
  return `local a; a=$(${curl}); case $a in *${start}*) ${print};; *) echo "login: $a" >&2; return 1;; esac`;
}
