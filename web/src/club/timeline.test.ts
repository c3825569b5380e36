import { describe, expect, test } from 'vitest';
import { barsOf, ticksOf } from './timeline.ts';

const at = (time: string) => `2026-11-26T${time}:00.000Z`;
const stay = (from: string, to: string) => ({
  joinedAt: at(from),
  leftAt: at(to),
  isEstimated: false,
});
const HOUR = { startedAt: at('10:00'), endedAt: at('11:00') };

describe('bars', () => {
  test('are parts of the meeting, in percent', () => {
    const bars = barsOf([stay('10:00', '10:30'), stay('10:45', '11:00')], HOUR);
    expect(bars.map(({ from, length }) => [from, length])).toEqual([
      [0, 50],
      [75, 25],
    ]);
  });

  test('are cut off where the meeting begins and ends', () => {
    const [bar] = barsOf([stay('09:00', '12:00')], HOUR);
    expect(bar).toMatchObject({ from: 0, length: 100 });
  });

  test('never have a negative width, also in a meeting without length', () => {
    const [bar] = barsOf([stay('10:30', '10:00')], HOUR);
    expect(bar?.length).toBe(0);
    const [short] = barsOf([stay('10:00', '10:00')], {
      startedAt: at('10:00'),
      endedAt: at('10:00'),
    });
    expect(short).toMatchObject({ from: 0, length: 0 });
  });

  test('keep that an end is estimated', () => {
    const [bar] = barsOf([{ ...stay('10:00', '10:30'), isEstimated: true }], HOUR);
    expect(bar?.isEstimated).toBe(true);
  });
});

describe('ticks', () => {
  test('begin with the start and end with the end', () => {
    const ticks = ticksOf(HOUR);
    expect(ticks[0]).toEqual({ at: 0, instant: HOUR.startedAt });
    expect(ticks.at(-1)).toEqual({ at: 100, instant: HOUR.endedAt });
  });

  test('are round times in order, and not so many that they are written over each other', () => {
    for (const endedAt of ['10:00', '10:03', '10:17', '11:00', '12:40', '18:00', '23:59'].map(at)) {
      const ticks = ticksOf({ startedAt: HOUR.startedAt, endedAt });
      expect(ticks.length).toBeLessThanOrEqual(9);
      const positions = ticks.map((tick) => tick.at);
      expect(positions).toEqual(positions.toSorted((a, b) => a - b));
      for (const { instant } of ticks.slice(1, -1)) expect(instant).toMatch(/:00\.000Z$/);
    }
  });

  test('are five minutes apart in half an hour', () => {
    const inner = ticksOf({ startedAt: at('10:00'), endedAt: at('10:30') }).slice(1, -1);
    expect(inner.map(({ instant }) => instant)).toEqual([
      at('10:05'),
      at('10:10'),
      at('10:15'),
      at('10:20'),
    ]);
  });
});
