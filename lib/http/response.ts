import { createHash } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** A JSON answer. None is stored, unless the route allows it: it may hold a token. */
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

/**
 * 200 with a weak `ETag`, or 304 without a body when the client names that tag (`If-None-Match`). Kept by
 * the browser of this caller alone, and asked about each time.
 *
 * @param tagged what the tag is about: `body` without what changes at each request
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match
 */
export function revalidated(
  { headers: sent }: APIGatewayProxyEventV2,
  body: object,
  tagged: object,
): APIGatewayProxyStructuredResultV2 {
  const hash = createHash('sha256').update(JSON.stringify(tagged)).digest('base64url').slice(0, 22);
  const headers = {
    etag: `W/"${hash}"`,
    'cache-control': 'private, no-cache',
    vary: 'Authorization, Origin',
  };
  const known = sent['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  const isKnown = known?.some((tag) => tag === '*' || tag === `"${hash}"`);
  return isKnown ? { statusCode: 304, headers } : json(200, body, headers);
}
