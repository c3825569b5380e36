/** What happens to one request while another is between two of its steps. */
import { beforeEach, describe, expect, it } from 'vitest';
import { cut, justAfter, justBefore, on } from '../harness/faults.ts';
import { later } from '../harness/process.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
let club: TestClub;
beforeEach(async () => {
  club = await world.createClub();
});

/** Requests of another moderator, in a process without faults. */
const otherStarts = () => world.call('start', club.owner, club);
const otherEnds = () => world.call('end', club.owner, club);

/** Which of its UpdateItems is what, in a start by another moderator than the club's own. */
const [CLAIM, LOOK] = [2, 3];

/** A token by a client whose join was refused, so that the room is made sure of. */
const missing = ({ clubId }: TestClub) => ({
  clubId,
  body: { readingClubId: clubId, roomMissing: true },
});

describe('An end', () => {
  it.each([
    ['between a start’s claim and its room', justBefore('CreateRoom', otherEnds)],
    ['between a start’s room and its second look', justBefore('UpdateItem', otherEnds, LOOK)],
  ])('%s wins: 409, and no room is left', async (_, fault) => {
    const { call } = await world.boot({ faults: [fault] });
    expect((await call('start', club.moderator, club)).outcome).toBe('409 MEETING_NOT_ACTIVE');
    const { meeting, lastMeeting } = await world.recordOf(club.clubId);
    expect(meeting).toBeUndefined();
    expect(lastMeeting?.endedBy).toBe(club.owner.userId);
    await world.expectAgreement(club.clubId);
  });

  it('after a start’s second look finds the room and deletes it', async () => {
    const { call } = await world.boot({ faults: [justAfter('UpdateItem', otherEnds, LOOK)] });
    const { body } = await call('start', club.moderator, club);
    const { lastMeeting } = await world.recordOf(club.clubId);
    expect(lastMeeting?.meetingId).toBe(body.meetingId);
    await world.expectAgreement(club.clubId);
  });

  it('before a token makes the room again wins: 409, no token, and no room is left', async () => {
    await otherStarts();
    const { call } = await world.boot({
      ...later(3_000),
      faults: [justBefore('CreateRoom', otherEnds)],
    });
    const { status, body } = await call('token', club.member, missing(club));
    expect({ status, code: body.code, token: body.token }).toEqual({
      status: 409,
      code: 'MEETING_NOT_ACTIVE',
    });
    await world.expectAgreement(club.clubId);
  });

  it('and the next start before a token makes the room again leave the new room alone', async () => {
    await otherStarts();
    const faults = [justBefore('CreateRoom', async () => [await otherEnds(), await otherStarts()])];
    const { call } = await world.boot({ ...later(3_000), faults });
    const { status } = await call('token', club.member, missing(club));
    expect(status).toBe(409);
    expect(await world.meetingOf(club.clubId)).toBeDefined();
    await world.expectAgreement(club.clubId);
  });

  it('by two who both read the meeting as on is decided once', async () => {
    await otherStarts();
    const endings: unknown[] = [];
    const faults = [justBefore('UpdateItem', async () => endings.push((await otherEnds()).body))];
    const { call } = await world.boot({ faults });
    const { body } = await call('end', club.moderator, club);
    expect(endings).toEqual([body]);
    await world.expectAgreement(club.clubId);
  });

  it('that was slow to decide does not end the meeting that has started since', async () => {
    const { body: first } = await otherStarts();
    const endings: unknown[] = [];
    const faults = [
      justBefore('UpdateItem', async () => {
        endings.push((await otherEnds()).body);
        await otherStarts();
      }),
    ];
    const { call } = await world.boot({ faults });
    const { body } = await call('end', club.moderator, club);
    expect(body.meetingId).toBe(first.meetingId);
    expect(endings).toEqual([body]);
    expect(await world.meetingOf(club.clubId)).toBeDefined();
    await world.expectAgreement(club.clubId);
  });

  it('that was slow to decide finds its meeting in the history two meetings later', async () => {
    await otherStarts();
    const endings: unknown[] = [];
    const faults = [
      justBefore('UpdateItem', async () => {
        endings.push((await otherEnds()).body);
        for (let round = 0; round < 2; round++) {
          await otherStarts();
          await otherEnds();
        }
      }),
    ];
    const { call } = await world.boot({ faults });
    const { body } = await call('end', club.moderator, club);
    expect(endings).toEqual([body]);
    expect(await world.historyOf(club.clubId)).toHaveLength(3);
    await world.expectAgreement(club.clubId);
  });

  it('that puts the row of the previous meeting late changes no fact in it', async () => {
    await otherStarts();
    const { body: first } = await otherEnds();
    // This start leaves the row to the end.
    const broken = await world.boot({ faults: [on('PutItem', cut)] });
    await broken.call('start', club.owner, club);
    const faults = [
      justBefore('PutItem', async () => {
        for (let round = 0; round < 2; round++) {
          await otherEnds();
          await otherStarts();
        }
      }),
    ];
    const { call } = await world.boot({ faults });
    await call('end', club.moderator, club);
    const history = await world.historyOf(club.clubId);
    expect(history.find(({ meetingId }) => meetingId === first.meetingId)).toMatchObject({
      endedAt: first.endedAt,
      durationSeconds: first.duration,
    });
    await world.expectAgreement(club.clubId);
  });
});

describe('A start', () => {
  it('between another start’s read and its claim wins: the other answers its meeting', async () => {
    const won: string[] = [];
    const faults = [
      justBefore('UpdateItem', async () => won.push((await otherStarts()).body.meetingId), CLAIM),
    ];
    const { call } = await world.boot({ faults });
    const { body } = await call('start', club.moderator, club);
    expect(body.alreadyActive).toBe(true);
    expect(won).toEqual([body.meetingId]);
    await world.expectAgreement(club.clubId);
  });

  it('that won and was ended before the other looked again: the other is answered 409', async () => {
    const faults = [
      justBefore('UpdateItem', otherStarts, CLAIM),
      justBefore('BatchGetItem', otherEnds, 2),
    ];
    const { call } = await world.boot({ faults });
    expect((await call('start', club.moderator, club)).outcome).toBe('409 MEETING_NOT_ACTIVE');
    await world.expectAgreement(club.clubId);
  });

  it('after an end was decided and before its room is deleted gets its own room', async () => {
    const { body: first } = await otherStarts();
    const started: string[] = [];
    const faults = [
      justBefore('DeleteRoom', async () => started.push((await otherStarts()).body.roomName)),
    ];
    const { call } = await world.boot({ faults });
    const { body } = await call('end', club.moderator, club);
    expect(body).toMatchObject({ success: true, meetingId: first.meetingId });
    expect(await world.roomsOf(club.clubId)).toEqual(started);
    await world.expectAgreement(club.clubId);
  });
});
