import type { LocalAudioTrack } from 'livekit-client';
import { useEffect, useRef } from 'react';

const SAMPLES = 512;
/** Speech at a usual distance fills most of it. */
const GAIN = 5;

/** How loud the microphone is now. Visual only: users of a screen reader hear their own voice. */
export function LevelMeter({ track }: { track: LocalAudioTrack | undefined }) {
  const bar = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!track) return;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: SAMPLES });
    context.createMediaStreamSource(new MediaStream([track.mediaStreamTrack])).connect(analyser);
    const samples = new Float32Array(SAMPLES);
    let level = 0;
    let frame = requestAnimationFrame(function draw() {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / SAMPLES;
      // Up at once, down slowly.
      level = Math.max(Math.min(1, Math.sqrt(power) * GAIN), level * 0.9);
      bar.current?.style.setProperty('--level', level.toFixed(3));
      frame = requestAnimationFrame(draw);
    });
    return () => {
      cancelAnimationFrame(frame);
      void context.close();
    };
  }, [track]);
  return (
    <span className="level" aria-hidden="true" data-testid="level">
      <span ref={bar} className="level__bar" />
    </span>
  );
}
