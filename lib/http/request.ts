import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type * as z from 'zod/mini';
import { InvalidRequest } from '../errors.ts';

const MAX_ECHOED_CHARACTERS = 64;

/**
 * The body, as text or base64. No body counts as `{}`, so that what is missing is named.
 * @throws InvalidRequest that names the first field that does not fit
 */
export function parseBody<S extends z.ZodMiniType>(
  event: APIGatewayProxyEventV2,
  schema: S,
): z.infer<S> {
  const text = rawBody(event).toString('utf8');
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidRequest('body must be JSON', { cause });
  }
}

function parse<S extends z.ZodMiniType>(value: unknown, schema: S): z.infer<S> {
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
