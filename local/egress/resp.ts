/**
 * RESP2, the wire format of Redis, as far as LiveKit and the recorder use it:
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

/** Simple strings and bulk strings both arrive as bytes. */
type Value = Buffer | number | null | RedisError | Value[];

class RedisError extends Error {
  override readonly name = 'RedisError';
}

const CRLF = '\r\n';

export const simple = (text: string): Buffer => Buffer.from(`+${text}${CRLF}`);
export const failure = (text: string): Buffer => Buffer.from(`-${text}${CRLF}`);
export const integer = (value: number): Buffer => Buffer.from(`:${value}${CRLF}`);
export const bulk = (bytes: Uint8Array | string | undefined): Buffer => {
  if (bytes === undefined) return Buffer.from(`$-1${CRLF}`);
  const content = Buffer.from(bytes as Uint8Array);
  return Buffer.concat([Buffer.from(`$${content.length}${CRLF}`), content, Buffer.from(CRLF)]);
};
export const array = (items: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from(`*${items.length}${CRLF}`), ...items]);

/** A command as a client sends it. */
export const command = (...parts: (string | Uint8Array)[]): Buffer => array(parts.map(bulk));

/** Collects bytes and returns the values that are complete. */
export function createParser(): (chunk: Buffer) => Value[] {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    const values: Value[] = [];
    for (let parsed = parse(pending, 0); parsed; parsed = parse(pending, 0)) {
      values.push(parsed.value);
      pending = pending.subarray(parsed.end);
    }
    return values;
  };
}

/** Undefined while the value is incomplete. */
function parse(bytes: Buffer, start: number): { value: Value; end: number } | undefined {
  const lineEnd = bytes.indexOf(CRLF, start);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString('latin1', start + 1, lineEnd);
  const end = lineEnd + CRLF.length;
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case '+':
      return { value: Buffer.from(line, 'latin1'), end };
    case '-':
      return { value: new RedisError(line), end };
    case ':':
      return { value: Number(line), end };
    case '$': {
      const length = Number(line);
      if (length < 0) return { value: null, end };
      if (bytes.length < end + length + CRLF.length) return undefined;
      const value = Buffer.from(bytes.subarray(end, end + length));
      return { value, end: end + length + CRLF.length };
    }
    case '*': {
      const items: Value[] = [];
      let at = end;
      for (let count = Number(line); count > 0; count -= 1) {
        const item = parse(bytes, at);
        if (!item) return undefined;
        items.push(item.value);
        at = item.end;
      }
      return { value: items, end: at };
    }
    default:
      throw new RedisError(`Unexpected type byte ${bytes[start]}`);
  }
}
