import { readFileSync } from 'node:fs';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { contextOf, FUNCTION_TIMEOUT_MS } from '../test/harness/context.ts';

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
export const context = contextOf(() => FUNCTION_TIMEOUT_MS);
