import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type * as z from 'zod/mini';
import { InvalidRequest } from '../errors.ts';

const MAX_ECHOED_CHARACTERS = 64;

/** RFC 8259, 8.1: JSON is UTF-8. Bytes that are not would become U+FFFD in somebody's name. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The body, as text or base64. No body counts as `{}`, so that what is missing is named.
 * @throws InvalidRequest that names the first field that does not fit
 */
export function parseBody<S extends z.ZodMiniType>(
  event: APIGatewayProxyEventV2,
  schema: S,
): z.infer<S> {
  const text = decode(rawBody(event));
  return parse(text.trim() === '' ? {} : parseJson(text), schema);
}

/** The body as it was sent: the gateway encodes what it does not know to be text. */
export const rawBody = ({ body, isBase64Encoded }: APIGatewayProxyEventV2): Buffer =>
  Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');

/** @throws InvalidRequest that names the first query parameter that does not fit */
export const parseQuery = <S extends z.ZodMiniType>(
  event: APIGatewayProxyEventV2,
  schema: S,
): z.infer<S> => parse(event.queryStringParameters ?? {}, schema);

/** @throws InvalidRequest that names the first path parameter that does not fit */
export const parsePath = <S extends z.ZodMiniType>(
  event: APIGatewayProxyEventV2,
  schema: S,
): z.infer<S> => parse(event.pathParameters ?? {}, schema);

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw new InvalidRequest('body must be UTF-8', { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidRequest('body must be JSON', { cause });
  }
}

/** @throws InvalidRequest that names the first field that does not fit */
export function parse<S extends z.ZodMiniType>(value: unknown, schema: S): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new InvalidRequest(issue ? sentenceOf(issue) : 'body is not valid');
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return `${issue.keys.join(', ').slice(0, MAX_ECHOED_CHARACTERS)} is not known here`;
  }
  return issue.path.length > 0
    ? `${issue.path.join('.')} ${issue.message}`
    : 'body must be a JSON object';
}
