import { fromEnv } from '@aws-sdk/credential-provider-env';
import { AwsClient } from 'aws4fetch';
import * as z from 'zod/mini';
import { MediaUnavailable } from '../errors.ts';

function isWebSocketUrl(value: string): boolean {
  return URL.canParse(value) && ['ws:', 'wss:'].includes(new URL(value).protocol);
}

const ApiKey = z.object({
  apiKey: z.string().check(z.minLength(1)),
  // An empty one would verify what anybody signs.
  apiSecret: z.string().check(z.minLength(1)),
});

export type ApiKey = z.infer<typeof ApiKey>;

/** What names and opens a LiveKit project; as JSON, the value of its SSM parameter. */
export const LiveKitProject = z.extend(ApiKey, {
  /** What clients connect to; the API is at the same host. */
  wsUrl: z.string().check(z.refine(isWebSocketUrl)),
  /** The key that is being replaced: webhooks that it signed still count. */
  previous: z.optional(ApiKey),
});
export type LiveKitProject = z.infer<typeof LiveKitProject>;

/** How long a parameter that was read counts, so that a rotated key needs no deployment. */
const FRESH_MS = 5 * 60_000;
const READ_TIMEOUT_MS = 1500;
const RETRIES = 1;

const GetParameterAnswer = z.object({ Parameter: z.object({ Value: z.string() }) });

export interface ProjectParameter {
  name: string;
  region: string;
  /** The region's own, unless a test brings another one. */
  endpoint?: string;
}

/**
 * Reads the project from a SecureString of the SSM Parameter Store. Concurrent readers share one
 * call; a refresh that fails leaves the project that is known in use.
 *
 * Over aws4fetch, since the SSM client would add 77 KB to each bundle for this one call:
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 *
 * @throws MediaUnavailable when it could never be read
 */
export function projectFromParameter(
  { name, region, endpoint = endpointOf(region) }: ProjectParameter,
  { credentials = fromEnv(), now = Date.now } = {},
): () => Promise<LiveKitProject> {
  let known: { project: LiveKitProject; readAt: number } | undefined;
  let reading: Promise<LiveKitProject> | undefined;

  const read = async (): Promise<LiveKitProject> => {
    const aws = new AwsClient({
      ...(await credentials()),
      region,
      service: 'ssm',
      retries: RETRIES,
    });
    const response = await aws.fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AmazonSSM.GetParameter',
      },
      body: JSON.stringify({ Name: name, WithDecryption: true }),
      signal: AbortSignal.timeout(READ_TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`SSM answered ${response.status} for ${name}`);
    const { Parameter } = parseSecret(
      GetParameterAnswer,
      await response.text(),
      `SSM answered with something else than the parameter ${name}`,
    );
    return parseSecret(
      LiveKitProject,
      Parameter.Value,
      `${name} must be JSON with wsUrl (ws:// or wss://), apiKey and apiSecret`,
    );
  };

  return async () => {
    if (known && now() - known.readAt < FRESH_MS) return known.project;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    // Waited for, not left to the background: Lambda freezes that between two requests.
    try {
      const project = await reading;
      known = { project, readAt: now() };
    } catch (cause) {
      if (!known) throw new MediaUnavailable({ cause });
      known.readAt = now();
    }
    return known.project;
  };
}

const endpointOf = (region: string): string =>
  `https://ssm.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`;

/** Without the parser's own error as cause: it quotes the text around what it did not expect. */
function parseSecret<S extends z.ZodMiniType>(
  schema: S,
  text: string,
  complaint: string,
): z.infer<S> {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Error(complaint);
  }
}
