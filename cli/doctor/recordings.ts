/** What records, and where the files go: may LiveKit write there, are the files private, do they expire? */
import {
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  type LifecycleRule,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { ulid } from 'ulid';
import type { LiveKitSettings } from '../../lib/livekit/settings.ts';
import type { LiveKit } from './livekit.ts';
import { reasonOf } from './reasons.ts';
import type { Finding } from './runner.ts';

const FOLDER = 'recordings/';
const DEPLOY = 'Deploy the stack again, from deploy/recordings.yml';

/** The bucket of a stage, and for how long its recordings are kept. */
export interface Recordings {
  bucket: string;
  retentionDays: number;
}

/** By its list of what is recorded: LiveKit says nothing of a recorder that waits for work. */
export async function askForRecordings({ recorder }: LiveKit): Promise<Finding> {
  try {
    await recorder.listActive();
    return { outcome: 'ok', sentence: 'LiveKit says what it records, and the key may record' };
  } catch (error) {
    const reason = reasonOf(error);
    return /^LiveKit answered 40[13]/.test(reason)
      ? {
          outcome: 'failure',
          sentence: `The key may not record: ${reason}`,
          remedy: 'Make a key with all rights in LiveKit',
        }
      : {
          outcome: 'warning',
          sentence: `Nothing can be recorded: ${reason}`,
          remedy:
            'A LiveKit of your own needs Redis and its Egress: docs/deploy.md. Without them a start answers 503',
        };
  }
}

/**
 * Writes a file as LiveKit does, and tries to read it: with the same key, and with none. It deletes the
 * file with the rights of the person who runs the doctor, since the key may not.
 */
export async function tryUpload(
  own: S3Client,
  { bucket: Bucket }: Recordings,
  { recordingUpload: upload }: LiveKitSettings,
): Promise<Finding> {
  if (!upload) {
    return {
      outcome: 'skipped',
      sentence: 'The settings have no recordingUpload: a recorder of your own has a role',
    };
  }
  const { accessKey: accessKeyId, secret: secretAccessKey, region } = upload;
  const client = (options: S3ClientConfig) => new S3Client({ maxAttempts: 2, region, ...options });
  const uploader = client({ credentials: { accessKeyId, secretAccessKey } });
  // It signs nothing, but the SDK asks for keys.
  const stranger = client({
    credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' },
    signer: { sign: async (request) => request },
  });
  const about = { Bucket, Key: `${FOLDER}doctor/${ulid()}` };
  const mayRead = (who: S3Client): Promise<boolean> =>
    who.send(new GetObjectCommand(about)).then(
      () => true,
      (error) => {
        if (isRefused(error)) return false;
        throw error;
      },
    );
  try {
    await uploader.send(new PutObjectCommand({ ...about, Body: 'A file of the doctor.' }));
  } catch (error) {
    return {
      outcome: 'failure',
      sentence: `The key of recordingUpload may not write to ${Bucket}: ${reasonOf(error)}`,
      remedy:
        'Write a key of the user RecordingUploadUserName and the region of the bucket into the parameter: docs/deploy.md',
    };
  }
  try {
    if (await mayRead(stranger)) {
      return {
        outcome: 'failure',
        sentence: `The public may read the files in ${Bucket}`,
        remedy: `${DEPLOY}, and look for a policy that was added by hand`,
      };
    }
    if (await mayRead(uploader)) {
      return {
        outcome: 'warning',
        sentence: 'The key of recordingUpload may read recordings, too, and LiveKit logs such keys',
        remedy: 'Use a key of the user RecordingUploadUserName, who may write and nothing else',
      };
    }
  } finally {
    await own.send(new DeleteObjectCommand(about));
    uploader.destroy();
    stranger.destroy();
  }
  return { outcome: 'ok', sentence: `LiveKit's key may write to ${Bucket}, and may read nothing` };
}

const isRefused = (error: unknown): boolean =>
  error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403;

/** The lifecycle of the bucket, and what the routes go by. */
export async function compareRetention(
  own: S3Client,
  { bucket: Bucket, retentionDays }: Recordings,
): Promise<Finding> {
  const days = (await rulesOf(own, Bucket))
    .filter(({ Status, Filter, Prefix }) => {
      return Status === 'Enabled' && [FOLDER, ''].includes(Filter?.Prefix ?? Prefix ?? '');
    })
    .flatMap(({ Expiration }) => Expiration?.Days ?? []);
  const expiresAfter = Math.min(...days);
  if (expiresAfter === retentionDays) {
    return {
      outcome: 'ok',
      sentence: `Files expire after ${retentionDays} days, as recordings do`,
    };
  }
  return {
    outcome: 'failure',
    sentence:
      days.length === 0
        ? `Files never expire, and recordings after ${retentionDays} days`
        : `Files expire after ${expiresAfter} days, and recordings after ${retentionDays}`,
    remedy: DEPLOY,
  };
}

async function rulesOf(own: S3Client, Bucket: string): Promise<LifecycleRule[]> {
  try {
    const { Rules } = await own.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    return Rules ?? [];
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchLifecycleConfiguration') return [];
    throw error;
  }
}
