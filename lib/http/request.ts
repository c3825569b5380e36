import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod/mini';
import { InvalidRequest } from '../errors.ts';

const MAX_ECHOED_CHARACTERS = 64;

/** RFC 8259, 8.1: JSON is UTF-8. Other bytes would become U+FFFD in a person's name. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What a route takes. A part without a schema must be empty. */
export interface Input {
  path?: z.ZodMiniObject;
  query?: z.ZodMiniObject;
  body?: z.ZodMiniObject;
}

type Parsed<S> = S extends z.ZodMiniObject ? z.infer<S> : object;

/** The fields of path, query and body together. */
export type Fields<I extends Input> = Parsed<I['path']> & Parsed<I['query']> & Parsed<I['body']>;

const NOTHING = z.strictObject({});

/**
 * The body is text or base64. No body, or `null`, counts as `{}`, so that the answer names what is
 * missing.
 * @throws InvalidRequest that names the first field that does not fit
 */
export function parseRequest<I extends Input>(
  event: APIGatewayProxyEventV2,
  { path, query = NOTHING, body = NOTHING }: I,
): Fields<I> {
  const fields = {
    ...(path && parse(event.pathParameters ?? {}, path)),
    ...parse(event.queryStringParameters ?? {}, query),
    ...parse(jsonOf(event) ?? {}, body),
  };
  return fields as Fields<I>;
}

/** The body as it was sent: the gateway encodes what it does not know to be text. */
export const rawBody = ({ body, isBase64Encoded }: APIGatewayProxyEventV2): Buffer =>
  Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');

function jsonOf(event: APIGatewayProxyEventV2): unknown {
  const text = decode(rawBody(event));
  return text.trim() === '' ? undefined : parseJson(text);
}

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

/** @throws InvalidRequest that names the first field that is missing or does not fit */
export function parse<S extends z.ZodMiniType>(value: unknown, schema: S): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new InvalidRequest(issue ? sentenceOf(issue, value) : 'body is not valid');
}

function sentenceOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    return `${issue.keys.join(', ').slice(0, MAX_ECHOED_CHARACTERS)} is not known here`;
  }
  if (issue.path.length === 0) return 'body must be a JSON object';
  return `${issue.path.join('.')} ${ruleOf(issue, value)}`;
}

/** What is wrong with the field that the issue is about: `is missing`, or its schema's rule. */
export function ruleOf({ path, message }: z.core.$ZodIssue, value: unknown): string {
  const found = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
  // `null` means absent, as it does for an optional field; in a list it is a value.
  const isAbsent = found === undefined || (found === null && typeof path.at(-1) === 'string');
  return isAbsent ? 'is missing' : message;
}
