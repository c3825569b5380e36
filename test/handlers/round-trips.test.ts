/** What each request costs, counted at the wire: the table of the design. */
import { describe, expect, it } from 'vitest';
import { cut, edit, on } from '../harness/faults.ts';
import type { User } from '../harness/issuer.ts';
import { type BootOptions, later } from '../harness/process.ts';
import type { CallOptions, Route } from '../harness/routes.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();

/** As `costOf`; what goes side by side is in alphabetical order: the first two, the room and the row. */
async function stepsOf(...[route, club, options]: Parameters<typeof costOf>) {
  const [status, first, second, ...rest] = (await costOf(route, club, options)).split(' ');
  const row = rest.findIndex(
    (name, index) => name === 'PutItem' && rest[index + 1] === 'CreateRoom',
  );
  if (row >= 0) rest.splice(row, 2, 'CreateRoom', 'PutItem');
  return [status, ...[first, second].toSorted(), ...rest].join(' ');
}

/** What a warm process answers to one call, and what it asks for. */
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
  const { status } = await call(route, who, { clubId, body });
  return [status, ...wire.operations()].join(' ');
}

const start = (club: TestClub) => world.call('start', club.moderator, club);
const end = (club: TestClub) => world.call('end', club.moderator, club);

describe('A token costs', () => {
  it('one read, and nothing of LiveKit, while the room was made sure of within thirty seconds', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await costOf('token', club, { who: club.member })).toBe('200 BatchGetItem');
  });

  it('one write and one room more when no event has reported the room', async () => {
    const club = await world.createClub();
    await start(club);
    const inDoubt = { ...later(31_000), who: club.member };
    expect(await costOf('token', club, inDoubt)).toBe('200 BatchGetItem UpdateItem CreateRoom');
    expect(await costOf('token', club, inDoubt)).toBe('200 BatchGetItem');
  });

  it('one more read when its room is younger than ten seconds', async () => {
    const club = await world.createClub();
    const { roomName } = (await start(club)).body;
    await world.media.deleteRoom(roomName);
    const body = { readingClubId: club.clubId, roomMissing: true };
    expect(await costOf('token', club, { ...later(3_000), who: club.member, body })).toBe(
      '200 BatchGetItem UpdateItem CreateRoom GetItem',
    );
  });

  it('a write and a read more for a moderator, once a meeting, where it grants something', async () => {
    const club = await world.createClub();
    await start(club);
    const full = { env: { MODERATOR_GRANTS: 'full' } };
    expect(await costOf('token', club, full)).toBe('200 BatchGetItem PutItem BatchGetItem');
    expect(await costOf('token', club, full)).toBe('200 BatchGetItem');
    expect(await costOf('token', club, { who: club.owner })).toBe('200 BatchGetItem');
  });

  it('one more question to LiveKit when the room counts as full', async () => {
    const club = await world.createClub();
    await start(club);
    const full = on(
      'CreateRoom',
      edit((room) => ({ ...room, num_participants: 50 })),
    );
    const inDoubt = { ...later(31_000), faults: [full], who: club.member };
    expect(await costOf('token', club, inDoubt)).toBe(
      '200 BatchGetItem UpdateItem CreateRoom ListParticipants',
    );
  });

  it('one read and nothing of LiveKit while no meeting is on', async () => {
    const club = await world.createClub();
    expect(await costOf('token', club)).toBe('409 BatchGetItem');
  });
});

describe('A start costs', () => {
  it('the club’s own moderator two round trips: a claim beside the read, a room, a note', async () => {
    const club = await world.createClub();
    expect(await stepsOf('start', club, { who: club.owner })).toBe(
      '200 BatchGetItem UpdateItem CreateRoom UpdateItem',
    );
  });

  it('no more round trips after an earlier meeting, whose row it puts beside the room', async () => {
    const club = await world.createClub();
    await start(club);
    await end(club);
    expect(await stepsOf('start', club, { who: club.owner })).toBe(
      '200 BatchGetItem UpdateItem CreateRoom PutItem UpdateItem',
    );
  });

  it('any other moderator one write more: their claim needs the read', async () => {
    const club = await world.createClub();
    expect(await stepsOf('start', club)).toBe(
      '200 BatchGetItem UpdateItem UpdateItem CreateRoom UpdateItem',
    );
  });

  it('a claim that is refused when the meeting is on', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await stepsOf('start', club, later(11_000))).toBe(
      '200 BatchGetItem UpdateItem CreateRoom',
    );
  });

  it('an outsider a claim that is refused, and nothing of LiveKit', async () => {
    const club = await world.createClub();
    const { member } = await world.createClub();
    expect(await stepsOf('start', club, { who: member })).toBe('403 BatchGetItem UpdateItem');
  });
});

describe('An end costs', () => {
  it('one read, one write and one deletion for the first meeting', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await costOf('end', club)).toBe('200 BatchGetItem UpdateItem DeleteRoom');
  });

  it('no more from the second meeting on: the start has put the earlier meeting’s row', async () => {
    const club = await world.createClub();
    for (const step of [start, end, start]) await step(club);
    expect(await costOf('end', club)).toBe('200 BatchGetItem UpdateItem DeleteRoom');
  });

  it('one more write when the start has not', async () => {
    const club = await world.createClub();
    for (const step of [start, end]) await step(club);
    const { call } = await world.boot({ faults: [on('PutItem', cut)] });
    await call('start', club.owner, club);
    expect(await costOf('end', club)).toBe('200 BatchGetItem PutItem UpdateItem DeleteRoom');
  });

  it('no write when it is repeated', async () => {
    const club = await world.createClub();
    for (const step of [start, end]) await step(club);
    expect(await costOf('end', club)).toBe('200 BatchGetItem DeleteRoom');
  });

  it('one more read when it names a meeting before the last', async () => {
    const club = await world.createClub();
    const { meetingId } = (await start(club)).body;
    for (const step of [end, start, end]) await step(club);
    expect(await costOf('end', club, { body: { meetingId } })).toBe(
      '200 BatchGetItem GetItem DeleteRoom',
    );
  });
});

describe('A status costs', () => {
  it('one read and nothing of LiveKit while no meeting is on', async () => {
    const club = await world.createClub();
    expect(await costOf('status', club)).toBe('200 BatchGetItem');
    for (const step of [start, end]) await step(club);
    expect(await costOf('status', club)).toBe('200 BatchGetItem');
  });

  it('one read and two questions to LiveKit while one is on', async () => {
    const club = await world.createClub();
    await start(club);
    expect(await costOf('status', club)).toBe('200 BatchGetItem ListRooms ListParticipants');
  });

  it('one read and one question to LiveKit while its room does not exist', async () => {
    const club = await world.createClub();
    const { roomName } = (await start(club)).body;
    await world.media.deleteRoom(roomName);
    expect(await costOf('status', club)).toBe('200 BatchGetItem ListRooms');
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
