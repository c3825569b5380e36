/** A process that dies after any of its steps in a request about recordings, and another request. */
import { describe, expect, it } from 'vitest';
import { isPossible, prepare, RECORDING_SCENES, type SceneName } from './scenes.ts';
import {
  cleanup,
  consent,
  deleteRecord,
  end,
  followRecording,
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
import { killed } from './together.ts';
import { openTheatre } from './world.ts';

const { EXPLORER_ORDER: order, EXPLORER_PREEMPTIONS: bound } = process.env;

/**
 * Without any, a process that dies is alone until then, or comes after the other one: what they do to each
 * other while both live is in `recordings.slow.test.ts`.
 */
const PREEMPTIONS = Number(bound ?? 0);

const KILLED: Story[] = [
  record(MODERATOR),
  stopRecord(MODERATOR),
  deleteRecord(OWNER),
  consent(MEMBER),
  followRecording('starting'),
  followRecording('active'),
  followRecording('stopping'),
  followRecording('completed'),
  end(MODERATOR),
  cleanup,
];
const OTHERS: Story[] = [
  record(OWNER),
  inOrder(end(OWNER), start(OWNER), record(OWNER)),
  removeClub,
  cleanup,
];

const theatre = await openTheatre();

for (const name of Object.keys(RECORDING_SCENES) as SceneName[]) {
  const scene = await prepare(theatre, name);
  const possible = (stories: Story[]) => stories.filter((story) => isPossible(scene, story));

  describe(`In ${name},`, () => {
    for (const first of possible(KILLED)) {
      for (const second of possible(OTHERS)) {
        it(`${first.name}, killed, and ${second.name}`, async () => {
          const { wrong } = await killed(theatre, scene, [first, second], {
            order,
            preemptions: PREEMPTIONS,
          });
          expect(wrong[0], `${wrong.length} orders`).toBeUndefined();
        });
      }
    }
  });
}
