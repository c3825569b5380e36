/**
 * Long random sequences of all use cases together, on our repositories and a real table, against a
 * model in memory. CONTRIBUTING.md says how to run more of them and how to repeat one.
 */
import fc from 'fast-check';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MediaUnavailable } from '../../lib/errors.ts';
import { cleanUp } from '../../lib/meetings/cleanup/run.ts';
import { handleLiveKitEvent } from '../../lib/meetings/livekit-events.ts';
import type { MediaEvent } from '../../lib/meetings/media.ts';
import { Club } from '../../lib/meetings/model.ts';
import type { Database } from '../../local/dynamodb.ts';
import { startTestDatabase } from '../harness/database.ts';
import {
  around,
  askedOf,
  type Call,
  CLUBS,
  commandsOf,
  type Managing,
  PEOPLE,
  perform,
  permutations,
  textOf,
  type UseCase,
} from './calls.ts';
import {
  accept,
  acceptCleanup,
  acceptVainStart,
  agree,
  expectedOf,
  type Happened,
  type Items,
  noteDelivery,
  nothing,
  stir,
  type Truth,
} from './expected-state.ts';
import { interleaved, MAX_PARTICIPANTS, newWorld, type World } from './service.ts';

const { MODEL_RUNS, MODEL_SEED } = process.env;
const runs = Number(MODEL_RUNS ?? 20);
const TIMEOUT_MS = 60_000 + runs * 3_000;
const parameters = {
  numRuns: runs,
  ...(MODEL_SEED && { seed: Number(MODEL_SEED) }),
  // A failure that takes long to shorten is reported with its seed, and as short as it is by then.
  interruptAfterTimeLimit: TIMEOUT_MS - 20_000,
  markInterruptAsFailure: true,
};
/** For stories of a few steps, of which more fit into the same time. */
const briefly = { ...parameters, numRuns: 3 * runs };

let database: Database;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());

/** But for the notes that clubs and members were removed; those of meetings are the model's. */
const itemsNow = async (world: World): Promise<Items> =>
  new Map(await Promise.all(CLUBS.map(async (id) => [id, await leftOf(world, id)] as const)));

const leftOf = async (world: World, clubId: string) =>
  (await world.itemsOf(clubId)).filter(
    ({ sk, removedAt }) => removedAt === undefined || String(sk).startsWith('REMOVED#'),
  );

/** The meeting that a call names: the club's newest first; an unknown one if the club has none. */
function meetingNamed(truth: Truth, call: Call): string | undefined {
  if (!('clubId' in call && 'nth' in call) || call.nth === undefined) return undefined;
  const club = truth.clubs.get(call.clubId);
  const ids = [
    ...(club?.meeting ? [club.meeting.meetingId] : []),
    ...(club?.ended.map(({ meetingId }) => meetingId).reverse() ?? []),
  ];
  return ids[call.nth] ?? ulid(0);
}

class Step<C extends Call> implements fc.AsyncCommand<Truth, World> {
  readonly call: C;
  constructor(call: C) {
    this.call = call;
  }
  check = () => true;
  toString = () => textOf(this.call);

  async run(truth: Truth, world: World): Promise<void> {
    await happen(this.call, truth, world);
    agree(truth, await itemsNow(world), world.rooms);
  }
}

async function happen(call: Call, truth: Truth, world: World): Promise<void> {
  const { rooms, service } = world;
  switch (call.does) {
    case 'cleanup':
      if (rooms.isDown) return expect(cleanUp(service, hasTime)).rejects.toThrow(MediaUnavailable);
      expect(await cleanUp(service, hasTime)).toMatchObject({ failed: 0, postponed: 0 });
      return acceptCleanup(truth, await itemsNow(world), world);
    case 'join': {
      const { userId, roomName } = truth.tokens.at(-1 - call.nth) ?? {};
      if (userId && roomName) rooms.join(roomName, userId, MAX_PARTICIPANTS);
      return stir(truth);
    }
    case 'leave':
      rooms.leave(call.userId);
      return stir(truth);
    case 'room timers':
      return rooms.timeOut();
    case 'LiveKit restarts':
      return rooms.crash();
    case 'deliver':
      return follow(truth, world, rooms.onTheWay[call.nth % rooms.onTheWay.length]);
    case 'deliver all':
      for (const event of [...rooms.onTheWay]) await follow(truth, world, event);
      return;
    case 'deliver again':
      return follow(truth, world, world.rooms.delivered.at(-1 - call.nth));
    case 'lose': {
      const event = rooms.onTheWay[call.nth % rooms.onTheWay.length];
      if (event) rooms.lose(event);
      return;
    }
    case 'wait':
      return world.wait(call.minutes * 60_000);
    case 'LiveKit down':
      return rooms.setDown(call.isDown);
    default: {
      const meetingId = meetingNamed(truth, call);
      const callsBefore = rooms.calls;
      const outcome = await perform(service, call, meetingId);
      const isLiveKitAsked = rooms.calls > callsBefore;
      accept(truth, { call, meetingId, outcome, isLiveKitAsked }, world);
    }
  }
}

const hasTime = () => true;

/** LiveKit sends the event; if it is not accepted, it stays on its way. */
async function follow(truth: Truth, world: World, event: MediaEvent | undefined): Promise<void> {
  if (!event) return;
  const expected = expectedOf(truth, event, world.rooms.isDown);
  if ('code' in expected) {
    return expect(handleLiveKitEvent(world.service, event)).rejects.toMatchObject(expected);
  }
  expect(await handleLiveKitEvent(world.service, event), event.type).toBe(expected.answer.result);
  world.rooms.markDelivered(event);
  noteDelivery(truth, event);
}

const all = <C extends Call>(weight: number, ...arbitraries: fc.Arbitrary<C>[]) =>
  arbitraries.map((arbitrary) => ({ weight, arbitrary }));

/** The club that exists from the beginning, with a user in each role. */
const CLUB = 'novels';
const MODERATORS = ['ada', 'ben'];

/** Mostly of one club, so that much happens in a meeting. */
const MOSTLY_ONE = [CLUB, CLUB, CLUB, ...CLUBS];
const asked = askedOf(MOSTLY_ONE, PEOPLE);
const anyCall = fc.oneof(
  ...all<Call>(8, asked.start, asked.token, around.join),
  ...all<Call>(6, asked.end, around.cleanup, around.deliver, around.wait),
  ...all<Call>(4, around.leave, around.deliverAll, asked.remove),
  ...all<Call>(3, asked.status, asked.history, around.repeat, around.lose, around.outage),
  ...all<Call>(1, ...Object.values(commandsOf(MOSTLY_ONE))),
  ...all<Call>(2, asked.readmit, asked.role, asked.meeting),
  ...all<Call>(2, asked.participants, around.timeOut, around.crash),
);

const FOUNDING: Managing[] = [
  { command: 'put-club', clubId: CLUB, name: 'A', moderatorId: 'ada' },
  { command: 'put-member', clubId: CLUB, userId: 'ben', role: 'moderator' },
  { command: 'put-member', clubId: CLUB, userId: 'cleo' },
];

async function begin(): Promise<{ model: Truth; real: World }> {
  const [model, real] = [nothing(), await newWorld(database)];
  for (const command of FOUNDING) await happen({ does: 'manage', command }, model, real);
  return { model, real };
}

describe('Whatever happens, and in whatever order,', () => {
  it(
    'each answer and every item of the table is what the model says',
    async () => {
      const story = fc.commands([anyCall.map((call) => new Step(call))], {
        maxCommands: 60,
        size: 'max',
      });
      await fc.assert(
        fc.asyncProperty(story, async (steps) => {
          const start = await begin();
          await fc.asyncModelRun(() => start, steps);
        }),
        parameters,
      );
    },
    TIMEOUT_MS,
  );

  it(
    'what is asked at once is answered as if it had been asked in some order',
    async () => {
      // The application's commands that take several steps are left out: they promise only their end.
      const { start, end, token, meeting, remove, readmit, role } = askedOf([CLUB], MODERATORS);
      const { putClub, putMember, setRole } = commandsOf([CLUB]);
      const useCase = fc.oneof(
        ...all<UseCase>(6, start, end),
        ...all<UseCase>(2, token),
        ...all<UseCase>(1, meeting, remove, readmit, role, putClub, putMember, setRole),
      );
      await fc.assert(atOnce(useCase, explain), briefly);
    },
    TIMEOUT_MS,
  );

  it(
    'a club that is removed while its meetings start and end is gone, or is whole',
    async () => {
      const { start, end } = askedOf([CLUB], MODERATORS);
      const { removeClub } = commandsOf([CLUB]);
      const useCase = fc.oneof(...all<UseCase>(3, start, removeClub), ...all<UseCase>(1, end));
      await fc.assert(
        atOnce(useCase, (_, __, { rooms }, items) => {
          const left = items.get(CLUB) ?? [];
          const club = left.find(({ sk }) => sk === 'CLUB');
          const others = left.filter(({ sk }) => !String(sk).startsWith('REMOVED#'));
          if (!club) return expect([rooms.names(), others]).toEqual([[], []]);
          const { meeting } = Club.parse(club);
          expect(rooms.names()).toEqual(meeting ? [meeting.roomName] : []);
        }),
        briefly,
      );
    },
    TIMEOUT_MS,
  );
});

type Check = (truth: Truth, happened: Happened[], world: World, items: Items) => void;

/** Some of these one after another, then two or three at once, step by step as the scheduler says. */
const atOnce = (useCase: fc.Arbitrary<UseCase>, check: Check) => {
  const step = useCase.map((call) => new Step(call));
  return fc.asyncProperty(
    fc.array(step, { maxLength: 5 }),
    fc.array(step, { minLength: 2, maxLength: 3 }),
    fc.scheduler(),
    async (before, together, scheduler) => {
      const { model, real } = await begin();
      for (const step of before) await step.run(model, real);

      const known = new Set(real.issued);
      const deps = interleaved(real.service, scheduler);
      const happened = await scheduler.waitFor(
        Promise.all(
          together.map(async ({ call }) => {
            const meetingId = meetingNamed(model, call);
            const callsBefore = real.rooms.calls;
            const outcome = await perform(deps, call, meetingId);
            // Another call at the same time may have made it.
            const isLiveKitAsked = real.rooms.calls > callsBefore;
            return { call, meetingId, outcome, isLiveKitAsked };
          }),
        ),
      );
      const issued = real.issued.filter((meeting) => !known.has(meeting));
      check(model, happened, { ...real, issued }, await itemsNow(real));
    },
  );
};

/** @throws what speaks against each order, when none gives these answers and this table */
function explain(truth: Truth, happened: Happened[], world: World, items: Items): void {
  const objections: unknown[] = [];
  for (const order of permutations(happened)) {
    for (const issued of permutations(world.issued)) {
      const copy = structuredClone(truth);
      try {
        const over: string[] = [];
        for (const each of order) {
          const { call, outcome } = each;
          if (call.does === 'start' && outcome.code === 'MEETING_NOT_ACTIVE') {
            over.push(acceptVainStart(copy, call.clubId, { ...world, issued }));
          } else accept(copy, each, { ...world, issued });
        }
        for (const { meeting } of copy.clubs.values())
          expect(over).not.toContain(meeting?.meetingId);
        agree(copy, items, world.rooms);
        return;
      } catch (error) {
        objections.push(error);
      }
    }
  }
  const story = happened.map(({ call, outcome }) => `${textOf(call)}: ${JSON.stringify(outcome)}`);
  throw new AggregateError(objections, `No order explains\n${story.join('\n')}`);
}
