/** Where stories begin, and what comes by itself when they are over. */
import { cleanUp } from '../../lib/meetings/cleanup/run.ts';
import { handleLiveKitEvent } from '../../lib/meetings/livekit-events.ts';
import { followEgress } from '../../lib/meetings/recording/events.ts';
import { LATE_WITHIN_MS, repeatRemoval } from '../../lib/meetings/removals.ts';
import type { Starting } from '../model/recorder.ts';
import { MAX_PARTICIPANTS, type Service } from '../model/service.ts';
import {
  consent,
  end,
  enter,
  MEMBER,
  MODERATOR,
  OWNER,
  putClub,
  putMember,
  record,
  remove,
  removeClub,
  type Story,
  start,
  stopRecord,
} from './stories.ts';
import type { Scene, Theatre, World } from './world.ts';

type Act = (world: World) => unknown;

const does =
  ({ operations }: Story): Act =>
  async ({ observer }) => {
    for (const operation of operations) await operation.run(observer);
  };

const tellAll: Act = async ({ observer: { service, rooms } }) => {
  for (let event = rooms.onTheWay[0]; event; event = rooms.onTheWay[0]) {
    await handleLiveKitEvent(service, event);
    rooms.markDelivered(event);
  }
  const { recordings } = rooms;
  for (let [egress] = recordings.state.onTheWay; egress; [egress] = recordings.state.onTheWay) {
    await followEgress(service, egress);
    recordings.markDelivered(egress);
  }
};

const wait =
  (minutes: number): Act =>
  (world) =>
    world.wait(minutes * 60_000);

const leaves =
  (identity: string): Act =>
  ({ observer: { rooms } }) =>
    rooms.leave(identity);

/** Joins with every token that was given, on a server that makes the room again. */
const joinWithTokens: Act = ({ observer: { rooms }, tokens }) => {
  for (const { roomName, identity } of tokens) rooms.join(roomName, identity, MAX_PARTICIPANTS);
};

const livekit =
  (isDown: boolean): Act =>
  ({ observer: { rooms } }) =>
    rooms.setDown(isDown);

const timersRunOut: Act = ({ observer: { rooms } }) => rooms.timeOut();
const restarts: Act = ({ observer: { rooms } }) => rooms.crash();

const recorder =
  (act: 'begin' | 'upload' | 'kill'): Act =>
  ({ observer: { rooms } }) =>
    rooms.recordings[act]();
const recordersAre =
  (starting: Starting): Act =>
  ({ observer: { rooms } }) => {
    rooms.recordings.state.starting = starting;
  };
const recordersAreSilent: Act = ({ observer: { rooms } }) => {
  rooms.recordings.state.isSilent = true;
};
const cleanUpNow: Act = async ({ observer: { service } }) => {
  await cleanUp(service, () => true);
};

/** A server that makes rooms at a join, and a token of a meeting that is over. */
const joinAgain =
  (identity: string): Act =>
  async ({ observer: { service, rooms }, tokens }) => {
    const { roomName = '' } = tokens.findLast((token) => token.identity === identity) ?? {};
    await service.media.createRoom(roomName, {
      emptyTimeoutSeconds: 0,
      departureTimeoutSeconds: 0,
      maxParticipants: MAX_PARTICIPANTS,
      metadata: {},
    });
    rooms.join(roomName, identity, MAX_PARTICIPANTS);
  };

const FOUNDED: Act[] = [
  does(putClub(OWNER, 'A')),
  does(putMember(MODERATOR, 'moderator')),
  does(putMember(MEMBER)),
];
const TWO_IN_A_MEETING: Act[] = [
  does(start(MODERATOR)),
  does(enter(MEMBER)),
  does(enter(MODERATOR)),
];
/** As it goes on, with all its events. */
const IN_A_MEETING: Act[] = [...TWO_IN_A_MEETING, tellAll, wait(9)];
const ONE_MEETING: Act[] = [...IN_A_MEETING, does(end(MODERATOR)), tellAll, wait(1)];

export const SCENES = {
  'a club that never met': FOUNDED,
  'a club between two meetings': [...FOUNDED, ...ONE_MEETING, ...ONE_MEETING],
  'two people in a meeting': [...FOUNDED, ...ONE_MEETING, ...IN_A_MEETING],
  'two people in a meeting, and LiveKit is down': [...FOUNDED, ...IN_A_MEETING, livekit(true)],
  'a meeting with a join that is not reported yet': [
    ...FOUNDED,
    does(start(MODERATOR)),
    does(enter(MEMBER)),
    tellAll,
    does(enter(MODERATOR)),
    wait(9),
  ],
  'a meeting without an event yet': [
    ...FOUNDED,
    ...ONE_MEETING,
    ...TWO_IN_A_MEETING,
    leaves(MEMBER),
  ],
  'a meeting whose room has closed, which is not reported yet': [
    ...FOUNDED,
    does(start(MODERATOR)),
    does(enter(MEMBER)),
    tellAll,
    leaves(MEMBER),
    timersRunOut,
  ],
  'a meeting whose room was lost': [...FOUNDED, ...IN_A_MEETING, restarts, wait(1)],
  'a meeting that everybody has left, and the cleanup is due': [
    ...FOUNDED,
    ...ONE_MEETING,
    does(start(MODERATOR)),
    does(enter(MEMBER)),
    tellAll,
    wait(9),
    leaves(MEMBER),
    timersRunOut,
    tellAll,
    wait(20),
  ],
  'a meeting with a removed participant': [
    ...FOUNDED,
    ...ONE_MEETING,
    ...TWO_IN_A_MEETING,
    tellAll,
    does(remove(OWNER, MEMBER)),
    tellAll,
    wait(1),
  ],
  'a room that outlives its meeting': [
    ...FOUNDED,
    ...ONE_MEETING,
    ...TWO_IN_A_MEETING,
    tellAll,
    livekit(true),
    does(end(MODERATOR)),
    livekit(false),
    leaves(MEMBER),
    joinAgain(MEMBER),
  ],
  'a room that outlives its club': [
    ...FOUNDED,
    ...TWO_IN_A_MEETING,
    tellAll,
    does(removeClub),
    tellAll,
    joinAgain(MEMBER),
  ],
} satisfies Record<string, Act[]>;

const RECORDED: Act[] = [...FOUNDED, ...ONE_MEETING, ...IN_A_MEETING, does(record(MODERATOR))];
const RECORDING: Act[] = [...RECORDED, recorder('begin'), tellAll, wait(1)];

/** These need later cleanups, since a recording without an event is waited for. */
export const RECORDING_SCENES = {
  'two people in a meeting, and recorders are free': SCENES['two people in a meeting'],
  'two people in a meeting, and no recorder is free': [
    ...FOUNDED,
    ...IN_A_MEETING,
    recordersAre('refused'),
  ],
  'two people in a meeting, and recorders come that were given up': [
    ...FOUNDED,
    ...IN_A_MEETING,
    recordersAre('given up'),
  ],
  'a recording that has not begun, without an event yet': RECORDED,
  'a recording without an event yet': [...RECORDED, recorder('begin')],
  'a recording whose start was not answered': [
    ...FOUNDED,
    ...IN_A_MEETING,
    recordersAre('unanswered'),
    does(record(MODERATOR)),
    recordersAre('works'),
  ],
  'a recording': RECORDING,
  'a recording, without further events of recordings': [...RECORDING, recordersAreSilent],
  'two people in a meeting, where given-up recorders start, without an event': [
    ...FOUNDED,
    ...IN_A_MEETING,
    recordersAre('given up'),
    recordersAreSilent,
  ],
  'a recording that is stopped, whose file is yet to come': [
    ...RECORDING,
    does(stopRecord(MODERATOR)),
  ],
  'a recording that has ended, which is not reported yet': [
    ...RECORDING,
    does(stopRecord(MODERATOR)),
    recorder('upload'),
  ],
  'a meeting that was recorded': [
    ...RECORDING,
    does(stopRecord(MODERATOR)),
    recorder('upload'),
    tellAll,
    wait(1),
  ],
  'a recording of a meeting that is over': [
    ...RECORDING,
    does(consent(MEMBER)),
    does(end(MODERATOR)),
    recorder('upload'),
    tellAll,
    wait(1),
  ],
  'a recording whose meeting has ended, while LiveKit was down': [
    ...RECORDING,
    livekit(true),
    does(end(MODERATOR)),
    livekit(false),
  ],
  'a recorder that was killed, and the cleanup is due': [
    ...RECORDING,
    recorder('kill'),
    cleanUpNow,
    wait(1),
  ],
  'a recording in a meeting that everybody has left, and the cleanup is due': [
    ...RECORDING,
    leaves(MEMBER),
    leaves(MODERATOR),
    tellAll,
    cleanUpNow,
    wait(1),
  ],
} satisfies Record<string, Act[]>;

const ALL_SCENES = { ...SCENES, ...RECORDING_SCENES };
export type SceneName = keyof typeof ALL_SCENES;

export async function prepare({ open }: Theatre, name: SceneName): Promise<Scene> {
  const world = await open();
  for (const act of ALL_SCENES[name]) await act(world);
  const scene = world.state();
  return { ...scene, generations: new Set(scene.items.map(({ generation }) => generation)) };
}

/** Whether all that the story needs is there. */
export const isPossible = ({ rooms }: Scene, { operations }: Story): boolean =>
  operations.every((operation) => operation.isPossible?.(rooms) ?? true);

/**
 * Delivers every event of LiveKit, and runs the cleanup. Where writes were late it runs once more when no
 * more can arrive; elsewhere it must leave nothing for that run.
 */
export async function settle(world: World, hadLateWrites: boolean): Promise<void> {
  const { service, rooms } = world.observer;
  rooms.setDown(false);
  await goOn(world);
  await cleanUp(service, () => true);
  await goOn(world);
  if (hadLateWrites) await repeatRemovals(service, world.clock() + LATE_WITHIN_MS);
}

/** Longer than the cleanup waits for a start, or for a recorder that is missing in the room. */
const SECOND_CLEANUP_AFTER_MINUTES = 2;
/** Longer than an abandoned recording can still produce a recorder or a file. */
const LAST_CLEANUP_AFTER_MINUTES = 11;

/** The second cleanup. After it, every claim has a recording. */
export const runSecondCleanup = (world: World) => cleanUpLater(world, SECOND_CLEANUP_AFTER_MINUTES);
/** The last cleanup. After it, no row is open unless its recording goes on. */
export const runLastCleanup = (world: World) => cleanUpLater(world, LAST_CLEANUP_AFTER_MINUTES);

async function cleanUpLater(world: World, minutes: number): Promise<void> {
  await wait(minutes)(world);
  await cleanUpNow(world);
  await goOn(world);
}

/** Recorders go on by themselves, and LiveKit's events arrive. */
async function goOn(world: World): Promise<void> {
  const { recordings } = world.observer.rooms;
  await tellAll(world);
  recordings.begin();
  await tellAll(world);
  recordings.upload();
  await tellAll(world);
}

/** Only the cleanup's removals at that time, not its meetings: they would be over by then. */
async function repeatRemovals({ administration, ...deps }: Service, atMs: number): Promise<void> {
  for (const removal of await administration.listRemovals(new Date(atMs).toISOString(), 100)) {
    await repeatRemoval({ ...deps, administration }, removal);
    await administration.dropRemoval(removal);
  }
}

/** Every person tries to join again with the tokens that they have. */
export async function rejoinWithOldTokens(world: World): Promise<void> {
  await joinWithTokens(world);
  await tellAll(world);
}
