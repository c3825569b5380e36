/** Recordings, two at a time with each other and with what writes the same items, in every order of their steps. */
import { pairsAmong, pairsOf, testPairs } from './pairs.ts';
import { RECORDING_SCENES } from './scenes.ts';
import { BESIDE_RECORDINGS, RECORDING_STORIES } from './stories.ts';
import { together } from './together.ts';

await testPairs(together, {
  scenes: RECORDING_SCENES,
  pairsOf: (possible) => {
    const stories = possible(RECORDING_STORIES);
    return [...pairsAmong(stories), ...pairsOf(stories, possible(BESIDE_RECORDINGS))];
  },
  middle: ' and ',
  preemptions: 1,
});
