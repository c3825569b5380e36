/** What Lambda gives a function, and what it takes back. */
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import { contextOf, FUNCTION_TIMEOUT_MS } from './context.ts';
import { note } from './openapi.ts';

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
