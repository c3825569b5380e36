/** What does not fit is a 400 that names the field, and nothing is written. */
import { describe, expect, it } from 'vitest';
import { claimsOf } from '../harness/issuer.ts';
import type { CallOptions, Route } from '../harness/routes.ts';
import { worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
/** With a meeting on. */
const club = await world.startMeeting();

async function expectRefused(route: Route, options: CallOptions, sentence: string | RegExp) {
  const before = [await world.scan(), await world.standIn.rooms()];
  const { call, wire } = await world.boot();
  const { status, body } = await call(route, club.moderator, options);
  expect({ status, body }).toEqual({
    status: 400,
    body: {
      error: expect.stringMatching(sentence),
      code: 'INVALID_REQUEST',
      requestId: expect.any(String),
    },
  });
  expect(body.error.length).toBeLessThan(200);
  expect(wire.operations().filter((name) => name !== 'GetKeys')).toEqual([]);
  expect([await world.scan(), await world.standIn.rooms()]).toEqual(before);
}

const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const base64 = (body: string | Buffer) => Buffer.from(body).toString('base64');
const tokenBody = (fields: object) => JSON.stringify({ readingClubId: club.clubId, ...fields });

describe('The body of token is refused when it is', () => {
  it.each<[string, unknown, RegExp]>([
    ['missing', undefined, /^readingClubId is missing/],
    ['empty', '', /^readingClubId is missing/],
    ['blank', ' \n ', /^readingClubId is missing/],
    ['not JSON', 'readingClubId=novels', /^body must be JSON/],
    ['JSON that breaks off', '{"readingClubId": "novels"', /^body must be JSON/],
    ['an array', ['readingClubId'], /^body must be a JSON object/],
    ['null', 'null', /^readingClubId is missing/],
    ['text', '"readingClubId"', /^body must be a JSON object/],
    ['a number', '42', /^body must be a JSON object/],
    ['an object without fields', {}, /^readingClubId is missing/],
    ['of another route', { clubId: 'novels' }, /^readingClubId is missing/],
    ['without a value for the club', { readingClubId: null }, /^readingClubId is missing/],
    ['very deep', deep(100_000), /^body must be a JSON object/],
    ['very deep in a field', `{"readingClubId":${deep(100_000)}}`, /^readingClubId /],
    ['one huge text', JSON.stringify('x'.repeat(5_000_000)), /^body must be a JSON object/],
    ['huge in a field', { readingClubId: 'x'.repeat(5_000_000) }, /^readingClubId /],
    ['full of fields', `{${'"x":1,'.repeat(200_000)}"y":1}`, /readingClubId|is not known/],
  ])('%s', async (_, body, sentence) => {
    await expectRefused('token', { body }, sentence);
  });

  it('not UTF-8', async () => {
    const name = Buffer.from([0xc3, 0x28, 0xff]);
    const body = Buffer.concat([
      Buffer.from(`{"readingClubId":"${club.clubId}","participantName":"`),
      name,
      Buffer.from('"}'),
    ]);
    const options = { body: base64(body), isBase64Encoded: true };
    await expectRefused('token', options, /^body must be UTF-8/);
  });

  it('JSON in base64 that does not say so', async () => {
    await expectRefused('token', { body: base64(tokenBody({})) }, /^body must be JSON/);
  });
});

describe('A field is refused and named when it is', () => {
  it.each([
    ['unknown', { isModerator: true }, /isModerator/],
    ['unknown and very long', { ['x'.repeat(10_000)]: 1 }, /^x{64} is not known/],
    ['one of several that are unknown', { a: 1, b: 2 }, /^a, b /],
    ['a number for a name', { participantName: 42 }, /^participantName /],
    ['an object for a name', { participantName: { toString: 'x' } }, /^participantName /],
    ['an empty name', { participantName: '' }, /^participantName /],
    ['a blank name', { participantName: ' \t ' }, /^participantName /],
    ['a name of 65 characters', { participantName: 'x'.repeat(65) }, /^participantName /],
    ['a name of 65 emoji', { participantName: '📚'.repeat(65) }, /^participantName /],
    ['a name with a line break', { participantName: 'Ada\nLovelace' }, /^participantName /],
    ['a name with NUL', { participantName: 'Ada\u0000' }, /^participantName /],
    ['a name with DEL', { participantName: 'A\u007fda' }, /^participantName /],
    ['a name with a C1 control', { participantName: 'A\u0085da' }, /^participantName /],
    ['a name with a line separator', { participantName: 'A\u2028da' }, /^participantName /],
    ['a name with half an emoji', { participantName: 'Ada \ud83d' }, /^participantName /],
    ['a number for an id', { readingClubId: 42 }, /^readingClubId /],
    ['an empty id', { readingClubId: '' }, /^readingClubId /],
    ['an id with #', { readingClubId: 'novels#CLUB' }, /^readingClubId /],
    ['an id with a line break', { readingClubId: 'novels\n' }, /^readingClubId /],
    ['an id of 65 characters', { readingClubId: 'x'.repeat(65) }, /^readingClubId /],
  ])('%s', async (_, fields, sentence) => {
    await expectRefused('token', { body: tokenBody(fields) }, sentence);
  });

  it.each([
    ['__proto__', `{"__proto__":{"readingClubId":"x"},"readingClubId":"ID"}`],
    ['constructor', `{"constructor":{"prototype":{"isModerator":true}},"readingClubId":"ID"}`],
    ['prototype', `{"prototype":{"isModerator":true},"readingClubId":"ID"}`],
  ])('%s', async (name, body) => {
    await expectRefused('token', { body: body.replace('ID', club.clubId) }, new RegExp(name));
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('__proto__ in place of what is asked for', async () => {
    const body = `{"__proto__":{"readingClubId":"${club.clubId}"}}`;
    await expectRefused('token', { body }, /readingClubId|__proto__/);
  });
});

describe('The body of end is refused when', () => {
  it.each<[string, unknown, RegExp]>([
    ['it is not JSON', 'now', /^body must be JSON/],
    ['it is an array', [], /^body must be a JSON object/],
    ['a field is unknown', { force: true }, /^force /],
    ['its meeting is a number', { meetingId: 42 }, /^meetingId /],
    ['its meeting is no ULID', { meetingId: 'the-meeting-of-yesterday' }, /^meetingId /],
    ['its meeting is in lower case', { meetingId: '01arz3ndektsv4rrffq69g5fav' }, /^meetingId /],
    ['its meeting is above 48 bits', { meetingId: '81ARZ3NDEKTSV4RRFFQ69G5FAV' }, /^meetingId /],
    ['its meeting has a #', { meetingId: '01ARZ3NDEKTSV4RRFFQ69G5F#V' }, /^meetingId /],
  ])('%s', async (_, body, sentence) => {
    await expectRefused('end', { clubId: club.clubId, body }, sentence);
  });
});

describe('What a route does not take is refused:', () => {
  it.each<[Route, string, { body?: unknown; query?: Record<string, string> }]>([
    ['start', 'a field', { body: { x: 1 } }],
    ['start', 'a query', { query: { x: '2' } }],
    ['status', 'a field', { body: { x: 1 } }],
    ['status', 'a query', { query: { x: '2' } }],
    ['end', 'a query', { query: { x: '2' } }],
    ['token', 'a query', { body: { readingClubId: 'x' }, query: { x: '2' } }],
  ])('%s with %s', async (route, _, sent) => {
    await expectRefused(route, { clubId: club.clubId, ...sent }, /^x is not known here/);
  });

  it('start with a body that is no object', async () => {
    await expectRefused('start', { clubId: club.clubId, body: [] }, /^body must be a JSON object/);
  });
});

// What the gateway makes of a path: decoded once, and a raw `/` or `..` never gets here.
describe.each(['start', 'end', 'status'] as const)(
  'The club in the path of %s is refused when it has',
  (route) => {
    it.each([
      ['a #', 'novels#CLUB'],
      ['an encoded /', 'novels/start'],
      ['an encoded / that stayed encoded', 'novels%2Fstart'],
      ['an encoded NUL', 'novels\u0000'],
      ['an encoded NUL that stayed encoded', 'novels%00'],
      ['dots', '..'],
      ['a space', 'the novels'],
      ['letters that are not ASCII', 'romane-für-alle'],
      ['65 characters', 'x'.repeat(65)],
      ['a line break at its end', 'novels\n'],
      ['nothing', ''],
    ])('%s', async (_, clubId) => {
      await expectRefused(route, { clubId }, /^clubId /);
    });
  },
);

describe('Accepted and passed on unchanged is', () => {
  it.each([
    ['an emoji', 'Ada 📚'],
    ['an emoji of several characters', '👩‍🚀 Valentina'],
    ['a flag', '🇺🇦 Лариса'],
    ['a right-to-left name', 'נועה בן־דוד'],
    ['an Arabic name', 'ليلى العلوي'],
    ['a right-to-left mark', 'Ada \u200f(אדה)'],
    ['a combining accent', 'Zoe\u0308'],
    ['quotes and angle brackets', `Robert'); DROP TABLE <b>"clubs"</b>`],
    ['one character', 'Q'],
    ['64 characters', 'x'.repeat(64)],
    ['64 emoji, which are 256 bytes', '📚'.repeat(64)],
  ])('the name with %s', async (_, participantName) => {
    const { status, body } = await world.call('token', club.member, {
      body: tokenBody({ participantName }),
    });
    expect({ status, name: body.participantName }).toEqual({ status: 200, name: participantName });
    expect(claimsOf(body.token)['name']).toBe(participantName);
  });

  it('a body in base64, as the gateway sends what it takes for binary', async () => {
    const { status, body } = await world.call('token', club.member, {
      body: base64(tokenBody({ participantName: 'Zoë 📚' })),
      isBase64Encoded: true,
    });
    expect({ status, name: body.participantName }).toEqual({ status: 200, name: 'Zoë 📚' });
  });

  it('a name with spaces around it, without them', async () => {
    const { body } = await world.call('token', club.member, {
      body: tokenBody({ participantName: '  Ada  ' }),
    });
    expect(body.participantName).toBe('Ada');
  });

  it('an id of 64 characters', async () => {
    const { outcome } = await world.call('status', club.member, { clubId: 'x'.repeat(64) });
    expect(outcome).toBe('404 CLUB_NOT_FOUND');
  });

  it('null for a name, as no name', async () => {
    const { status, body } = await world.call('token', club.member, {
      body: tokenBody({ participantName: null }),
    });
    expect({ status, name: body.participantName }).toEqual({
      status: 200,
      name: club.displayNames.member,
    });
  });

  it.each(['', '{}', ' ', 'null', '{"meetingId":null}'])(
    'a body of end that is %j',
    async (body) => {
      const other = await world.startMeeting();
      const { status } = await world.call('end', other.moderator, { clubId: other.clubId, body });
      expect(status).toBe(200);
    },
  );
});
