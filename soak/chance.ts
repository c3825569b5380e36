/**
 * Chance that a seed repeats: the nth draw of a name depends on the seed, the name and n alone. So what
 * one actor draws does not depend on how often, or when, any other does.
 */
import { createHash } from 'node:crypto';

const DRAWN_BYTES = 6;

export type Draws = ReturnType<typeof drawsOf>;

export function drawsOf(seed: string, name: string) {
  let n = 0;

  /** From 0 up to but not including 1. */
  const draw = (): number => {
    const hash = createHash('sha256').update(`${seed}/${name}/${n++}`).digest();
    return hash.readUIntBE(0, DRAWN_BYTES) / 256 ** DRAWN_BYTES;
  };
  return {
    draw,
    between: (from: number, to: number): number => from + draw() * (to - from),
    /** One of the names, each as likely as its weight says. */
    oneOf<Name extends string>(weights: Partial<Record<Name, number>>): Name {
      const names = Object.keys(weights) as Name[];
      const weightOf = (name: Name) => weights[name] ?? 0;
      const total = names.reduce((all, name) => all + weightOf(name), 0);
      const drawn = draw() * total;
      let sum = 0;
      const found = names.find((name) => {
        sum += weightOf(name);
        return drawn < sum;
      });
      if (found === undefined) throw new Error('There is nothing to draw from');
      return found;
    },
  };
}

/** The item that a number from 0 to 1 stands for; undefined where there is none. */
export const pick = <T>(items: readonly T[], choice: number): T | undefined =>
  items[Math.floor(choice * items.length)];
