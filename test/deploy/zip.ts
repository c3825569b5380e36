import { inflateRawSync } from 'node:zlib';

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const DEFLATED = 8;

/**
 * The files of a zip archive without comment, by name: as much of the format as packages have.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function filesOfZip(zip: Buffer): Map<string, Buffer> {
  const end = zip.length - END_BYTES;
  if (zip.readUInt32LE(end) !== END_SIGNATURE) throw new Error('Not a zip archive');
  const files = new Map<string, Buffer>();
  let entry = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const nameBytes = zip.readUInt16LE(entry + 28);
    const name = zip.toString('utf8', entry + ENTRY_BYTES, entry + ENTRY_BYTES + nameBytes);
    const local = zip.readUInt32LE(entry + 42);
    const start =
      local + LOCAL_HEADER_BYTES + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const data = zip.subarray(start, start + zip.readUInt32LE(entry + 20));
    files.set(name, zip.readUInt16LE(entry + 10) === DEFLATED ? inflateRawSync(data) : data);
    entry += ENTRY_BYTES + nameBytes + zip.readUInt16LE(entry + 30) + zip.readUInt16LE(entry + 32);
  }
  return files;
}
