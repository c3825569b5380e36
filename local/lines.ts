import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The last lines of these streams, at most so many: the array changes as they write. */
export function lastLinesOf(
  streams: readonly (Readable | null)[],
  most: number,
  onLine?: (line: string) => void,
): string[] {
  const lines: string[] = [];
  for (const input of streams) {
    if (input === null) continue;
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      if (lines.length > most) lines.shift();
      onLine?.(line);
    });
  }
  return lines;
}
