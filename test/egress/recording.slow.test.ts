/** Recording by the API, on a real server with real voices, by the development recorder. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { joinAs } from '../harness/people.ts';
import type { Process } from '../harness/process.ts';
import { isMissing, startWorld, type TestClub, type World } from '../harness/world.ts';
import { decode } from './sound.ts';

const MINUTE_MS = 60_000;

describe.skipIf(isMissing('server'))('A meeting on a real server', { timeout: 120_000 }, () => {
  let world: World;
  let service: Process;
  beforeAll(async () => {
    world = await startWorld({ kind: 'server', isRecorded: true });
    service = await world.boot();
    await world.sendWebhooksTo(service);
    await world.recorder.ready();
  });
  afterAll(async () => {
    await world?.close();
  });

  let club: TestClub & { meetingId: string };
  beforeEach(async () => {
    const made = await world.createClub();
    const { body } = await service.call('start', made.moderator, made);
    club = { ...made, meetingId: body.meetingId };
  });

  const later = (ms: number) => world.boot({ now: () => new Date(Date.now() + ms) });
  const join = async (who = club.member) => {
    const { body } = await service.call('token', who, { clubId: club.clubId });
    return joinAs(world.livekit.wsUrl, body.token);
  };
  const record = () => service.call('recordingStart', club.moderator, club);
  const claim = async () => (await world.recordOf(club.clubId)).recording;
  const list = async () => (await service.call('recordings', club.member, club)).body.recordings;
  const isActive = () =>
    eventually(
      async () => ((await claim())?.state === 'active' ? true : undefined),
      'not active',
      10_000,
    );
  const isOver = () =>
    eventually(
      async () => {
        const all = await list();
        const isClosed = all.every(
          ({ state }) => !['starting', 'active', 'stopping'].includes(state),
        );
        return isClosed && !(await claim()) ? all : undefined;
      },
      'still on',
      20_000,
    );
  const download = async (recordingId: string) => {
    const { body } = await service.call('recordingDownload', club.moderator, {
      ...club,
      recordingId,
    });
    const response = await fetch(body.url);
    expect(response.status).toBe(200);
    return decode(Buffer.from(await response.arrayBuffer()));
  };

  test('is recorded with everybody’s voice, and the right people get the file', async () => {
    const [ann, bob] = await Promise.all([join(), join(club.other)]);
    await Promise.all([ann.speak(440), bob.speak(1_200)]);
    const { status, body } = await record();
    expect(status).toBe(200);
    await isActive();
    const activeAt = Date.now();
    await sleep(15_000);
    await service.call('recordingStop', club.moderator, club);
    const seconds = (Date.now() - activeAt) / 1000;
    expect(await isOver()).toMatchObject([{ state: 'completed' }]);
    await Promise.all([ann.leave(), bob.leave()]);

    const [recording] = await list();
    const sound = await download(body.recordingId);
    expect(Math.abs(sound.seconds - seconds)).toBeLessThan(1.5);
    expect(Math.abs(sound.seconds - (recording?.durationSeconds ?? 0))).toBeLessThan(1.5);
    expect(sound.loudness(440, 3, 12)).toBeGreaterThan(0.1);
    expect(sound.loudness(1_200, 3, 12)).toBeGreaterThan(0.1);
    expect(sound.loudness(700, 3, 12)).toBeLessThan(0.01);

    const file = { ...club, recordingId: body.recordingId };
    const away = await world.createClub();
    for (const who of [club.outsider, away.member, away.owner, club.member]) {
      expect((await service.call('recordingDownload', who, file)).status).toBe(403);
    }
  });

  test('that ends while it is recorded leaves a complete file', async () => {
    const ann = await join();
    await ann.speak(440);
    const { body } = await record();
    await isActive();
    await sleep(4_000);
    await service.call('end', club.moderator, club);
    expect(await isOver()).toMatchObject([{ state: 'completed' }]);
    const sound = await download(body.recordingId);
    expect(sound.seconds).toBeGreaterThan(3);
    expect(sound.loudness(440, 1.5, 3)).toBeGreaterThan(0.1);
  });

  test('is recorded once, however many ask for it', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, record));
    expect(new Set(answers.map(({ body }) => body.recordingId)).size).toBe(1);
    await isActive();
    const inRoom = await world.media.listParticipants(
      (await world.recordOf(club.clubId)).meeting?.roomName ?? '',
    );
    expect(inRoom).toHaveLength(1);
    await service.call('recordingStop', club.moderator, club);
    expect(await isOver()).toMatchObject([{ state: 'completed' }]);
  });

  test('whose recorder is killed is said to be lost by the second cleanup, and recorded again', async () => {
    const ann = await join();
    await record();
    await isActive();
    await world.recorder.kill();
    // LiveKit keeps it in the room for 20 s.
    await sleep(22_000);
    await service.cleanUp();
    expect((await claim())?.state).toBe('active');
    await (await later(MINUTE_MS)).cleanUp();
    expect(await list()).toMatchObject([{ state: 'lost', bytes: null }]);
    await world.recorder.restart();
    expect((await record()).status).toBe(200);
    await isActive();
    await service.call('recordingStop', club.moderator, club);
    expect((await isOver()).map(({ state }) => state)).toEqual(['lost', 'completed']);
    await ann.leave();
  });

  test('without a recorder is answered so after LiveKit’s 21 to 24 s, and not claimed', async () => {
    await world.recorder.stop();
    const askedAt = Date.now();
    const { status, body } = await record();
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'RECORDING_UNAVAILABLE' });
    const seconds = (Date.now() - askedAt) / 1000;
    expect(seconds).toBeGreaterThan(18);
    expect(seconds).toBeLessThan(27);
    expect(await claim()).toBeUndefined();
    expect(await list()).toMatchObject([{ state: 'failed' }]);
    await world.recorder.restart();
  });

  test('that everybody left is recorded no longer', async () => {
    const ann = await join();
    await record();
    await isActive();
    await ann.leave();
    // The room list's count lags by five seconds.
    await sleep(6_000);
    await service.cleanUp();
    await (await later(MINUTE_MS)).cleanUp();
    expect(await isOver()).toMatchObject([{ state: 'completed' }]);
    expect((await world.recordOf(club.clubId)).meeting?.meetingId).toBe(club.meetingId);
  });
});
