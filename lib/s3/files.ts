import { fromEnv } from '@aws-sdk/credential-provider-env';
import { AwsClient } from 'aws4fetch';
import { RecordingUnavailable } from '../errors.ts';
import type { Timed } from '../meetings/ports.ts';
import type { FileStore } from '../meetings/recording/ports.ts';

const ATTEMPT_TIMEOUT_MS = 2_000;
/** Of a server's own failures; what fails on the way is not repeated. */
const RETRIES = 1;

export interface BucketOptions {
  bucket: string;
  region: string;
  /** An S3 of this machine, with the bucket in the path; the region's own by default. */
  endpoint?: string | undefined;
}

/**
 * The recordings' bucket. Over aws4fetch, as SSM is: the S3 client would add 153 KB to each bundle. A file
 * is looked for with ListObjectsV2 on its key: HEAD needs the right to read the file, and without the right
 * to list it answers 403 for a missing one.
 */
export function createFileStore(
  { bucket, region, endpoint }: BucketOptions,
  {
    credentials = fromEnv(),
    timed = (call) => call(),
  }: { credentials?: ReturnType<typeof fromEnv>; timed?: Timed } = {},
): FileStore {
  const origin = endpoint
    ? `${endpoint}/${bucket}`
    : `https://${bucket}.s3.${region}.${domainOf(region)}`;
  const client = async () =>
    new AwsClient({ ...(await credentials()), region, service: 's3', retries: RETRIES });

  /** @param accepted statuses that are answers */
  const ask = (address: string, method: string, accepted: number[]): Promise<string> =>
    timed(async (signal) => {
      let status: number;
      try {
        const timeout = AbortSignal.timeout(ATTEMPT_TIMEOUT_MS);
        const response = await (await client()).fetch(address, {
          method,
          signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        });
        const text = await response.text();
        if (accepted.includes(response.status)) return text;
        status = response.status;
      } catch (cause) {
        throw new RecordingUnavailable({ cause });
      }
      // S3's own words quote the request that was signed, session token and all.
      throw new RecordingUnavailable({ cause: new Error(`S3 answered ${status} to ${method}`) });
    });

  return {
    async find(key) {
      const query = new URLSearchParams({ 'list-type': '2', prefix: key });
      const answer = await ask(`${origin}?${query}`, 'GET', [200]);
      const size = new RegExp(
        `<Key>${key.replaceAll('.', '\\.')}</Key>.*?<Size>(\\d+)</Size>`,
        's',
      ).exec(answer);
      return size ? { bytes: Number(size[1]) } : undefined;
    },

    async remove(key) {
      await ask(`${origin}/${key}`, 'DELETE', [200, 204, 404]);
    },

    async addressOf(key, { name, ttlSeconds }) {
      // The local S3 checks no signature over a quote or an asterisk as AWS makes it.
      const disposition = dispositionOf(name, { isPlain: endpoint !== undefined });
      const query = new URLSearchParams({
        'X-Amz-Expires': String(ttlSeconds),
        'response-content-disposition': disposition,
      });
      const request = await (await client()).sign(`${origin}/${key}?${query}`, {
        aws: { signQuery: true },
      });
      // A plus is a space in forms only, and what is signed is the space.
      return request.url.replaceAll('+', '%20');
    },
  };
}

const domainOf = (region: string): string =>
  region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';

/** RFC 6266: a name for those who know Unicode, and one for those who do not. */
function dispositionOf(name: string, { isPlain }: { isPlain: boolean }): string {
  const safe = name.replaceAll(/[/\\:*?"<>|']/g, '-');
  const plain = `attachment; filename="${safe.replaceAll(/[^\x20-\x7e]|%/g, '_')}"`;
  if (isPlain) return plain;
  const encoded = encodeURIComponent(safe).replaceAll(
    /[!()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${plain}; filename*=UTF-8''${encoded}`;
}
