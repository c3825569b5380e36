import fc from 'fast-check';
import { ulid } from 'ulid';
import { describe, expect, test } from 'vitest';
import {
  Caller,
  Club,
  ClubId,
  isModerator,
  MeetingId,
  Member,
  ParticipantName,
  parseRoomName,
  roomNameOf,
  UserId,
} from './model.ts';
import { doctorsRoomNameOf, parseDoctorsRoomName } from './probes.ts';

const MEETING_ID = '01JQ3R5T7V9X1Z3B5D7F9H1K3M';
const STARTED_AT = '2026-08-29T18:00:00.000Z';

const idOf = (pattern: RegExp) => fc.stringMatching(pattern);
const ulids = idOf(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
const ids = fc.oneof(
  idOf(/^[A-Za-z0-9_-]{1,64}$/),
  idOf(/^-{1,64}$/),
  ulids,
  fc.tuple(ulids, ulids).map(([first, second]) => `${first}-${second}`),
  ulids.map((id) => `reading-club-${id}`),
);

const fits = (schema: typeof ClubId | typeof MeetingId | typeof ParticipantName, value: unknown) =>
  schema.safeParse(value).success;

describe('an id', () => {
  test.each(['a', 'my-club', '-', '_', '0', 'A'.repeat(64), crypto.randomUUID()])(
    'can be %s',
    (id) => {
      expect(ClubId.parse(id)).toBe(id);
      expect(UserId.parse(id)).toBe(id);
    },
  );

  test.each([
    '',
    'A'.repeat(65),
    'a#b',
    'CLUB#a',
    'a/b',
    '..',
    'a b',
    'a\n',
    '\na',
    'a\u0000',
    'ä',
    '١',
    'a.b',
    'a%2Fb',
    42,
    null,
    undefined,
    ['a'],
    { toString: () => 'a' },
  ])('cannot be %j', (id) => {
    expect(fits(ClubId, id)).toBe(false);
  });

  test('has only its 64 allowed characters, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const allowed = [...text].every((character) => /[A-Za-z0-9_-]/.test(character));
        expect(fits(ClubId, text)).toBe(allowed && text.length >= 1 && text.length <= 64);
      }),
    );
  });
});

describe('the id of a meeting', () => {
  test('is any ULID', () => {
    const times = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(fc.property(times, (time) => fits(MeetingId, ulid(time))));
  });

  test.each([
    ['lower case', MEETING_ID.toLowerCase()],
    ['too short', MEETING_ID.slice(1)],
    ['too long', `${MEETING_ID}0`],
    ['beyond the largest time', `8${MEETING_ID.slice(1)}`],
    ['with a letter that ULIDs leave out', `${MEETING_ID.slice(1)}U`],
    ['with a line after it', `${MEETING_ID}\n`],
    ['a number', 1],
  ])('is refused when it is %s', (_, meetingId) => {
    expect(fits(MeetingId, meetingId)).toBe(false);
  });
});

describe('a room name', () => {
  test('is that of the club and the meeting', () => {
    expect(roomNameOf('my-club', MEETING_ID)).toBe(`reading-club-my-club-${MEETING_ID}`);
  });

  test('is parsed into the ids that it was made of, for any ids', () => {
    fc.assert(
      fc.property(
        ids.filter((id) => id.length <= 64),
        ulids,
        (clubId, meetingId) => {
          expect(parseRoomName(roomNameOf(clubId, meetingId))).toEqual({ clubId, meetingId });
        },
      ),
    );
  });

  test('is never shared by two meetings', () => {
    const pair = fc.tuple(ids, ulids);
    fc.assert(
      fc.property(pair, pair, ([clubA, meetingA], [clubB, meetingB]) => {
        fc.pre(clubA !== clubB || meetingA !== meetingB);
        expect(roomNameOf(clubA, meetingA)).not.toBe(roomNameOf(clubB, meetingB));
      }),
    );
  });

  test('that can be parsed is exactly the one that its ids make', () => {
    const words = fc.constantFrom('reading-club', 'reading-club-', '-', 'a', MEETING_ID, '\n', '#');
    const names = fc.oneof(
      fc.string(),
      fc.array(words).map((some) => some.join('')),
      fc.tuple(ids, ulids, words).map(([id, meetingId, word]) => roomNameOf(id, meetingId) + word),
    );
    fc.assert(
      fc.property(names, (name) => {
        const parsed = parseRoomName(name);
        if (!parsed) return;
        expect(roomNameOf(parsed.clubId, parsed.meetingId)).toBe(name);
        expect(fits(ClubId, parsed.clubId) && fits(MeetingId, parsed.meetingId)).toBe(true);
      }),
    );
  });

  test.each([
    ['of another application', 'daily-standup'],
    ['that only begins like ours', 'reading-club-my-club'],
    ['of a club without a meeting', `reading-club-${MEETING_ID}`],
    ['of an empty club', roomNameOf('', MEETING_ID)],
    ['with something before it', `x${roomNameOf('my-club', MEETING_ID)}`],
    ['with something after it', `${roomNameOf('my-club', MEETING_ID)}x`],
    ['with a line after it', `${roomNameOf('my-club', MEETING_ID)}\n`],
    ['of a club whose id is too long', roomNameOf('a'.repeat(65), MEETING_ID)],
    ['of a club whose id is none', roomNameOf('my club', MEETING_ID)],
    ['without anything', ''],
  ])('%s is not one of ours', (_, roomName) => {
    expect(parseRoomName(roomName)).toBeUndefined();
  });

  test('of the doctor is no meeting’s, and its club cannot be created', () => {
    const roomName = doctorsRoomNameOf(MEETING_ID);
    expect(parseDoctorsRoomName(roomName)).toBe(MEETING_ID);
    expect(parseRoomName(roomName)).toBeUndefined();
    expect(roomName).toBe(roomNameOf('.doctor', MEETING_ID));
    expect(fits(ClubId, '.doctor')).toBe(false);
  });

  test('of a meeting is never the doctor’s', () => {
    fc.assert(
      fc.property(ids, ulids, (clubId, meetingId) => {
        expect(parseDoctorsRoomName(roomNameOf(clubId, meetingId))).toBeUndefined();
      }),
    );
  });

  test.each([
    ['something before it', `x${doctorsRoomNameOf(MEETING_ID)}`],
    ['something after it', `${doctorsRoomNameOf(MEETING_ID)}x`],
    ['another id', doctorsRoomNameOf('x'.repeat(26))],
  ])('of the doctor with %s is not', (_, roomName) => {
    expect(parseDoctorsRoomName(roomName)).toBeUndefined();
  });

  test('fits the 256 bytes that LiveKit allows, with the longest ids', () => {
    expect(Buffer.byteLength(roomNameOf('a'.repeat(64), MEETING_ID))).toBeLessThanOrEqual(256);
  });
});

describe('a participant name', () => {
  test.each([
    'Ada',
    'Ada Lovelace',
    '𝒜𝒹𝒶',
    '👩‍👩‍👧‍👦',
    'שָׁלוֹם',
    'محمد',
    '李小龍',
    "O'Brien-Ñuñez <b>",
    'علی\u200cرضا', // A non-joiner, as Persian writes it.
    'क्\u200dष', // A joiner, which keeps a Hindi conjunct apart.
    'Ada \u200fעדה\u200e (42)', // Marks of direction around Hebrew.
    '\u2068عدا\u2069 \u2067\u2066Ada\u2069\u2069', // Isolates, one in another.
    '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}', // England's flag, with its tags.
    '❤\ufe0f',
    'ภาษา\u200bไทย', // A zero-width space, where Thai breaks a line.
    '\u1112\u1161\u11ab', // Hangul in its parts.
    '\u115f\u1161', // A filler in place of the first part.
    '?',
    'a'.repeat(64),
    '😀'.repeat(64),
  ])('can be %s', (name) => {
    expect(ParticipantName.parse(name)).toBe(name);
  });

  test('is taken without the space around it, which does not count', () => {
    expect(ParticipantName.parse(`  ${'a'.repeat(64)} \n`)).toBe('a'.repeat(64));
  });

  test.each([
    ['empty', ''],
    ['only space', ' \t\n\u00a0'],
    ['65 characters long', 'a'.repeat(65)],
    ['65 emoji long', '😀'.repeat(65)],
    ['with a line end in it', 'Ada\nLovelace'],
    ['with a zero byte in it', 'A\u0000da'],
    ['with an escape in it', 'A\u001b[31mda'],
    ['with a delete in it', 'A\u007fda'],
    ['with a C1 control in it', 'A\u0085da'],
    ['with a line separator in it', 'A\u2028da'],
    ['with a paragraph separator in it', 'A\u2029da'],
    ['half of an emoji', '\ud83d'],
    ['with half of an emoji in it', 'A\ude00da'],
    ['only zero-width', '\u200b\u200c\u200d\u2060\ufeff'],
    ['only marks of direction', '\u200e\u200f\u061c'],
    ['only a soft hyphen', '\u00ad'],
    ['only a Hangul filler', '\u3164'],
    ['only a half-width Hangul filler', '\uffa0'],
    ['only a blank Braille pattern', '\u2800'],
    ['only a null notehead', '\u{1d159}'],
    ['only a combining mark', '\u0301'],
    ['only a variation selector', '\ufe0f'],
    ['only tags', '\u{e0041}\u{e007f}'],
    ['only isolates', '\u2068\u2069'],
    ['with an override of direction in it', 'Ada \u202egnikool\u202c'],
    ['with an embedding in it', '\u202bAda\u202c'],
    ['with an open isolate', 'Ada \u2067'],
    ['with an isolate that is closed before it opens', 'Ada \u2069\u2067'],
    ['a number', 42],
    ['null', null],
    ['a list', ['Ada']],
  ])('that is %s is refused', (_, name) => {
    expect(fits(ParticipantName, name)).toBe(false);
  });

  test('is counted in code points, never in UTF-16 units or bytes', () => {
    const characters = fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }));
    const astral = fc.integer({ min: 0x1f300, max: 0x1faff }).map((n) => String.fromCodePoint(n));
    fc.assert(
      fc.property(fc.array(astral, { minLength: 1, maxLength: 80 }), characters, (emoji, ascii) => {
        const name = [...emoji, ...ascii.filter((character) => character !== ' ')];
        expect(fits(ParticipantName, name.join(''))).toBe(name.length <= 64);
      }),
    );
  });

  test('that is accepted fits the 256 bytes that LiveKit allows, and holds no control character', () => {
    const utf16 = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));
    const anything = fc.string({ unit: utf16, maxLength: 80 });
    const long = fc.string({ unit: 'binary', minLength: 60, maxLength: 66, size: 'max' });
    fc.assert(
      fc.property(fc.oneof(anything, long), (text) => {
        const { success, data } = ParticipantName.safeParse(text);
        if (!success) return;
        expect(Buffer.byteLength(data)).toBeLessThanOrEqual(256);
        expect(data).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(data.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  const invisible = fc.constantFrom(
    ...'\u00ad\u034f\u061c\u115f\u200b\u200c\u200d\u200e\u200f\u2060\u2800\u3164\ufe0f\ufeff\u0301 ',
  );

  test('needs a visible character, and then keeps invisible ones beside it', () => {
    const around = fc.string({ unit: invisible, maxLength: 20 });
    fc.assert(
      fc.property(around, fc.constantFrom('A', '字', 'क', '7', '-', '😀'), around, (a, seen, b) => {
        expect(fits(ParticipantName, a + b)).toBe(false);
        expect(ParticipantName.parse(a + seen + b)).toBe((a + seen + b).trim());
      }),
    );
  });

  test('leaves the direction of the text that follows it alone', () => {
    const unit = fc.constantFrom(
      ...'aא\u200e\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069',
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        let rest = text;
        for (let before = ''; before !== rest; ) {
          before = rest;
          rest = rest.replace(/[\u2066-\u2068]([^\u2066-\u2069]*)\u2069/, '$1');
        }
        const isHarmless = /^[aא\u200e]*$/.test(rest) && /[aא]/.test(rest);
        expect(fits(ParticipantName, text)).toBe(isHarmless);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a moderator', () => {
  const club = Club.parse({
    clubId: 'my-club',
    name: 'My club',
    moderatorId: 'ada',
    createdAt: STARTED_AT,
  });
  const memberAs = (role: 'member' | 'moderator') =>
    Member.parse({ userId: 'ben', role, joinedAt: STARTED_AT });

  test('is the owner, also without a member item', () => {
    expect(isModerator(club, undefined, 'ada')).toBe(true);
  });

  test('is the owner, even if the member item has another role', () => {
    expect(isModerator(club, { ...memberAs('member'), userId: 'ada' }, 'ada')).toBe(true);
  });

  test('is whose member item says so', () => {
    expect(isModerator(club, memberAs('moderator'), 'ben')).toBe(true);
  });

  test('is no ordinary member', () => {
    expect(isModerator(club, memberAs('member'), 'ben')).toBe(false);
  });

  test('is no stranger', () => {
    expect(isModerator(club, undefined, 'ben')).toBe(false);
  });
});

describe('a caller', () => {
  test('cannot be made of a subject that could forge a key', () => {
    expect(Caller.safeParse({ userId: 'ada#CLUB', username: 'ada' }).success).toBe(false);
  });

  test('cannot be without a user name', () => {
    expect(Caller.safeParse({ userId: 'ada', username: '' }).success).toBe(false);
  });

  test('cannot be made by hand, so that every caller has a verified token', () => {
    // @ts-expect-error: the brand is missing
    const byHand: Caller = { userId: 'ada', username: 'ada' };
    expect(Caller.parse(byHand)).toEqual(byHand);
  });
});
