/** All that writes, two at a time, in every order of their steps. */
import { pairsAmong, testPairs } from './pairs.ts';
import { SCENES } from './scenes.ts';
import { STORIES } from './stories.ts';
import { together } from './together.ts';

await testPairs(together, {
  scenes: SCENES,
  pairsOf: (possible) => pairsAmong(possible(STORIES)),
  middle: ' and ',
  // Two are enough for most faults (CHESS), and take ten times as long.
  preemptions: 1,
});
