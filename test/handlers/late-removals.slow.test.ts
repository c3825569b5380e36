/** A write that was given up arrives after its club was removed, or its person forgotten: the cleanup deletes it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createClubAdministration } from '../../lib/dynamodb/administration.ts';
import { openTable } from '../../lib/dynamodb/table.ts';
import { justAfter, late, on, throttling } from '../harness/faults.ts';
import type { User } from '../harness/issuer.ts';
import type { Process } from '../harness/process.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot({ env: { MODERATOR_GRANTS: 'full' } });
beforeEach(() => world.sendWebhooksTo(undefined));

const removeClub = ({ clubId }: TestClub) => service.manage({ command: 'remove-club', clubId });
const forget = ({ clubId }: TestClub, { userId }: User) =>
  service.manage({ command: 'forget-user', clubId, userId });
const join = (roomName: string, { userId }: User) =>
  world.standIn.join(roomName, { identity: userId });

/** The scheduled cleanup, so many minutes from now. */
const cleanUpAfter = async (minutes: number, faults: Parameters<typeof on>[1][] = []) => {
  const now = () => new Date(Date.now() + minutes * 60_000);
  const { cleanUp } = await world.boot({ now, faults });
  return cleanUp();
};

const notesOf = async ({ clubId }: TestClub) => {
  const noted = await createClubAdministration(openTable(world.database)).listRemovals('9', 100);
  return noted.filter((removal) => removal.clubId === clubId);
};

/** Sends what is given up, removes, and lets the held write arrive. */
async function arrivesLate(
  operation: string,
  send: (by: Process) => Promise<unknown>,
  remove: () => Promise<unknown>,
): Promise<void> {
  const { fault, arrive } = late(operation);
  const slow = await world.boot({ faults: [fault], env: { MODERATOR_GRANTS: 'full' } });
  await send(slow);
  await world.sendWebhooksTo(undefined);
  await remove();
  const answers = await arrive();
  expect(answers.length, 'requests that arrive late').toBeGreaterThan(0);
}

/** LiveKit's events about the act reach the process that gives up. */
const withEvents = (act: () => Promise<unknown>) => async (slow: Process) => {
  // As if it had been answered: LiveKit would repeat it for 15 s.
  await world.sendWebhooksTo({
    post: async (event) => ({ ...(await slow.post(event)), status: 200 }),
  });
  await act();
  await world.standIn.webhooks.settled();
};

async function meetingOf(club: TestClub) {
  await world.sendWebhooksTo(service);
  const { body } = await service.call('start', club.owner, club);
  await world.standIn.webhooks.settled();
  return body;
}

type Given = (club: TestClub) => Promise<(slow: Process) => Promise<unknown>>;
/** Each is a write that makes an item, and that no condition on this item can make harmless. */
const OF_A_CLUB: [name: string, operation: string, Given][] = [
  [
    'the row of the meeting before, put by a start',
    'PutItem',
    async (club) => {
      await service.call('start', club.owner, club);
      await service.call('end', club.owner, club);
      return ({ call }) => call('start', club.owner, club);
    },
  ],
  [
    'a new member',
    'UpdateItem',
    async ({ clubId }) =>
      ({ manage }) =>
        manage({ command: 'put-member', clubId, userId: 'zoe' }).catch(() => undefined),
  ],
  [
    'the note of a room',
    'UpdateItem',
    async (club) => withEvents(() => service.call('start', club.owner, club)),
  ],
  [
    'the session of a join',
    'UpdateItem',
    async (club) => {
      const { roomName } = await meetingOf(club);
      return withEvents(() => join(roomName, club.member));
    },
  ],
  [
    'what a moderator was granted',
    'PutItem',
    async (club) => {
      await service.call('start', club.owner, club);
      return ({ call }) =>
        call('token', club.moderator, {
          ...club,
          body: { readingClubId: club.clubId, participantName: 'M' },
        });
    },
  ],
];

const OF_A_PERSON: typeof OF_A_CLUB = [
  ...OF_A_CLUB.slice(-2),
  [
    'the session of a departure',
    'UpdateItem',
    async (club) => {
      const { roomName } = await meetingOf(club);
      await join(roomName, club.moderator);
      await world.standIn.webhooks.settled();
      return withEvents(() => world.media.removeParticipant(roomName, club.moderator.userId));
    },
  ],
];

describe('A write that arrives after its club was removed', () => {
  it.each(OF_A_CLUB)(
    '(%s) is deleted when no further write can arrive',
    async (_, operation, given) => {
      const club = await world.createClub();
      await arrivesLate(operation, await given(club), () => removeClub(club));
      expect(await world.leftOf(club.clubId)).not.toEqual([]);
      await cleanUpAfter(14);
      expect(await world.leftOf(club.clubId)).not.toEqual([]);
      await cleanUpAfter(16);
      expect(await world.leftOf(club.clubId)).toEqual([]);
      expect(await notesOf(club)).toEqual([]);
    },
  );

  it('costs the next club of the id nothing', async () => {
    const club = await world.createClub();
    await removeClub(club);
    const { clubId, owner, member } = club;
    await service.manage({ command: 'put-club', clubId, name: 'N', moderatorId: owner.userId });
    await service.manage({ command: 'put-member', clubId, userId: member.userId });
    const { roomName } = await meetingOf(club);
    await join(roomName, member);
    await world.standIn.webhooks.settled();
    await service.call('end', owner, club);
    await world.standIn.webhooks.settled();
    const items = await world.itemsOf(clubId);
    await cleanUpAfter(16);
    expect(await world.itemsOf(clubId)).toEqual(items);
  });
});

describe('A write that arrives after its person was forgotten', () => {
  it.each(OF_A_PERSON)(
    '(%s) is deleted when no further write can arrive',
    async (what, operation, given) => {
      const club = await world.createClub();
      const person = what.includes('session of a join') ? club.member : club.moderator;
      await arrivesLate(operation, await given(club), () => forget(club, person));
      expect(await world.tracesOf(club, person)).not.toEqual([]);
      await cleanUpAfter(16);
      expect(await world.tracesOf(club, person)).toEqual([]);
      expect(await notesOf(club)).toEqual([]);
    },
  );

  it('costs the person nothing of a stay that began since', async () => {
    const club = await world.createClub();
    const { clubId, moderator } = club;
    await forget(club, moderator);
    const { userId } = moderator;
    await service.manage({ command: 'put-member', clubId, userId, role: 'moderator' });
    const { roomName } = await meetingOf(club);
    const body = { readingClubId: clubId, participantName: 'M' };
    expect((await service.call('token', moderator, { clubId, body })).status).toBe(200);
    await join(roomName, moderator);
    await world.standIn.webhooks.settled();
    const traces = await world.tracesOf(club, moderator);
    expect(traces).toHaveLength(2);
    await cleanUpAfter(16);
    expect(await world.tracesOf(club, moderator)).toEqual(traces);
    expect(await notesOf(club)).toEqual([]);
  });

  it('is deleted after the last time that the person was forgotten', async () => {
    const club = await world.createClub();
    await forget(club, club.member);
    const again = () => forget(club, club.member);
    await cleanUpAfter(16, [justAfter('BatchGetItem', again)]);
    expect(await notesOf(club)).toHaveLength(1);
  });
});

describe('A repetition that fails', () => {
  it('is noted still, fails the run, and succeeds at the next one', async () => {
    const club = await world.createClub();
    await forget(club, club.member);
    await expect(cleanUpAfter(16, [on('DeleteItem', throttling)])).rejects.toThrow(
      'could not be put right',
    );
    expect(await notesOf(club)).toHaveLength(1);
    await cleanUpAfter(16);
    expect(await notesOf(club)).toEqual([]);
  });
});
