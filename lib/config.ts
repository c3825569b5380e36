import * as z from 'zod/mini';
import { isLoopback, LiveKitUrl } from './livekit/url.ts';

/**
 * The functions' environment, and the only reader of `process.env`. Each function names the parts
 * that it needs, and {@link loadConfig} parses them once, at its cold start.
 */

const text = z.string('is missing');

const isUrl = (value: string, ...protocols: string[]): boolean =>
  URL.canParse(value) && protocols.includes(new URL(value).protocol);

/** Inside Lambda nothing answers there. */
const isOnThisMachine = (value: string): boolean =>
  isUrl(value, 'http:', 'https:') && isLoopback(new URL(value));

/** Both forms that a pool's issuer can have, in all partitions: see aws-jwt-verify's Cognito verifier. */
const COGNITO_ISSUER =
  /^https:\/\/(issuer-)?cognito-idp\.[a-z0-9-]+\.amazonaws\.(com|com\.cn|eu)\/[a-z0-9-]+_[A-Za-z0-9]+$/;

const wholeNumber = (options: { default: number; min: number; max: number }) => {
  const rule = `must be a whole number from ${options.min} to ${options.max}`;
  return z._default(
    z.coerce.number(rule).check(z.int(rule), z.gte(options.min, rule), z.lte(options.max, rule)),
    options.default,
  );
};

const itemsOf = (value: string): string[] => value.split(',').map((item) => item.trim());

const list = z.pipe(
  text.check(
    z.refine((value) => !itemsOf(value).includes(''), 'must be a list, with a comma between items'),
  ),
  z.transform(itemsOf),
);

/** DynamoDB. An endpoint other than the region's own is for local databases. */
export const store = z.pipe(
  z.object({
    TABLE_NAME: text,
    DYNAMODB_ENDPOINT: z.optional(
      z.string().check(z.refine((v) => isUrl(v, 'http:', 'https:'), 'must be an http(s) URL')),
    ),
  }),
  z.transform((env) => ({ tableName: env.TABLE_NAME, endpoint: env.DYNAMODB_ENDPOINT })),
);

/** LiveKit on AWS: the settings are read at run time from an SSM parameter (a SecureString). */
const liveKitByParameter = z.pipe(
  z.object({ LIVEKIT_PARAMETER: text, AWS_REGION: text }),
  z.transform((env) => ({ parameter: { name: env.LIVEKIT_PARAMETER, region: env.AWS_REGION } })),
);

/** LiveKit elsewhere. */
const apiKey = {
  LIVEKIT_API_KEY: text,
  LIVEKIT_API_SECRET: text,
  RECORDING_UPLOAD_ACCESS_KEY: z.optional(z.string()),
  RECORDING_UPLOAD_SECRET: z.optional(z.string()),
  RECORDING_UPLOAD_REGION: z.optional(z.string()),
};
type Keyed = z.infer<z.ZodMiniObject<typeof apiKey>>;
const settingsAt = (wsUrl: string, env: Keyed) => ({
  settings: {
    wsUrl,
    apiKey: env.LIVEKIT_API_KEY,
    apiSecret: env.LIVEKIT_API_SECRET,
    ...uploadOf(env),
  },
});
const uploadOf = ({
  RECORDING_UPLOAD_ACCESS_KEY: accessKey,
  RECORDING_UPLOAD_SECRET: secret,
  RECORDING_UPLOAD_REGION: region,
}: Keyed) =>
  accessKey && secret && region ? { recordingUpload: { accessKey, secret, region } } : {};
const liveKitByWsUrl = z.pipe(
  z.object({ LIVEKIT_WS_URL: LiveKitUrl, ...apiKey }),
  z.transform((env) => settingsAt(env.LIVEKIT_WS_URL, env)),
);
/** As LiveKit's own tools name the URL. */
const liveKitByUrl = z.pipe(
  z.object({ LIVEKIT_URL: LiveKitUrl, ...apiKey }),
  z.transform((env) => settingsAt(env.LIVEKIT_URL, env)),
);

export const livekit = (env: Environment) => {
  if (env.LIVEKIT_PARAMETER !== undefined) return liveKitByParameter;
  return env.LIVEKIT_WS_URL === undefined && env.LIVEKIT_URL !== undefined
    ? liveKitByUrl
    : liveKitByWsUrl;
};

/** Whose tokens count. An issuer that is no Cognito pool is accepted on loopback only. */
export const identity = z.pipe(
  z.object({
    COGNITO_ISSUER: text.check(
      z.refine(
        (value) => COGNITO_ISSUER.test(value) || isOnThisMachine(value),
        'must be the issuer of a Cognito user pool, or a loopback URL',
      ),
    ),
    COGNITO_CLIENT_IDS: list,
    COGNITO_TOKEN_USE: z._default(z.enum(['access', 'id'], 'must be "access" or "id"'), 'access'),
  }),
  z.transform((env) => ({
    issuer: env.COGNITO_ISSUER,
    clientIds: env.COGNITO_CLIENT_IDS,
    tokenUse: env.COGNITO_TOKEN_USE,
  })),
);

/**
 * The largest meeting that holds well, as measured (docs/decisions.md, Presence): each present participant is
 * in the club's item, which each join writes and each status reads.
 */
export const LARGEST_MEETING = 1000;

/** The limits of each meeting's room. LiveKit reads 0 as "server default", so 0 is refused. */
export const rooms = z.pipe(
  z.object({
    ROOM_EMPTY_TIMEOUT_SECONDS: wholeNumber({ default: 2100, min: 1, max: 86_400 }),
    ROOM_DEPARTURE_TIMEOUT_SECONDS: wholeNumber({ default: 2100, min: 1, max: 86_400 }),
    ROOM_MAX_PARTICIPANTS: wholeNumber({ default: 50, min: 1, max: LARGEST_MEETING }),
  }),
  z.transform((env) => ({
    emptyTimeoutSeconds: env.ROOM_EMPTY_TIMEOUT_SECONDS,
    departureTimeoutSeconds: env.ROOM_DEPARTURE_TIMEOUT_SECONDS,
    maxParticipants: env.ROOM_MAX_PARTICIPANTS,
  })),
);

/** Join tokens: how long an unused one works, and what a moderator's may do at LiveKit itself. */
export const tokens = z.pipe(
  z.object({
    TOKEN_TTL_SECONDS: wholeNumber({ default: 600, min: 60, max: 86_400 }),
    MODERATOR_GRANTS: z._default(
      z.enum(['full', 'room', 'none'], 'must be "full", "room" or "none"'),
      'none',
    ),
  }),
  z.transform((env) => ({
    ttlSeconds: env.TOKEN_TTL_SECONDS,
    moderatorGrants: env.MODERATOR_GRANTS,
  })),
);

/** How long a meeting may last at most. */
export const limits = z.pipe(
  z.object({
    MEETING_MAX_DURATION_SECONDS: wholeNumber({ default: 43_200, min: 60, max: 604_800 }),
  }),
  z.transform((env) => ({ maxDurationSeconds: env.MEETING_MAX_DURATION_SECONDS })),
);

/** When the cleanup ends a meeting that everybody left, and how much it may ask of LiveKit in a run. */
export const cleanup = z.pipe(
  z.object({
    // No shorter than two minutes: a token clears a vacancy that is older than one.
    CLEANUP_GRACE_SECONDS: wholeNumber({ default: 900, min: 120, max: 86_400 }),
    // The room list, all that one meeting may need, and one stale room.
    CLEANUP_MAX_LIVEKIT_CALLS: wholeNumber({ default: 500, min: 6, max: 100_000 }),
  }),
  z.transform((env) => ({
    graceSeconds: env.CLEANUP_GRACE_SECONDS,
    maxLiveKitCalls: env.CLEANUP_MAX_LIVEKIT_CALLS,
  })),
);

/** For how long recordings are kept, and what is recorded unless a request says. */
export const recordingRules = z.object({
  RECORDING_RETENTION_DAYS: wholeNumber({ default: 30, min: 1, max: 3650 }),
  RECORDING_DEFAULT: z._default(z.enum(['video', 'audio'], 'must be "video" or "audio"'), 'video'),
});

/** And where the files are. An endpoint other than the region's own is for a local S3. */
export const recording = z.pipe(
  z.extend(recordingRules, {
    RECORDINGS_BUCKET: text,
    AWS_REGION: text,
    RECORDINGS_ENDPOINT: z.optional(
      z.string().check(z.refine(isOnThisMachine, 'must be a loopback URL')),
    ),
  }),
  z.transform((env) => ({
    retentionDays: env.RECORDING_RETENTION_DAYS,
    default: env.RECORDING_DEFAULT,
    bucket: env.RECORDINGS_BUCKET,
    region: env.AWS_REGION,
    endpoint: env.RECORDINGS_ENDPOINT,
  })),
);

type Environment = Record<string, string | undefined> & {
  LIVEKIT_PARAMETER?: string;
  LIVEKIT_WS_URL?: string;
  LIVEKIT_URL?: string;
};
type Part = z.ZodMiniType | ((env: Environment) => z.ZodMiniType);
type Loaded<P extends Part> = z.infer<P extends (env: Environment) => infer S ? S : P>;

/** Names everything that is wrong with the environment, and no value of it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Each begins with the variable's name. */
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`Environment: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

/**
 * Parses the named parts of the environment; an empty variable counts as a missing one.
 * @throws ConfigError that names every missing or bad variable at once
 */
export function loadConfig<P extends Record<string, Part>>(
  parts: P,
  env: Environment = process.env,
): { [Name in keyof P]: Loaded<P[Name]> } {
  const config: Record<string, unknown> = {};
  const problems: string[] = [];
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  for (const [name, part] of Object.entries(parts)) {
    const result = (typeof part === 'function' ? part(given) : part).safeParse(given);
    if (result.success) config[name] = result.data;
    else
      problems.push(...result.error.issues.map((issue) => `${issue.path.join()} ${issue.message}`));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config as { [Name in keyof P]: Loaded<P[Name]> };
}
