import { SAMPLE_RATE } from './ogg.ts';

/** 10 ms: the frames that rtc-node delivers. */
export const FRAME_SAMPLES = SAMPLE_RATE / 100;
const FRAME_MS = 10;
/**
 * How far the mix stays behind the clock. Frames of a process that stalls for less than this still reach
 * their place; with 0.4 s a busy machine left holes.
 */
const BEHIND_MS = 3_000;

/** One participant's track: pushes its frames of `FRAME_SAMPLES` samples, 16 bit, mono. */
type Push = (samples: Int16Array) => void;

/**
 * Adds up tracks along one timeline. A track's first frame is placed by the clock, and from then on its
 * frames are counted: placing each by its arrival tears the sound apart.
 */
export function createMixer(startedAtMs: number) {
  /** Sums by frame number, for frames that are not taken yet. */
  const sums = new Map<number, Int32Array>();
  let taken = 0;

  const frameAt = (ms: number): number => Math.max(0, Math.floor((ms - startedAtMs) / FRAME_MS));

  return {
    addTrack(): Push {
      let next: number | undefined;
      return (samples) => {
        // Too late for its place: placed by the clock again.
        if (next === undefined || next < taken) next = Math.max(taken, frameAt(Date.now()));
        const sum = sums.get(next) ?? new Int32Array(FRAME_SAMPLES);
        sums.set(next, sum);
        for (let i = 0; i < FRAME_SAMPLES; i += 1) sum[i] = (sum[i] ?? 0) + (samples[i] ?? 0);
        next += 1;
      };
    },

    /** The frames that are due, in order, silence where no track has any; all up to `untilMs` if given. */
    *take(untilMs = Date.now() - BEHIND_MS): Generator<Int16Array> {
      for (const end = frameAt(untilMs); taken < end; taken += 1) {
        const sum = sums.get(taken);
        sums.delete(taken);
        yield Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => clip(sum?.[i] ?? 0));
      }
    },
  };
}

const clip = (sample: number): number => Math.max(-32_768, Math.min(32_767, sample));
