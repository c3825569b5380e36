import { Validator } from '@seriousme/openapi-schema-validator';
import { decodeTime } from 'ulid';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { ErrorCode } from '../lib/errors.ts';
import { STATUS } from '../lib/http/errors.ts';
import { misfitOf, mistakeIn, operations } from '../test/harness/openapi.ts';
import { createOpenApi } from './document.ts';
import { operations as described } from './operations.ts';

const Meeting = z.object({ meetingId: z.ulid(), startedAt: z.iso.datetime() });
const text = `${JSON.stringify(createOpenApi(), null, 2)}\n`;

test('docs/openapi.json is what the code says (npm run openapi writes it)', async () => {
  await expect(text).toMatchFileSnapshot('../docs/openapi.json');
});

test('it is OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(JSON.parse(text));
  expect({ valid, errors, version: validator.version }).toEqual({
    valid: true,
    errors: undefined,
    version: '3.1',
  });
});

test('every operation is a route, has a unique name and takes what is in its path', () => {
  for (const [route, { parameters = [] }] of operations) {
    const inPath = parameters.filter((parameter) => parameter.in === 'path');
    const names = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect({ route, names: inPath.map(({ name }) => name) }).toEqual({ route, names });
  }
  const names = [...operations.values()].map(({ operationId }) => operationId);
  expect(names.toSorted()).toEqual(
    Object.values(described)
      .map(({ operationId }) => operationId)
      .toSorted(),
  );
  expect(new Set(names).size).toBe(names.length);
});

test('every error code is answered by some route, with the status that it has', () => {
  const documented = new Map<string, Set<string>>();
  for (const { responses } of operations.values()) {
    for (const [status, { content }] of Object.entries(responses)) {
      for (const name of Object.keys(content?.['application/json']?.examples ?? {})) {
        if (name in STATUS) documented.set(name, (documented.get(name) ?? new Set()).add(status));
      }
    }
  }
  expect(Object.fromEntries([...documented].map(([code, [...all]]) => [code, all]))).toEqual(
    Object.fromEntries(Object.entries(STATUS).map(([code, status]) => [code, [`${status}`]])),
  );
});

test('the id of every meeting in an example says when the meeting started', () => {
  const meetings = [...meetingsIn(JSON.parse(text))];
  expect(meetings).not.toEqual([]);
  for (const { meetingId, startedAt } of meetings) {
    expect({ meetingId, startedAt: new Date(decodeTime(meetingId)).toISOString() }).toEqual({
      meetingId,
      startedAt,
    });
  }
});

function* meetingsIn(value: unknown): Generator<{ meetingId: string; startedAt: string }> {
  const { success, data } = Meeting.safeParse(value);
  if (success) yield data;
  if (typeof value !== 'object' || value === null) return;
  for (const part of Object.values(value)) yield* meetingsIn(part);
}

describe.each([...operations])('%s', (_, { parameters = [], requestBody, responses }) => {
  const media = [requestBody, ...Object.values(responses)].flatMap((part) =>
    Object.values(part?.content ?? {}),
  );

  test('has an example of each request and answer, and each fits its schema', () => {
    for (const { schema, examples } of media) {
      expect(Object.keys(examples)).not.toEqual([]);
      for (const [name, { value }] of Object.entries(examples)) {
        expect({ name, mistake: mistakeIn(value, schema) }).toEqual({ name, mistake: undefined });
      }
    }
    for (const { name, schema, example } of parameters) {
      expect({ name, mistake: mistakeIn(example, schema) }).toEqual({ name, mistake: undefined });
    }
  });
});

describe('an answer', () => {
  const NO_ROUTE = 'POST /api/reading-clubs/meeting/{clubId}/participants/{userId}/removal';
  const START = 'POST /api/reading-clubs/meeting/{clubId}/start';
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  const started = {
    success: true,
    meetingId: '01M82DWZHWSFNX08NJ1MQ1V3NQ',
    roomName: 'reading-club-novels-01M82DWZHWSFNX08NJ1MQ1V3NQ',
    startedAt: '2026-11-22T20:06:59.900Z',
    alreadyActive: false,
  };
  const failed = (code: ErrorCode) => ({ error: 'A sentence', code, requestId: 'r-1' });
  const answer = (status: number, body: object, others: Record<string, string> = {}) => ({
    status,
    headers: { ...headers, ...others },
    body: JSON.stringify(body),
  });

  test.each([
    ['with what is asked for', answer(200, started)],
    ['with an error of the route', answer(403, failed('NOT_A_MODERATOR'))],
    ['to be tried again', answer(503, failed('TIMED_OUT'), { 'retry-after': '2' })],
  ])('%s fits', (_, sent) => {
    expect(misfitOf(START, sent)).toBeUndefined();
  });

  test.each([
    ['of no route', NO_ROUTE, answer(200, {}), 'no such route'],
    ['with a field too many', START, answer(200, { ...started, clubId: 'novels' }), /additional/],
    ['with a field missing', START, answer(200, { ...started, roomName: undefined }), /required/],
    ['with null where none can be', START, answer(200, { ...started, roomName: null }), /string/],
    ['with no time', START, answer(200, { ...started, startedAt: 'now' }), /date-time/],
    [
      'with the code of another route',
      START,
      answer(404, failed('MEETING_NOT_FOUND')),
      /must NOT have additional/,
    ],
    ['with a code of another status', START, answer(409, failed('NOT_A_MODERATOR')), /allowed/],
    ['with a status of no error', START, answer(402, failed('INTERNAL')), 'never answers 402'],
    ['in the words of the gateway', START, answer(500, { message: 'x' }), /gateway/],
    ['that does not say when to try again', START, answer(503, failed('TIMED_OUT')), /Retry-After/],
    ['that may be stored', START, answer(200, started, { 'cache-control': 'public' }), /Cache/],
    ['that is no JSON by its type', START, answer(200, started, { 'content-type': 'x' }), /never/],
  ])('%s does not fit', (_, route, sent, mistake) => {
    expect(misfitOf(route, sent)).toMatch(mistake);
  });
});
