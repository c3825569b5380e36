import { describe, expect, test } from 'vitest';
import { Caller, Club, type Member, roomNameOf } from './model.ts';
import { createJoinToken, type TokenDeps } from './token.ts';

const NOW = '2026-08-29T18:00:00.000Z';
const MEETING_ID = '01JQ3R5T7V9X1Z3B5D7F9H1K3M';

/** The `participantName` of a token when the request gives none: it comes from the record alone. */
async function defaultNameOf(displayName: string | undefined, username = 'user-ada') {
  const club = Club.parse({
    clubId: 'novels',
    name: 'Novels on Monday',
    moderatorId: 'ben',
    createdAt: NOW,
    meeting: {
      meetingId: MEETING_ID,
      roomName: roomNameOf('novels', MEETING_ID),
      startedAt: NOW,
      startedBy: 'ben',
      maxParticipants: 50,
    },
  });
  const member: Member = {
    userId: 'ada',
    role: 'member',
    joinedAt: NOW,
    ...(displayName !== undefined && { displayName }),
  };
  const signed: string[] = [];
  const deps: TokenDeps = {
    clubs: {
      getClubMemberAndGrants: async () => ({ club, member, granted: undefined }),
      getClubAndMember: async () => ({ club, member }),
      getClub: async () => club,
      clearVacant: async () => true,
      claimRoomCheck: async () => true,
      undoRoomCheck: async () => {},
    },
    grants: { get: async () => undefined, put: async () => {}, remove: async () => {} },
    media: {
      createRoom: async (name) => ({
        name,
        sid: 'RM_1',
        createdAt: NOW,
        participantCount: 0,
        metadata: '',
      }),
      createToken: async (_, name) => {
        signed.push(name);
        return 'a.b.c';
      },
      deleteRoom: async () => true,
      getParticipants: async () => [],
      getServerUrl: async () => 'ws://127.0.0.1',
    },
    now: () => new Date(NOW),
    rooms: { emptyTimeoutSeconds: 600, departureTimeoutSeconds: 1800 },
    tokens: { ttlSeconds: 600, moderatorGrants: 'full' },
    recordings: {
      hasConsent: async () => false,
      putConsent: async () => {},
      removeConsent: async () => {},
    },
    recording: { retentionDays: 30, default: 'video' },
  };
  const caller = Caller.parse({ userId: 'ada', username });
  const { participantName } = await createJoinToken(deps, { caller, clubId: 'novels' });
  expect(signed).toEqual([participantName]);
  return participantName;
}

describe('the default name of a participant', () => {
  test('is the display name of the member', async () => {
    expect(await defaultNameOf('Ada Lovelace')).toBe('Ada Lovelace');
  });

  test('is the user name when the member has no display name', async () => {
    expect(await defaultNameOf(undefined)).toBe('user-ada');
  });

  test.each([
    ['empty', ''],
    ['only space', ' \t '],
    ['with a line end in it', 'Ada\nLovelace'],
    ['with an escape in it', 'A\u001b[31mda'],
    ['half of an emoji', '\ud83d'],
    ['a filler that looks blank', '\u3164'],
    ['with an override of direction in it', 'Ada \u202egnikool'],
  ])('is the user name when the display name is %s', async (_, displayName) => {
    expect(await defaultNameOf(displayName)).toBe('user-ada');
  });

  test('is cut to 64 characters, and never in the middle of one', async () => {
    expect(await defaultNameOf('😀'.repeat(70))).toBe('😀'.repeat(64));
    expect(await defaultNameOf(undefined, 'a'.repeat(128))).toBe('a'.repeat(64));
  });

  test('is never a user name that can be an address', async () => {
    expect(await defaultNameOf(undefined, 'ada@books.example')).toBe('ada');
    expect(await defaultNameOf('Ada', 'ada@books.example')).toBe('Ada');
  });

  test('is the user id when no name fits', async () => {
    expect(await defaultNameOf('', '\u0000')).toBe('ada');
  });
});
