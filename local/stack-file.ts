import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { isLocked, tryLock } from './lock.ts';

const localDir = new URL('../.local/', import.meta.url);
const stackFile = new URL('stack.json', localDir);
/** Locked while a stack runs. */
const lockFile = new URL('dev.lock', localDir);
/** Who has it, for people: nothing is decided by it. */
const ownerFile = new URL('dev.pid', localDir);

/** What tests, scripts and clients may rely on while a stack runs. */
export const StackDescription = z.object({
  /** The page to meet on. `npm run dev` serves it. */
  webUrl: z.url(),
  apiUrl: z.url(),
  /** The API as a page, from docs/openapi.json. */
  referenceUrl: z.url(),
  livekit: z.object({
    kind: z.enum(['server', 'stand-in', 'external']),
    wsUrl: z.url(),
    apiKey: z.string(),
    apiSecret: z.string(),
  }),
  cognito: z.object({ endpoint: z.url(), userPoolId: z.string(), clientId: z.string() }),
  /** Where the files of recordings are. */
  s3: z.object({ endpoint: z.url(), bucket: z.string() }),
  dynamodb: z.object({ endpoint: z.url(), tableName: z.string() }),
  clubs: z.array(z.object({ clubId: z.string(), name: z.string() })),
  /** Of each club, its `moderatorId` before its other moderators. */
  users: z.array(
    z.object({
      username: z.string(),
      password: z.string(),
      userId: z.string(),
      clubId: z.string().nullable(),
      role: z.enum(['moderator', 'member', 'outsider']),
    }),
  ),
});
export type StackDescription = z.infer<typeof StackDescription>;
export type StackUser = StackDescription['users'][number];

/** The stack that `npm run dev` runs in this checkout; undefined when none does. */
export async function readStack(): Promise<StackDescription | undefined> {
  if (!isLocked(fileURLToPath(lockFile))) return undefined;
  const text = await readOrUndefined(stackFile);
  return text === undefined ? undefined : parseStack(text);
}

/** @throws what to do about a stack that another version of this checkout started */
export function parseStack(text: string): StackDescription {
  try {
    return StackDescription.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(
      '.local/stack.json is not as this version writes it: stop `npm run dev`, and start it again',
      { cause },
    );
  }
}

/**
 * Makes this process the one whose stack `.local/stack.json` describes.
 * @throws StackRuns if another one that still runs has done so
 */
export async function claimStackFile(): Promise<{
  publish(stack: StackDescription): Promise<void>;
  release(): Promise<void>;
}> {
  await mkdir(localDir, { recursive: true });
  const lock = tryLock(fileURLToPath(lockFile));
  if (!lock) throw new StackRuns(await readOrUndefined(ownerFile));
  const removeFiles = async () => {
    await rm(stackFile, { force: true });
    await rm(ownerFile, { force: true });
  };
  // Left by a process that was killed.
  await removeFiles();
  await writeFile(ownerFile, `${process.pid}`);
  return {
    publish: async (stack) => {
      const draft = new URL(`stack.json.${process.pid}`, localDir);
      // For the owner's eyes: an external LiveKit's secret is in it.
      await writeFile(draft, `${JSON.stringify(stack, null, 2)}\n`, { mode: 0o600 });
      await rename(draft, stackFile);
    },
    release: async () => {
      await removeFiles();
      lock.release();
    },
  };
}

/** Only one stack runs in a checkout. */
export class StackRuns extends Error {
  override readonly name = 'StackRuns';

  constructor(pid: string | undefined) {
    super(
      `A development stack runs here already (process ${pid ?? 'unknown'}; see .local/stack.json). ` +
        'Stop that one first, or use it.',
    );
  }
}

async function readOrUndefined(file: URL): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
