/** Writes of requests about recordings that were given up, and that arrive while something newer is done. */
import { pairsOf, testPairs } from './pairs.ts';
import { RECORDING_SCENES } from './scenes.ts';
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

await testPairs(late, {
  scenes: RECORDING_SCENES,
  pairsOf: (possible) => pairsOf(possible(GIVEN_UP), possible(NEWER)),
  middle: ', late, and ',
});
