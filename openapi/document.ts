/**
 * `docs/openapi.json`, put together of serverless.yml (which routes there are, and who may call them),
 * the operations, and what the functions' own responder makes of each error.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import * as mini from 'zod/mini';
import {
  createDocument,
  type oas31,
  type ZodOpenApiExampleObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiRequestBodyObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import {
  type ErrorCode,
  IdentityUnavailable,
  StoreUnavailable,
  TimedOut,
  Unauthenticated,
} from '../lib/errors.ts';
import { errorResponse } from '../lib/http/errors.ts';
import { parse } from '../lib/http/request.ts';
import { ok } from '../lib/http/response.ts';
import manifest from '../package.json' with { type: 'json' };
import {
  ErrorAnswer,
  errorWith,
  GATEWAY,
  GatewayAnswer,
  type GatewayFailure,
  WHEN,
} from './errors.ts';
import { type Operation, operations, TAGS } from './operations.ts';

const SAMPLE_REQUEST_ID = 'JKJaXmPLvHcESHA=';

/** As far as it is about routes. */
const Service = z.object({
  functions: z.record(
    z.string(),
    z.object({
      events: z
        .array(
          z.object({
            httpApi: z.optional(
              z.object({
                method: z.string(),
                path: z.string(),
                authorizer: z.optional(z.object({ name: z.literal('members') })),
              }),
            ),
          }),
        )
        .default([]),
    }),
  ),
});

export const createOpenApi = () =>
  createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: manifest.name,
        version: manifest.version,
        summary: 'Meetings of reading clubs, on LiveKit',
        description: DESCRIPTION,
        license: { name: manifest.license, identifier: manifest.license },
      },
      servers: [
        {
          url: 'https://{apiId}.execute-api.{region}.amazonaws.com',
          description: 'A deployed stage',
          variables: {
            apiId: { default: 'abcdefghij', description: 'An output of the stack has the URL.' },
            region: { default: 'eu-central-1' },
          },
        },
        { url: 'http://127.0.0.1:3000', description: 'The development stack (npm run dev)' },
      ],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      paths: pathsOf(readFileSync(new URL('../serverless.yml', import.meta.url), 'utf8')),
      components: {
        securitySchemes: {
          accessToken: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'An access token of the Cognito user pool; an ID token is refused.',
          },
          liveKitSignature: {
            type: 'apiKey',
            in: 'header',
            name: 'Authorization',
            description:
              'A JWT that a key of the LiveKit project signed, with the SHA-256 of the body as its claim `sha256`.',
          },
        },
      },
    },
    { override: withoutClutter },
  );

const DESCRIPTION = [
  'Members get a join token for the meeting of their club, moderators start, moderate and end it, and everybody in the club sees its status.',
  'Bodies are JSON objects without unknown fields; no body, or `null`, counts as `{}`, and `null` for an optional field as no field. A query or a body that a route does not take is refused. Times are ISO 8601 in UTC.',
  'Errors of the functions have a `code`: go by that. Answers of the gateway itself have none: go by the status. Fields may be added to answers: pass over those that you do not know. Every request can be repeated; after a 503, when `Retry-After` (in seconds) is over.',
].join('\n\n');

function pathsOf(service: string): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {};
  for (const [name, { events }] of Object.entries(Service.parse(parseYaml(service)).functions)) {
    for (const { httpApi } of events) {
      if (!httpApi) continue;
      const { method, path, authorizer } = httpApi;
      const operation = operations[name];
      if (!operation) throw new Error(`openapi/operations.ts does not describe ${name}`);
      const entry = operationOf(operation, authorizer !== undefined);
      paths[path] = { ...paths[path], [method.toLowerCase()]: entry };
    }
  }
  return paths;
}

/** `isGuarded`: by the gateway's authorizer, so that a person calls it. */
function operationOf(operation: Operation, isGuarded: boolean): ZodOpenApiOperationObject {
  const { operationId, tag, summary, description, path, query, body, isRevalidated } = operation;
  return {
    operationId,
    tags: [tag],
    summary,
    description,
    security: [isGuarded ? { accessToken: [] } : { liveKitSignature: [] }],
    ...((path || query || isRevalidated) && {
      requestParams: {
        ...(path && { path }),
        ...(query && { query }),
        ...(isRevalidated && { header: IfNoneMatch }),
      },
    }),
    ...(body && { requestBody: requestBodyOf(body) }),
    responses: {
      200: success(operation),
      ...(isRevalidated && {
        304: { description: 'What the tag is about has not changed.', headers: REVALIDATED },
      }),
      ...(operation.accepted !== undefined && {
        202: { ...success(operation), description: operation.accepted },
      }),
      ...failures(operation, isGuarded),
    },
  };
}

/** No body counts as `{}`, and so does `null`. */
function requestBodyOf({
  schema,
  mediaType = 'application/json',
  examples,
}: NonNullable<Operation['body']>): ZodOpenApiRequestBodyObject {
  const isRequired = !schema.safeParse({}).success;
  const sent = isRequired || mediaType !== 'application/json' ? schema : mini.nullable(schema);
  return { required: isRequired, content: { [mediaType]: { schema: sent, examples } } };
}

function success({ answer, examples, csv, isRevalidated }: Operation): ZodOpenApiResponseObject {
  return {
    description: 'Success.',
    headers: isRevalidated ? REVALIDATED : headersOf(ok({})),
    content: {
      'application/json': { schema: answer, examples },
      ...(csv !== undefined && {
        'text/csv': { schema: z.string(), examples: { table: { summary: 'A table', value: csv } } },
      }),
    },
  };
}

/** One error as the function answers it. */
interface Failure {
  code: ErrorCode;
  answer: APIGatewayProxyStructuredResultV2;
  example: ZodOpenApiExampleObject;
}

function failures(
  operation: Operation,
  isGuarded: boolean,
): Record<string, ZodOpenApiResponseObject> {
  const own = Map.groupBy(
    errorsOf(operation, isGuarded).map((error) => failureOf(error, operation)),
    ({ answer }) => answer.statusCode ?? 0,
  );
  const gateway = new Map(
    GATEWAY.filter(
      ({ byAuthorizer, byPath, byBody }) =>
        (!byAuthorizer || isGuarded) && (!byPath || operation.path) && (!byBody || operation.body),
    ).map((each) => [each.status, each]),
  );
  const statuses = [...new Set([...own.keys(), ...gateway.keys()])].sort();
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      failureResponse(own.get(status) ?? [], gateway.get(status)),
    ]),
  );
}

/** Every error that the route can answer; an unexpected one is any that is not ours. */
function errorsOf({ path, query, body, errors }: Operation, isGuarded: boolean): unknown[] {
  const parsed = path ?? query ?? (body?.mediaType ? undefined : body?.schema);
  return [
    ...(parsed ? [refusalOf(parsed)] : []),
    new Unauthenticated(),
    ...errors,
    new Error('Anything else'),
    new StoreUnavailable(),
    ...(isGuarded ? [new IdentityUnavailable()] : []),
    new TimedOut(),
  ];
}

/** What the function answers when each field is an empty text. */
function refusalOf({ shape }: mini.ZodMiniObject): unknown {
  try {
    return parse(
      Object.fromEntries(Object.keys(shape).map((name) => [name, ''])),
      mini.object(shape),
    );
  } catch (error) {
    return error;
  }
}

function failureOf(error: unknown, { route }: Operation): Failure {
  const answer = errorResponse(error, { failure: route.failure, requestId: SAMPLE_REQUEST_ID });
  const value = ErrorAnswer.parse(JSON.parse(answer.body ?? ''));
  return { code: value.code, answer, example: { summary: value.error, value } };
}

function failureResponse(
  own: Failure[],
  gateway: GatewayFailure | undefined,
): ZodOpenApiResponseObject {
  const codes = own.map(({ code }) => code);
  const error = codes.length > 0 ? errorWith(codes) : undefined;
  return {
    description: [
      ...codes.map((code) => `- \`${code}\`: ${WHEN[code]}`),
      ...(gateway ? [`- Without a code, by the gateway: ${gateway.when}`] : []),
    ].join('\n'),
    ...(own[0] && {
      headers: {
        ...headersOf(own[0].answer, { isRequired: gateway === undefined }),
        ...(gateway?.byAuthorizer && { 'WWW-Authenticate': WWW_AUTHENTICATE }),
      },
    }),
    content: {
      'application/json': {
        schema: error && gateway ? z.union([error, GatewayAnswer]) : (error ?? GatewayAnswer),
        examples: {
          ...Object.fromEntries(own.map(({ code, example }) => [code, example])),
          ...(gateway && {
            gateway: { summary: 'By the gateway', value: { message: gateway.message } },
          }),
        },
      },
    },
  };
}

/** What every answer of a function has besides its media type; an unknown header is a mistake here. */
const headersOf = (
  { headers = {} }: APIGatewayProxyStructuredResultV2,
  { isRequired = true } = {},
): oas31.HeadersObject =>
  Object.fromEntries(
    Object.keys(headers)
      .filter((name) => name !== 'content-type')
      .map((name) => {
        const header = HEADERS[name];
        if (!header) throw new Error(`openapi/document.ts does not describe the header ${name}`);
        return [header.name, { ...header.object, required: isRequired }];
      }),
  );

const WWW_AUTHENTICATE: oas31.HeaderObject = {
  description: 'By the gateway alone: what is wrong with the token.',
  required: false,
  schema: { type: 'string' },
};

const HEADERS: Record<string, { name: string; object: oas31.HeaderObject }> = {
  'cache-control': {
    name: 'Cache-Control',
    object: {
      description: 'No answer may be stored.',
      schema: { type: 'string', const: 'no-store' },
    },
  },
  'retry-after': {
    name: 'Retry-After',
    object: {
      description: 'Seconds after which the same request is worth another try.',
      schema: { type: 'integer', minimum: 1 },
    },
  },
};

const IfNoneMatch = z.object({
  'If-None-Match': z
    .string()
    .optional()
    .meta({
      param: {
        description: 'The `ETag` of an answer that the client has: 304 while it is the same.',
        example: 'W/"n4bQgYhMfWWaL-qgxVrQFa"',
      },
    }),
});

/** Of an answer that the browser of the caller may keep, and has to ask about each time. */
const REVALIDATED: oas31.HeadersObject = {
  ETag: {
    description: 'Of everything in the body but an `observedAt` that is only the time of asking.',
    required: true,
    schema: { type: 'string', pattern: '^W/"[\\w-]{22}"$' },
  },
  'Cache-Control': {
    description: 'To be asked about each time.',
    required: true,
    schema: { type: 'string', const: 'private, no-cache' },
  },
  Vary: {
    description: 'What the answer depends on.',
    required: true,
    // A gateway may add its own.
    schema: { type: 'string', pattern: '^Authorization, Origin' },
  },
};

/** What zod says besides `format: date-time`, of any whole number and of any open object. */
function withoutClutter({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (isDeepStrictEqual(jsonSchema.additionalProperties, {}))
    delete jsonSchema.additionalProperties;
}
