import { readFileSync } from 'node:fs';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { InvalidRequest } from '../errors.ts';
import { maybe } from '../meetings/model.ts';
import { parseRequest, rawBody } from './request.ts';

const sample: APIGatewayProxyEventV2 = JSON.parse(readFileSync('events/token.json', 'utf8'));
const eventWith = (change: Partial<APIGatewayProxyEventV2>) => ({
  ...sample,
  body: '',
  ...change,
});

// The type does not know of it.
const nullBody: Partial<APIGatewayProxyEventV2> = JSON.parse('{"body":null}');

const Body = z.strictObject({
  name: z.string('must be a name'),
  size: maybe(z.number('must be a number')),
});
const parse = (body: string, isBase64Encoded = false) =>
  parseRequest(eventWith({ body, isBase64Encoded }), { body: Body });

function sentenceFor(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidRequest);
    return (error as InvalidRequest).message;
  }
  throw new Error('The request was accepted');
}

describe('a body', () => {
  test('is parsed', () => {
    expect(parse('{ "name": "Ada", "size": 2 }')).toEqual({ name: 'Ada', size: 2 });
  });

  test('is parsed from base64, with any characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const body = Buffer.from(JSON.stringify({ name })).toString('base64');
        expect(parse(body, true)).toEqual({ name });
      }),
    );
  });

  test.each([
    ['absent', {}],
    ['empty', { body: '' }],
    ['only space', { body: ' \n' }],
    ['null, as serverless-offline has it', nullBody],
    ['empty in base64', { body: '', isBase64Encoded: true }],
    ['JSON that is null', { body: ' null ' }],
  ])('that is %s counts as an empty object, so that what is missing is named', (_, change) => {
    const { body: _body, ...withoutBody } = sample;
    const event = { ...withoutBody, ...change };
    expect(sentenceFor(() => parseRequest(event, { body: Body }))).toBe('name is missing');
    expect(parseRequest(event, { body: z.strictObject({ name: z.optional(z.string()) }) })).toEqual(
      {},
    );
    expect(parseRequest(event, {})).toEqual({});
  });

  test.each(['{', 'name=Ada', '{"name":"Ada"}}', 'undefined', "{'name':'Ada'}"])(
    'that is no JSON is refused: %s',
    (body) => {
      expect(sentenceFor(() => parse(body))).toBe('body must be JSON');
    },
  );

  test('that says it is base64 and is plain text is refused', () => {
    expect(sentenceFor(() => parse('{"name":"Ada"}', true))).toBe('body must be UTF-8');
  });

  test.each(['[]', '[{"name":"Ada"}]', '"Ada"', '42', 'true'])(
    'that is JSON but no object is refused: %s',
    (body) => {
      expect(sentenceFor(() => parse(body))).toBe('body must be a JSON object');
      const nothing = () => parseRequest(eventWith({ body }), {});
      expect(sentenceFor(nothing)).toBe('body must be a JSON object');
    },
  );

  test.each(['{}', '{"size":2}', '{"name":null}', '{"title":"Ada"}'])(
    'without a required field is refused as missing it: %s',
    (body) => {
      expect(sentenceFor(() => parse(body))).toBe('name is missing');
    },
  );

  test('with null for an optional field is parsed as without it', () => {
    expect(parse('{"name":"Ada","size":null}')).toEqual({ name: 'Ada' });
  });

  test('of a route that takes none is refused unless it is empty', () => {
    expect(parseRequest(eventWith({ body: '{}' }), {})).toEqual({});
    expect(sentenceFor(() => parseRequest(eventWith({ body: '{"x":1}' }), {}))).toBe(
      'x is not known here',
    );
  });

  test('with a field of the wrong type is refused by the name of the field', () => {
    expect(sentenceFor(() => parse('{"name":"Ada","size":"2"}'))).toBe('size must be a number');
  });

  test('with a wrong field deep inside is refused by its path', () => {
    const Deep = z.object({ who: z.array(z.object({ name: z.string('must be a name') })) });
    const refusalOf = (body: string) =>
      sentenceFor(() => parseRequest(eventWith({ body }), { body: Deep }));
    expect(refusalOf('{"who":[{"name":"Ada"},{"name":1}]}')).toBe('who.1.name must be a name');
    expect(refusalOf('{"who":[{"name":"Ada"},{}]}')).toBe('who.1.name is missing');
  });

  test('with an unknown field is refused by its name', () => {
    expect(sentenceFor(() => parse('{"name":"Ada","role":"moderator","is":1}'))).toBe(
      'role, is is not known here',
    );
  });

  test.each(['__proto__', 'constructor', 'toString'])(
    'with the unknown field %s is refused by its name',
    (key) => {
      expect(sentenceFor(() => parse(`{"name":"Ada","${key}":{"role":"moderator"}}`))).toBe(
        `${key} is not known here`,
      );
    },
  );

  test('with an unknown field of any length echoes 64 characters of it at most', () => {
    const sentence = sentenceFor(() =>
      parse(JSON.stringify({ name: 'Ada', ['x'.repeat(9999)]: 1 })),
    );
    expect(sentence).toBe(`${'x'.repeat(64)} is not known here`);
  });

  test('never has its values echoed', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (size) => {
        fc.pre(typeof size !== 'number' && size !== null);
        const body = JSON.stringify({ name: 'Ada', size });
        expect(sentenceFor(() => parse(body))).toBe('size must be a number');
      }),
    );
  });
});

const { body: _body, ...withoutBody } = sample;

describe('a path', () => {
  const Path = z.object({ clubId: z.string('must be an id').check(z.maxLength(3, 'is too long')) });

  test('is parsed', () => {
    const event = eventWith({ pathParameters: { clubId: 'abc' } });
    expect(parseRequest(event, { path: Path })).toEqual({ clubId: 'abc' });
  });

  test('with a parameter that does not fit is refused by its name', () => {
    const event = eventWith({ pathParameters: { clubId: 'abcd' } });
    expect(sentenceFor(() => parseRequest(event, { path: Path }))).toBe('clubId is too long');
  });

  test('without any parameter is refused by the name of the one that is missing', () => {
    const { pathParameters: _, ...event } = sample;
    expect(sentenceFor(() => parseRequest(event, { path: Path }))).toBe('clubId is missing');
  });
});

describe('a query', () => {
  const Query = z.strictObject({ limit: z.optional(z.string('must be a number')) });

  test('is parsed, and may be absent', () => {
    const { queryStringParameters: _, ...event } = withoutBody;
    const asked = { ...event, queryStringParameters: { limit: '5' } };
    expect(parseRequest(asked, { query: Query })).toEqual({ limit: '5' });
    expect(parseRequest(event, { query: Query })).toEqual({});
  });

  test('with an unknown parameter is refused by its name', () => {
    const event = { ...withoutBody, queryStringParameters: { page: '2' } };
    for (const input of [{ query: Query }, {}]) {
      expect(sentenceFor(() => parseRequest(event, input))).toBe('page is not known here');
    }
  });
});

describe('the raw body', () => {
  test('is what was sent, byte for byte, whichever way the gateway passes it on', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const body = Buffer.from(bytes).toString('base64');
        expect(rawBody(eventWith({ body, isBase64Encoded: true }))).toEqual(Buffer.from(bytes));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (body) => {
        expect(rawBody(eventWith({ body, isBase64Encoded: false }))).toEqual(Buffer.from(body));
      }),
    );
  });

  test.each([
    ['absent', {}],
    ['null', nullBody],
  ])('that is %s is empty', (_, change) => {
    const { body: _body, ...withoutBody } = sample;
    expect(rawBody({ ...withoutBody, ...change })).toEqual(Buffer.alloc(0));
  });
});
