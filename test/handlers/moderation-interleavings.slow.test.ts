/** What other people do between two steps of a request about members and moderators. */
import { describe, expect, it } from 'vitest';
import {
  cut,
  justAfter,
  justBefore,
  late,
  loseAnswer,
  on,
  once,
  times,
  unprocessed,
} from '../harness/faults.ts';
import type { User } from '../harness/issuer.ts';
import type { Process } from '../harness/process.ts';
import { about } from '../harness/routes.ts';
import { worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
/** A process with nothing wrong: what the other people use. */
const service = await world.boot();

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
    expect((await call('token', member, { clubId })).outcome).toBe('403 NOT_A_MEMBER');
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
    expect((await world.meetingOf(clubId))?.meetingId).toBe(meetingId);
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
    const { clubId, owner, deputy, meeting } = await world.startMeeting();
    const remove = () => service.call('remove', owner, { clubId, userId: deputy.userId });
    const { call } = await world.boot({ faults: [justBefore(at, remove)] });
    expect((await call(route, deputy, { clubId })).outcome).toBe('403 REMOVED_FROM_MEETING');
    expect((await world.meetingOf(clubId))?.meetingId).toBe(meeting.meetingId);
  });

  /** The first write of a start is refused to all but the club's own moderator. */
  const DECIDES = 2;

  it('just after losing a start to another moderator, who removed them: 403', async () => {
    const { clubId, owner, deputy } = await world.createClub();
    const others = async () => {
      await service.call('start', owner, { clubId });
      await service.call('remove', owner, { clubId, userId: deputy.userId });
    };
    const { call } = await world.boot({ faults: [justBefore('UpdateItem', others, DECIDES)] });
    expect((await call('start', deputy, { clubId })).outcome).toBe('403 REMOVED_FROM_MEETING');
  });
});

describe('A readmission that meets a removal from the club', () => {
  it('does not let a former member in', async () => {
    const { clubId, owner, member } = await world.createClub();
    const { userId } = member;
    await service.call('start', owner, { clubId });
    await service.call('remove', owner, { clubId, userId });
    const leave = () => service.manage({ command: 'remove-member', clubId, userId });
    const { call } = await world.boot({ faults: [justBefore('UpdateItem', leave)] });
    expect((await call('readmit', owner, { clubId, userId })).outcome).toBe('404 MEMBER_NOT_FOUND');
    expect((await world.recordOf(clubId)).barredUserIds).toEqual(new Set([userId]));
  });
});

describe('A write that arrives after its request was given up', () => {
  /** Sends the request so that its write is held back, and answers with how to let it arrive. */
  async function giveUp(send: (by: Process) => Promise<unknown>) {
    const { fault, arrive } = late('UpdateItem');
    await send(await world.boot({ faults: [fault] }));
    return async () => {
      const answers = await arrive();
      expect(answers.length, 'requests that arrive late').toBeGreaterThan(0);
    };
  }
  /** So that the end has to put it. */
  async function startWithoutRow(clubId: string, owner: User) {
    const { call } = await world.boot({ faults: [on('PutItem', cut)] });
    await call('start', owner, { clubId });
  }
  type Decision = 'remove' | 'readmit' | 'leave';

  it.each<[string, Decision, Decision[], boolean]>([
    ['a removal bars the person when nothing was decided', 'remove', [], true],
    ['a removal bars no person who was readmitted', 'remove', ['remove', 'readmit'], false],
    ['a removal bars no person who was found not barred', 'remove', ['readmit'], false],
    ['a readmission readmits no person who was removed', 'readmit', ['readmit', 'remove'], true],
    ['a readmission readmits no person who was found barred', 'readmit', ['remove'], true],
    ['remove-member bars no person who was readmitted', 'leave', ['remove', 'readmit'], false],
  ])('of %s since', async (_, givenUp, since, isBarred) => {
    const { clubId, owner, member } = await world.startMeeting();
    const { userId } = member;
    const decide = async (what: Decision, by = service) =>
      what === 'leave'
        ? by.manage({ command: 'remove-member', clubId, userId }).catch(() => 503)
        : (await by.call(what, owner, { clubId, userId })).status;
    if (givenUp === 'readmit') await decide('remove');
    const arrive = await giveUp(async (by) => expect(await decide(givenUp, by)).toBe(503));
    for (const what of since) expect(await decide(what)).toBe(200);
    await arrive();
    expect((await world.recordOf(clubId)).barredUserIds?.has(userId) ?? false).toBe(isBarred);
  });

  it.each(['start', 'end'] as const)(
    'of a %s puts no row that names a forgotten person',
    async (route) => {
      const { clubId, owner, moderator } = await world.startMeeting();
      await service.call('end', moderator, { clubId });
      if (route === 'end') await startWithoutRow(clubId, owner);
      const { fault, arrive } = late('PutItem');
      const { call } = await world.boot({ faults: [fault] });
      expect((await call(route, owner, { clubId })).status).toBe(503);
      const { userId } = moderator;
      await service.manage({ command: 'forget-user', clubId, userId });
      expect((await arrive()).length).toBeGreaterThan(0);
      const rows = await world.itemsOf(clubId, 'MEETING#');
      expect(rows.map(({ endedBy }) => endedBy)).toEqual([null]);
    },
  );

  it.each(['member', 'moderator'] as const)(
    'of the role %s does not override a newer role',
    async (role) => {
      const { clubId, owner, member, deputy } = await world.createClub();
      const { userId } = role === 'moderator' ? member : deputy;
      const give = async (to: string, by = service) =>
        (await by.call('role', owner, { clubId, userId, body: { role: to } })).status;
      const other = role === 'moderator' ? 'member' : 'moderator';
      const arrive = await giveUp(async (by) => expect(await give(role, by)).toBe(503));
      expect(await give(other)).toBe(200);
      await arrive();
      const [item] = await world.itemsOf(clubId, `MEMBER#${userId}`);
      expect(item).toMatchObject({ role: other });
    },
  );

  it.each([
    ['a role does not apply to a member who left and came back since', 'member'],
    ['a role applies when nothing was decided since', 'moderator'],
  ])('of %s', async (_, role) => {
    const { clubId, owner, member } = await world.createClub();
    const { userId } = member;
    const target = { clubId, userId, body: { role: 'moderator' } };
    const arrive = await giveUp(async (by) =>
      expect((await by.call('role', owner, target)).status).toBe(503),
    );
    if (role === 'member') {
      await service.manage({ command: 'remove-member', clubId, userId });
      await service.manage({ command: 'put-member', clubId, userId });
    }
    await arrive();
    expect(await world.itemsOf(clubId, `MEMBER#${userId}`)).toMatchObject([{ role }]);
  });
});

describe('A write whose answer is lost, and which the SDK sends again,', () => {
  it('is answered as if it had been sent once', async () => {
    const { clubId, owner, member } = await world.startMeeting();
    const target = { clubId, userId: member.userId };
    const lossy = () => world.boot({ faults: [once('UpdateItem', loseAnswer)] });
    const removal = await (await lossy()).call('remove', owner, target);
    expect(removal.body).toMatchObject({ success: true, isBarred: true });
    const readmission = await (await lossy()).call('readmit', owner, target);
    expect(readmission.body).toEqual({ success: true, wasBarred: true });
    const body = { role: 'moderator' };
    const promotion = await (await lossy()).call('role', owner, { ...target, body });
    expect(promotion.body).toMatchObject({ success: true, role: 'moderator' });
  });
});

describe('Two moderators at once', () => {
  it('who give a person different roles give one after the other', async () => {
    const { clubId, owner, member } = await world.createClub();
    const { userId } = member;
    const give = (by: Process, role: string) =>
      by.call('role', owner, { clubId, userId, body: { role } });
    const faults = [justBefore('UpdateItem', () => give(service, 'member'))];
    expect((await give(await world.boot({ faults }), 'moderator')).status).toBe(200);
    const [item] = await world.itemsOf(clubId, `MEMBER#${userId}`);
    expect(item).toMatchObject({ role: 'moderator' });
  });

  it('who bar different people bar both', async () => {
    const { clubId, owner, moderator, member, other } = await world.startMeeting();
    const others = () => service.call('remove', owner, { clubId, userId: other.userId });
    const { call } = await world.boot({ faults: [justBefore('UpdateItem', others)] });
    const { status } = await call('remove', moderator, { clubId, userId: member.userId });
    expect(status).toBe(200);
    const { barredUserIds } = await world.recordOf(clubId);
    expect(barredUserIds).toEqual(new Set([member.userId, other.userId]));
  });

  it('where one removes the other: the removed one decides nothing more', async () => {
    const { clubId, owner, moderator, deputy, member } = await world.startMeeting();
    for (const route of ['remove', 'readmit'] as const) {
      const target = { clubId, userId: member.userId };
      if (route === 'readmit') await service.call('remove', owner, target);
      const removesThem = () =>
        service.call('remove', moderator, { clubId, userId: deputy.userId });
      const { call } = await world.boot({ faults: [justBefore('UpdateItem', removesThem)] });
      expect((await call(route, deputy, target)).outcome, route).toBe('403 REMOVED_FROM_MEETING');
      await service.call('readmit', owner, { clubId, userId: deputy.userId });
    }
  });

  async function clubWithMember() {
    const club = await world.createClub();
    const { body } = await service.call('start', club.owner, club);
    await world.standIn.join(body.roomName, { identity: club.member.userId });
    return { ...club, target: about(club, club.member) };
  }
  const disconnect = { body: { allowRejoin: true } };

  it('who remove and disconnect a person: the second one sees the bar of the first', async () => {
    const { owner, moderator, target } = await clubWithMember();
    const answers: unknown[] = [];
    const removes = async () => answers.push((await service.call('remove', owner, target)).body);
    const { call } = await world.boot({ faults: [justBefore('RemoveParticipant', removes)] });
    answers.push((await call('remove', moderator, { ...target, ...disconnect })).body);
    expect(answers).toEqual([
      { success: true, wasPresent: true, isBarred: true, effective: 'now' },
      { success: true, wasPresent: false, isBarred: true, effective: 'now' },
    ]);
  });

  it('who disconnect and then remove a person: the first one sees no bar', async () => {
    const { owner, moderator, target } = await clubWithMember();
    const answers: unknown[] = [];
    const removes = async () => answers.push((await service.call('remove', owner, target)).body);
    const { call } = await world.boot({ faults: [justAfter('RemoveParticipant', removes)] });
    answers.push((await call('remove', moderator, { ...target, ...disconnect })).body);
    expect(answers).toEqual([
      { success: true, wasPresent: false, isBarred: true, effective: 'now' },
      { success: true, wasPresent: true, isBarred: false, effective: 'now' },
    ]);
  });

  it('who disconnect a person while the meeting ends: 409, since it is over', async () => {
    const { clubId, owner, moderator, target } = await clubWithMember();
    const ends = () => service.call('end', owner, { clubId });
    const { call } = await world.boot({ faults: [justBefore('RemoveParticipant', ends)] });
    const { outcome } = await call('remove', moderator, { ...target, ...disconnect });
    expect(outcome).toBe('409 MEETING_NOT_ACTIVE');
  });
});
