/**
 * One process of the service: every function in it with its real dependencies, as one Lambda process
 * would run it, and a wire of its own between it and everything that it talks to.
 */
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import * as cleanup from '../../functions/cleanup.ts';
import * as clubs from '../../functions/clubs.ts';
import * as webhook from '../../functions/webhook.ts';
import type { ShownClub } from '../../lib/contract/commands.ts';
import { createCleanupDeps, createClubCommandDeps, createWebhookDeps } from '../../lib/deps.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { LiveKitService } from '../../lib/livekit/service.ts';
import type { LiveKitSettings } from '../../lib/livekit/settings.ts';
import { createWebhookVerifier } from '../../lib/livekit/webhook.ts';
import type { CleanupDeps, CleanupReport } from '../../lib/meetings/cleanup/types.ts';
import type { Log, LogFields } from '../../lib/meetings/ports.ts';
import { configOf } from './config.ts';
import {
  CLEANUP_TIMEOUT_MS,
  CLUBS_TIMEOUT_MS,
  contextOf,
  FUNCTION_TIMEOUT_MS,
  RECORDING_START_TIMEOUT_MS,
} from './context.ts';
import { eventually } from './eventually.ts';
import { accessClaims, type Issuer, rs256, type User } from './issuer.ts';
import { invoke } from './lambda.ts';
import { sign, webhookPost } from './livekit-events.ts';
import { withinRoles } from './roles.ts';
import {
  type Answer,
  type CallOptions,
  createRouteDeps,
  createRoutes,
  eventOf,
  type Route,
} from './routes.ts';
import { type Fault, type Side, startWire } from './wire.ts';

/** Where everything is that a process talks to. */
export interface Surroundings {
  table: { endpoint: string; tableName: string };
  livekit: { wsUrl: string; apiKey: string; apiSecret: string };
  issuer: Issuer;
  files?: { endpoint: string } | undefined;
  /** Over the usual environment, for all processes. */
  env?: Record<string, string> | undefined;
}

export interface BootOptions {
  /** Over the usual environment. */
  env?: Record<string, string>;
  now?: () => Date;
  /** Reads LiveKit's settings, in place of those of the environment. */
  settings?: () => Promise<LiveKitSettings>;
  /** What is wrong on the wire. */
  faults?: Fault[];
  /** Sides of the wire that refuse connections. */
  refused?: Side[];
  /** Whether all of that is so from the cold start on, and the start's own requests are counted. */
  isCold?: boolean;
  /** Without a wire, so that nothing is counted or broken: faster. */
  direct?: boolean;
  /** Writes its log where the functions do, and not to `lines`. */
  logsToOutput?: boolean;
  /** Around what the cleanup is given. */
  cleanupDeps?: (deps: CleanupDeps) => CleanupDeps;
}

export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => minutes(60 * count);

/** The time that was so long ago. */
export const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

/** A clock that is this far ahead of everybody else's. */
export const later = (ms: number) => ({ now: () => new Date(Date.now() + ms) });

export interface Line {
  level: 'info' | 'warn' | 'error';
  message: string;
  fields: LogFields;
  error?: unknown;
}

/** What the webhook function answers. */
export interface WebhookAnswer {
  status: number;
  body: { result?: string; error?: string; code?: ErrorCode };
}

export type Process = Awaited<ReturnType<typeof bootProcess>>;

export async function bootProcess(
  { table, livekit, issuer, files, env: usual }: Surroundings,
  {
    env,
    now,
    settings,
    faults = [],
    refused = [],
    isCold = false,
    direct = false,
    logsToOutput = false,
    cleanupDeps,
  }: BootOptions = {},
) {
  const upstreams = {
    store: table.endpoint,
    media: livekit.wsUrl.replace('ws:', 'http:'),
    identity: issuer.url,
    ...(files && { files: files.endpoint }),
  };
  const wire = direct ? undefined : await startWire(upstreams);
  const urlOf = (side: keyof typeof upstreams) => wire?.urlOf(side) ?? String(upstreams[side]);
  const spoil = async () => {
    for (const fault of faults) wire?.set(fault);
    for (const side of refused) await wire?.refuse(side);
  };
  if (isCold) await spoil();

  const trusted = `${urlOf('identity')}/the-pool`;
  const config = configOf({
    TABLE_NAME: table.tableName,
    DYNAMODB_ENDPOINT: urlOf('store'),
    LIVEKIT_WS_URL: urlOf('media').replace('http:', 'ws:'),
    LIVEKIT_API_KEY: livekit.apiKey,
    LIVEKIT_API_SECRET: livekit.apiSecret,
    COGNITO_ISSUER: trusted,
    ...(files && { RECORDINGS_ENDPOINT: urlOf('files') }),
    ...usual,
    ...env,
  });
  const lines: Line[] = [];
  const log: Log = {
    info: (message, fields) => lines.push({ level: 'info', message, fields }),
    warn: (message, fields, error) => lines.push({ level: 'warn', message, fields, error }),
    error: (message, fields, error) => lines.push({ level: 'error', message, fields, error }),
  };
  const own = { ...(!logsToOutput && { log }), ...(now && { now }) };
  const deps = {
    ...createRouteDeps(config),
    ...(settings && { media: new LiveKitService(settings) }),
    ...own,
  };
  const routes = createRoutes(deps);
  const receive = webhook.createHandler({
    ...createWebhookDeps(config),
    ...(settings && {
      media: new LiveKitService(settings),
      verifyWebhook: createWebhookVerifier(settings),
    }),
    ...own,
  });
  const manage = clubs.createHandler({ ...createClubCommandDeps(config), ...own });
  const cleaning = { ...createCleanupDeps(config), ...deps };
  const cleanUp = cleanup.createHandler(cleanupDeps ? cleanupDeps(cleaning) : cleaning);
  if (wire && !isCold) {
    await eventually(
      async () => (wire.operations().includes('GetKeys') ? true : undefined),
      'the key set is not fetched',
    );
    wire.forget();
    await spoil();
  }

  const as = wire ? withinRoles(wire) : <T>(_: string, call: () => Promise<T>) => call();
  const tokenFor = (user: User, claims: Record<string, unknown> = {}) =>
    rs256(issuer.key, { ...accessClaims(trusted, user), ...claims });
  const post = async (event: APIGatewayProxyEventV2): Promise<WebhookAnswer> => {
    const { status, body } = await as('webhook', () => invoke(receive, event));
    return { status, body: JSON.parse(body) };
  };
  return {
    /** Of a process that is not `direct`. */
    get wire() {
      if (!wire) throw new Error('This process has no wire');
      return wire;
    },
    deps,
    /** By the routes' names; LiveKit's is `webhook`. */
    handlers: { ...routes, webhook: receive },
    lines,
    /** The lines about what moderators did. */
    actions: () =>
      lines.filter(({ message }) => message === 'moderation').map(({ fields }) => fields),
    /** The issuer that this process trusts. */
    issuer: trusted,
    /** An access token of that issuer. */
    tokenFor,

    /** Calls a route as this user, or with this `Authorization` header. */
    async call<R extends Route>(
      route: R,
      who: User | string | undefined,
      options: CallOptions = {},
    ): Promise<Answer<R>> {
      const authorization = typeof who === 'object' ? `Bearer ${tokenFor(who)}` : who;
      const event = eventOf(route, authorization, options);
      const usualMs = route === 'recordingStart' ? RECORDING_START_TIMEOUT_MS : FUNCTION_TIMEOUT_MS;
      const startedAt = performance.now();
      const { body: text, ...answer } = await as(route, () =>
        invoke(routes[route], event, options.remainingMs ?? usualMs),
      );
      const elapsedMs = performance.now() - startedAt;
      const isJson = String(answer.headers['content-type']).includes('json');
      const body = isJson ? JSON.parse(text) : text;
      const outcome = [answer.status, body.code ?? []].flat().join(' ');
      return { ...answer, text, body, outcome, elapsedMs };
    },

    /** API Gateway's event of a webhook. */
    post,
    /** A webhook with this body, signed now. */
    async sendWebhook(body: string): Promise<WebhookAnswer> {
      return post(webhookPost({ body, authorization: await sign(body, livekit) }));
    },

    /** One command of the clubs function, as Lambda gives it. */
    manage: (command: unknown): Promise<Record<string, unknown>> =>
      as('clubs', () => manage(command, contextOf(CLUBS_TIMEOUT_MS))).then((answer) => ({
        ...answer,
      })),
    async show(clubId: string): Promise<ShownClub> {
      const answer = await manage({ command: 'show', clubId }, contextOf(CLUBS_TIMEOUT_MS));
      if (!('members' in answer)) throw new Error(JSON.stringify(answer));
      return answer;
    },

    /** One run of the scheduled function. */
    cleanUp: (context: Context = contextOf(CLEANUP_TIMEOUT_MS)): Promise<CleanupReport> =>
      as('cleanup', () => cleanUp({}, context)),

    close: async () => wire?.close(),
  };
}
