/** Writes of requests that were given up, and that arrive while something newer is done. */
import { pairsOf, testPairs } from './pairs.ts';
import { SCENES } from './scenes.ts';
import { STORIES } from './stories.ts';
import { late } from './together.ts';

await testPairs(late, {
  scenes: SCENES,
  pairsOf: (possible) => pairsOf(possible(STORIES), possible(STORIES)),
  middle: ', late, and ',
});
