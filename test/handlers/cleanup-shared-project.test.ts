/** Two stages, each with a table of its own, that share one LiveKit project. */
import { describe, expect, it } from 'vitest';
import { on, unavailable } from '../harness/faults.ts';
import { endedMeeting, endedRow } from '../harness/items.ts';
import { eventBody } from '../harness/livekit-events.ts';
import { later, minutes } from '../harness/process.ts';
import { worldOfFile } from '../harness/world.ts';

const ours = await worldOfFile();
const theirs = await worldOfFile({ livekit: ours.livekit });
const [here, there] = await Promise.all([ours.boot(), theirs.boot()]);
// One project has one list of webhook URLs: both stages receive every event.
await ours.sendWebhooksTo({
  post: async (event) => {
    const [answer, other] = await Promise.all([here.post(event), there.post(event)]);
    return answer.status >= other.status ? answer : other;
  },
});

const rooms = async () => (await ours.standIn.rooms()).map(({ name }) => name).sort();

describe('Another stage', () => {
  it('keeps its rooms, whatever this one’s webhooks and cleanups do', async () => {
    const [mine, yours] = [await ours.createClub(), await theirs.createClub()];
    const { body: my } = await here.call('start', mine.owner, mine);
    const { body: your } = await there.call('start', yours.owner, yours);
    await ours.standIn.join(your.roomName, { identity: yours.member.userId });
    await ours.standIn.webhooks.settled();

    for (const minute of [0, 5, 20]) await (await ours.boot(later(minutes(minute)))).cleanUp();
    expect(await rooms()).toEqual([your.roomName]);
    expect((await ours.recordOf(mine.clubId)).lastMeeting?.meetingId).toBe(my.meetingId);
    expect((await theirs.recordOf(yours.clubId)).presentSids?.size).toBe(1);
    expect(await ours.itemsOf(yours.clubId)).toEqual([]);
    expect(await theirs.itemsOf(mine.clubId)).toEqual([]);
  });

  it('has a club of the same id: each one’s meetings are its own', async () => {
    const mine = await ours.createClub();
    const [copied] = await ours.itemsOf(mine.clubId, 'CLUB');
    await theirs.put({ ...copied });
    const { body: my } = await here.call('start', mine.owner, mine);
    const { body: your } = await there.call('start', mine.owner, mine);
    expect(await rooms()).toEqual(expect.arrayContaining([my.roomName, your.roomName]));
    await ours.standIn.join(your.roomName, { identity: mine.owner.userId });
    await ours.standIn.webhooks.settled();

    expect((await ours.recordOf(mine.clubId)).presentSids).toBeUndefined();
    expect((await theirs.recordOf(mine.clubId)).presentSids?.size).toBe(1);

    await here.call('end', mine.owner, mine);
    await here.cleanUp();
    expect(await rooms()).not.toContain(my.roomName);
    expect(await rooms()).toContain(your.roomName);
    // Their end is a zombie to them, and nothing to this one.
    const broken = await theirs.boot({ faults: [on('DeleteRoom', unavailable)] });
    await broken.call('end', mine.owner, mine);
    expect(await here.cleanUp()).toMatchObject({ zombiesDeleted: 0 });
    expect(await rooms()).toContain(your.roomName);
    expect(await there.cleanUp()).toMatchObject({ zombiesDeleted: 1 });
    expect(await rooms()).not.toContain(your.roomName);
  });

  it('has ended meetings: it deletes their stale rooms', async () => {
    const { clubId } = await theirs.createClub();
    const zombie = endedMeeting(clubId);
    await theirs.put(endedRow(clubId, zombie));
    await ours.sendWebhooksTo(undefined);
    await ours.openRoom(zombie.roomName);
    expect(await here.cleanUp()).toMatchObject({ zombiesDeleted: 0 });
    const room = { name: zombie.roomName, sid: 'RM_zombie', createdAtMs: Date.now() };
    const body = eventBody('room_started', { room, at: Date.now() });
    expect((await here.sendWebhook(body)).body).toEqual({ result: 'ignored' });
    expect(await rooms()).toContain(zombie.roomName);
    expect((await there.sendWebhook(body)).body).toEqual({ result: 'zombie-deleted' });
    expect(await rooms()).not.toContain(zombie.roomName);
  });
});

describe('Another application', () => {
  it('keeps rooms that are named as ours, of meetings that this table does not know', async () => {
    const mine = await ours.createClub();
    await here.call('start', mine.owner, mine);
    const lookalikes = [
      endedMeeting(mine.clubId).roomName,
      endedMeeting('no-such-club').roomName,
      'reading-club-lobby',
      'their-room',
    ];
    for (const name of lookalikes) await ours.openRoom(name);
    await ours.standIn.join('their-room', { identity: mine.member.userId });
    for (const stage of [here, there, here]) {
      expect(await stage.cleanUp()).toMatchObject({ zombiesDeleted: 0, failed: 0 });
    }
    expect(await rooms()).toEqual(expect.arrayContaining(lookalikes));
  });
});
