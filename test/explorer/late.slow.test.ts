/** Writes of requests that were given up, and that arrive while something newer is done. */
import { describe, expect, it } from 'vitest';
import { isPossible, prepare, SCENES, type SceneName } from './scenes.ts';
import { STORIES } from './stories.ts';
import { late } from './together.ts';
import { openTheatre } from './world.ts';

const { EXPLORER_ORDER: order } = process.env;

const theatre = await openTheatre();

for (const name of Object.keys(SCENES) as SceneName[]) {
  const scene = await prepare(theatre, name);
  const stories = STORIES.filter((story) => isPossible(scene, story));

  describe(`In ${name},`, () => {
    for (const first of stories) {
      for (const second of stories) {
        const title = `${first.name}, late, and ${second.name}`;
        it(title, async () => {
          const { wrong } = await late(theatre, scene, [first, second], { order });
          expect(wrong[0], `${wrong.length} orders`).toBeUndefined();
        });
      }
    }
  });
}
