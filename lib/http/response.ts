import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** A JSON answer. None may be stored: it holds a token, or a state that changes by the second. */
export const json = (
  statusCode: number,
  body: object,
  headers: Record<string, string> = {},
): APIGatewayProxyStructuredResultV2 => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(body),
});

export const ok = (body: object): APIGatewayProxyStructuredResultV2 => json(200, body);
