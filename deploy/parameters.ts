/** What the parameters of a stage must be, and what YAML cannot compute from them. */
import * as z from 'zod/mini';
import {
  ConfigError,
  cleanup,
  limits,
  loadConfig,
  recordingRules,
  rooms,
  tokens,
} from '../lib/config.ts';

/** The parts of the functions' environment that parameters set. */
const ENVIRONMENT = { rooms, tokens, limits, cleanup, recordingRules };

/** AWS Lambda, CreateFunction: FunctionName. */
const FUNCTION_NAME_LIMIT = 64;

/** As they come from a stage's file or `--param`: text, numbers, lists, or CloudFormation's functions. */
export type Values = Record<string, unknown>;

export interface StageSettings {
  stage: string;
  /** deploy/stages/default.yml, which names every parameter. */
  defaults: Values;
  /** The stage's own file. */
  ofStage: Values;
  /** `--param` */
  given: Values;
  functions: { name: string; environment: Values }[];
}

/** A list can be written as text with commas. */
export const listOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : String(value ?? '').split(','))
    .map((item) => String(item).trim())
    .filter((item) => item !== '');

const POOL_ID = /^[a-z0-9-]+_[A-Za-z0-9]+$/;

const isOrigin = (value: string): boolean => {
  if (!URL.canParse(value)) return false;
  const { origin, protocol, hostname } = new URL(value);
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return (
    origin === value &&
    !value.includes('*') &&
    (protocol === 'https:' || (protocol === 'http:' && isLoopback))
  );
};

const text = (pattern: RegExp, rule: string, missing = 'is missing') =>
  z.string(missing).check(z.regex(pattern, rule));
const items = (isItem: (item: string) => boolean, rule: string, missing = 'is missing') =>
  z
    .string(missing)
    .check(z.refine((value) => listOf(value).length > 0 && listOf(value).every(isItem), rule));
const trueOrFalse = () => text(/^(true|false)$/, 'must be "true" or "false"');
const wholeNumber = () => text(/^[1-9]\d*$/, 'must be a whole number of 1 or more');

/** The parameters that the template alone reads; the functions parse the others. */
const Template = z.object({
  userPoolId: text(
    new RegExp(`^new$|${POOL_ID.source}`),
    'must be the id of a user pool, as eu-central-1_AbCdEfGhI, or "new"',
    'is missing: the id of your user pool, or "new" for one that the stack makes',
  ),
  userPoolClientIds: z.optional(
    items((id) => /^[\w+]{1,128}$/.test(id), 'must be the ids of app clients of the user pool'),
  ),
  userPoolDomain: z.optional(
    z.string().check(z.refine(isOrigin, 'must be an origin, as https://login.example.org')),
  ),
  selfSignUp: trueOrFalse(),
  webOrigins: items(
    isOrigin,
    'must be origins, as https://club.example: https, or http on this machine, and no path',
    'is missing: the origins of the pages that call the API, as https://club.example',
  ),
  tracingHeaders: z.optional(
    items((name) => /^[a-z0-9-]+$/.test(name), 'must be names of headers, in lower case'),
  ),
  // The roles name it as parameter/…, so a name without a slash would give an ARN of nothing.
  livekitParameter: text(
    /^(\/[\w.-]+)+$/,
    'must be the name of an SSM parameter that begins with a slash',
  ),
  // Twice at least in the half hour after which CleanupDidNotRunAlarm goes off.
  cleanupRate: text(
    /^rate\((1 minute|([2-9]|1[0-5]) minutes)\)$/,
    'must be rate(1 minute) or one from rate(2 minutes) to rate(15 minutes)',
  ),
  isTableProtected: trueOrFalse(),
  tableDeletionPolicy: text(/^(Retain|Delete)$/, 'must be "Retain" or "Delete"'),
  throttlingRate: wholeNumber(),
  throttlingBurst: wholeNumber(),
  reservedConcurrency: z.optional(wholeNumber()),
  web: trueOrFalse(),
  webDomain: z.optional(
    text(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'must be the name of a host, as club.example'),
  ),
  webCertificate: z.optional(
    text(
      /^arn:[\w-]+:acm:us-east-1:\d{12}:certificate\/[\w-]+$/,
      'must be the ARN of a certificate in us-east-1, where CloudFront looks for it',
    ),
  ),
  livekitOrigins: items(
    (origin) => /^(https|wss):\/\/(\*\.)?[a-z0-9.-]+(:\d+)?$/.test(origin),
    'must be origins of https and wss, as https://*.livekit.cloud',
  ),
  alarmTopic: z.optional(
    text(/^arn:[\w-]+:sns:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?$/, 'must be the ARN of an SNS topic'),
  ),
});

/** Everything that is wrong with a stage, one sentence each; empty when it can be deployed. */
export function problemsOf(settings: StageSettings): string[] {
  const values = { ...settings.defaults, ...settings.ofStage, ...settings.given };
  return [
    ...nameProblems(settings),
    ...templateProblems(values),
    ...environmentProblems(settings),
    ...timeoutProblems(values),
  ];
}

function nameProblems({ stage, defaults, ofStage, given, functions }: StageSettings): string[] {
  const unknown = Object.keys({ ...ofStage, ...given }).filter(
    (name) => !Object.hasOwn(defaults, name),
  );
  const longest = Math.max(...functions.map(({ name }) => name.length));
  const allowed = stage.length + FUNCTION_NAME_LIMIT - longest;
  return [
    ...(allowed < stage.length
      ? [
          `stage "${stage}" is too long: with it function names exceed Lambda's limit of ${FUNCTION_NAME_LIMIT} characters. It may have ${allowed}`,
        ]
      : []),
    ...unknown.map((name) => `${name} is no parameter`),
  ];
}

function templateProblems(values: Values): string[] {
  const given = Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      const written = textOf(value);
      return written === undefined ? [] : [[name, written]];
    }),
  );
  const problems = (Template.safeParse(given).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')} ${message}`,
  );
  const { userPoolId = '', userPoolClientIds, userPoolDomain } = given;
  if (userPoolId === 'new') {
    for (const [name, value] of Object.entries({ userPoolClientIds, userPoolDomain })) {
      if (value) problems.push(`${name} is of an existing pool, and userPoolId is "new"`);
    }
  } else if (POOL_ID.test(userPoolId) && !userPoolClientIds) {
    problems.push('userPoolClientIds is missing: the app clients of that pool whose tokens count');
  }
  const { web, webDomain, webCertificate, webOrigins } = given;
  if (web === 'true' && userPoolId !== 'new' && !userPoolDomain) {
    problems.push('userPoolDomain is missing: the page logs people in there');
  }
  if (Boolean(webDomain) !== Boolean(webCertificate)) {
    problems.push('webDomain and webCertificate belong together: give both or neither');
  }
  if (web === 'true' && webDomain && !listOf(webOrigins).includes(`https://${webDomain}`)) {
    problems.push(`webOrigins must have https://${webDomain}, or the page may not call the API`);
  }
  if (given['tableDeletionPolicy'] === 'Delete' && given['isTableProtected'] === 'true') {
    problems.push(
      'tableDeletionPolicy "Delete" needs isTableProtected "false": AWS deletes nothing that is protected',
    );
  }
  return problems;
}

/**
 * No function has all of these. A token is given out as long as a vacant meeting is on: for the grace and
 * until the second run of the cleanup after it. LiveKit's timers do not start anew with a token, so they
 * last longer than all of that and the token's life together.
 */
function timeoutProblems(values: Values): string[] {
  const grace = Number(values['cleanupGraceSeconds']);
  const runs = 2 * 60 * Number(/^rate\((\d+) /.exec(String(values['cleanupRate']))?.[1]);
  const life = Number(values['tokenTtlSeconds']);
  const least = grace + runs + life;
  return ['roomEmptyTimeoutSeconds', 'roomDepartureTimeoutSeconds']
    .filter((name) => Number(values[name]) < least)
    .map(
      (name) =>
        `${name} must be ${least} or more: cleanupGraceSeconds (${grace}), two periods of cleanupRate (${runs}) and tokenTtlSeconds (${life}) together. Else a room closes while tokens for it work`,
    );
}

/** By the schemas with which the functions start. */
function environmentProblems({ defaults, functions }: StageSettings): string[] {
  const problems = functions.flatMap(({ environment }) => {
    const variables = Object.entries(environment).map(([name, value]) => [name, textOf(value)]);
    try {
      loadConfig(ENVIRONMENT, Object.fromEntries(variables));
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  });
  return [...new Set(problems)].map((problem) =>
    problem.replace(/^\w+/, (variable) => parameterOf(variable, Object.keys(defaults))),
  );
}

/** `tokenTtlSeconds` for `TOKEN_TTL_SECONDS`: they differ in case and underscores alone. */
const parameterOf = (variable: string, names: string[]): string =>
  names.find((name) => name.toUpperCase() === variable.replaceAll('_', '')) ?? variable;

/** Undefined where nothing is given, and where CloudFormation computes it. */
function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return textOf(value.join(','));
  if (value === null || value === undefined || value === '' || typeof value === 'object') {
    return undefined;
  }
  return String(value);
}
