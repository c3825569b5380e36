/** What Lambda gives a function, and what it takes back. */
import { randomUUID } from 'node:crypto';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import { note } from './openapi.ts';

/** The functions' timeouts in serverless.yml. */
export const FUNCTION_TIMEOUT_MS = 12_000;
export const RECORDING_START_TIMEOUT_MS = 29_000;
export const CLUBS_TIMEOUT_MS = 60_000;
export const CLEANUP_TIMEOUT_MS = 120_000;

/** `remaining`: what is left of the function's time, each time that it looks. */
export function contextOf(remaining: number | (() => number)): Context {
  const deadline = Date.now() + (typeof remaining === 'number' ? remaining : 0);
  const nothing = () => undefined;
  return {
    awsRequestId: randomUUID(),
    functionName: 'in-process',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:in-process',
    memoryLimitInMB: '512',
    logGroupName: '/aws/lambda/in-process',
    logStreamName: 'in-process',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () =>
      typeof remaining === 'function' ? remaining() : deadline - Date.now(),
    done: nothing,
    fail: nothing,
    succeed: nothing,
  };
}

export type Handler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

export async function invoke(
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
