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

const CASES: [SceneName, Story, Story, Story][] = [
  ['a club between two meetings', start(MODERATOR), start(OWNER), end(OWNER)],
  ['a club between two meetings', start(MODERATOR), removeMember(MODERATOR), cleanup],
  ['a club between two meetings', start(MODERATOR), removeClub, putClub(OWNER)],
  ['two people in a meeting', end(MODERATOR), end(OWNER), start(OWNER)],
  ['two people in a meeting', end(OWNER), enter(MEMBER), cleanup],
  [
    'two people in a meeting',
    remove(OWNER, MEMBER),
    remove(MODERATOR, MEMBER, true),
    readmit(OWNER, MEMBER),
  ],
  ['two people in a meeting', remove(OWNER, MEMBER), enter(MEMBER), followWhatComes],
  ['two people in a meeting', role(MEMBER, 'moderator'), role(MEMBER, 'member'), putMember(MEMBER)],
  ['two people in a meeting', removeMember(MEMBER), putMember(MEMBER, 'moderator'), enter(MEMBER)],
  ['two people in a meeting', removeMember(MEMBER), readmit(OWNER, MEMBER), enter(MEMBER)],
  ['two people in a meeting', forgetUser(MEMBER), cleanup, followWhatComes],
  ['two people in a meeting', forgetUser(MODERATOR), end(MODERATOR), followWhatComes],
  ['two people in a meeting', removeClub, end(OWNER), followWhatComes],
  ['a meeting without an event yet', forgetUser(MEMBER), end(OWNER), followWhatComes],
  ['a meeting whose room was lost', enter(MEMBER), cleanup, followWhatComes],
  [
    'a meeting that everybody has left, and the cleanup is due',
    enter(MEMBER),
    cleanup,
    followWhatComes,
  ],
  [
    'a meeting that everybody has left, and the cleanup is due',
    start(OWNER),
    cleanup,
    end(MODERATOR),
  ],
  ['a meeting with a removed participant', readmit(OWNER, MEMBER), enter(MEMBER), cleanup],
  [
    'a meeting with a removed participant',
    readmit(OWNER, MEMBER),
    remove(OWNER, MEMBER),
    followWhatComes,
  ],
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
