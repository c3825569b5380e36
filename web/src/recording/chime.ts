/** Two short tones: up when a recording starts, down when it has ended. */

const TONES_HZ = { start: [587, 880], end: [880, 587] } as const;
const TONE_SECONDS = 0.16;
const LOUDNESS = 0.12;
/** A sound that comes later than that says nothing any more. */
const START_WITHIN_MS = 1_000;

/** @param speakerId the one that plays the meeting, where the browser can choose */
export function chime(which: keyof typeof TONES_HZ, speakerId?: string): void {
  void play(TONES_HZ[which], speakerId).catch(() => undefined);
}

async function play(tonesHz: readonly number[], speakerId?: string): Promise<void> {
  const context: AudioContext & { setSinkId?(id: string): Promise<void> } = new AudioContext();
  try {
    if (!(await isAllowed(context))) return;
    if (speakerId && speakerId !== 'default') await context.setSinkId?.(speakerId);
    const ended = tonesHz.map((hz, index) => {
      const from = context.currentTime + index * TONE_SECONDS;
      const to = from + TONE_SECONDS;
      const oscillator = new OscillatorNode(context, { frequency: hz });
      // Rises and falls: without it, both ends click.
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(LOUDNESS, from + 0.02);
      gain.gain.linearRampToValueAtTime(0, to);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(from);
      oscillator.stop(to);
      return new Promise((resolve) => oscillator.addEventListener('ended', resolve));
    });
    await Promise.all(ended);
  } finally {
    await context.close();
  }
}

/** Where the browser makes no sound before the person has pressed something, `resume` waits for that. */
const isAllowed = (context: AudioContext): Promise<boolean> =>
  Promise.race([
    context.resume().then(() => true),
    new Promise<false>((resolve) => setTimeout(resolve, START_WITHIN_MS, false)),
  ]);
