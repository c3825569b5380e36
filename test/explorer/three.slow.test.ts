/** Three at a time: races that two operations cannot have, or only together with LiveKit's events. */
import { describe, it } from 'vitest';
import { expectExplained, order } from './pairs.ts';
import { prepare, type SceneName } from './scenes.ts';
import {
  cleanup,
  end,
  enter,
  followWhatComes,
  forgetUser,
  MEMBER,
  MODERATOR,
  OWNER,
  putClub,
  putMember,
  readmit,
  remove,
  removeClub,
  removeMember,
  role,
  type Story,
  start,
} from './stories.ts';
import { together } from './together.ts';
import { openTheatre } from './world.ts';

/** A thread that could go on waits twice at most: faults that need more are rare (CHESS). */
const PREEMPTIONS = 2;

const MEETING = 'two people in a meeting';
const BETWEEN = 'a club between two meetings';
const DUE = 'a meeting that everybody has left, and the cleanup is due';
const REMOVED = 'a meeting with a removed participant';

const CASES: [SceneName, Story, Story, Story][] = [
  [BETWEEN, start(MODERATOR), start(OWNER), end(OWNER)],
  [BETWEEN, start(MODERATOR), removeMember(MODERATOR), cleanup],
  [BETWEEN, start(MODERATOR), removeClub, putClub(OWNER)],
  [MEETING, end(MODERATOR), end(OWNER), start(OWNER)],
  [MEETING, end(OWNER), enter(MEMBER), cleanup],
  [MEETING, remove(OWNER, MEMBER), remove(MODERATOR, MEMBER, true), readmit(OWNER, MEMBER)],
  [MEETING, remove(OWNER, MEMBER), enter(MEMBER), followWhatComes],
  [MEETING, role(MEMBER, 'moderator'), role(MEMBER, 'member'), putMember(MEMBER)],
  [MEETING, removeMember(MEMBER), putMember(MEMBER, 'moderator'), enter(MEMBER)],
  [MEETING, removeMember(MEMBER), readmit(OWNER, MEMBER), enter(MEMBER)],
  [MEETING, forgetUser(MEMBER), cleanup, followWhatComes],
  [MEETING, forgetUser(MODERATOR), end(MODERATOR), followWhatComes],
  [MEETING, removeClub, end(OWNER), followWhatComes],
  ['a meeting without an event yet', forgetUser(MEMBER), end(OWNER), followWhatComes],
  ['a meeting whose room was lost', enter(MEMBER), cleanup, followWhatComes],
  [DUE, enter(MEMBER), cleanup, followWhatComes],
  [DUE, start(OWNER), cleanup, end(MODERATOR)],
  [REMOVED, readmit(OWNER, MEMBER), enter(MEMBER), cleanup],
  [REMOVED, readmit(OWNER, MEMBER), remove(OWNER, MEMBER), followWhatComes],
  ['a room that outlives its meeting', start(OWNER), cleanup, followWhatComes],
];

const theatre = await openTheatre();

describe.each(CASES)('In %s,', (name, ...stories) => {
  const title = stories.map((story) => story.name).join(' and ');
  it(title, async () => {
    const scene = await prepare(theatre, name);
    expectExplained(await together(theatre, scene, stories, { order, preemptions: PREEMPTIONS }));
  });
});
