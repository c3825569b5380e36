/** Writes of requests about recordings that were given up, and that arrive while something newer is done. */
import { describe, expect, it } from 'vitest';
import { isPossible, prepare, RECORDING_SCENES, type SceneName } from './scenes.ts';
import {
  cleanup,
  consent,
  deleteRecord,
  end,
  followRecording,
  forgetUser,
  inOrder,
  MEMBER,
  MODERATOR,
  OWNER,
  record,
  removeClub,
  type Story,
  start,
  stopRecord,
} from './stories.ts';
import { late } from './together.ts';
import { openTheatre } from './world.ts';

const { EXPLORER_ORDER: order } = process.env;

const GIVEN_UP: Story[] = [
  record(MODERATOR),
  stopRecord(MODERATOR),
  deleteRecord(OWNER),
  consent(MEMBER),
  followRecording('completed'),
  cleanup,
];
const NEWER: Story[] = [
  inOrder(end(OWNER), start(OWNER), record(OWNER)),
  removeClub,
  forgetUser(MEMBER),
  cleanup,
];

const theatre = await openTheatre();

for (const name of Object.keys(RECORDING_SCENES) as SceneName[]) {
  const scene = await prepare(theatre, name);
  const possible = (stories: Story[]) => stories.filter((story) => isPossible(scene, story));

  describe(`In ${name},`, () => {
    for (const first of possible(GIVEN_UP)) {
      for (const second of possible(NEWER)) {
        it(`${first.name}, late, and ${second.name}`, async () => {
          const { wrong } = await late(theatre, scene, [first, second], { order });
          expect(wrong[0], `${wrong.length} orders`).toBeUndefined();
        });
      }
    }
  });
}
