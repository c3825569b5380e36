/** The built page, in the bucket of a stage. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import {
  DeleteObjectsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';

const CONTENT_TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** Vite names them after their content. */
const HASHED = 'assets/';
const FOREVER = 'public, max-age=31536000, immutable';
/** Kept, and asked about each time. */
const REVALIDATED = 'no-cache';
/** A page that is open goes on with the parts of the build that it came from. */
const KEPT_DAYS = 30;
const AT_ONCE = 8;
/** S3, DeleteObjects. */
const DELETED_AT_ONCE = 1000;

export interface Uploaded {
  files: number;
  deleted: number;
}

/**
 * Puts the files of a folder, and `config.json`, into the bucket; parts before the page that names them.
 * Parts of earlier builds go when they have not been part of one for 30 days.
 * @throws Error for a file of a kind that it does not know
 */
export async function uploadPage(
  s3: S3Client,
  {
    folder,
    bucket,
    config,
    now = new Date(),
  }: { folder: string; bucket: string; config: object; now?: Date },
): Promise<Uploaded> {
  const paths = await filesIn(folder);
  if (!paths.includes('index.html')) throw new Error(`There is no index.html in ${folder}`);
  const files = [...paths, 'config.json'];
  // Before anything is changed.
  const types = new Map(files.map((key) => [key, typeOf(key)]));

  const put = async (Key: string) => {
    const Body = Key === 'config.json' ? JSON.stringify(config) : await readFile(join(folder, Key));
    const CacheControl = Key.startsWith(HASHED) ? FOREVER : REVALIDATED;
    const ContentType = types.get(Key);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType, CacheControl }));
  };
  const [parts, others] = [
    files.filter((key) => key.startsWith(HASHED)),
    files.filter((key) => !key.startsWith(HASHED) && key !== 'index.html'),
  ];
  for (const keys of [parts, others, ['index.html']]) await each(keys, put);

  const stale = await staleParts(s3, bucket, new Set(files), now);
  for (let at = 0; at < stale.length; at += DELETED_AT_ONCE) {
    const Objects = stale.slice(at, at + DELETED_AT_ONCE).map((Key) => ({ Key }));
    await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
  }
  return { files: files.length, deleted: stale.length };
}

/** As keys of the bucket: with slashes on every machine. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

async function staleParts(
  client: S3Client,
  Bucket: string,
  files: ReadonlySet<string>,
  now: Date,
): Promise<string[]> {
  const before = now.getTime() - KEPT_DAYS * 86_400_000;
  const stale: string[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: HASHED })) {
    for (const { Key = '', LastModified } of page.Contents ?? []) {
      const isOld = LastModified !== undefined && LastModified.getTime() < before;
      if (isOld && !files.has(Key)) stale.push(Key);
    }
  }
  return stale;
}

function typeOf(key: string): string {
  const type = CONTENT_TYPES[extname(key)];
  if (type === undefined) throw new Error(`${key} is of a kind without a content type here`);
  return type;
}

async function each<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += AT_ONCE) {
    await Promise.all(items.slice(at, at + AT_ONCE).map(work));
  }
}
