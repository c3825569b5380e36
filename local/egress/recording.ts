/** One recording: joins a room hidden, mixes everybody, writes Ogg/Opus to a file. */
import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AudioStream, type RemoteTrack, Room, RoomEvent, TrackKind } from '@livekit/rtc-node';
import OpusScript from 'opusscript';
import { createMixer, FRAME_SAMPLES } from './mixer.ts';
import { createOggWriter, PACKET_SAMPLES, SAMPLE_RATE } from './ogg.ts';

const BITS_PER_SECOND = 48_000;
const WRITE_EVERY_MS = 200;
/** For frames that are on their way when the recording stops. */
const LAST_FRAMES_MS = 200;
const LEAVE_MS = 1_000;

export interface Recorded {
  path: string;
  startedAtMs: number;
  endedAtMs: number;
  bytes: number;
}

export interface Recording {
  startedAtMs: number;
  /** Settles when the room closed or removed the recorder. */
  sourceClosed: Promise<void>;
  /** Leaves the room and completes the file. */
  finish(): Promise<Recorded>;
}

/** @param path the file; it has this name only once it is complete */
export async function record(
  { wsUrl, token }: { wsUrl: string; token: string },
  path: string,
): Promise<Recording> {
  const room = new Room();
  const streams = new Map<string, Promise<void>>();
  const closed = Promise.withResolvers<void>();
  let isFinished = false;
  room.on(RoomEvent.Disconnected, () => closed.resolve());

  // Tracks that are there already are announced while connecting.
  const early: RemoteTrack[] = [];
  let listen = (track: RemoteTrack): void => void early.push(track);
  room.on(RoomEvent.TrackSubscribed, (track) => listen(track));
  await room.connect(wsUrl, token, { autoSubscribe: true, dynacast: false });

  const startedAtMs = Date.now();
  const mixer = createMixer(startedAtMs);
  listen = (track) => {
    if (track.kind !== TrackKind.KIND_AUDIO) return;
    const push = mixer.addTrack();
    const pump = async () => {
      const frames = new AudioStream(track, {
        sampleRate: SAMPLE_RATE,
        numChannels: 1,
        frameSizeMs: 10,
      });
      for await (const { data } of frames) {
        if (isFinished) break;
        push(data);
      }
    };
    streams.set(
      track.sid ?? '',
      pump().catch(() => undefined),
    );
  };
  early.forEach(listen);

  const writer = await createWriter(`${path}.part`);
  const timer = setInterval(() => writer.write(mixer.take()), WRITE_EVERY_MS);

  return {
    startedAtMs,
    sourceClosed: closed.promise,
    async finish() {
      const endedAtMs = Date.now();
      await delay(LAST_FRAMES_MS);
      clearInterval(timer);
      // With rtc-node 1.1.0 it sometimes never settles: when the server closes the room meanwhile, and on a
      // busy machine. The file does not wait for it.
      await Promise.race([room.disconnect(), closed.promise, delay(LEAVE_MS)]);
      isFinished = true;
      writer.write(mixer.take(endedAtMs));
      await writer.end();
      await rename(`${path}.part`, path);
      const { size } = await stat(path);
      return { path, startedAtMs, endedAtMs, bytes: size };
    },
  };
}

/** Encodes frames of 10 ms, two to a packet, and writes them in order. */
async function createWriter(path: string) {
  const file: FileHandle = await open(path, 'w');
  const opus = new OpusScript(SAMPLE_RATE, 1, OpusScript.Application.AUDIO);
  opus.setBitrate(BITS_PER_SECOND);
  const ogg = createOggWriter();
  let odd: Int16Array | undefined;
  let writing: Promise<unknown> = file.write(ogg.header());

  const append = (bytes: Buffer): void => {
    if (bytes.length > 0) writing = writing.then(() => file.write(bytes));
  };
  const encode = (first: Int16Array, second: Int16Array): void => {
    const pcm = Int16Array.from([...first, ...second]);
    append(ogg.add(opus.encode(Buffer.from(pcm.buffer), PACKET_SAMPLES)));
  };

  return {
    write(frames: Iterable<Int16Array>): void {
      for (const frame of frames) {
        if (odd) encode(odd, frame);
        odd = odd ? undefined : frame;
      }
    },
    async end(): Promise<void> {
      if (odd) encode(odd, new Int16Array(FRAME_SAMPLES));
      append(ogg.end());
      opus.delete();
      await writing;
      await file.close();
    },
  };
}
