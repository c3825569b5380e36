/** Somebody of one club can do nothing in another, whatever they are in their own. */
import { beforeAll, describe, expect, it } from 'vitest';
import { claimsOf } from '../harness/issuer.ts';
import {
  createPerson,
  createStartedClub,
  createTestClub,
  itemsOf,
  type Person,
  roomsOf,
} from './support/clubs.ts';

type Club = Awaited<ReturnType<typeof createStartedClub>>;
const ROLES = ['owner', 'moderator', 'member', 'stranger'] as const;

let own: Awaited<ReturnType<typeof createTestClub>>;
let stranger: Person;
let other: Club;
let ended: Club;
beforeAll(async () => {
  [own, stranger, other, ended] = await Promise.all([
    createTestClub(),
    createPerson('stranger'),
    createStartedClub(),
    createStartedClub(),
  ]);
  await own.owner.start(own.clubId);
  await ended.owner.end(ended.clubId);
});

describe.each(ROLES)('The %s of another club', (role) => {
  const outsider = () => (role === 'stranger' ? stranger : own[role]);

  it.each([
    ['a token', 403, 'NOT_A_MEMBER', () => outsider().token(other.clubId)],
    ['to start a meeting', 403, 'NOT_A_MODERATOR', () => outsider().start(ended.clubId)],
    ['to start the one that is on', 403, 'NOT_A_MODERATOR', () => outsider().start(other.clubId)],
    ['to end the meeting', 403, 'NOT_A_MODERATOR', () => outsider().end(other.clubId)],
    [
      'to end the meeting by its id',
      403,
      'NOT_A_MODERATOR',
      () => outsider().end(other.clubId, { meetingId: other.meeting.meetingId }),
    ],
    ['the status', 403, 'NOT_A_MEMBER', () => outsider().status(other.clubId)],
    ['the history', 403, 'NOT_A_MEMBER', () => outsider().meetings(ended.clubId)],
    [
      'the attendance',
      403,
      'NOT_A_MEMBER',
      () => outsider().meeting(ended.clubId, ended.meeting.meetingId),
    ],
  ])('is refused %s, and nothing changes', async (_, status, code, call) => {
    const before = await itemsOf(other.clubId, ended.clubId);
    const answer = await call();
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
    // Refused in words that tell nothing of the club.
    expect(Object.keys(answer.body).sort()).toEqual(['code', 'error', 'requestId']);
    expect(await itemsOf(other.clubId, ended.clubId)).toEqual(before);
    expect(await roomsOf(other.clubId)).toEqual([other.meeting.roomName]);
    expect(await roomsOf(ended.clubId)).toEqual([]);
  });
});

describe('In their own club', () => {
  it('a meeting of another one cannot be ended, nor looked into by its id', async () => {
    const { clubId, owner } = own;
    const end = await owner.end(clubId, { meetingId: other.meeting.meetingId });
    expect({ status: end.status, code: end.body.code }).toEqual({
      status: 409,
      code: 'MEETING_NOT_ACTIVE',
    });
    const look = await owner.meeting(clubId, ended.meeting.meetingId);
    expect(look.status).toBe(404);
    const page = await owner.meetings(clubId, `?cursor=7ZZZZZZZZZZZZZZZZZZZZZZZZZ`);
    expect(page.body).toEqual({ meetings: [] });
    expect(await roomsOf(other.clubId)).toEqual([other.meeting.roomName]);
  });

  it.each(['owner', 'moderator', 'member'] as const)(
    'a token of the %s opens their own room only',
    async (role) => {
      const { body } = await own[role].token(own.clubId);
      expect(claimsOf(body.token)['video']).toMatchObject({
        room: expect.stringContaining(`reading-club-${own.clubId}-`),
      });
    },
  );
});
