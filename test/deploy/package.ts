/** The `serverless` command, each time in a copy of the tree: no other build can be in its way. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { filesOfZip } from './zip.ts';

const SOURCES = [
  'functions',
  'lib',
  'deploy',
  'local',
  'events',
  'web/policy.ts',
  'serverless.yml',
  'package.json',
];
const SERVERLESS = 'node_modules/serverless/bin/serverless.js';
/** Shared: osls keeps its compiled schema there, which takes longer than everything else it does. */
const HOME = join(tmpdir(), 'reading-club-meetings-osls');
const GIVE_UP_MS = 240_000;

export interface Resource {
  Type: string;
  Condition?: string;
  DependsOn?: string | string[];
  // biome-ignore lint/suspicious/noExplicitAny: CloudFormation's, read by tests only
  Properties: any;
}

/** Secrets that the shell in which the package is made may hold. */
export const SECRETS_OF_THE_SHELL = {
  LIVEKIT_WS_URL: 'wss://a-secret-project.livekit.cloud',
  LIVEKIT_API_KEY: 'the-key-in-the-packaging-shell',
  LIVEKIT_API_SECRET: 'the-secret-in-the-packaging-shell',
  AWS_ACCESS_KEY_ID: 'the-access-key-id-in-the-packaging-shell',
  AWS_SECRET_ACCESS_KEY: 'the-secret-access-key-in-the-packaging-shell',
  AWS_SESSION_TOKEN: 'the-session-token-in-the-packaging-shell',
};

export interface Package {
  resources: Record<string, Resource>;
  outputs: Record<string, { Value: unknown }>;
  /** The whole template as text. */
  text: string;
  /** Every file that was made, those in the zips too, and what was printed. */
  everything: Map<string, string | Buffer>;
  /** What is in each function's zip, by function and file name. */
  zips: Map<string, Map<string, Buffer>>;
}

/** The least that every stage must say. */
export const NEEDED = { userPoolId: 'new', webOrigins: 'https://club.example' };

const optionsOf = (given: Record<string, string>): string[] =>
  Object.entries(given).map(([name, value]) => `--param=${name}=${value}`);

/** Packages the service for AWS, with these parameters, in a checkout that lies in such a folder. */
export const packageService = (
  given: Record<string, string>,
  place = 'checkout',
): Promise<Package> =>
  inCopy(place, async (root) => {
    const folder = join(root, 'package');
    const command = ['package', '--stage', 'prod', '--package', folder, ...optionsOf(given)];
    const everything = new Map<string, string | Buffer>();
    const { stdout, stderr } = await serverless(root, command, SECRETS_OF_THE_SHELL);
    everything.set('what it printed', stdout + stderr);
    const text = await readFile(join(folder, 'cloudformation-template-update-stack.json'), 'utf8');
    const { Resources: resources, Outputs: outputs } = JSON.parse(text);
    const zips = new Map<string, Map<string, Buffer>>();
    for (const name of await readdir(folder)) {
      const content = await readFile(join(folder, name));
      everything.set(name, content);
      if (!name.endsWith('.zip')) continue;
      const files = filesOfZip(content);
      zips.set(name.slice(0, -'.zip'.length), files);
      for (const [file, inside] of files) everything.set(`${name}/${file}`, inside);
    }
    return { resources, outputs, text, everything, zips };
  });

/** What a command that is refused prints, and the names of what it leaves in the folder. */
export const refusedCommand = (
  command: string[],
  given: Record<string, string>,
  shell: Record<string, string> = {},
): Promise<{ printed: string; files: string[] }> =>
  inCopy('checkout', async (root) => {
    const before = await readdir(root);
    const printed = await serverless(root, [...command, ...optionsOf(given)], shell).then(
      ({ stdout }) => expect.fail(`It was not refused: ${stdout}`),
      (error: Error) => error.message,
    );
    const after = await readdir(root);
    return { printed, files: after.filter((name) => !before.includes(name)) };
  });

/** What `serverless invoke local` prints for a sample event, with no stack running. */
export const invokeLocally = (name: string): Promise<string> =>
  inCopy('checkout', async (root) => {
    const command = ['invoke', 'local', '-f', name, '-p', `events/${name}.json`];
    return (await serverless(root, command)).stdout;
  });

async function inCopy<T>(place: string, work: (root: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'reading-club-meetings-'));
  const root = join(folder, place);
  try {
    await mkdir(root, { recursive: true });
    await Promise.all(SOURCES.map((name) => cp(name, join(root, name), { recursive: true })));
    await symlink(resolve('node_modules'), join(root, 'node_modules'));
    return await work(root);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** It knows neither a stack nor an AWS account, nor what these tests have in their environment. */
const serverless = (
  root: string,
  args: string[],
  shell = {},
): Promise<{ stdout: string; stderr: string }> =>
  new Promise((resolve, reject) => {
    const env = {
      ...shell,
      PATH: process.env['PATH'],
      HOME,
      SLS_NOTIFICATIONS_MODE: 'off',
      SLS_TELEMETRY_DISABLED: '1',
    };
    const options = { cwd: root, env, timeout: GIVE_UP_MS };
    execFile(process.execPath, [SERVERLESS, ...args], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stdout}\n${stderr}`, { cause: error }));
      else resolve({ stdout, stderr });
    });
  });
