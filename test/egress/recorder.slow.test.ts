import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { AccessToken, EgressClient, EgressStatus, RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LiveKit, startLiveKit } from '../../local/livekit/start.ts';
import { type S3, startS3 } from '../../local/s3.ts';
import { eventually } from '../harness/eventually.ts';
import { joinAs } from '../harness/people.ts';
import { isMissing } from '../harness/world.ts';
import { fileIn } from '../livekit/livekits.ts';
import { decode } from './sound.ts';

describe.skipIf(isMissing('server'))('the development recorder', () => {
  let livekit: LiveKit;
  let s3: S3;
  let egress: EgressClient;
  let rooms: RoomServiceClient;

  beforeAll(async () => {
    s3 = await startS3();
    livekit = await startLiveKit({
      env: { ...process.env, LIVEKIT: 'server' },
      hasRecorder: true,
    });
    const { wsUrl, apiKey, apiSecret } = livekit;
    egress = new EgressClient(wsUrl, apiKey, apiSecret, { requestTimeout: 26 });
    rooms = new RoomServiceClient(wsUrl, apiKey, apiSecret);
    await livekit.recorder?.ready();
  });

  afterAll(async () => {
    await livekit?.stop();
    await s3?.stop();
  });

  const join = async (room: string, identity: string) => {
    const token = new AccessToken(livekit.apiKey, livekit.apiSecret, { identity });
    token.addGrant({ room, roomJoin: true });
    return joinAs(livekit.wsUrl, await token.toJwt());
  };

  const start = async (room: string) => {
    const file = fileIn(s3, `recordings/${room}.ogg`);
    return (await egress.startRoomCompositeEgress(room, file, { audioOnly: true })).egressId;
  };

  const ended = (egressId: string) =>
    eventually(
      async () => {
        const [info] = await egress.listEgress({ egressId });
        return info && info.status >= EgressStatus.EGRESS_COMPLETE ? info : undefined;
      },
      'still recording',
      20_000,
    );

  const download = async (key: string) => {
    const client = new AwsClient({ ...s3, service: 's3' });
    const response = await client.fetch(`${s3.endpoint}/${s3.bucket}/${key}`);
    return Buffer.from(await response.arrayBuffer());
  };

  test('records everybody, mixed, into one Ogg file', async () => {
    await rooms.createRoom({ name: 'two-voices', departureTimeout: 60 });
    const [low, high] = await Promise.all([join('two-voices', 'low'), join('two-voices', 'high')]);
    await Promise.all([low.speak(440), high.speak(1_200)]);
    const egressId = await start('two-voices');
    await sleep(6_000);
    high.stopSpeaking();
    await sleep(3_000);
    await egress.stopEgress(egressId);
    const info = await ended(egressId);
    await Promise.all([low.leave(), high.leave()]);

    expect(info).toMatchObject({ status: EgressStatus.EGRESS_COMPLETE, error: '' });
    const [file] = info.fileResults;
    const sound = decode(await download('recordings/two-voices.ogg'));
    expect(Math.abs(sound.seconds - Number(file?.duration) / 1e9)).toBeLessThan(1.5);
    expect(sound.loudness(440, 2, 4)).toBeGreaterThan(0.1);
    expect(sound.loudness(1_200, 2, 4)).toBeGreaterThan(0.1);
    expect(sound.loudness(700, 2, 4)).toBeLessThan(0.01);
    expect(sound.loudness(1_200, 8, 8.8)).toBeLessThan(0.01);
  });

  test('completes the file when the room is deleted', async () => {
    await rooms.createRoom({ name: 'deleted', departureTimeout: 60 });
    const egressId = await start('deleted');
    await eventually(async () => {
      const [info] = await egress.listEgress({ egressId });
      return info?.status === EgressStatus.EGRESS_ACTIVE ? true : undefined;
    }, 'not active');
    await sleep(1_000);
    await rooms.deleteRoom('deleted');
    const info = await ended(egressId);
    expect(info).toMatchObject({
      status: EgressStatus.EGRESS_COMPLETE,
      details: 'End reason: Source closed',
    });
    expect(decode(await download('recordings/deleted.ogg')).seconds).toBeGreaterThan(0.5);
  });

  test('refuses what it cannot do', async () => {
    await rooms.createRoom({ name: 'refused' });
    const video = egress.startRoomCompositeEgress('refused', fileIn(s3, 'recordings/video.ogg'));
    await expect(video).rejects.toMatchObject({ code: 'invalid_argument' });
    const outside = egress.startRoomCompositeEgress('refused', fileIn(s3, '../outside.ogg'), {
      audioOnly: true,
    });
    await expect(outside).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});
