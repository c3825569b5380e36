/** A process dies, or an answer is lost, after each single step: the same request puts it right. */
import { describe, expect, it } from 'vitest';
import { cut, killedAfter, loseAnswer, on, once, silence } from '../harness/faults.ts';
import type { Route } from '../harness/routes.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();

/** How many requests a route makes, counted at the wire and not known beforehand. */
async function stepsOf(route: Route, club: TestClub, who = club.moderator): Promise<string[]> {
  const { call, wire } = await world.boot();
  await call('status', club.member, club); // its cold start
  wire.forget();
  await call(route, who, club);
  return wire.operations().slice();
}

/** The same request by a process that is killed after so many steps. */
async function killed(
  route: Route,
  club: TestClub,
  steps: number,
  who = club.moderator,
): Promise<void> {
  const { call, wire } = await world.boot();
  await call('status', club.member, club);
  wire.set(killedAfter(steps));
  await call(route, who, club);
}

/** A club with two ended meetings, and the answers of their ends. */
async function clubWithHistory() {
  const club = await world.createClub();
  const answered = [];
  for (let round = 0; round < 2; round++) {
    await world.call('start', club.moderator, club);
    answered.push((await world.call('end', club.moderator, club)).body);
  }
  return { club, answered };
}

/** Each ended meeting once, in `lastMeeting` or its row, with exactly the facts of its answers. */
async function expectHistory(
  { clubId }: TestClub,
  answered: { meetingId: string; roomName: string; endedAt: string; duration: number }[],
): Promise<void> {
  const history = await world.historyOf(clubId);
  const facts = history.map(({ meetingId, roomName, endedAt, durationSeconds }) => ({
    success: true,
    meetingId,
    roomName,
    endedAt,
    duration: durationSeconds,
  }));
  const byId = (a: { meetingId: string }, b: { meetingId: string }) =>
    a.meetingId.localeCompare(b.meetingId);
  expect(facts.sort(byId)).toEqual([...answered].sort(byId));
}

/** The club's own moderator claims at once, any other looks at the record first. */
const STARTERS = [
  { starter: 'owner', deciding: 1 },
  { starter: 'moderator', deciding: 2 },
] as const;

describe.each(STARTERS)('start by the $starter, killed', ({ starter, deciding }) => {
  it('after any step, leaves a state that the same request completes: one meeting', async () => {
    const { club: counted } = await clubWithHistory();
    const steps = await stepsOf('start', counted, counted[starter]);
    expect(steps.length).toBeGreaterThan(2);

    for (const [index, step] of ['nothing at all', ...steps].entries()) {
      const { club, answered } = await clubWithHistory();
      await killed('start', club, index, club[starter]);
      const claimed = await world.meetingOf(club.clubId);

      const { status, body } = await world.call('start', club.moderator, club);
      expect(status, step).toBe(200);
      expect(body.alreadyActive, step).toBe(claimed !== undefined);
      expect(body.meetingId, step).toBe(claimed?.meetingId ?? body.meetingId);
      expect((await world.meetingOf(club.clubId))?.meetingId).toBe(body.meetingId);
      await world.expectAgreement(club.clubId);
      await expectHistory(club, answered);
    }
  });

  it.each([
    ['completed by a token as well', 'token', 'member'],
    ['undone by an end', 'end', 'moderator'],
  ] as const)('after any step, is %s', async (_, route, who) => {
    const counted = await world.createClub();
    const steps = await stepsOf('start', counted, counted[starter]);
    for (const [index, step] of steps.entries()) {
      const club = await world.createClub();
      await killed('start', club, index + 1, club[starter]);
      const { meeting } = await world.recordOf(club.clubId);
      const { clubId } = club;
      const { status, body } = await world.call(route, club[who], { clubId });
      expect(status, step).toBe(meeting ? 200 : 409);
      expect(body.roomName, step).toBe(meeting?.roomName);
      const isOn = route === 'token' && meeting !== undefined;
      expect((await world.meetingOf(clubId)) !== undefined, step).toBe(isOn);
      await world.expectAgreement(clubId);
    }
  });

  it.each([
    ['the meeting is', 1],
    ['that one and the next are', 2],
  ])('and its write arrives when %s over: over it stays', async (_, ends) => {
    const club = await world.createClub();
    const { call, wire } = await world.boot();
    await call('status', club.member, club);
    let arrive: () => Promise<unknown> = async () => undefined;
    // Given up after its time and sent again by the SDK, while the first is still on its way.
    wire.set(
      once(
        'UpdateItem',
        (request, pass) => {
          arrive = pass;
          return silence(request, pass);
        },
        deciding,
      ),
    );
    const { body: meeting } = await call('start', club[starter], club);
    let { body: ended } = await world.call('end', club.moderator, club);
    expect(ended.meetingId).toBe(meeting.meetingId);
    for (let next = 1; next < ends; next += 1) {
      await world.call('start', club.moderator, club);
      ({ body: ended } = await world.call('end', club.moderator, club));
    }
    await arrive();
    expect(await world.meetingOf(club.clubId)).toBeUndefined();
    expect((await world.call('end', club.moderator, club)).body).toEqual(ended);
  });
});

describe('end, killed', () => {
  it('after any step, leaves a state that the same request completes: one end', async () => {
    const { club: counted } = await clubWithHistory();
    await world.call('start', counted.moderator, counted);
    const steps = await stepsOf('end', counted);
    expect(steps.length).toBeGreaterThan(2);

    for (const [index, step] of ['nothing at all', ...steps].entries()) {
      const { club, answered } = await clubWithHistory();
      const { body: meeting } = await world.call('start', club.moderator, club);
      await killed('end', club, index);
      const decided = (await world.recordOf(club.clubId)).lastMeeting;

      const { status, body } = await world.call('end', club.moderator, club);
      expect({ status, meetingId: body.meetingId }, step).toEqual({
        status: 200,
        meetingId: meeting.meetingId,
      });
      if (decided?.meetingId === meeting.meetingId) expect(body.endedAt).toBe(decided.endedAt);
      expect(await world.meetingOf(club.clubId)).toBeUndefined();
      await world.expectAgreement(club.clubId);
      await expectHistory(club, [...answered, body]);
    }
  });

  it('after any step, never keeps the club from its next meeting', async () => {
    const { club: counted } = await clubWithHistory();
    await world.call('start', counted.moderator, counted);
    const steps = await stepsOf('end', counted);
    for (const [index, step] of steps.entries()) {
      const { club } = await clubWithHistory();
      const { body: before } = await world.call('start', club.moderator, club);
      await killed('end', club, index + 1);
      const { body } = await world.call('start', club.moderator, club);
      const last = await world.call('end', club.moderator, club);
      expect(last.body.meetingId, step).toBe(body.meetingId);
      // The room of the meeting before may still be up: ending that meeting again deletes it.
      const { meetingId } = before;
      const again = await world.call('end', club.moderator, { ...club, body: { meetingId } });
      expect(again.body, step).toMatchObject({ success: true, meetingId });
      await world.expectAgreement(club.clubId);
    }
  });
});

describe('a request whose answer is lost on the way', () => {
  it('claims: the retry knows its own meeting, and alreadyActive stays false', async () => {
    const club = await world.createClub();
    const { call, wire } = await world.boot({ faults: [once('UpdateItem', loseAnswer)] });
    const { status, body } = await call('start', club.owner, club);
    // The claim and its retry; the note that the room is made; and a claim that is refused, if the record
    // was read before the first.
    const writes = wire.operations().filter((name) => name === 'UpdateItem').length;
    expect([3, 4]).toContain(writes);
    expect({ status, alreadyActive: body.alreadyActive }).toEqual({
      status: 200,
      alreadyActive: false,
    });
    expect((await world.meetingOf(club.clubId))?.meetingId).toBe(body.meetingId);
    await world.expectAgreement(club.clubId);
  });

  it('decides an end: the retry answers the facts that were written the first time', async () => {
    const { club, answered } = await clubWithHistory();
    await world.call('start', club.moderator, club);
    const { call, wire } = await world.boot({ faults: [once('UpdateItem', loseAnswer)] });
    const { status, body } = await call('end', club.moderator, club);
    expect(wire.operations().filter((name) => name === 'UpdateItem')).toHaveLength(2);
    expect(status).toBe(200);
    await expectHistory(club, [...answered, body]);
    await world.expectAgreement(club.clubId);
  });

  it('is of the history row that an end puts when the start has not: it is put once', async () => {
    const { club, answered } = await clubWithHistory();
    const starter = await world.boot({ faults: [on('PutItem', cut)] });
    await starter.call('start', club.moderator, club);
    const { call, wire } = await world.boot({ faults: [once('PutItem', loseAnswer)] });
    const { body } = await call('end', club.moderator, club);
    expect(wire.operations().filter((name) => name === 'PutItem')).toHaveLength(2);
    await expectHistory(club, [...answered, body]);
    await world.expectAgreement(club.clubId);
  });

  it.each([
    ['BatchGetItem', 'end'],
    ['DeleteRoom', 'end'],
    ['BatchGetItem', 'start'],
    ['CreateRoom', 'start'],
    ['PutItem', 'start'],
  ] as const)('is %s of the %s: nothing is different', async (operation, route) => {
    const { club, answered } = await clubWithHistory();
    if (route === 'end') await world.call('start', club.moderator, club);
    const { call, wire } = await world.boot({ faults: [once(operation, loseAnswer)] });
    const { body } = await call(route, club.moderator, club);
    expect(wire.operations().filter((name) => name === operation)).toHaveLength(2);
    expect(body.success).toBe(true);
    if ('alreadyActive' in body) expect(body.alreadyActive).toBe(false);
    else await expectHistory(club, [...answered, body]);
    await world.expectAgreement(club.clubId);
  });
});
