/** The four routes as API Gateway calls them: its event, its context, its answer. */
import { randomUUID } from 'node:crypto';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import endEvent from '../../events/end.json' with { type: 'json' };
import startEvent from '../../events/start.json' with { type: 'json' };
import statusEvent from '../../events/status.json' with { type: 'json' };
import tokenEvent from '../../events/token.json' with { type: 'json' };
import type {
  EndAnswer,
  JoinToken,
  MeetingStatus,
  StartedMeeting,
} from '../../lib/contract/answers.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { contextOf } from './context.ts';
import { note } from './openapi.ts';

/** The functions' timeout in serverless.yml. */
export const FUNCTION_TIMEOUT_MS = 12_000;

export const ROUTES = ['token', 'start', 'end', 'status'] as const;
export type Route = (typeof ROUTES)[number];

interface Answers {
  token: JoinToken;
  start: StartedMeeting;
  end: EndAnswer;
  status: MeetingStatus;
}

export interface Answer<R extends Route> {
  status: number;
  headers: Record<string, string | number | boolean>;
  /** The route's answer or an error: a test reads the fields of what it expects. */
  body: Answers[R] & { error: string; code: ErrorCode; requestId: string };
  elapsedMs: number;
}

export interface CallOptions {
  clubId?: string;
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

export type Handler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

const events = { token: tokenEvent, start: startEvent, end: endEvent, status: statusEvent };

export function eventOf(
  route: Route,
  authorization: string | undefined,
  {
    clubId,
    body,
    query,
    headers: others,
    isBase64Encoded = false,
    requestId = randomUUID(),
  }: CallOptions,
): APIGatewayProxyEventV2 {
  const { authorization: _, ...headers } = events[route].headers;
  const sent = body ?? (route === 'token' && clubId ? { readingClubId: clubId } : undefined);
  const {
    pathParameters,
    body: __,
    ...event
  } = { pathParameters: null, body: '', ...events[route] };
  return {
    ...event,
    headers: { ...headers, ...(authorization !== undefined && { authorization }), ...others },
    requestContext: { ...event.requestContext, requestId },
    rawPath: event.rawPath.replace('my-club', clubId ?? 'my-club'),
    ...(pathParameters && { pathParameters: { clubId: clubId ?? 'my-club' } }),
    ...(sent !== undefined && { body: typeof sent === 'string' ? sent : JSON.stringify(sent) }),
    isBase64Encoded,
    ...(query && { queryStringParameters: query }),
  };
}

export async function invoke<R extends Route>(
  handler: Handler,
  event: APIGatewayProxyEventV2,
  remainingMs = FUNCTION_TIMEOUT_MS,
): Promise<Answer<R>> {
  const startedAt = performance.now();
  const { body, ...answer } = await askHandler(handler, event, remainingMs);
  return { ...answer, body: body && JSON.parse(body), elapsedMs: performance.now() - startedAt };
}

export async function askHandler(
  handler: Handler,
  event: APIGatewayProxyEventV2,
  remainingMs = FUNCTION_TIMEOUT_MS,
) {
  const answer = await noting(handler)(event, contextOf(remainingMs));
  const { statusCode: status = 0, headers = {}, body = '' } = answer;
  return { status, headers, body };
}

/** Every handler that a test calls is one of these: its answers are held against docs/openapi.json. */
export const noting =
  (handler: Handler): Handler =>
  async (event, context) => {
    const answer = await handler(event, context);
    const { statusCode: status = 0, headers = {}, body = '' } = answer;
    note(event.routeKey, { status, headers, body });
    return answer;
  };
