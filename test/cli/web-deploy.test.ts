/** `npm run web:deploy`, on loopback: an S3 of its own, and AWS's protocols for the rest. Not run on AWS. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { run } from '../../cli/web/run.ts';
import { uploadPage } from '../../cli/web/upload.ts';
import { startS3 } from '../../local/s3.ts';
import { type Received, serveHttp } from '../harness/http-server.ts';
import { describedStack, refusedByCloudFormation } from './stacks.ts';
import { printed } from './terminal.ts';

const BUILD = {
  'index.html': '<!doctype html>',
  'icon.svg': '<svg/>',
  'assets/index-B1.js': 'import("./meeting-B1.js")',
  'assets/meeting-B1.js': 'export {}',
  'assets/index-B1.css': 'body {}',
};

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'page-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

async function startBucket() {
  const { endpoint, bucket, region, stop, ...credentials } = await startS3({
    checksSignatures: false,
  });
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  onTestFinished(async () => {
    client.destroy();
    await stop();
  });
  const keys = async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    return Contents.map(({ Key }) => Key ?? '').toSorted();
  };
  const head = (Key: string) => client.send(new HeadObjectCommand({ Bucket: bucket, Key }));
  const read = async (Key: string) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
    return Body?.transformToString();
  };
  return { endpoint, bucket, region, credentials, client, keys, head, read };
}

describe('the upload of a page', () => {
  it('uploads every file with its type, and config.json; only files with a hash in the name are immutable', async () => {
    const { client, bucket, keys, head, read } = await startBucket();
    const folder = await folderWith(BUILD);
    const config = { apiUrl: 'https://api.example' };
    expect(await uploadPage(client, { folder, bucket, config })).toEqual({ files: 6, deleted: 0 });

    expect(await keys()).toEqual([...Object.keys(BUILD), 'config.json'].toSorted());
    expect(await read('assets/meeting-B1.js')).toBe('export {}');
    expect(JSON.parse((await read('config.json')) ?? '')).toEqual(config);
    const headers = await Promise.all(
      (await keys()).map(async (key) => {
        const { ContentType, CacheControl } = await head(key);
        return [key, ContentType, CacheControl];
      }),
    );
    const immutable = 'public, max-age=31536000, immutable';
    expect(headers).toEqual([
      ['assets/index-B1.css', 'text/css; charset=utf-8', immutable],
      ['assets/index-B1.js', 'text/javascript; charset=utf-8', immutable],
      ['assets/meeting-B1.js', 'text/javascript; charset=utf-8', immutable],
      ['config.json', 'application/json', 'no-cache'],
      ['icon.svg', 'image/svg+xml', 'no-cache'],
      ['index.html', 'text/html; charset=utf-8', 'no-cache'],
    ]);
  });

  it('keeps parts of earlier builds for 30 days, for pages that are open, and then deletes them', async () => {
    const { client, bucket, keys } = await startBucket();
    const upload = async (build: Record<string, string>, now?: Date) =>
      uploadPage(client, {
        folder: await folderWith(build),
        bucket,
        config: {},
        ...(now && { now }),
      });
    await upload(BUILD);
    const next = { 'index.html': 'B2', 'assets/index-B2.js': '', 'assets/index-B1.css': 'body {}' };

    await upload(next);
    expect(await keys()).toEqual(expect.arrayContaining(Object.keys({ ...BUILD, ...next })));

    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);
    expect(await upload(next, inDays(29))).toMatchObject({ deleted: 0 });
    expect(await upload(next, inDays(31))).toMatchObject({ deleted: 2 });
    expect(await keys()).toEqual([...Object.keys(next), 'config.json', 'icon.svg'].toSorted());
  });

  it.each([
    ['a folder that holds no page', { 'icon.svg': '' }, 'There is no index.html'],
    ['a file of an unknown kind', { ...BUILD, 'notes.docx': '' }, 'notes.docx'],
  ])('changes nothing for %s', async (_, build: Record<string, string>, sentence) => {
    const { client, bucket, keys } = await startBucket();
    const folder = await folderWith(build);
    await expect(uploadPage(client, { folder, bucket, config: {} })).rejects.toThrow(sentence);
    expect(await keys()).toEqual([]);
  });

  it('puts the page when everything that it names is there', async () => {
    const { client, bucket, keys } = await startBucket();
    let keysBefore: string[] = [];
    client.middlewareStack.add(
      (next) => async (args) => {
        if ('Key' in args.input && args.input.Key === 'index.html') keysBefore = await keys();
        return next(args);
      },
      { step: 'initialize' },
    );
    await uploadPage(client, { folder: await folderWith(BUILD), bucket, config: {} });
    const { 'index.html': _, ...others } = BUILD;
    expect(keysBefore).toEqual([...Object.keys(others), 'config.json'].toSorted());
  });
});

describe('npm run web:deploy', () => {
  const STACK = 'reading-club-meetings-prod';
  const PAGE = 'https://club.example';
  let outputs: Record<string, string>;
  let requests: Received[];
  let bucket: Awaited<ReturnType<typeof startBucket>>;

  beforeEach(async () => {
    bucket = await startBucket();
    outputs = {
      ApiUrl: 'https://api.example/api/reading-clubs/meeting',
      Issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Made',
      RecordingDefault: 'audio',
      UserPoolClientIds: 'web,ios',
      UserPoolDomain: 'https://login.example',
      WebBucket: bucket.bucket,
      WebDistributionId: 'E1EXAMPLE',
      WebOrigins: `http://localhost:5173,${PAGE}`,
      WebUrl: PAGE,
    };
    const stacks = await serveHttp(({ body }) => {
      const name = new URLSearchParams(body).get('StackName') ?? '';
      return name === STACK
        ? describedStack(name, 'UPDATE_COMPLETE', outputs)
        : refusedByCloudFormation('ValidationError', `Stack with id ${name} does not exist`);
    });
    const distributions = await serveHttp(() => ({
      status: 201,
      headers: { 'content-type': 'text/xml' },
      body: '<Invalidation><Id>I1</Id><Status>InProgress</Status></Invalidation>',
    }));
    ({ requests } = distributions);
    const environment = {
      AWS_ENDPOINT_URL_CLOUDFORMATION: stacks.url,
      AWS_ENDPOINT_URL_CLOUDFRONT: distributions.url,
      AWS_ENDPOINT_URL_S3: bucket.endpoint,
      AWS_ACCESS_KEY_ID: bucket.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: bucket.credentials.secretAccessKey,
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    return () => vi.unstubAllEnvs();
  });

  async function deploy(...args: string[]) {
    const build = vi.fn(() => folderWith(BUILD));
    const { exit, out, err } = await printed((to) => run(args, { ...to, build }));
    return { exit, text: out + err, isBuilt: build.mock.calls.length > 0 };
  }

  it('puts the page into the bucket of the stage, with its addresses, and invalidates', async () => {
    const { exit, text } = await deploy('--stage', 'prod');
    expect(text).toBe(`${PAGE} serves the page within a minute or two: put 6 files\n`);
    expect(exit).toBe(0);
    expect(JSON.parse((await bucket.read('config.json')) ?? '')).toEqual({
      apiUrl: outputs['ApiUrl'],
      identity: {
        issuer: outputs['Issuer'],
        clientId: 'web',
        authorizationEndpoint: 'https://login.example/oauth2/authorize',
        tokenEndpoint: 'https://login.example/oauth2/token',
        logoutEndpoint: 'https://login.example/logout',
      },
      livekit: 'server',
      recordingDefault: 'audio',
    });
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /2020-05-31/distribution/E1EXAMPLE/invalidation',
    ]);
    expect(requests[0]?.body).toContain('<Path>/*</Path>');
  });

  it.each<[string, Record<string, string>, string]>([
    ['a stage without a page', { WebBucket: '' }, 'web=true'],
    ['a page whose origin may not call the API', { WebOrigins: 'https://other.example' }, PAGE],
    ['a pool without a domain', { UserPoolDomain: '' }, 'UserPoolDomain'],
  ])('builds and changes nothing for %s', async (_, change, sentence) => {
    for (const [name, value] of Object.entries(change)) {
      if (value === '') delete outputs[name];
      else outputs[name] = value;
    }
    const { exit, text, isBuilt } = await deploy('--stage', 'prod');
    expect(exit).toBe(1);
    expect(text).toContain(sentence);
    expect(isBuilt).toBe(false);
    expect(await bucket.keys()).toEqual([]);
    expect(requests).toEqual([]);
  });

  it('says so when there is no such stage', async () => {
    const { exit, text } = await deploy('--stage', 'pord');
    expect({ exit, text }).toEqual({
      exit: 1,
      text: 'Stack with id reading-club-meetings-pord does not exist\n',
    });
  });

  it.each([[[]], [['--stage', 'local']], [['--stage', 'prod', '--force']]])(
    'does not understand %j',
    async (args) => {
      const { exit, isBuilt } = await deploy(...args);
      expect(exit).toBe(2);
      expect(isBuilt).toBe(false);
    },
  );
});
