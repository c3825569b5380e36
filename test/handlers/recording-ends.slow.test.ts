/** However a recording ends at LiveKit, its row says how, its claim goes, and its file is known. */
import { describe, expect, it } from 'vitest';
import { answer, cut, executed, on, once, unavailable } from '../harness/faults.ts';
import { keyOf, MINUTE_MS, type Recorded, stageRecordings } from '../harness/recordings.ts';

const UNKNOWN_ID = '01ARZ3NDEKTSV4RRFFQ69G5FAW';

const stage = await stageRecordings();
const { world, service, clubWithMeeting, record, stop, list, claimOf, rowsOf, filesOf } = stage;
const { hasFiles, sendEgressEvent, isActive, isOver, recorderIn, recording, later } = stage;

/** Cleanups come once a minute. Returns what it asks LiveKit for. */
async function cleanUpAfter(minutes: number): Promise<string[]> {
  const process = await later(minutes * MINUTE_MS);
  await process.cleanUp();
  return process.wire.operations('media');
}

describe('A recording that ends by itself', () => {
  it('is completed when it reaches a limit of the recorder', async () => {
    const club = await recording();
    await world.standIn.recorder.end('limit reached');
    expect(await isOver(club)).toMatchObject([{ state: 'completed', bytes: expect.any(Number) }]);
    expect((await record(club)).status).toBe(200);
    await isActive(club);
    await stop(club);
    expect((await isOver(club)).map(({ state }) => state)).toEqual(['completed', 'completed']);
  });

  it('is failed when its process crashes, and the meeting can be recorded again', async () => {
    const club = await recording();
    await world.standIn.recorder.end('crashed');
    expect(await isOver(club)).toMatchObject([
      { state: 'failed', bytes: null, durationSeconds: null },
    ]);
    await record(club);
    await isActive(club);
    await stop(club);
    expect((await isOver(club)).map(({ state }) => state)).toEqual(['failed', 'completed']);
  });

  it('is aborted when its meeting ends before the recorder came', async () => {
    const club = await clubWithMeeting();
    await world.standIn.recorder.set({ startMs: 300 });
    await record(club);
    await service.call('end', club.moderator, club);
    expect(await isOver(club)).toMatchObject([{ state: 'aborted', bytes: null }]);
    expect(await filesOf(club)).toEqual([]);
  });

  it.each([
    ['failed', 'crashed'],
    ['completed', 'limit reached'],
  ] as const)('is %s by the cleanup, too, when LiveKit’s event is lost', async (state, how) => {
    const club = await recording();
    await world.sendWebhooksTo(undefined);
    await world.standIn.recorder.end(how);
    await recorderIn(club, false);
    if (state === 'completed') await hasFiles(club, 1);
    await service.cleanUp();
    expect(await list(club)).toMatchObject([{ state }]);
    expect(await claimOf(club)).toBeUndefined();
  });

  it('is failed when LiveKit reports it as complete and there is no file', async () => {
    const club = await recording();
    await sendEgressEvent(club, 'COMPLETE');
    expect(await list(club)).toMatchObject([{ state: 'failed', bytes: null }]);
    expect(await claimOf(club)).toBeUndefined();
    await service.call('end', club.moderator, club);
  });
});

describe('A recorder that was killed', () => {
  it('before it recorded is lost within two cleanups: LiveKit never stops saying that it starts', async () => {
    const club = await clubWithMeeting();
    await world.standIn.recorder.set({ startMs: 60_000 });
    await record(club);
    await world.standIn.recorder.kill();
    await service.cleanUp();
    expect((await claimOf(club))?.state).toBe('starting');
    await cleanUpAfter(1);
    expect(await claimOf(club)).toBeUndefined();
    expect(await list(club)).toMatchObject([{ state: 'lost', bytes: null }]);
  });

  it('while it uploads keeps its claim for an hour, since LiveKit says that it uploads', async () => {
    const club = await recording();
    await world.standIn.recorder.set({ uploadMs: 200 });
    await stop(club);
    await recorderIn(club, false);
    await world.standIn.recorder.kill();
    await service.cleanUp();
    await cleanUpAfter(59);
    expect((await claimOf(club))?.state).toBe('stopping');
    await cleanUpAfter(61);
    expect(await claimOf(club)).toBeUndefined();
    expect(await list(club)).toMatchObject([{ state: 'lost', bytes: null }]);
    // LiveKit never stops listing it; it does not belong to the next one.
    expect((await record(club)).status).toBe(200);
    await isActive(club);
    await stop(club);
    await isOver(club);
  });

  it('while it is being stopped is lost by the next cleanup', async () => {
    const club = await recording();
    await world.standIn.recorder.kill();
    expect(await stop(club)).toMatchObject({ status: 202, body: { state: 'stopping' } });
    await service.cleanUp();
    expect(await claimOf(club)).toBeUndefined();
    expect(await list(club)).toMatchObject([{ state: 'lost' }]);
  });

  it('is checked for ten minutes, and then not asked to stop any more', async () => {
    const club = await recording();
    await world.standIn.recorder.kill();
    await stop(club);
    await service.cleanUp();
    // LiveKit lists it for good, and each stop of it takes 3 s.
    const asked = [...(await cleanUpAfter(9))];
    expect(await rowsOf(club)).toMatchObject([{ state: 'lost', activeShard: 'recordings' }]);
    asked.push(...(await cleanUpAfter(11)));
    expect((await rowsOf(club))[0]).not.toHaveProperty('activeShard');
    asked.push(...(await cleanUpAfter(12)));
    expect(asked).toContain('ListEgress');
    expect(asked).not.toContain('StopEgress');
  });
});

describe('A recorder that is missing in the room', () => {
  /** It leaves, as by a lost connection, and goes on recording. */
  const disconnect = async ({ clubId }: { clubId: string }) => {
    const rooms = await world.standIn.rooms();
    const room = rooms.find(({ name }) => name.startsWith(`reading-club-${clubId}-`));
    const recorder = room?.participants.find(({ kind }) => kind === 'EGRESS');
    if (!room || !recorder) throw new Error('There is no recorder');
    await world.standIn.leave(room.name, recorder.sid);
    return () => world.standIn.join(room.name, { identity: recorder.identity, kind: 'EGRESS' });
  };

  it('but returns before the next cleanup is not stopped', async () => {
    const club = await recording();
    const comeBack = await disconnect(club);
    await service.cleanUp();
    expect(await rowsOf(club)).toMatchObject([{ missingSince: expect.any(String) }]);
    await comeBack();
    await cleanUpAfter(1);
    expect((await rowsOf(club))[0]).not.toHaveProperty('missingSince');
    expect((await claimOf(club))?.state).toBe('active');
    // Missing again, it has two cleanups again.
    await disconnect(club);
    await cleanUpAfter(2);
    expect((await claimOf(club))?.state).toBe('active');
    await stop(club);
    await isOver(club);
  });

  it('twice within seconds, as by two cleanups at once, is left alone', async () => {
    const club = await recording();
    await disconnect(club);
    await service.cleanUp();
    await service.cleanUp();
    expect((await claimOf(club))?.state).toBe('active');
    await stop(club);
    await isOver(club);
  });

  it('for two cleanups is stopped, and its file is known', async () => {
    const club = await recording();
    await disconnect(club);
    await service.cleanUp();
    await cleanUpAfter(1);
    expect(await isOver(club)).toMatchObject([{ state: 'completed', bytes: expect.any(Number) }]);
  });
});

describe('A recorder that does not stop', () => {
  it('is not taken for gone while it is in the room', async () => {
    const club = await recording();
    await stop(club, await world.boot({ faults: [on('StopEgress', cut)] }));
    const hanging = await world.boot({
      faults: [
        on(
          'StopEgress',
          answer(408, '{"code":"deadline_exceeded","msg":"request timed out"}', 'application/json'),
        ),
      ],
    });
    await hanging.cleanUp();
    expect((await claimOf(club))?.state).toBe('stopping');
    expect((await list(club))[0]?.state).not.toBe('lost');
    expect(hanging.lines.map(({ message }) => message)).toContain('the recorder does not stop yet');
    await service.cleanUp();
    expect(await isOver(club)).toMatchObject([{ state: 'completed' }]);
  });
});

describe('The end of a recording', () => {
  it('that comes while S3 refuses is left to the cleanup', async () => {
    const club = await recording();
    const refusing = await world.boot({
      faults: [on('ListBucket', answer(403, '<Error><Code>AccessDenied</Code></Error>'))],
    });
    await world.sendWebhooksTo(refusing);
    await stop(club);
    await hasFiles(club, 1);
    await world.standIn.webhooks.settled();
    expect((await claimOf(club))?.state).toBe('stopping');
    await expect(refusing.cleanUp()).rejects.toThrow();
    expect((await claimOf(club))?.state).toBe('stopping');
    await service.cleanUp();
    expect(await isOver(club)).toMatchObject([{ state: 'completed' }]);
  });

  it('that comes while the table does not answer is sent again by LiveKit', async () => {
    const club = await recording();
    const broken = await world.boot({ faults: [on('GetItem', cut)] });
    expect(await sendEgressEvent(club, 'ENDING', {}, broken)).toMatchObject({ status: 503 });
    await stop(club);
    await isOver(club);
  });

  it('that is reported twice, and found by a cleanup as well, changes nothing', async () => {
    const club = await recording();
    await stop(club);
    const [before] = await isOver(club);
    for (const status of ['COMPLETE', 'FAILED', 'ACTIVE', 'STARTING']) {
      expect(await sendEgressEvent(club, status)).toMatchObject({ status: 200 });
    }
    await service.cleanUp();
    expect(await list(club)).toEqual([before]);
    expect(await claimOf(club)).toBeUndefined();
  });

  it.each([
    ['of a file that is not ours', () => ({ fileResults: [{ filename: 'out/a.ogg' }] })],
    ['of a stream', () => ({ fileResults: [] })],
    ['of another room', () => ({ roomName: 'of-another-application' })],
    [
      'of a recording without a row',
      (club: Recorded) => ({
        fileResults: [{ filename: keyOf({ ...club, recordingId: UNKNOWN_ID }) }],
      }),
    ],
  ])('%s is ignored', async (_, aboutOf) => {
    const club = await recording();
    const before = await rowsOf(club);
    expect(await sendEgressEvent(club, 'FAILED', aboutOf(club))).toMatchObject({
      status: 200,
      body: { result: 'ignored' },
    });
    expect(await rowsOf(club)).toEqual(before);
    await stop(club);
    await isOver(club);
  });
});

describe('A recorder that LiveKit gave up, and that starts later', () => {
  /** LiveKit answers that no recorder is free, and one starts anyway. */
  const givenUp = async (withoutEvents = false) => {
    const club = await clubWithMeeting();
    if (withoutEvents) await world.sendWebhooksTo(undefined);
    await world.standIn.recorder.set({ startMs: 400 });
    const process = await world.boot({
      faults: [once('StartRoomCompositeEgress', executed(unavailable))],
    });
    expect((await record(club, process)).status).toBe(503);
    const { body } = await service.call('recordings', club.member, club);
    const [{ recordingId } = { recordingId: '' }] = body.recordings;
    return { ...club, recordingId };
  };

  it('is stopped as soon as LiveKit reports it, and its file is listed', async () => {
    const club = await givenUp();
    expect(await claimOf(club)).toBeUndefined();
    await hasFiles(club, 1);
    await world.standIn.webhooks.settled();
    expect(await list(club)).toMatchObject([{ state: 'completed', bytes: expect.any(Number) }]);
  });

  it('is stopped by the cleanup when LiveKit did not answer the stop', async () => {
    const club = await givenUp();
    const broken = await world.boot({ faults: [on('StopEgress', cut)] });
    await world.sendWebhooksTo(broken);
    await recorderIn(club);
    await world.standIn.webhooks.settled();
    expect(await filesOf(club)).toEqual([]);
    await world.sendWebhooksTo(service);
    await service.cleanUp();
    await hasFiles(club, 1);
    await world.standIn.webhooks.settled();
    expect(await list(club)).toMatchObject([{ state: 'completed' }]);
  });

  it('after its recording was deleted leaves no file', async () => {
    const club = await givenUp(true);
    expect((await service.call('recordingDelete', club.moderator, club)).status).toBe(200);
    await recorderIn(club);
    await service.cleanUp();
    await hasFiles(club, 1);
    await world.sendWebhooksTo(service);
    await cleanUpAfter(11);
    expect(await filesOf(club)).toEqual([]);
    expect(await list(club)).toEqual([]);
    expect((await rowsOf(club))[0]).not.toHaveProperty('activeShard');
  });

  it('does not disturb the recording that came after it', async () => {
    const club = await givenUp();
    await world.standIn.recorder.set({});
    const { body } = await record(club);
    await isActive(club);
    await hasFiles(club, 1);
    await world.standIn.webhooks.settled();
    expect(await claimOf(club)).toMatchObject({ recordingId: body.recordingId, state: 'active' });
    await stop(club);
    expect((await isOver(club)).map(({ state }) => state)).toEqual(['completed', 'completed']);
    expect(await filesOf(club)).toHaveLength(2);
  });
});
