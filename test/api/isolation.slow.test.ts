/** A user of one club can do nothing in another, whatever their role in their own. */
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { claimsOf } from '../harness/issuer.ts';
import {
  answered,
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
/** Its meeting is over, and was recorded. */
let ended: Club & { recordingId: string };

/** Where an event is lost, two cleanups put it right. */
const RECORDED_WITHIN_MS = 150_000;

async function createRecordedClub() {
  const club = await createStartedClub();
  const { clubId, moderator, owner } = club;
  // The recorder may not be up yet, and a start answers with the recording that is on.
  const recordingId = await eventually(
    async () => {
      const { status, body } = await moderator.recordingStart(clubId);
      return status === 200 && body.state === 'active' ? body.recordingId : undefined;
    },
    'not recording',
    RECORDED_WITHIN_MS,
  );
  await owner.end(clubId);
  await eventually(
    async () => {
      const items = await itemsOf(clubId);
      return (
        items.some((item) => item['recordingId'] === recordingId && item['isSettled']) || undefined
      );
    },
    'the recording is not over',
    RECORDED_WITHIN_MS,
  );
  return { ...club, recordingId };
}

beforeAll(async () => {
  [own, stranger, other, ended] = await Promise.all([
    createTestClub(),
    createPerson('stranger'),
    createStartedClub(),
    createRecordedClub(),
  ]);
  await own.owner.start(own.clubId);
}, 3 * RECORDED_WITHIN_MS);

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
    ['to record', 403, 'NOT_A_MODERATOR', () => outsider().recordingStart(other.clubId)],
    ['to stop a recording', 403, 'NOT_A_MODERATOR', () => outsider().recordingStop(other.clubId)],
    ['to agree', 403, 'NOT_A_MEMBER', () => outsider().recordingConsent(other.clubId)],
    [
      'the recordings',
      403,
      'NOT_A_MEMBER',
      () => outsider().recordings(ended.clubId, ended.meeting.meetingId),
    ],
    [
      'a recording',
      403,
      'NOT_A_MEMBER',
      () => outsider().recordingDownload(ended.clubId, ended.meeting.meetingId, ended.recordingId),
    ],
    [
      'to delete a recording',
      403,
      'NOT_A_MODERATOR',
      () => outsider().recordingDelete(ended.clubId, ended.meeting.meetingId, ended.recordingId),
    ],
  ])('is refused %s, and nothing changes', async (_, status, code, call) => {
    const before = await itemsOf(other.clubId, ended.clubId);
    const answer = await call();
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
    // Refused with a message that reveals nothing about the club.
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

  it('a recording of another one is not reached by its ids, and stays', async () => {
    const { clubId, owner } = own;
    const { meetingId } = ended.meeting;
    const { recordingId } = ended;
    const answers = [
      await owner.recordings(clubId, meetingId),
      await owner.recordingDownload(clubId, meetingId, recordingId),
      await owner.recordingDelete(clubId, meetingId, recordingId),
      await owner.recordingStop(clubId, { recordingId }),
    ];
    expect(answers.map(({ status, body }) => `${status} ${body.code}`)).toEqual([
      '404 MEETING_NOT_FOUND',
      '404 RECORDING_NOT_FOUND',
      '404 RECORDING_NOT_FOUND',
      '404 RECORDING_NOT_FOUND',
    ]);
    const there = await answered(ended.owner.recordings(ended.clubId, meetingId));
    expect(there.recordings.map((one) => one.recordingId)).toContain(recordingId);
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
