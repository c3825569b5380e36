/** AWS as the command line meets it: one account, the profile `books`, whose region is eu-west-3. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';

export const PROFILE = ['--stage', 'prod', '--profile', 'books'];
export const ACCOUNT_SECRET = 'the-secret-of-books';

const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));

/** A folder with AWS's own files, and the environment that names them. */
export async function createProfile() {
  const folder = await mkdtemp(join(tmpdir(), 'aws-'));
  const [credentials, config] = [join(folder, 'credentials'), join(folder, 'config')];
  await writeFile(
    credentials,
    `[books]\naws_access_key_id = AKIDBOOKS\naws_secret_access_key = ${ACCOUNT_SECRET}\n`,
  );
  await writeFile(config, '[profile books]\nregion = eu-west-3\n');
  return {
    folder,
    environment: {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_SHARED_CREDENTIALS_FILE: credentials,
      AWS_CONFIG_FILE: config,
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

/** For a `beforeEach`: this process has this environment and no other AWS account. */
export function stubEnvironment(environment: Record<string, string>): () => void {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'AWS_REGION']) {
    vi.stubEnv(name, undefined);
  }
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  return () => vi.unstubAllEnvs();
}

/** Who signed a request, and for which region. */
export function signerOf({ authorization = '' }: IncomingHttpHeaders) {
  const [, keyId, region] = /Credential=(.*?)\/\d+\/(.*?)\//.exec(authorization) ?? [];
  return { keyId, region };
}

/** A program of cli/ as its own process. */
export const start = (program: string, args: string[], environment: Record<string, string>) =>
  spawn(node, [fileURLToPath(new URL(`../../cli/${program}`, import.meta.url)), ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

export async function outputOf(child: ReturnType<typeof start>) {
  const [out, err, [exit]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { exit, out, err };
}
