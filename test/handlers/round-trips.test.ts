/** What each request costs, counted at the wire: the table of the design. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallOptions, Route } from '../support/calls.ts';
import { edit, on } from '../support/faults.ts';
import type { User } from '../support/issuer.ts';
import { type BootOptions, startWorld, type TestClub, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** What a warm process asks for one call, and what it answers. */
async function costOf(
  route: Route,
  club: TestClub,
  {
    body,
    who = club.moderator,
    ...options
  }: BootOptions & Pick<CallOptions, 'body'> & { who?: User } = {},
) {
  const { call, wire } = await world.boot(options);
  await call('status', club.moderator, { clubId: 'no-such-club' });
  wire.forget();
  const { clubId } = club;
  const { status } = await call(route, who, { clubId, ...(body ? { body } : {}) });
  return { status, asked: wire.operations() };
}

/** A process for which every room of this test was made more than ten seconds ago. */
const later = { now: () => new Date(Date.now() + 11_000) };
const start = (club: TestClub) => world.call('start', club.moderator, club);
const end = (club: TestClub) => world.call('end', club.moderator, club);

describe('A token costs', () => {
  it('one read and one room', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await costOf('token', club, { ...later, who: club.member })).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'CreateRoom'],
    });
  });

  it('a write and a read more for a moderator, once a meeting, since it grants something', async () => {
    const club = await world.createClub();
    await start(club);
    const first = ['BatchGetItem', 'CreateRoom', 'PutItem', 'BatchGetItem'];
    for (const asked of [first, ['BatchGetItem', 'CreateRoom']]) {
      expect(await costOf('token', club, later)).toEqual({ status: 200, asked });
    }
    const none = { ...later, env: { MODERATOR_GRANTS: 'none' }, who: club.owner };
    expect(await costOf('token', club, none)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'CreateRoom'],
    });
  });

  it('one more read when the room is younger than ten seconds', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await costOf('token', club, { who: club.member })).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'CreateRoom', 'GetItem'],
    });
  });

  it('one more question to LiveKit when the room counts as full', async () => {
    const club = await world.createClub();
    await start(club);
    const full = on(
      'CreateRoom',
      edit((room) => ({ ...room, num_participants: 50 })),
    );
    expect(await costOf('token', club, { ...later, faults: [full], who: club.member })).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'CreateRoom', 'ListParticipants'],
    });
  });

  it('one read and nothing of LiveKit while no meeting is on', async () => {
    const club = await world.createClub();
    expect(await costOf('token', club)).toEqual({ status: 409, asked: ['BatchGetItem'] });
  });
});

describe('A start costs', () => {
  it('one read, one write, one room, one second look', async () => {
    const club = await world.createClub();
    expect(await costOf('start', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'UpdateItem', 'CreateRoom', 'GetItem'],
    });
  });

  it('no more after a meeting', async () => {
    const club = await world.createClub();
    await start(club);
    await end(club);
    expect(await costOf('start', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'UpdateItem', 'CreateRoom', 'GetItem'],
    });
  });

  it('no write when the meeting is on', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await costOf('start', club, later)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'CreateRoom'],
    });
  });
});

describe('An end costs', () => {
  it('one read, one write and one deletion for the first meeting', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await costOf('end', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'UpdateItem', 'DeleteRoom'],
    });
  });

  it('one more write from the second meeting on', async () => {
    const club = await world.createClub();
    for (const step of [start, end, start]) await step(club);
    expect(await costOf('end', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'PutItem', 'UpdateItem', 'DeleteRoom'],
    });
  });

  it('no write when it is repeated', async () => {
    const club = await world.createClub();
    for (const step of [start, end]) await step(club);
    expect(await costOf('end', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'DeleteRoom'],
    });
  });

  it('one more read when it names a meeting before the last', async () => {
    const club = await world.createClub();
    const { meetingId } = (await start(club)).body;
    for (const step of [end, start, end]) await step(club);
    expect(await costOf('end', club, { body: { meetingId } })).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'GetItem', 'DeleteRoom'],
    });
  });
});

describe('A status costs', () => {
  it('one read and nothing of LiveKit while no meeting is on', async () => {
    const club = await world.createClub();
    expect(await costOf('status', club)).toEqual({ status: 200, asked: ['BatchGetItem'] });
    for (const step of [start, end]) await step(club);
    expect(await costOf('status', club)).toEqual({ status: 200, asked: ['BatchGetItem'] });
  });

  it('one read and two questions to LiveKit while one is on', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await costOf('status', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'ListRooms', 'ListParticipants'],
    });
  });

  it('one read and one question to LiveKit while its room does not exist', async () => {
    const club = await world.createClub();
    const { roomName } = (await start(club)).body;
    await world.media.deleteRoom(roomName);
    expect(await costOf('status', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'ListRooms'],
    });
  });
});

describe('A cold start costs', () => {
  it('the key set once, however many call at once', async () => {
    const club = await world.createClub();
    const { call, wire } = await world.boot();
    await Promise.all(
      [club.owner, club.moderator, club.member].map((who) => call('status', who, club)),
    );
    expect(wire.operations().filter((name) => name === 'GetKeys')).toHaveLength(1);
  });
});
