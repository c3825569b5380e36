import { fromEnv } from '@aws-sdk/credential-provider-env';
import { AwsClient } from 'aws4fetch';
import * as z from 'zod/mini';
import { MediaUnavailable } from '../errors.ts';
import { jsonOf } from './json.ts';
import { LiveKitUrl } from './url.ts';

const Text = z.string('is missing').check(z.minLength(1, 'is empty'));

const ApiKey = z.object({
  apiKey: Text,
  // With an empty secret, any signature could be forged.
  apiSecret: Text,
});
export type ApiKey = z.infer<typeof ApiKey>;

/** What names and opens a LiveKit project; as JSON, the value of its SSM parameter. */
export const LiveKitSettings = z.extend(ApiKey, {
  /** What clients connect to; the API is at the same host. */
  wsUrl: LiveKitUrl,
  /** The key that is being replaced: webhooks that it signed still count. */
  previous: z.optional(ApiKey),
  /**
   * With what LiveKit Cloud puts recordings into the bucket, and the bucket's region. Absent for a
   * recorder that has rights of its own.
   */
  recordingUpload: z.optional(z.object({ accessKey: Text, secret: Text, region: Text })),
});
export type LiveKitSettings = z.infer<typeof LiveKitSettings>;

/**
 * Reads the value of the SSM parameter of this name.
 * @throws an Error that says what is wrong with it, and nothing of the value
 */
export function parseSettings(name: string, text: string): LiveKitSettings {
  const { data, error } = LiveKitSettings.safeParse(jsonOf(text));
  if (data) return data;
  const problems = error.issues.map(({ path, message }) =>
    path.length === 0 ? 'it must be a JSON object' : `${path.join('.')} ${message}`,
  );
  throw new Error(`${name} does not fit: ${problems.join('; ')}`);
}

/** How long a parameter that was read counts, so that a rotated key needs no deployment. */
const FRESH_MS = 5 * 60_000;

/**
 * A burst of cold starts meets SSM's limit (40 calls a second, unless raised): what is throttled comes
 * again after a random wait, in a function's 12 s.
 */
const READ_BUDGET_MS = 6_000;
const ATTEMPT_TIMEOUT_MS = 1_500;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

const GetParameterAnswer = z.object({ Parameter: z.object({ Value: z.string() }) });
const Refusal = z.object({ __type: z.string() });

export interface SettingsParameter {
  name: string;
  region: string;
  /** The region's own, unless a test brings another one. */
  endpoint?: string;
}

/**
 * Reads the settings from a SecureString of the SSM Parameter Store. Concurrent readers share one
 * reading; a refresh that fails keeps the known settings in use.
 *
 * Over aws4fetch, since the SSM client would add 77 KB to each bundle for this one call:
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 *
 * @throws MediaUnavailable when it could never be read
 */
export function settingsFromParameter(
  { name, region, endpoint = endpointOf(region) }: SettingsParameter,
  { credentials = fromEnv(), now = Date.now, budgetMs = READ_BUDGET_MS } = {},
): () => Promise<LiveKitSettings> {
  let known: { settings: LiveKitSettings; readAt: number } | undefined;
  let reading: Promise<LiveKitSettings> | undefined;

  const attempt = async (): Promise<LiveKitSettings> => {
    const aws = new AwsClient({ ...(await credentials()), region, service: 'ssm', retries: 0 });
    const response = await aws.fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AmazonSSM.GetParameter',
      },
      body: JSON.stringify({ Name: name, WithDecryption: true }),
      signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
    });
    const answer = jsonOf(await response.text());
    if (!response.ok) throw new SsmRefusal(name, response.status, answer);
    const { data } = GetParameterAnswer.safeParse(answer);
    if (!data) throw new Error(`SSM answered with something else than the parameter ${name}`);
    return parseSettings(name, data.Parameter.Value);
  };

  const read = async (): Promise<LiveKitSettings> => {
    // A refresh that does not succeed at once is not waited for.
    const giveUpAt = Date.now() + (known ? 0 : budgetMs);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await attempt();
      } catch (error) {
        const jitteredMs = Math.random() * pauseMs;
        const isPassing = error instanceof SsmRefusal && error.isPassing;
        if (!isPassing || Date.now() + jitteredMs + ATTEMPT_TIMEOUT_MS > giveUpAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, jitteredMs));
      }
    }
  };

  return async () => {
    if (known && now() - known.readAt < FRESH_MS) return known.settings;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    // Waited for, not left to the background: Lambda freezes that between two requests.
    try {
      const settings = await reading;
      known = { settings, readAt: now() };
    } catch (cause) {
      if (!known) throw new MediaUnavailable({ cause });
      known.readAt = now();
    }
    return known.settings;
  };
}

/** An answer with another status than 200. Its own words can quote the request, and are left out. */
class SsmRefusal extends Error {
  override readonly name = 'SsmRefusal';
  /** A request like this may be answered later. */
  readonly isPassing: boolean;

  constructor(parameter: string, status: number, answer: unknown) {
    // As `ThrottlingException`, maybe with a namespace before it.
    const type = /\w+$/.exec(Refusal.safeParse(answer).data?.__type ?? '')?.[0] ?? '';
    super(`SSM answered ${[status, type].join(' ').trim()} for ${parameter}`);
    this.isPassing = status >= 500 || status === 429 || type === 'ThrottlingException';
  }
}

const endpointOf = (region: string): string =>
  `https://ssm.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`;
