/** Two stages with tables of their own in one LiveKit project. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness/eventually.ts';
import { isMissing } from '../harness/world.ts';
import {
  type Gateway,
  type Media,
  type Service,
  startGateway,
  startMedia,
  startService,
} from './support/service.ts';

/** Longer than any meeting may last. */
const A_DAY_MS = 24 * 3_600_000;

describe.skipIf(isMissing('server'))('Two stages that share a real LiveKit server', () => {
  const gateways: Gateway[] = [];
  let media: Media;
  let one: Service;
  let other: Service;
  beforeAll(async () => {
    const [first, second] = await Promise.all([startGateway(), startGateway()]);
    gateways.push(first, second);
    media = await startMedia(gateways);
    one = await startService(media, first);
    other = await startService(media, second);
  });
  afterAll(async () => {
    await media.stop();
    await one.stop();
    await other.stop();
  });

  const roomNames = async () => (await media.rooms.listRooms()).map(({ name }) => name).sort();

  /** Both stacks have received every event of that type and room so far. */
  const untilBothReceive = (type: string, name: string, count: number) =>
    until(
      () =>
        gateways.every(
          (gateway) =>
            gateway.events().filter((event) => event.type === type && event.roomName === name)
              .length >= count,
        ),
      `both receiving ${type}`,
    );

  it('have clubs of the same id: neither’s cleanup nor webhooks touch the other’s room', async () => {
    const clubId = 'the-same-club';
    const [ours, theirs] = [await one.createClub(clubId), await other.createClub(clubId)];
    const { body: our } = await ours.ann.start(clubId);
    const { body: their } = await theirs.ann.start(clubId);
    const present = await theirs.bob.join(clubId);
    // A room of another application, which looks like one of ours.
    const foreign = `reading-club-${clubId}-01ARZ3NDEKTSV4RRFFQ69G5FAV`;
    await media.rooms.createRoom({ name: foreign });
    await untilBothReceive('participant_joined', their.roomName, 1);
    await untilBothReceive('room_started', foreign, 1);

    expect(await one.cleanUp()).toMatchObject({ active: 1, zombiesDeleted: 0, failed: 0 });
    expect(await other.cleanUp()).toMatchObject({ active: 1, zombiesDeleted: 0, failed: 0 });
    expect(await roomNames()).toEqual([foreign, our.roomName, their.roomName].sort());

    // A day later, but for one of them only: its meeting is over, and the other's goes on.
    expect(await one.cleanUp(A_DAY_MS)).toMatchObject({ active: 1, endedMaxDuration: 1 });
    expect(await roomNames()).toEqual([foreign, their.roomName].sort());
    await untilBothReceive('room_finished', our.roomName, 1);
    expect((await theirs.ann.status(clubId)).body).toMatchObject({
      state: 'live',
      participantCount: 1,
      meetingId: their.meetingId,
    });
    expect((await ours.ann.status(clubId)).body).toMatchObject({ state: 'idle' });

    // Made again, it is a zombie to the one that knows it, and foreign to the other.
    expect(await other.cleanUp()).toMatchObject({ zombiesDeleted: 0 });
    await media.rooms.createRoom({ name: our.roomName });
    await untilBothReceive('room_finished', our.roomName, 2);
    expect(await roomNames()).toEqual([foreign, their.roomName].sort());
    await present.leave();
    await theirs.ann.end(clubId);
  });

  it('leave each other’s stale rooms alone: only the own cleanup deletes them', async () => {
    const { clubId, ann } = await one.createClub();
    const { body: our } = await ann.start(clubId);
    await ann.end(clubId);
    await untilBothReceive('room_finished', our.roomName, 1);
    const [ofOne] = gateways;
    ofOne?.use([]); // From here on its webhooks are unreachable.
    await media.rooms.createRoom({ name: our.roomName });
    const hasReachedOther = () =>
      gateways[1]
        ?.events()
        .filter(({ type, roomName }) => type === 'room_started' && roomName === our.roomName)
        .length === 2;
    await until(
      () => hasReachedOther() ?? false,
      'receiving room_started of the zombie at the other',
    );
    expect(await other.cleanUp()).toMatchObject({ zombiesDeleted: 0, failed: 0 });
    expect(await roomNames()).toContain(our.roomName);
    expect(await one.cleanUp()).toMatchObject({ zombiesDeleted: 1, failed: 0 });
    expect(await roomNames()).not.toContain(our.roomName);
  });
});
