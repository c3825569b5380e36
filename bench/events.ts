import { readFileSync } from 'node:fs';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';

export const ROUTES = ['token', 'start', 'end', 'status'] as const;
export type Route = (typeof ROUTES)[number];

const samples = new URL('../events/', import.meta.url);
const texts = Object.fromEntries(
  ROUTES.map((route) => [route, readFileSync(new URL(`${route}.json`, samples), 'utf8')]),
);

/** The sample event of the route, for this club and with this token: what API Gateway would send. */
export function eventFor(
  route: Route,
  { clubId, accessToken }: { clubId: string; accessToken: string },
): APIGatewayProxyEventV2 {
  const text = texts[route] ?? '';
  return JSON.parse(text.replaceAll('my-club', clubId).replaceAll('not.a.token', accessToken));
}

/** What the runtime passes along, as far as the functions read it. */
export const context = {
  awsRequestId: '00000000-0000-4000-8000-000000000000',
  functionName: 'bench',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:bench',
  memoryLimitInMB: '512',
  logGroupName: '/aws/lambda/bench',
  logStreamName: 'bench',
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => 12_000,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
} satisfies Context;
