/** The explorer itself: on threads whose orders can be counted by hand. */
import { describe, expect, it } from 'vitest';
import { type Bounds, explore, idsOf, replaying } from './schedules.ts';
import { createStage, type Gate } from './stage.ts';

/** Threads that read a number and write it back, one higher; each gate is one such step. */
const counting = (keys: Record<string, string>) => {
  const stage = createStage();
  const run = async (choose: Parameters<typeof stage.play>[1]) => {
    const numbers = new Map<string, number>();
    const increment = async (gate: Gate, key: string) => {
      const number = await gate(
        { label: `read ${key}`, reads: [key], writes: [] },
        async () => numbers.get(key) ?? 0,
      );
      await gate({ label: `write ${key}`, reads: [], writes: [key] }, async () => {
        numbers.set(key, number + 1);
      });
    };
    const threads = Object.fromEntries(
      Object.entries(keys).map(([thread, key]) => [
        thread,
        () => increment(stage.gateOf(thread), key),
      ]),
    );
    return { ...(await stage.play(threads, choose)), numbers };
  };
  return run;
};

async function all(keys: Record<string, string>, bounds?: Bounds) {
  const run = counting(keys);
  const runs: { ids: string; sum: number }[] = [];
  const explored = await explore(async (choose) => {
    const { taken, isWhole, numbers } = await run(choose);
    if (isWhole) {
      runs.push({ ids: idsOf(taken), sum: [...numbers.values()].reduce((a, b) => a + b, 0) });
    }
    return isWhole;
  }, bounds);
  return { ...explored, runs };
}

describe('Every order of the steps', () => {
  it('includes the one that loses an update', async () => {
    const { runs } = await all({ A: 'x', B: 'x' });
    expect(runs).toContainEqual({ ids: 'A1 B1 A2 B2', sum: 1 });
    expect(runs).toContainEqual({ ids: 'A1 A2 B1 B2', sum: 2 });
  });

  it('is run once when others differ from it only in reads, or in what touches nothing in common', async () => {
    // Reads commute: A1 B1 and B1 A1 are one. What is left: A2 before B1, B2 before A1, or neither.
    expect(await all({ A: 'x', B: 'x' })).toMatchObject({ orders: 4 });
    expect(await all({ A: 'x', B: 'y' })).toMatchObject({ orders: 1 });
  });

  it('is limited by how often a thread is made to wait', async () => {
    const { runs } = await all({ A: 'x', B: 'x' }, { preemptions: 0 });
    expect(runs.map(({ ids }) => ids).sort()).toEqual(['A1 A2 B1 B2', 'B1 B2 A1 A2']);
    const some = await all({ A: 'x', B: 'x', C: 'x' }, { preemptions: 1 });
    const every = await all({ A: 'x', B: 'x', C: 'x' });
    expect(some.orders).toBeLessThan(every.orders);
  });

  it('can be run again from the list of its steps', async () => {
    const run = counting({ A: 'x', B: 'x' });
    const { numbers, taken } = await run(replaying('B1 A1 B2 A2'));
    expect(idsOf(taken)).toBe('B1 A1 B2 A2');
    expect(numbers.get('x')).toBe(1);
  });

  it('stops where a thread does something else for the same choices', async () => {
    const stage = createStage();
    let runs = 0;
    const thread = async () => {
      const labels = runs++ === 0 ? ['x', 'x', 'x'] : ['x'];
      for (const label of labels) {
        await stage.gateOf('A')({ label, reads: [], writes: [label] }, async () => {});
      }
    };
    const other = () => stage.gateOf('B')({ label: 'x', reads: [], writes: ['x'] }, async () => {});
    const exploring = explore(
      async (choose) => (await stage.play({ A: thread, B: other }, choose)).isWhole,
    );
    await expect(exploring).rejects.toThrow(/do not lead to/);
  });
});
