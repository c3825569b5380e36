import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { isMissing } from '../../test/harness/world.ts';
import { tableText } from '../report.ts';
import { startWorld } from '../world.ts';
import { roundTrips } from './round-trips.ts';

const PAGE = new URL('../../docs/benchmarks.md', import.meta.url);

describe.skipIf(isMissing('server'))('the benchmark', () => {
  test('runs, and its page says what requests ask of DynamoDB and LiveKit today', async () => {
    const world = await startWorld();
    try {
      const { tables } = await roundTrips(world);
      const page = await readFile(PAGE, 'utf8');
      for (const table of tables) expect(page).toContain(tableText(table));
    } finally {
      await world.stop();
    }
  }, 120_000);
});
