/**
 * What a join and a status consume in a meeting of so many people. `FIGURES=1` prints the figures of
 * docs/decisions.md; `npm run test:dynamodb-local -- test/handlers/size.test.ts` gets them from
 * DynamoDB Local.
 */
import { afterAll, expect, it } from 'vitest';
import { LARGEST_MEETING } from '../../lib/config.ts';
import { createClubRepository } from '../../lib/dynamodb/clubs.ts';
import { createPresenceRepository } from '../../lib/dynamodb/presence.ts';
import { tableOn } from '../../lib/dynamodb/table.ts';
import { attendeesJoined } from '../../lib/meetings/livekit-events.ts';
import { documentClient } from '../../local/dynamodb.ts';
import { startTestDatabase } from '../harness/database.ts';
import { clubItem, newMeeting } from '../harness/items.ts';

/** What one partition takes in a second; a club and everything of it is in one. */
const WRITE_UNITS_A_SECOND = 1000;
const READ_UNITS_A_SECOND = 3000;
/** How often each person's page asks for the status. */
const STATUS_EVERY_SECONDS = 5;
/** LiveKit delivers a room's events one after another, each when the one before was answered. */
const FASTEST_ANSWER_MS = 20;

const database = await startTestDatabase();
afterAll(() => database.stop());

interface Consumed {
  ConsumedCapacity?: { CapacityUnits?: number } | { CapacityUnits?: number }[];
}

/** The table, and the capacity that was consumed since the last time that it was asked for. */
function meteredTable() {
  const documents = documentClient(database.endpoint);
  const units = { read: 0, written: 0 };
  documents.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        Object.assign(args.input, { ReturnConsumedCapacity: 'TOTAL' });
        const result = await next(args);
        const { ConsumedCapacity } = result.output as Consumed;
        const kind = /^(Get|BatchGet|Query)/.test(commandName) ? 'read' : 'written';
        for (const { CapacityUnits = 0 } of [ConsumedCapacity ?? []].flat()) {
          units[kind] += CapacityUnits;
        }
        return result;
      },
    { step: 'initialize', priority: 'high' },
  );
  return {
    documents,
    table: tableOn(documents, database.tableName),
    async unitsOf(work: () => Promise<unknown>) {
      Object.assign(units, { read: 0, written: 0 });
      await work();
      return { ...units };
    },
  };
}

/** A meeting that so many people are in, and what the next join and a status consume. */
async function costOf(people: number) {
  const { documents, table, unitsOf } = meteredTable();
  const [clubs, presence] = [createClubRepository(table), createPresenceRepository(table)];
  const clubId = `size-${people}`;
  const meeting = newMeeting(clubId);
  await table.put(clubItem(clubId, 'the-user', meeting));
  const ref = { clubId, meetingId: meeting.meetingId };
  const now = new Date().toISOString();
  const room = { sid: 'RM_123456789012', createdAt: now, observedAt: now };
  await presence.roomStarted(ref, room);
  const sids = Array.from(
    { length: people },
    (_, index) => `PA_${String(index).padStart(12, '0')}`,
  );
  await presence.addPresent(ref, room, sids);

  const { written: joinUnits } = await unitsOf(() =>
    attendeesJoined({ presence }, ref, room, [
      {
        userId: '00000000-0000-4000-8000-000000000000',
        participantSid: 'PA_newcomer0001',
        roomSid: room.sid,
        displayName: 'A person with a name',
        joinedAt: now,
      },
    ]),
  );
  const { read: statusUnits } = await unitsOf(() => clubs.getClubAndMember(clubId, 'the-user'));
  documents.destroy();
  return {
    people,
    joinUnits,
    statusUnits,
    joinsASecond: Math.floor(WRITE_UNITS_A_SECOND / joinUnits),
    statusesASecond: Math.floor(READ_UNITS_A_SECOND / statusUnits),
  };
}

it(`DynamoDB takes the joins and the status requests of ${LARGEST_MEETING} people, and not of three times as many`, async () => {
  const costs: Awaited<ReturnType<typeof costOf>>[] = [];
  for (const people of [50, 500, LARGEST_MEETING, 3 * LARGEST_MEETING])
    costs.push(await costOf(people));
  if (process.env['FIGURES'])
    process.stdout.write(`${costs.map((each) => JSON.stringify(each)).join('\n')}\n`);

  const isEnough = ({ people, joinsASecond, statusesASecond }: (typeof costs)[number]) =>
    joinsASecond >= 1000 / FASTEST_ANSWER_MS && statusesASecond >= people / STATUS_EVERY_SECONDS;
  expect(costs.map(isEnough)).toEqual([true, true, true, false]);
});
