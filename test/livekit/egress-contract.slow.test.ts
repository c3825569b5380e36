/**
 * What the backend may rely on in LiveKit's Egress: on the real server with the development recorder, and
 * on the stand-in alike.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { EgressStatus } from '@livekit/protocol';
import { EgressClient, RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRecorder } from '../../lib/livekit/recorder.ts';
import type { Recorder } from '../../lib/meetings/recording/ports.ts';
import { type LiveKit, startLiveKit } from '../../local/livekit/start.ts';
import { type S3, startS3 } from '../../local/s3.ts';
import { eventually } from '../harness/eventually.ts';
import { isMissing, LIVEKITS } from '../harness/world.ts';
import { fileIn } from './livekits.ts';

describe.each(LIVEKITS)('Egress of a %s', (kind) => {
  describe.skipIf(isMissing(kind))('honours its contract:', { timeout: 60_000 }, () => {
    let livekit: LiveKit;
    let s3: S3;
    let rooms: RoomServiceClient;
    let sdk: EgressClient;
    let recorder: Recorder;
    let sequence = 0;
    /** Tests share a server, never a room. */
    const newName = () => `room-${kind}-${++sequence}`;
    const newRoom = async () => {
      const { name } = await rooms.createRoom({ name: newName(), emptyTimeout: 300 });
      return name;
    };

    beforeAll(async () => {
      s3 = await startS3();
      livekit = await startLiveKit({ env: { ...process.env, LIVEKIT: kind }, hasRecorder: true });
      const { wsUrl, apiKey, apiSecret } = livekit;
      rooms = new RoomServiceClient(wsUrl, apiKey, apiSecret);
      sdk = new EgressClient(wsUrl, apiKey, apiSecret, { requestTimeout: 26 });
      const recordingUpload = {
        accessKey: s3.accessKeyId,
        secret: s3.secretAccessKey,
        region: s3.region,
      };
      recorder = createRecorder(async () => ({ wsUrl, apiKey, apiSecret, recordingUpload }), s3);
      await livekit.recorder?.ready();
    });
    afterAll(async () => {
      await livekit?.stop();
      await s3?.stop();
    });

    const start = async (roomName: string, key = `recordings/${roomName}.ogg`) => {
      const answer = await recorder.start({ roomName, key, audioOnly: true });
      if (answer.outcome !== 'started') throw new Error(answer.outcome, { cause: answer.cause });
      return answer.egress;
    };
    const stateOf = async (roomName: string) => (await recorder.listOf(roomName))[0]?.state;
    const becomes = (roomName: string, state: string) =>
      eventually(
        async () => ((await stateOf(roomName)) === state ? true : undefined),
        `not ${state}`,
        15_000,
      );

    it('starts, is listed by its file, stops, and ends with a duration', async () => {
      const roomName = await newRoom();
      const key = `recordings/${roomName}.ogg`;
      const egress = await start(roomName);
      expect(egress).toMatchObject({ roomName, key, state: 'starting' });
      await becomes(roomName, 'active');
      expect(await recorder.listActive()).toContainEqual(
        expect.objectContaining({ egressId: egress.egressId, key, state: 'active' }),
      );
      const inRoom = await rooms.listParticipants(roomName);
      expect(inRoom.map(({ identity }) => identity)).toEqual([egress.egressId]);
      const [room] = await rooms.listRooms([roomName]);
      expect(room).toMatchObject({ numParticipants: 0 });
      await sleep(1_000);
      expect(await recorder.stop(egress.egressId)).toBe('stopping');
      await becomes(roomName, 'completed');
      const [ended] = await recorder.listOf(roomName);
      expect(ended).toMatchObject({ startedAt: expect.any(String), endedAt: expect.any(String) });
      expect(ended?.durationSeconds).toBeGreaterThanOrEqual(1);
      const active = await recorder.listActive();
      expect(active.map(({ egressId }) => egressId)).not.toContain(egress.egressId);
      // Ended: LiveKit waits for a recorder first.
      expect(await recorder.stop(egress.egressId)).toBe('over');
    });

    it('is aborted when it is stopped before it records', async () => {
      const roomName = await newRoom();
      const egress = await start(roomName);
      expect(await recorder.stop(egress.egressId)).toBe('stopping');
      await eventually(
        async () => {
          const state = await stateOf(roomName);
          return state === 'aborted' || state === 'completed' ? true : undefined;
        },
        'still on',
        15_000,
      );
    });

    it('ends with its room', async () => {
      const roomName = await newRoom();
      await start(roomName);
      await becomes(roomName, 'active');
      await rooms.deleteRoom(roomName);
      await becomes(roomName, 'completed');
    });

    it('records as often as it is asked: one at a time is up to the caller', async () => {
      const roomName = await newRoom();
      await start(roomName, `recordings/${roomName}-1.ogg`);
      await start(roomName, `recordings/${roomName}-2.ogg`);
      expect(await recorder.listOf(roomName)).toHaveLength(2);
      await rooms.deleteRoom(roomName);
    });

    it('answers a missing room with no-room and an empty list, and a missing egress with over', async () => {
      const roomName = newName();
      const key = `recordings/${roomName}.ogg`;
      expect(await recorder.start({ roomName, key, audioOnly: true })).toMatchObject({
        outcome: 'no-room',
      });
      expect(await recorder.listOf(roomName)).toEqual([]);
      expect(await recorder.stop('EG_nobody')).toBe('over');
    });

    it('shows no credentials', async () => {
      const roomName = await newRoom();
      await start(roomName);
      const shown = JSON.stringify((await sdk.listEgress({ roomName })).map((e) => e.toJson()));
      expect(shown).toContain('{access_key}');
      expect(shown).toContain('{secret}');
      expect(shown).not.toContain(s3.secretAccessKey);
      await rooms.deleteRoom(roomName);
    });

    it('fails at its end when the bucket is not there', async () => {
      const roomName = await newRoom();
      const file = fileIn(s3, `recordings/${roomName}.ogg`, 'nowhere');
      const { egressId } = await sdk.startRoomCompositeEgress(roomName, file, { audioOnly: true });
      await becomes(roomName, 'active');
      await recorder.stop(egressId);
      await becomes(roomName, 'failed');
      const [info] = await sdk.listEgress({ egressId });
      expect(info).toMatchObject({ status: EgressStatus.EGRESS_FAILED, errorCode: 400 });
    });

    it('is refused without the grant roomRecord', async () => {
      const { wsUrl, apiKey } = livekit;
      const stranger = createRecorder(
        async () => ({ wsUrl, apiKey, apiSecret: 'another-secret-of-at-least-32-chars' }),
        s3,
      );
      await expect(stranger.listActive()).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
    });

    it('of a killed recorder stays active, and its stop is not answered', async () => {
      const roomName = await newRoom();
      const egress = await start(roomName);
      await becomes(roomName, 'active');
      await (livekit.standIn ? livekit.standIn.recorder.kill() : livekit.recorder?.kill());
      expect(await recorder.stop(egress.egressId)).toBe('unanswered');
      expect(await stateOf(roomName)).toBe('active');
      await livekit.recorder?.restart();
    });

    it('says after a while that there is no recorder', async () => {
      const roomName = await newRoom();
      await (livekit.standIn
        ? livekit.standIn.recorder.set({ isAvailable: false })
        : livekit.recorder?.stop());
      const key = `recordings/${roomName}.ogg`;
      expect(await recorder.start({ roomName, key, audioOnly: true })).toMatchObject({
        outcome: 'refused',
        cause: { code: 'unavailable', status: 503 },
      });
    });
  });
});
