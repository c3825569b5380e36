/**
 * Every order in which threads can take their steps, one run each. Orders that differ only in steps
 * which touch nothing in common are one order, and are run once.
 */
import { createHash } from 'node:crypto';
import type { Choose, Step } from './stage.ts';

export interface Bounds {
  /** This one order alone, as `idsOf` writes it. */
  order?: string | undefined;
  /** How often a thread that could go on may be made to wait; without it, as often as there is. */
  preemptions?: number;
}

export interface Explored {
  /** Runs to the end, each in an order of its own. */
  orders: number;
  /** Runs that were ended early, since all that could follow had been run. */
  cutShort: number;
}

interface Node {
  possible: Step[];
  before: Step[];
  chosen: Step;
  /** What is left of the bound before the choice. */
  left: number;
}

/**
 * Depth first: `run` plays the threads from a fresh state with the choices that it is given, and says
 * whether it came to the end. The threads have to do the same whenever they are given the same choices.
 */
export async function explore(
  run: (choose: Choose) => Promise<boolean>,
  { order, preemptions = Number.POSITIVE_INFINITY }: Bounds = {},
): Promise<Explored> {
  const explored: Explored = { orders: 0, cutShort: 0 };
  if (order) {
    await run(replaying(order));
    return { ...explored, orders: 1 };
  }
  const path: Node[] = [];
  /** What is left of the bound after each past that was gone on from. */
  const known = new Map<string, number>();
  const isBounded = Number.isFinite(preemptions);

  const costOf = (step: Step, { possible, before }: Pick<Node, 'possible' | 'before'>) => {
    const last = before.at(-1)?.thread;
    const isPreemption = step.thread !== last && possible.some(({ thread }) => thread === last);
    return isPreemption ? 1 : 0;
  };
  /** One that leads to a past that is not known yet, with what is left of the bound. */
  const pick = ({ possible, before, left }: Omit<Node, 'chosen'>): Step | undefined => {
    const last = before.at(-1)?.thread;
    const goingOn = possible.filter(({ thread }) => thread === last);
    for (const step of [...goingOn, ...possible.filter((one) => !goingOn.includes(one))]) {
      const leftAfter = left - costOf(step, { possible, before });
      if (leftAfter < 0) continue;
      const past = pastOf([...before, step]) + (isBounded ? step.thread : '');
      if ((known.get(past) ?? -1) >= leftAfter) continue;
      known.set(past, leftAfter);
      return step;
    }
    return undefined;
  };

  for (;;) {
    let depth = 0;
    const isWhole = await run((possible, before) => {
      const node = path[depth];
      depth += 1;
      if (node) {
        const same = possible.find(({ id }) => id === node.chosen.id);
        if (!same)
          throw new Error(`The same choices do not lead to ${textOf([node.chosen])} again`);
        return same;
      }
      const parent = path.at(-1);
      const left = parent ? parent.left - costOf(parent.chosen, parent) : preemptions;
      const place = { possible, before: [...before], left };
      const chosen = pick(place);
      if (chosen) path.push({ ...place, chosen });
      return chosen;
    });
    if (isWhole) explored.orders += 1;
    else explored.cutShort += 1;

    let next: Step | undefined;
    for (let node = path.at(-1); node && !next; node = path.at(-1)) {
      next = pick(node);
      if (next) node.chosen = next;
      else path.pop();
    }
    if (!next) return explored;
  }
}

/** Follows a list of steps as `idsOf` writes it, then takes what comes first. */
export function replaying(ids: string): Choose {
  const wanted = ids.split(' ');
  return (possible, before) =>
    possible.find(({ id }) => id === wanted[before.length]) ?? possible[0];
}

/** One operation after another: the threads whose turns they are, and how many are done. */
export const inTurn =
  (turns: readonly string[], doneCount: () => number): Choose =>
  (possible) =>
    possible.find(({ thread }) => thread === turns[doneCount()]) ?? possible[0];

export const idsOf = (steps: Step[]): string => steps.map(({ id }) => id).join(' ');

export const textOf = (steps: Step[]): string =>
  steps.map(({ id, label }) => `${id} ${label}`).join('\n');

const touch = (one: string, other: string): boolean =>
  one === other ||
  (one.endsWith('*') && other.startsWith(one.slice(0, -1))) ||
  (other.endsWith('*') && one.startsWith(other.slice(0, -1)));

const meet = (some: readonly string[], others: readonly string[]): boolean =>
  some.some((one) => others.some((other) => touch(one, other)));

const conflict = (one: Step, other: Step): boolean =>
  meet(one.writes, other.writes) || meet(one.writes, other.reads) || meet(one.reads, other.writes);

/**
 * The same for all orders of the same steps in which those that touch something in common, and those
 * of one thread, come one after the other in the same way.
 */
function pastOf(steps: Step[]): string {
  const digests: string[] = [];
  for (const [index, step] of steps.entries()) {
    const causes = digests.filter((_, earlier) => {
      const cause = steps[earlier];
      if (!cause) return false;
      const isOwn = cause.thread === step.thread && earlier < step.askedAfter;
      return isOwn || conflict(cause, step);
    });
    digests[index] = createHash('md5')
      .update([step.id, ...causes.sort()].join())
      .digest('base64');
  }
  return digests.sort().join();
}
