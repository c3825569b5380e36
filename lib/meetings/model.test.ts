import fc from 'fast-check';
import { ulid } from 'ulid';
import { describe, expect, test } from 'vitest';
import {
  Caller,
  Club,
  ClubId,
  doctorsRoomNameOf,
  isModerator,
  MeetingId,
  Member,
  ParticipantName,
  parseDoctorsRoomName,
  parseRoomName,
  roomNameOf,
  UserId,
} from './model.ts';

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

  test('is made of nothing but its 64 characters, whatever text is given', () => {
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

  test('is parsed into the ids that it was made of, whatever the ids look like', () => {
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
    ['of somebody else', 'daily-standup'],
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

  test('of the doctor is no meeting’s, and of a club that nobody can make', () => {
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

  test('is whoever the club names, with no member item', () => {
    expect(isModerator(club, undefined, 'ada')).toBe(true);
  });

  test('is whoever the club names, though the member item says otherwise', () => {
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

  test('cannot be made by hand, so that nobody is let in without a verified token', () => {
    // @ts-expect-error: the brand is missing
    const byHand: Caller = { userId: 'ada', username: 'ada' };
    expect(Caller.parse(byHand)).toEqual(byHand);
  });
});
