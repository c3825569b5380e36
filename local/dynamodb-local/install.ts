/** Amazon's DynamoDB Local from Maven Central: pinned, checked, and kept outside the tree. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheFolder } from '../cache.ts';

const VERSION = '2.6.1';
const MAVEN_CENTRAL = 'https://repo1.maven.org/maven2/';
const FETCH_WITHIN_MS = 60_000;

/**
 * A line for each file, as sha256sum writes them: what DynamoDB Local loads when our tests run on it,
 * of the dependencies that Maven resolves, and SQLite for each kind of machine that Central has it for.
 */
const artifactsFile = new URL('./artifacts.txt', import.meta.url);

interface Artifact {
  sha256: string;
  /** Below the root of a Maven repository. */
  path: string;
}

/** @returns the folder with its jars and native libraries; fetches those that are not there yet */
export async function installDynamoDbLocal(): Promise<string> {
  const folder = join(cacheFolder(), `dynamodb-local-${VERSION}`);
  const artifacts = (await readFile(artifactsFile, 'utf8'))
    .trim()
    .split('\n')
    .map((line): Artifact => ({ sha256: line.slice(0, 64), path: line.slice(66) }));
  const missing = artifacts.filter(({ path }) => !existsSync(join(folder, basename(path))));
  if (missing.length === 0) return folder;
  console.log(
    `Fetching DynamoDB Local ${VERSION} (31 MB, once) from Maven Central into ${folder}. ` +
      "Amazon's DynamoDB Local License Agreement applies: it is in the jar.",
  );
  await mkdir(folder, { recursive: true });
  for (const artifact of missing) await fetchInto(folder, artifact);
  return folder;
}

async function fetchInto(folder: string, { sha256, path }: Artifact): Promise<void> {
  const url = MAVEN_CENTRAL + path;
  const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_WITHIN_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== sha256) throw new Error(`${url} is not what was pinned: its SHA-256 is ${actual}`);
  const file = join(folder, basename(path));
  // The file appears whole or not at all.
  await writeFile(`${file}.${process.pid}`, bytes);
  await rename(`${file}.${process.pid}`, file);
}
