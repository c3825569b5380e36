/** What other people do between two steps of a request about members and moderators. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { justAfter, justBefore, times, unprocessed } from '../support/faults.ts';
import { type Moderation, type Service, startModeration } from '../support/moderation.ts';

let world: Moderation;
/** A process with nothing wrong: what the other people use. */
let service: Service;
beforeAll(async () => {
  world = await startModeration();
  service = await world.boot();
});
afterAll(() => world.close());

const isClub = (sk: string) => sk === 'CLUB';

describe('BatchGetItem that leaves a key unprocessed', () => {
  it('gives no token to a member who is removed before the key is read', async () => {
    const { clubId, member, owner } = await world.createClub();
    const { call } = await world.boot({
      faults: [
        justAfter('BatchGetItem', async () => {
          await service.manage({ command: 'remove-member', clubId, userId: member.userId });
          await service.call('start', owner, { clubId });
        }),
        times(1, unprocessed(isClub)),
      ],
    });
    const { status, body } = await call('token', member, { clubId });
    expect({ status, code: body.code }).toEqual({ status: 403, code: 'NOT_A_MEMBER' });
  });

  it('costs a failing request a few calls', async () => {
    const { clubId, owner } = await world.createClub();
    const { call, wire } = await world.boot({ faults: [unprocessed(isClub)] });
    const { body } = await call('start', owner, { clubId });
    expect(body.code).toBe('STORE_UNAVAILABLE');
    expect(wire.operations().length).toBeGreaterThan(3);
    expect(wire.operations().length).toBeLessThan(12);
  });
});

describe('A moderator who was removed from the meeting', () => {
  async function removedModerator() {
    const club = await world.createClub();
    const { body } = await service.call('start', club.owner, club);
    const { clubId, deputy } = club;
    await service.call('remove', club.owner, { clubId, userId: deputy.userId });
    return { ...club, meetingId: body.meetingId };
  }

  it('does not end it, and so does not get into the next one that they would start', async () => {
    const club = await removedModerator();
    const { clubId, deputy, meetingId } = club;
    for (const body of [undefined, { meetingId }]) {
      const { status, body: answer } = await service.call('end', deputy, {
        clubId,
        ...(body && { body }),
      });
      expect([status, answer.code]).toEqual([403, 'REMOVED_FROM_MEETING']);
    }
    expect((await world.recordOf(clubId)).meeting?.meetingId).toBe(meetingId);
  });

  it('moderates the next meeting, and repeats the end of this one', async () => {
    const club = await removedModerator();
    const { clubId, deputy, meetingId } = club;
    await service.call('end', club.owner, club);
    await service.call('start', club.owner, club);
    const repeated = await service.call('end', deputy, { clubId, body: { meetingId } });
    expect(repeated.body).toMatchObject({ success: true, meetingId });
    expect((await service.call('participants', deputy, club)).status).toBe(200);
    expect((await service.call('end', deputy, club)).status).toBe(200);
  });

  it('moderates it again once they became the club’s own moderator, and joins it', async () => {
    const { clubId, deputy } = await removedModerator();
    const command = { command: 'put-club', clubId, name: 'Novels', moderatorId: deputy.userId };
    await service.manage(command);
    expect((await service.call('token', deputy, { clubId })).status).toBe(200);
    expect((await service.call('end', deputy, { clubId })).status).toBe(200);
  });

  it.each([
    ['an end', 'end', 'UpdateItem'],
    ['a start', 'start', 'BatchGetItem'],
  ] as const)('just before %s is decided: 403, and the meeting goes on', async (_, route, at) => {
    const { clubId, owner, deputy } = await world.createClub();
    const { body: meeting } = await service.call('start', owner, { clubId });
    const remove = () => service.call('remove', owner, { clubId, userId: deputy.userId });
    const { call } = await world.boot({ faults: [justBefore(at, remove)] });
    const { status, body } = await call(route, deputy, { clubId });
    expect([status, body.code]).toEqual([403, 'REMOVED_FROM_MEETING']);
    expect((await world.recordOf(clubId)).meeting?.meetingId).toBe(meeting.meetingId);
  });

  it('just after losing a start to another moderator, who removed them: 403', async () => {
    const { clubId, owner, deputy } = await world.createClub();
    const others = async () => {
      await service.call('start', owner, { clubId });
      await service.call('remove', owner, { clubId, userId: deputy.userId });
    };
    const { call } = await world.boot({ faults: [justBefore('UpdateItem', others)] });
    const { status, body } = await call('start', deputy, { clubId });
    expect([status, body.code]).toEqual([403, 'REMOVED_FROM_MEETING']);
  });
});
