/**
 * Holds answers against docs/openapi.json, wherever tests get them. What does not fit is noted here, and
 * fails the test that is running (`openapi.setup.ts`), also where the test itself ignores the failed call.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

type Schema = { type?: string };

export interface Response {
  headers?: Record<string, { required: boolean; schema: Schema }>;
  content?: Record<string, { schema: Schema; examples: Record<string, { value: unknown }> }>;
}

export interface Operation {
  operationId: string;
  parameters?: { in: string; name: string; schema: Schema; example: unknown }[];
  requestBody?: { content: NonNullable<Response['content']> };
  responses: Record<string, Response>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

export const document: Document = JSON.parse(
  readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'),
);

/** By route, as API Gateway names them: `POST /api/reading-clubs/meeting/token`. */
export const operations: ReadonlyMap<string, Operation> = new Map(
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  ),
);

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
formats.default(ajv);
// So that a schema can be compiled with the others beside it, to which it refers.
ajv.addKeyword('components');

const validators = new Map<Schema, ValidateFunction>();

/** What is wrong with the value, by a schema of the document; undefined when nothing is. */
export function mistakeIn(value: unknown, schema: Schema): string | undefined {
  const { components } = document;
  const validate = validators.get(schema) ?? ajv.compile({ ...schema, components });
  validators.set(schema, validate);
  return validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'it' });
}

export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, unknown>;
  body: string;
}

const misfits: string[] = [];

/** Everything that did not fit since the last call. */
export const takeMisfits = (): string[] => misfits.splice(0);

/** `route` is API Gateway's route key. The gateway may answer by itself only in front of a function. */
export function note(route: string, answer: Answer, by: 'function' | 'gateway' = 'function'): void {
  const mistake = misfitOf(route, answer, by);
  if (mistake === undefined) return;
  misfits.push(`${route}: ${mistake}\n${answer.status} ${answer.body.slice(0, 2000)}`);
}

/** What is wrong with an answer of a function, as it left it, or as it left the gateway. */
export function misfitOf(
  route: string,
  { status, headers, body }: Answer,
  by: 'function' | 'gateway' = 'function',
): string | undefined {
  const operation = operations.get(route);
  if (!operation) return 'no such route';
  const response = operation.responses[status];
  if (!response) return `never answers ${status}`;
  const isOfGateway = status >= 400 && !isOfFunction(body);
  if (isOfGateway && by === 'function') return 'an answer that only the gateway gives';
  return (
    mistakeInBody(response, { status, headers, body }) ??
    Object.entries(response.headers ?? {})
      .filter(([name]) => !isOfGateway && name !== 'WWW-Authenticate')
      .map(([name, { schema }]) => mistakeInHeader(name, headers[name.toLowerCase()], schema))
      .find((mistake) => mistake !== undefined)
  );
}

function mistakeInBody({ content }: Response, { headers, body }: Answer): string | undefined {
  if (!content) return body === '' ? undefined : 'a body where there is none';
  const mediaType = String(headers['content-type']).replace(/;.*/, '');
  const { schema } = content[mediaType] ?? {};
  if (!schema) return `never answers ${headers['content-type']}`;
  const answer: unknown = mediaType === 'application/json' ? JSON.parse(body) : body;
  return mistakeIn(answer, schema);
}

/** What clients go by: only functions answer a code. */
function isOfFunction(body: string): boolean {
  const answer: unknown = JSON.parse(body);
  return typeof answer === 'object' && answer !== null && 'code' in answer;
}

function mistakeInHeader(name: string, value: unknown, schema: Schema): string | undefined {
  if (value === undefined) return `no header ${name}`;
  const mistake = mistakeIn(schema.type === 'integer' ? Number(value) : value, schema);
  return mistake && `header ${name}: ${mistake}`;
}

const patterns = [...operations.keys()].map((route) => ({
  route,
  pattern: new RegExp(`^${route.replace(/\{\w+\}/g, '[^/]+')}$`),
}));

/** An answer over HTTP. The document has routes only. */
export function noteHttp(method: string, url: string, answer: Answer): void {
  const { pathname } = new URL(url);
  const route = patterns.find(({ pattern }) => pattern.test(`${method} ${pathname}`))?.route;
  if (route) note(route, answer, 'gateway');
}

/** `fetch`, whose answers are held against the document. */
export const fetchNoting: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  noteHttp(init?.method ?? 'GET', response.url, {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.clone().text(),
  });
  return response;
};
