/** What Lambda tells a function about its invocation. */
import { randomUUID } from 'node:crypto';
import type { Context } from 'aws-lambda';

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
