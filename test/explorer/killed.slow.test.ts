/** A process that dies after any of its steps in a request about recordings, and another request. */
import { pairsOf, testPairs } from './pairs.ts';
import { RECORDING_SCENES } from './scenes.ts';
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

await testPairs(killed, {
  scenes: RECORDING_SCENES,
  pairsOf: (possible) => pairsOf(possible(KILLED), possible(OTHERS)),
  middle: ', killed, and ',
  // A process that dies is alone until then, or comes after the other one: what they do to each other while
  // both live is in recordings.slow.test.ts.
  preemptions: 0,
});
