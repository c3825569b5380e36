/** What is in an Ogg/Opus file: its duration, and how loud a pitch is. */
import OpusScript from 'opusscript';

const SAMPLE_RATE = 48_000;
const PRE_SKIP = 312;

export interface Sound {
  seconds: number;
  /** The amplitude of a pitch between two moments, 0 to 1. */
  loudness(hertz: number, fromSeconds: number, toSeconds: number): number;
}

/** @throws for a page that is not Ogg's, or a packet that does not decode */
export function decode(file: Buffer): Sound {
  const opus = new OpusScript(SAMPLE_RATE, 1, OpusScript.Application.AUDIO);
  const [, , ...packets] = packetsOf(file);
  const pcm = packets.map((packet) => new Int16Array(new Uint8Array(opus.decode(packet)).buffer));
  opus.delete();
  const samples = Int16Array.from(pcm.flatMap((part) => [...part])).subarray(PRE_SKIP);
  return {
    seconds: samples.length / SAMPLE_RATE,
    loudness: (hertz, from, to) =>
      goertzel(samples.subarray(from * SAMPLE_RATE, to * SAMPLE_RATE), hertz),
  };
}

function packetsOf(file: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let open: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    if (file.toString('latin1', at, at + 4) !== 'OggS') throw new Error(`No page at byte ${at}`);
    const segments = file.readUInt8(at + 26);
    let content = at + 27 + segments;
    for (const length of file.subarray(at + 27, content)) {
      open.push(file.subarray(content, content + length));
      content += length;
      if (length === 255) continue;
      packets.push(Buffer.concat(open));
      open = [];
    }
    at = content;
  }
  return packets;
}

/** https://en.wikipedia.org/wiki/Goertzel_algorithm */
function goertzel(samples: Int16Array, hertz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / SAMPLE_RATE);
  let [one, two] = [0, 0];
  for (const sample of samples) [one, two] = [sample / 32_768 + coefficient * one - two, one];
  const power = one * one + two * two - coefficient * one * two;
  return (2 * Math.sqrt(Math.max(0, power))) / samples.length;
}
