/**
 * S3 on loopback, for the files of recordings: checks signatures and the expiry of presigned addresses,
 * as the real one does. Bucket and keys are in memory of this process's folder and go with it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import S3rver from '@20minutes/s3rver';

/** The one account that s3rver knows. */
export const KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const REGION = 'us-east-1';
const BUCKET = 'recordings';

export interface S3 {
  endpoint: string;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  stop(): Promise<void>;
}

/**
 * @param corsOrigins pages that may read a file by a presigned address
 * @param checksSignatures s3rver cannot check a listing's as AWS's SDK signs it, with a slash at the end
 */
export async function startS3({
  port = 0,
  corsOrigins = [] as readonly string[],
  checksSignatures = true,
} = {}): Promise<S3> {
  const directory = await mkdtemp(join(tmpdir(), 's3-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port,
    silent: true,
    directory,
    vhostBuckets: false,
    allowMismatchedSignatures: !checksSignatures,
    configureBuckets: [
      { name: BUCKET, configs: corsOrigins.length > 0 ? [cors(corsOrigins)] : [] },
    ],
  });
  let lifecycle: Buffer | undefined;
  server.middleware.unshift(async (context, next) => {
    const { query, headers, method } = context;
    // s3rver reads without a signature; a private bucket does not.
    const isSigned = headers['authorization'] !== undefined || 'X-Amz-Signature' in query;
    if (!isSigned && method !== 'OPTIONS') {
      Object.assign(context, { status: 403, type: 'application/xml', body: denied });
      return;
    }
    // s3rver has no lifecycle; the doctor reads it.
    if ('lifecycle' in query) {
      if (method === 'PUT') lifecycle = await buffer(context.req);
      Object.assign(context, { status: lifecycle ? 200 : 404, type: 'application/xml' });
      context.body = method === 'GET' ? (lifecycle ?? noLifecycle) : '';
      return;
    }
    await next();
  });
  const clean = () => rm(directory, { recursive: true, force: true });
  const { port: listening } = await server.run().catch(async (error: unknown) => {
    await clean();
    throw error;
  });
  return {
    endpoint: `http://127.0.0.1:${listening}`,
    bucket: BUCKET,
    region: REGION,
    ...KEYS,
    async stop() {
      const closed = server.close();
      server.httpServer.closeAllConnections();
      await closed;
      await clean();
    },
  };
}

const error = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`;
const denied = error('AccessDenied');
const noLifecycle = error('NoSuchLifecycleConfiguration');

const cors = (origins: readonly string[]): string => `<CORSConfiguration><CORSRule>
${origins.map((origin) => `<AllowedOrigin>${origin}</AllowedOrigin>`).join('')}
<AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod><AllowedHeader>*</AllowedHeader>
</CORSRule></CORSConfiguration>`;
