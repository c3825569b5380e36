/** LiveKit calls follow meetings, not people: when a token makes sure of the room, and when it does not. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { on, unavailable } from '../harness/faults.ts';
import type { Process } from '../harness/process.ts';
import { type TestClub, type World, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const booted: Process[] = [];
let club: TestClub;
beforeEach(async () => {
  club = await world.createClub();
});
afterEach(() => {
  for (const service of booted.splice(0)) service.wire?.heal();
});

async function boot(options: Parameters<World['boot']>[0] = {}): Promise<Process> {
  const service = await world.boot(options);
  booted.push(service);
  return service;
}

/** A process whose clock is so far ahead. */
const later = (seconds: number) => boot({ now: () => new Date(Date.now() + seconds * 1000) });

async function start(service: Process, { webhooks }: { webhooks: boolean }): Promise<string> {
  await world.sendWebhooksTo(webhooks ? service : undefined);
  const { body } = await service.call('start', club.owner, club);
  await world.standIn.webhooks.settled();
  return body.roomName;
}

const token = (service: Process, body: object = {}) =>
  service.call('token', club.member, {
    clubId: club.clubId,
    body: { readingClubId: club.clubId, ...body },
  });

const roomNames = async () => await world.roomsOf(club.clubId);

const livekitCalls = (...services: Process[]) =>
  services.flatMap(({ wire }) =>
    wire
      .seen()
      .filter(({ side }) => side === 'media')
      .map(({ operation }) => operation),
  );

describe.each([
  ['With webhooks', true],
  ['Without webhooks', false],
])('%s,', (_, webhooks) => {
  it('a thousand tokens from fifty processes within a minute cost at most five LiveKit calls', async () => {
    const processes = await Promise.all(
      Array.from({ length: 50 }, (_, index) => later((index * 60) / 50)),
    );
    const [first] = processes;
    if (!first) throw new Error('No process');
    await start(first, { webhooks });
    for (const { wire } of processes) wire.forget();
    const statuses = new Set<number>();
    const waiting = Array.from({ length: 1000 }, (_, index) => processes[index % 50] ?? first);
    const joinInTurn = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        statuses.add((await token(next)).status);
      }
    };
    await Promise.all(Array.from({ length: 10 }, joinInTurn));
    expect([...statuses]).toEqual([200]);
    expect(livekitCalls(...processes).length).toBeLessThanOrEqual(5);
  }, 120_000);
});

describe('A token makes sure of the room', () => {
  it('when no event was about it for a minute, once in thirty seconds', async () => {
    await start(await boot(), { webhooks: true });
    const service = await later(61);
    service.wire.forget();
    await token(service);
    await token(service);
    expect(livekitCalls(service)).toEqual(['CreateRoom']);
  });

  it('when LiveKit said that the room finished, though it was made sure of a moment ago', async () => {
    const service = await boot();
    const roomName = await start(service, { webhooks: true });
    await world.standIn.finishRoom(roomName);
    await world.standIn.webhooks.settled();
    const soon = await later(3);
    expect((await token(soon)).status).toBe(200);
    expect(await roomNames()).toEqual([roomName]);
  });

  it('when the client says that it is missing, and two seconds have passed', async () => {
    const roomName = await start(await boot(), { webhooks: false });
    await world.sendWebhooksTo(undefined);
    await world.standIn.finishRoom(roomName);
    const soon = await later(3);

    expect((await token(soon)).status).toBe(200);
    expect(await roomNames()).toEqual([]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => token(soon, { roomMissing: true })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await roomNames()).toEqual([roomName]);
    expect(livekitCalls(soon).filter((name) => name === 'CreateRoom')).toHaveLength(1);
  });

  it('again when LiveKit did not answer, and says 503 until then', async () => {
    await start(await boot(), { webhooks: false });
    const service = await later(31);
    const repair = service.wire.set(on('CreateRoom', unavailable));
    expect((await token(service)).body).toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
    repair();
    service.wire.forget();
    expect((await token(service)).status).toBe(200);
    expect(livekitCalls(service)).toEqual(['CreateRoom']);
  });
});

describe('A full meeting', () => {
  it('is recognized by the events; LiveKit is asked at the limit only', async () => {
    const service = await boot({ env: { ROOM_MAX_PARTICIPANTS: '2' } });
    const roomName = await start(service, { webhooks: true });
    for (const people of [0, 1]) {
      service.wire.forget();
      expect((await token(service)).status, `with ${people} in it`).toBe(200);
      expect(livekitCalls(service)).toEqual([]);
      await world.standIn.join(roomName, { identity: `person-${people}` });
      await world.standIn.webhooks.settled();
    }
    service.wire.forget();
    expect((await token(service)).body).toMatchObject({ code: 'MEETING_FULL' });
    expect(livekitCalls(service)).toEqual(['ListParticipants']);
  });
});

it('roomMissing that is no boolean is refused', async () => {
  expect((await token(await boot(), { roomMissing: 'yes' })).body).toMatchObject({
    error: 'roomMissing must be true or false',
  });
});
