/** All that writes, two at a time, in every order of their steps. */
import { describe, expect, it } from 'vitest';
import { isPossible, prepare, SCENES, type SceneName } from './scenes.ts';
import { STORIES } from './stories.ts';
import { together } from './together.ts';
import { openTheatre } from './world.ts';

const { EXPLORER_ORDER: order, EXPLORER_PREEMPTIONS: bound } = process.env;

/**
 * A thread that could go on waits as often at most. Two are enough for most faults (CHESS), and take ten
 * times as long.
 */
const PREEMPTIONS = Number(bound ?? 1);

const theatre = await openTheatre();

for (const name of Object.keys(SCENES) as SceneName[]) {
  const scene = await prepare(theatre, name);
  const stories = STORIES.filter((story) => isPossible(scene, story));

  describe(`In ${name},`, () => {
    for (const [index, one] of stories.entries()) {
      for (const other of stories.slice(index)) {
        const title = `${one.name} and ${other.name}`;
        it(title, async () => {
          const { wrong } = await together(theatre, scene, [one, other], {
            order,
            preemptions: PREEMPTIONS,
          });
          expect(wrong[0], `${wrong.length} orders`).toBeUndefined();
        });
      }
    }
  });
}
