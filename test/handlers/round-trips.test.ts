/** What each request costs, counted at the wire: the table of the design. */
import { describe, expect, it } from 'vitest';
import { cut, edit, on } from '../harness/faults.ts';
import type { User } from '../harness/issuer.ts';
import { type BootOptions, later } from '../harness/process.ts';
import type { CallOptions, Route } from '../harness/routes.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();

/** As `costOf`; what goes side by side is in alphabetical order. */
async function stepsOf(...[route, club, options]: Parameters<typeof costOf>) {
  const { status, asked } = await costOf(route, club, options);
  const [first, second, ...rest] = asked;
  const row = rest.findIndex(
    (name, index) => name === 'PutItem' && rest[index + 1] === 'CreateRoom',
  );
  if (row >= 0) rest.splice(row, 2, 'CreateRoom', 'PutItem');
  return { status, asked: [...[first, second].toSorted(), ...rest] };
}

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

const start = (club: TestClub) => world.call('start', club.moderator, club);
const end = (club: TestClub) => world.call('end', club.moderator, club);

describe('A token costs', () => {
  it('one read, and nothing of LiveKit, while the room was made sure of within thirty seconds', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await costOf('token', club, { who: club.member })).toEqual({
      status: 200,
      asked: ['BatchGetItem'],
    });
  });

  it('one write and one room more when no event has reported the room', async () => {
    const club = await world.createClub();
    await start(club);
    const inDoubt = ['BatchGetItem', 'UpdateItem', 'CreateRoom'];
    for (const asked of [inDoubt, ['BatchGetItem']]) {
      expect(await costOf('token', club, { ...later(31_000), who: club.member })).toEqual({
        status: 200,
        asked,
      });
    }
  });

  it('one more read when its room is younger than ten seconds', async () => {
    const club = await world.createClub();
    const { roomName } = (await start(club)).body;
    await world.media.deleteRoom(roomName);
    const body = { readingClubId: club.clubId, roomMissing: true };
    expect(await costOf('token', club, { ...later(3_000), who: club.member, body })).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'UpdateItem', 'CreateRoom', 'GetItem'],
    });
  });

  it('a write and a read more for a moderator, once a meeting, where it grants something', async () => {
    const club = await world.createClub();
    await start(club);
    const full = { env: { MODERATOR_GRANTS: 'full' } };
    for (const asked of [['BatchGetItem', 'PutItem', 'BatchGetItem'], ['BatchGetItem']]) {
      expect(await costOf('token', club, full)).toEqual({ status: 200, asked });
    }
    const none = { who: club.owner };
    expect(await costOf('token', club, none)).toEqual({ status: 200, asked: ['BatchGetItem'] });
  });

  it('one more question to LiveKit when the room counts as full', async () => {
    const club = await world.createClub();
    await start(club);
    const full = on(
      'CreateRoom',
      edit((room) => ({ ...room, num_participants: 50 })),
    );
    expect(
      await costOf('token', club, { ...later(31_000), faults: [full], who: club.member }),
    ).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'UpdateItem', 'CreateRoom', 'ListParticipants'],
    });
  });

  it('one read and nothing of LiveKit while no meeting is on', async () => {
    const club = await world.createClub();
    expect(await costOf('token', club)).toEqual({ status: 409, asked: ['BatchGetItem'] });
  });
});

describe('A start costs', () => {
  /** The first two go side by side, and so do the room and the history row. */
  const CLAIM = ['BatchGetItem', 'UpdateItem'];

  it('the club’s own moderator two round trips: a claim beside the read, a room, a note', async () => {
    const club = await world.createClub();
    expect(await stepsOf('start', club, { who: club.owner })).toEqual({
      status: 200,
      asked: [...CLAIM, 'CreateRoom', 'UpdateItem'],
    });
  });

  it('no more round trips after an earlier meeting, whose row it puts beside the room', async () => {
    const club = await world.createClub();
    await start(club);
    await end(club);
    expect(await stepsOf('start', club, { who: club.owner })).toEqual({
      status: 200,
      asked: [...CLAIM, 'CreateRoom', 'PutItem', 'UpdateItem'],
    });
  });

  it('any other moderator one write more: their claim needs the read', async () => {
    const club = await world.createClub();
    expect(await stepsOf('start', club)).toEqual({
      status: 200,
      asked: [...CLAIM, 'UpdateItem', 'CreateRoom', 'UpdateItem'],
    });
  });

  it('a claim that is refused when the meeting is on', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await stepsOf('start', club, later(11_000))).toEqual({
      status: 200,
      asked: [...CLAIM, 'CreateRoom'],
    });
  });

  it('an outsider a claim that is refused, and nothing of LiveKit', async () => {
    const club = await world.createClub();
    const { member } = await world.createClub();
    expect(await stepsOf('start', club, { who: member })).toEqual({ status: 403, asked: CLAIM });
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

  it('no more from the second meeting on: the start has put the earlier meeting’s row', async () => {
    const club = await world.createClub();
    for (const step of [start, end, start]) await step(club);
    expect(await costOf('end', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'UpdateItem', 'DeleteRoom'],
    });
  });

  it('one more write when the start has not', async () => {
    const club = await world.createClub();
    for (const step of [start, end]) await step(club);
    const { call } = await world.boot({ faults: [on('PutItem', cut)] });
    await call('start', club.owner, club);
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
    const { call, wire } = await world.boot({ isCold: true });
    await Promise.all(
      [club.owner, club.moderator, club.member].map((who) => call('status', who, club)),
    );
    expect(wire.operations().filter((name) => name === 'GetKeys')).toHaveLength(1);
  });
});
