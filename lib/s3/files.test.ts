import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type S3, startS3 } from '../../local/s3.ts';
import { createFileStore } from './files.ts';

const KEY = 'recordings/novels/01M7JVP1TG6V1K4Q0ZP2R8W9XA/01M7JVZ3C8N5QK2M7T1Y9D4W6R.ogg';

let s3: S3;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.stop());

const storeOf = (options: Partial<S3> = {}, secretAccessKey = s3.secretAccessKey) =>
  createFileStore(
    { ...s3, ...options },
    { credentials: async () => ({ accessKeyId: s3.accessKeyId, secretAccessKey }) },
  );
const put = (key: string, body: string) =>
  new AwsClient({ ...s3, service: 's3' }).fetch(`${s3.endpoint}/${s3.bucket}/${key}`, {
    method: 'PUT',
    body,
  });

describe('a file', () => {
  test('is found with its size by its whole name only', async () => {
    const files = storeOf();
    expect(await files.find(KEY)).toBeUndefined();
    await put(`${KEY}x`, 'longer');
    expect(await files.find(KEY)).toBeUndefined();
    await put(KEY, 'hello');
    expect(await files.find(KEY)).toEqual({ bytes: 5 });
  });

  test('is read by an address, in parts, under its name, until it expires', async () => {
    await put(KEY, 'hello');
    const url = await storeOf().addressOf(KEY, {
      name: 'Poe: "The Raven" 100%.ogg',
      ttlSeconds: 2,
    });
    const response = await fetch(url, { headers: { range: 'bytes=1-2' } });
    expect(response.status).toBe(206);
    expect(await response.text()).toBe('el');
    expect(response.headers.get('content-disposition')).toBe(
      'attachment; filename="Poe- -The Raven- 100_.ogg"',
    );
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect((await fetch(url)).status).toBe(403);
  });

  test('has an address that opens no other', async () => {
    await put(KEY, 'hello');
    await put(`${KEY}2`, 'other');
    const url = await storeOf().addressOf(KEY, { name: 'a.ogg', ttlSeconds: 60 });
    expect((await fetch(url.replace(KEY, `${KEY}2`))).status).toBe(403);
    expect((await fetch(url.split('?')[0] ?? '')).status).toBe(403);
  });

  test('keeps a name in any script, on AWS', async () => {
    const files = createFileStore(
      { bucket: 'b', region: 'eu-central-1' },
      { credentials: async () => ({ accessKeyId: 'AKIA', secretAccessKey: 'secret' }) },
    );
    const url = new URL(await files.addressOf(KEY, { name: 'שירה (א).ogg', ttlSeconds: 300 }));
    expect(url.origin).toBe('https://b.s3.eu-central-1.amazonaws.com');
    expect(url.searchParams.get('response-content-disposition')).toBe(
      'attachment; filename="____ (_).ogg"; filename*=UTF-8\'\'%D7%A9%D7%99%D7%A8%D7%94%20%28%D7%90%29.ogg',
    );
    expect(url.search).not.toContain('+');
  });

  test('is removed, and again', async () => {
    const files = storeOf();
    await put(KEY, 'hello');
    await files.remove(KEY);
    await files.remove(KEY);
    expect(await files.find(KEY)).toBeUndefined();
  });
});

describe('a bucket that does not answer', () => {
  test.each<[string, () => ReturnType<typeof storeOf>]>([
    ['to a wrong key', () => storeOf({}, 'wrong')],
    ['since it is unreachable', () => storeOf({ endpoint: 'http://127.0.0.1:9' })],
    ['since it does not exist', () => storeOf({ bucket: 'nowhere' })],
  ])('%s is unavailable, not empty', async (_, files) => {
    await expect(files().find(KEY)).rejects.toMatchObject({ code: 'RECORDING_UNAVAILABLE' });
  });
});
