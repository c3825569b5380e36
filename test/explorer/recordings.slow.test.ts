/** Recordings, two at a time with each other and with what writes the same items, in every order of their steps. */
import { describe, expect, it } from 'vitest';
import { isPossible, prepare, RECORDING_SCENES, type SceneName } from './scenes.ts';
import { BESIDE_RECORDINGS, RECORDING_STORIES } from './stories.ts';
import { together } from './together.ts';
import { openTheatre } from './world.ts';

const { EXPLORER_ORDER: order, EXPLORER_PREEMPTIONS: bound } = process.env;

/** A thread that could go on waits as often at most. */
const PREEMPTIONS = Number(bound ?? 1);

const theatre = await openTheatre();

for (const name of Object.keys(RECORDING_SCENES) as SceneName[]) {
  const scene = await prepare(theatre, name);
  const stories = RECORDING_STORIES.filter((story) => isPossible(scene, story));
  const others = BESIDE_RECORDINGS.filter((story) => isPossible(scene, story));

  describe(`In ${name},`, () => {
    for (const [index, one] of stories.entries()) {
      for (const other of [...stories.slice(index), ...others]) {
        it(`${one.name} and ${other.name}`, async () => {
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
