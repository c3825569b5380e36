/** Every route as API Gateway calls it: its function, its event, its answer. */
import { randomUUID } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { ulid } from 'ulid';
import { createRecordingDeps, createServiceDeps } from '../../lib/deps.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { Answers as ClientAnswers } from '../../local/client.ts';
import type { Config } from './config.ts';
import type { User } from './issuer.ts';
import type { Handler } from './lambda.ts';

/** By the functions' names. */
interface Answers extends Omit<ClientAnswers, 'setRole'> {
  role: ClientAnswers['setRole'];
}

export type Route = keyof Answers;

interface Sample extends Omit<APIGatewayProxyEventV2, 'headers' | 'pathParameters'> {
  headers: Record<string, string>;
  pathParameters?: Record<string, string>;
}

/** The sample of each function that API Gateway calls. */
const samples: Record<string, Sample> = Object.fromEntries(
  globSync('events/*.json')
    .map((file) => [basename(file, '.json'), JSON.parse(readFileSync(file, 'utf8'))] as const)
    .filter(([, { routeKey }]) => routeKey !== undefined),
);
export const ROUTES = Object.keys(samples).filter((name) => name !== 'webhook') as Route[];
const sampleOf = (route: Route): Sample => samples[route] ?? notThere(route);

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const functions = new Map(
  await Promise.all(
    ROUTES.map(async (route): Promise<[Route, { createHandler(deps: Deps): Handler }]> => {
      return [route, await import(`../../functions/${kebab(route)}.ts`)];
    }),
  ),
);
function notThere(route: Route): never {
  throw new Error(`There is no ${route}`);
}

/** As API Gateway names them, by the functions' names: `POST /api/reading-clubs/meeting/token`. */
export const routeKeys = Object.fromEntries(
  Object.entries(samples).map(([name, { routeKey }]) => [name, routeKey]),
) as Record<Route | 'webhook', string>;

export interface Answer<R extends Route> {
  status: number;
  headers: Record<string, string | number | boolean>;
  /** The route's answer or an error: a test reads the fields of what it expects. */
  body: Answers[R] & { error: string; code: ErrorCode; requestId: string };
  /** The body as it was sent. */
  text: string;
  /** In short: `200`, or `409 MEETING_NOT_ACTIVE`. */
  outcome: string;
  elapsedMs: number;
}

export interface CallOptions {
  clubId?: string;
  userId?: string;
  meetingId?: string;
  recordingId?: string;
  /** An object goes as JSON, a string as it is. `token` has the club in it, by default. */
  body?: unknown;
  query?: Record<string, string>;
  /** Over the usual ones. */
  headers?: Record<string, string>;
  isBase64Encoded?: boolean;
  requestId?: string;
  /** What is left of the function's time. */
  remainingMs?: number;
}

/** A call about a person. */
export const about = ({ clubId }: { clubId: string }, { userId }: User, body?: object) => ({
  clubId,
  userId,
  body,
});

type Deps = ReturnType<typeof createRouteDeps>;

/** What the routes need, for all of them at once. */
export const createRouteDeps = (config: Config) => ({
  ...createServiceDeps(config),
  ...createRecordingDeps(config),
  newMeetingId: (startedAt: Date) => ulid(startedAt.getTime()),
});

/** A handler for each route. */
export const createRoutes = (deps: Deps) =>
  Object.fromEntries(
    [...functions].map(([route, { createHandler }]) => [route, createHandler(deps)]),
  ) as Record<Route, Handler>;

export function eventOf(
  route: Route,
  authorization: string | undefined,
  {
    clubId,
    userId,
    meetingId,
    recordingId,
    body,
    query,
    headers: others,
    isBase64Encoded = false,
    requestId = randomUUID(),
  }: CallOptions,
): APIGatewayProxyEventV2 {
  const { body: _, queryStringParameters: __, ...event } = sampleOf(route);
  const { authorization: ___, ...headers } = event.headers;
  const given = { clubId, userId, meetingId, recordingId };
  const pathParameters =
    event.pathParameters &&
    Object.fromEntries(
      Object.entries(event.pathParameters).map(([name, usual]) => [
        name,
        given[name as keyof typeof given] ?? usual,
      ]),
    );
  const sent = body ?? (route === 'token' && clubId ? { readingClubId: clubId } : undefined);
  return {
    ...event,
    headers: { ...headers, ...(authorization !== undefined && { authorization }), ...others },
    requestContext: { ...event.requestContext, requestId },
    rawPath: pathOf(event.routeKey, pathParameters),
    ...(pathParameters && { pathParameters }),
    ...(sent !== undefined && { body: typeof sent === 'string' ? sent : JSON.stringify(sent) }),
    isBase64Encoded,
    ...(query && { queryStringParameters: query }),
  };
}

const pathOf = (routeKey: string, parameters: Record<string, string> = {}): string =>
  Object.entries(parameters).reduce(
    (path, [name, value]) => path.replace(`{${name}}`, value),
    routeKey.slice(routeKey.indexOf('/')),
  );
