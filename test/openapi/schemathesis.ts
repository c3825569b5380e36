/**
 * `npm run test:openapi`: schemathesis sends what docs/openapi.json allows, and what it does not, to a
 * development stack of its own, and holds every answer against it. Options go to schemathesis: `-- --seed 2`,
 * `-- --include-operation-id startMeeting`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiClient } from '../../local/client.ts';
import { logIn } from '../../local/identity.ts';
import { onInterruption } from '../../local/interruption.ts';
import { standInClients } from '../../local/livekit/stand-in.ts';
import { joinStandIn } from '../../local/participant.ts';
import { bypassProxiesOnLoopback } from '../../local/proxies.ts';
import { startStack } from '../../local/stack.ts';
import type { StackDescription, StackUser } from '../../local/stack-file.ts';

/** Seen: a minute. */
const GIVEN_UP_AFTER_MS = 300_000;
const document = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url));
const program = fileURLToPath(new URL('../../.ci/python-tool', import.meta.url));

bypassProxiesOnLoopback();
const { signal } = onInterruption();
const stack = await startStack({
  ports: 'free',
  env: { ...process.env, LIVEKIT: 'stand-in' },
  signal,
});
const dir = await mkdtemp(join(tmpdir(), 'schemathesis-'));
try {
  process.exitCode = await check(stack.description);
} finally {
  await stack.stop();
  await rm(dir, { recursive: true, force: true });
}

/** As a moderator of a club with a participant in its meeting. Resolves to the exit code. */
async function check({ apiUrl, livekit, cognito, users }: StackDescription): Promise<number> {
  const as = async (role: StackUser['role']) => {
    const user = users.find((each) => each.role === role && each.clubId === 'novels');
    if (!user) throw new Error(`The demo data has no ${role}`);
    const { accessToken } = await logIn(cognito, user.username, user.password);
    return { accessToken, ...apiClient(apiUrl, accessToken) };
  };
  const [moderator, member] = await Promise.all([as('moderator'), as('member')]);
  await moderator.start('novels');
  const { body } = await member.token('novels');
  await joinStandIn(standInClients(livekit.wsUrl), body.token);

  const args = [
    ...['run', document, '--url', new URL(apiUrl).origin],
    ...['--header', `Authorization: Bearer ${moderator.accessToken}`],
    ...['--seed', '1', '--max-examples', '50', '--request-timeout', '20'],
    // A HEAD of a route is the gateway's 404 and not 405, as everything that is no route is.
    ...['--checks', 'all', '--exclude-checks', 'unsupported_method'],
    // Warnings are off, since it cannot make a name by its pattern or LiveKit's signature, or know a user to
    // remove.
    ...['--warnings', 'off', '--continue-on-failure'],
    ...['--generation-database', 'none', '--no-color'],
    ...process.argv.slice(2),
  ];
  const child = spawn(program, ['schemathesis', ...args], {
    cwd: dir,
    stdio: 'inherit',
    signal: AbortSignal.any([signal, AbortSignal.timeout(GIVEN_UP_AFTER_MS)]),
  });
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
