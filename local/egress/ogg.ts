/**
 * Opus in Ogg: https://www.rfc-editor.org/rfc/rfc3533 and https://www.rfc-editor.org/rfc/rfc7845.
 * A page a second, so that a player can seek.
 */

export const SAMPLE_RATE = 48_000;
/** 20 ms. */
export const PACKET_SAMPLES = 960;
/** What libopus adds before the first sample; players skip it. */
const PRE_SKIP = 312;
const PACKETS_A_PAGE = SAMPLE_RATE / PACKET_SAMPLES;
const SERIAL = 1;

const FIRST = 0x02;
const LAST = 0x04;

/** Turns packets into the bytes of a file: `header`, then what `add` returns, then what `end` returns. */
export function createOggWriter() {
  let sequence = 0;
  let samples = 0;
  let packets: Buffer[] = [];

  function page(content: Buffer[], granule: number, flags: number): Buffer {
    const lacing = Buffer.from(content.flatMap(({ length }) => segmentsOf(length)));
    const head = Buffer.alloc(27);
    head.write('OggS', 0, 'latin1');
    head.writeUInt8(flags, 5);
    head.writeBigInt64LE(BigInt(granule), 6);
    head.writeUInt32LE(SERIAL, 14);
    head.writeUInt32LE(sequence, 18);
    head.writeUInt8(lacing.length, 26);
    sequence += 1;
    const whole = Buffer.concat([head, lacing, ...content]);
    whole.writeUInt32LE(checksum(whole), 22);
    return whole;
  }

  function flush(flags = 0): Buffer {
    const whole = page(packets, samples + PRE_SKIP, flags);
    packets = [];
    return whole;
  }

  return {
    header: (): Buffer => Buffer.concat([page([opusHead()], 0, FIRST), page([opusTags()], 0, 0)]),
    /** @param packet one Opus packet of 20 ms */
    add(packet: Uint8Array): Buffer {
      packets.push(Buffer.from(packet));
      samples += PACKET_SAMPLES;
      return packets.length < PACKETS_A_PAGE ? Buffer.alloc(0) : flush();
    },
    end: (): Buffer => flush(LAST),
  };
}

/** A packet's length in bytes of up to 255; one below 255 ends it. */
function segmentsOf(length: number): number[] {
  return [...Array.from({ length: Math.floor(length / 255) }, () => 255), length % 255];
}

function opusHead(): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 0, 'latin1');
  head.writeUInt8(1, 8); // version
  head.writeUInt8(1, 9); // channels
  head.writeUInt16LE(PRE_SKIP, 10);
  head.writeUInt32LE(SAMPLE_RATE, 12);
  return head;
}

function opusTags(): Buffer {
  const vendor = Buffer.from('reading-club-meetings development recorder');
  const tags = Buffer.alloc(8 + 4 + vendor.length + 4);
  tags.write('OpusTags', 0, 'latin1');
  tags.writeUInt32LE(vendor.length, 8);
  vendor.copy(tags, 12);
  return tags;
}

const POLYNOMIAL = 0x04c1_1db7;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value < 0 ? (value << 1) ^ POLYNOMIAL : value << 1;
  return value >>> 0;
});

/** CRC-32 as in RFC 3533: most significant bit first, no inversion. zlib's is another one. */
function checksum(bytes: Buffer): number {
  let value = 0;
  for (const byte of bytes) value = ((value << 8) ^ (TABLE[(value >>> 24) ^ byte] ?? 0)) >>> 0;
  return value;
}
