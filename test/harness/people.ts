/** Real people in a real LiveKit room, who speak and hear; made of rtc-node. */
import { FfiRequest } from '@livekit/rtc-ffi-bindings';
import {
  AudioFrame,
  AudioSource,
  AudioStream,
  DisconnectReason,
  dispose,
  LocalAudioTrack,
  type RemoteTrack,
  Room,
  RoomEvent,
  TrackKind,
  type TrackPublication,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import { eventually } from './eventually.ts';

const SAMPLE_RATE = 48_000;
const FRAME_SAMPLES = 480;
/** Of a 16-bit sample: a tone is far above it, what a codec makes of silence far below. */
const AUDIBLE = 1_000;
/** Nothing audible came for this long. */
const SILENCE_MS = 300;

export type Person = Awaited<ReturnType<typeof joinAs>>;

/** Joins as a client does. Throws what the client throws: LiveKit's status is in its message. */
export async function joinAs(wsUrl: string, token: string) {
  const room = new Room();
  let out: { reason: string; at: number } | undefined;
  /** Whose microphones are muted, by the events that this client receives. */
  const muted = new Map<string, boolean>();
  let heardAt = 0;
  room.on(RoomEvent.Disconnected, (reason) => {
    out ??= { reason: DisconnectReason[reason] ?? String(reason), at: performance.now() };
  });
  let renewed: string | undefined;
  room.on(RoomEvent.TokenRefreshed, () => {
    renewed = room.token;
  });
  room.on(RoomEvent.TrackMuted, (_, { identity }) => muted.set(identity, true));
  room.on(RoomEvent.TrackUnmuted, (_, { identity }) => muted.set(identity, false));
  room.on(RoomEvent.TrackSubscribed, (track) => {
    if (track.kind === TrackKind.KIND_AUDIO) void listen(track, () => (heardAt = now()));
  });
  await room.connect(wsUrl, token, { autoSubscribe: true, dynacast: false });

  let track: LocalAudioTrack | undefined;
  let isSpeaking = false;
  return {
    sid: room.localParticipant?.sid ?? '',
    joinedAt: now(),
    isIn: () => out === undefined,
    leave: () => room.disconnect(),

    /** Why and when they were put out. Rejects when they are still in after five seconds. */
    isOut: () => eventually(async () => out, 'still in the room'),

    /** The token that LiveKit gave in place of the first, soon after joining. */
    renewedToken: () => eventually(async () => renewed, 'no fresh token'),

    /** Publishes a microphone with a tone on it, until the end. */
    async speak(hertz = 440): Promise<string> {
      const source = new AudioSource(SAMPLE_RATE, 1);
      track = LocalAudioTrack.createAudioTrack('microphone', source);
      const publication = await room.localParticipant?.publishTrack(
        track,
        new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE }),
      );
      isSpeaking = true;
      const frames = tone(hertz);
      void (async () => {
        while (isSpeaking && out === undefined) await source.captureFrame(frames());
      })();
      return publication?.sid ?? '';
    },
    stopSpeaking() {
      isSpeaking = false;
    },
    /** As a client's own button does. rtc-node 1.1.0 has none, but what is below it does. */
    unmute() {
      const { _ffiClientInstance: ffi } = globalThis;
      ffi?.request(
        new FfiRequest({
          message: {
            case: 'localTrackMute',
            value: { trackHandle: track?.ffi_handle.handle ?? 0n, mute: false },
          },
        }),
      );
    },

    /** Waits until this client receives that the other's microphone is muted, or is not. */
    sees: (identity: string, isMuted: boolean) =>
      eventually(
        async () => (muted.get(identity) === isMuted ? true : undefined),
        `${identity} is ${isMuted ? 'not muted' : 'muted'}`,
      ),
    seesPerson: (identity: string): Promise<TrackPublication[]> =>
      eventually(async () => {
        const person = room.remoteParticipants.get(identity);
        return person && [...person.trackPublications.values()];
      }, `${identity} is not seen`),
    hears: () =>
      eventually(
        async () => (now() - heardAt < SILENCE_MS ? true : undefined),
        'nothing was heard',
      ),
    hearsNothing: () =>
      eventually(
        async () => (now() - heardAt > SILENCE_MS ? true : undefined),
        'something was heard',
      ),
  };
}

/**
 * Frees the clients' native parts, once, at the end of a process. Vitest's workers end without it, and go on
 * to files whose clients would never stop waiting.
 */
export const freePeople = () => dispose();

const now = () => performance.now();

async function listen(track: RemoteTrack, heard: () => void): Promise<void> {
  for await (const frame of new AudioStream(track)) {
    if (frame.data.some((sample) => Math.abs(sample) > AUDIBLE)) heard();
  }
}

/** Ten milliseconds more of a tone, at each call. */
function tone(hertz: number): () => AudioFrame {
  let phase = 0;
  return () => {
    const samples = new Int16Array(FRAME_SAMPLES);
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      samples[i] = 12_000 * Math.sin((2 * Math.PI * hertz * phase++) / SAMPLE_RATE);
    }
    return new AudioFrame(samples, SAMPLE_RATE, 1, FRAME_SAMPLES);
  };
}
