/** What the development recorder and the stand-in do with a request for a file in S3. */
import type { RoomCompositeEgressRequest, S3Upload } from '@livekit/protocol';
import { AwsClient } from 'aws4fetch';

export interface Output {
  key: string;
  s3: S3Upload;
}

/** @throws for any answer of S3 but 2xx, without its credentials */
export async function putFile(
  { key, s3 }: Output,
  body: string | Uint8Array<ArrayBuffer>,
  { retries = 2, withinMs = 60_000 }: { retries?: number; withinMs?: number } = {},
): Promise<void> {
  const { accessKey: accessKeyId, secret: secretAccessKey, region } = s3;
  const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries });
  const origin = s3.endpoint.replace(/\/$/, '') || `https://s3.${region}.amazonaws.com`;
  const response = await aws.fetch(`${origin}/${s3.bucket}/${key}`, {
    method: 'PUT',
    headers: { 'content-type': 'audio/ogg' },
    body,
    signal: AbortSignal.timeout(withinMs),
  });
  if (!response.ok) throw new Error(`${response.status} for ${s3.bucket}`);
}

/** The request as it is shown in answers, lists and webhooks: without credentials. */
export function redacted(request: RoomCompositeEgressRequest): RoomCompositeEgressRequest {
  const copy = request.clone();
  const files = [...copy.fileOutputs, ...(copy.output.case === 'file' ? [copy.output.value] : [])];
  for (const { output } of files) {
    if (output.case !== 's3') continue;
    Object.assign(output.value, {
      accessKey: '{access_key}',
      secret: '{secret}',
      sessionToken: '',
    });
  }
  return copy;
}
