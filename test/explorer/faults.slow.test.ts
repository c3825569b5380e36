/**
 * Few enough to be run with every other test: each turns red when the fix of a fault that was found is taken
 * out. The faults are named by their numbers in the issue that reported them; docs/development.md has the rest.
 */
import { describe, it } from 'vitest';
import { expectExplained, order } from './pairs.ts';
import { prepare, type SceneName } from './scenes.ts';
import {
  cleanup,
  deleteRecord,
  end,
  enter,
  follow,
  forgetUser,
  inOrder,
  MEMBER,
  MODERATOR,
  NEWCOMER,
  OWNER,
  occurred,
  putClub,
  putMember,
  readmit,
  record,
  remove,
  removeClub,
  removeMember,
  role,
  type Story,
  setRole,
  start,
  torn,
} from './stories.ts';
import { late, together } from './together.ts';
import { openTheatre } from './world.ts';

const theatre = await openTheatre();

const MEETING = 'two people in a meeting';
const BETWEEN = 'a club between two meetings';
const NEVER_MET = 'a club that never met';
const WITHOUT_EVENT = 'a meeting without an event yet';
const DOWN = 'two people in a meeting, and LiveKit is down';

/** A fault, the scene, and who acts at the same time. */
type Case = [string, SceneName, Story, ...Story[]];

const TOGETHER: Case[] = [
  ['6', DOWN, removeMember(MEMBER)],
  ['6', DOWN, forgetUser(MEMBER)],
  ['8', NEVER_MET, putMember(NEWCOMER, 'moderator'), inOrder(removeClub, putClub(OWNER))],
  ['8', MEETING, end(MODERATOR), inOrder(removeClub, putClub(OWNER))],
  ['8', MEETING, end(MODERATOR), forgetUser(MODERATOR)],
  ['8', MEETING, end(OWNER), forgetUser(MODERATOR)],
  ['8', WITHOUT_EVENT, follow('participant_left'), forgetUser(MEMBER)],
  ['8', WITHOUT_EVENT, follow('participant_joined'), removeClub],
  ['8', 'a meeting with a join that is not reported yet', forgetUser(MODERATOR), cleanup],
  ['8', NEVER_MET, removeClub, inOrder(putClub(OWNER), setRole(MEMBER, 'moderator'))],
  ['8', BETWEEN, start(MODERATOR), forgetUser(MODERATOR)],
  ['8', BETWEEN, start(OWNER), removeClub],
  ['8', BETWEEN, removeClub, forgetUser(MODERATOR)],
  ['9', MEETING, occurred(2, putMember(MEMBER, 'moderator')), occurred(3, removeMember(MEMBER))],
  ['9', MEETING, occurred(3, putMember(MEMBER, 'moderator')), occurred(2, removeMember(MEMBER))],
  ['10', MEETING, torn(enter(MEMBER)), inOrder(removeMember(MEMBER), end(OWNER), start(OWNER))],
  ['11', 'a meeting that everybody has left, and the cleanup is due', start(OWNER), cleanup],
  ['12', MEETING, remove(OWNER, MODERATOR), end(MODERATOR)],
  ['12', MEETING, remove(OWNER, MODERATOR), inOrder(end(MODERATOR), start(MODERATOR))],
  ['13', MEETING, role(MODERATOR, 'member'), enter(MODERATOR)],
  [
    '13',
    'a meeting whose room has closed, which is not reported yet',
    role(MODERATOR, 'member'),
    enter(MODERATOR),
  ],
  ['14', 'a room that outlives its club', cleanup],
  ['14a', MEETING, remove(OWNER, MEMBER), remove(MODERATOR, MEMBER, true)],
  ['recording 1', 'a meeting that was recorded', deleteRecord(OWNER), removeClub],
  [
    'recording 2',
    'two people in a meeting, and recorders are free',
    record(OWNER),
    forgetUser(MODERATOR),
  ],
];

const LATE: [string, SceneName, Story, Story][] = [
  ['7', MEETING, role(MEMBER, 'moderator'), role(MEMBER, 'member')],
  ['7', MEETING, remove(OWNER, MEMBER), readmit(OWNER, MEMBER)],
  ['7', 'a meeting with a removed participant', readmit(OWNER, MEMBER), remove(OWNER, MEMBER)],
  ['8', MEETING, putMember(NEWCOMER, 'moderator'), removeClub],
  ['8', WITHOUT_EVENT, follow('participant_left'), forgetUser(MEMBER)],
  ['8', BETWEEN, start(OWNER), removeClub],
];

const named = (stories: Story[]) => stories.map(({ name }) => name).join(' and ');

describe('At the same time', () => {
  for (const [entry, name, ...stories] of TOGETHER) {
    it(`${entry}: in ${name}, ${named(stories)}`, async () => {
      const scene = await prepare(theatre, name);
      expectExplained(await together(theatre, scene, stories, { order, preemptions: 1 }));
    });
  }
});

describe('Late', () => {
  for (const [entry, name, first, second] of LATE) {
    it(`${entry}: in ${name}, ${named([first, second])}`, async () => {
      const scene = await prepare(theatre, name);
      expectExplained(await late(theatre, scene, [first, second], { order }));
    });
  }
});
