/** A request whose time ran out: what it had asked for is not sent again, and undoes nothing later. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { once, silence } from '../harness/faults.ts';
import { about } from '../harness/routes.ts';
import { Cut } from '../harness/wire.ts';
import { worldOfFile } from '../harness/world.ts';

/** The function answers for itself half a second before its end. */
const REMAINING_MS = 1_200;
/** Longer than any attempt lasts after which the next one would follow. */
const NEXT_ATTEMPT_MS = 2_000;

const world = await worldOfFile();

async function clubWithMeeting() {
  const club = await world.createClub();
  const service = await world.boot();
  const { body } = await service.call('start', club.owner, club);
  await world.standIn.join(body.roomName, { identity: club.member.userId });
  return { ...club, meeting: body };
}

it('A promotion that DynamoDB did not answer is not written again after a newer demotion', async () => {
  const club = await clubWithMeeting();
  const target = about(club, club.member);
  const slow = await world.boot({ faults: [once('UpdateItem', silence)] });
  const given = await slow.call('role', club.owner, {
    ...target,
    body: { role: 'moderator' },
    remainingMs: REMAINING_MS,
  });
  expect(given).toMatchObject({ status: 503, body: { code: 'TIMED_OUT' } });
  const service = await world.boot();
  await service.call('role', club.owner, { ...target, body: { role: 'member' } });
  await delay(NEXT_ATTEMPT_MS);
  expect(slow.wire.operations().filter((name) => name === 'UpdateItem')).toHaveLength(1);
  const listed = await service.call('participants', club.member, club);
  expect(listed).toMatchObject({ status: 403, body: { code: 'NOT_A_MODERATOR' } });
});

it('A removal that LiveKit did not answer is not sent again after the person was readmitted', async () => {
  const club = await clubWithMeeting();
  const target = about(club, club.member);
  const resetLate = once('RemoveParticipant', async () => {
    await delay(REMAINING_MS);
    throw new Cut();
  });
  const slow = await world.boot({ faults: [resetLate] });
  const given = await slow.call('remove', club.owner, { ...target, remainingMs: REMAINING_MS });
  expect(given).toMatchObject({ status: 503, body: { code: 'TIMED_OUT' } });
  const service = await world.boot();
  await service.call('readmit', club.owner, target);
  await delay(NEXT_ATTEMPT_MS);
  expect(slow.wire.operations().filter((name) => name === 'RemoveParticipant')).toHaveLength(1);
  expect(await world.standIn.departures()).toEqual([]);
});
