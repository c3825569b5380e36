/** Stories two at a time, in each scene: one test a pair. */
import { describe, expect, it } from 'vitest';
import { isPossible, prepare, type SceneName } from './scenes.ts';
import type { Bounds } from './schedules.ts';
import type { Story } from './stories.ts';
import type { Found } from './together.ts';
import { openTheatre, type Scene, type Theatre } from './world.ts';

export const { EXPLORER_ORDER: order } = process.env;
const { EXPLORER_PREEMPTIONS: bound } = process.env;

type Explore = (
  theatre: Theatre,
  scene: Scene,
  pair: [Story, Story],
  bounds: Bounds,
) => Promise<Found>;

/** `middle` stands between the names of two stories; `pairsOf` gets a scene's possible stories of any. */
export async function testPairs(
  explore: Explore,
  {
    scenes,
    pairsOf,
    middle,
    preemptions = 0,
  }: {
    scenes: object;
    pairsOf: (possible: (stories: Story[]) => Story[]) => [Story, Story][];
    middle: string;
    /** A thread that could go on waits as often at most. */
    preemptions?: number;
  },
): Promise<void> {
  const theatre = await openTheatre();
  for (const name of Object.keys(scenes) as SceneName[]) {
    const scene = await prepare(theatre, name);
    const possible = (stories: Story[]) => stories.filter((story) => isPossible(scene, story));
    describe(`In ${name},`, () => {
      it.each(
        pairsOf(possible).map(
          (pair) => [pair.map((story) => story.name).join(middle), pair] as const,
        ),
      )('%s', async (_, pair) => {
        const bounds = { order, preemptions: Number(bound ?? preemptions) };
        expectExplained(await explore(theatre, scene, pair, bounds));
      });
    });
  }
}

export const pairsOf = (some: Story[], others: Story[]): [Story, Story][] =>
  some.flatMap((one) => others.map((other): [Story, Story] => [one, other]));

/** Each with itself and those after it. */
export const pairsAmong = (stories: Story[]): [Story, Story][] =>
  stories.flatMap((one, index) => pairsOf([one], stories.slice(index)));

export const expectExplained = ({ wrong }: Found): void =>
  expect(wrong[0], `${wrong.length} orders`).toBeUndefined();
