/** Stories at the same time, in every order of their steps. */
import type { ErrorCode } from '../../lib/errors.ts';
import { type Outcome, permutations } from '../model/calls.ts';
import { comparable, linesOf, wholeOf } from './outcome.ts';
import { ANSWERED, brokenOf, CLAIMED, LEFT, SETTLED, type Seen } from './promises.ts';
import { rejoinWithOldTokens, runLastCleanup, runSecondCleanup, settle } from './scenes.ts';
import { type Bounds, type Explored, explore, idsOf, inTurn, textOf } from './schedules.ts';
import { type Choose, type Late, lateIdOf, lateThreadOf, type Step } from './stage.ts';
import type { Operation, Story } from './stories.ts';
import { type Scene, THREADS, type Theatre, type Thread, type World } from './world.ts';

/** The answer to an operation. */
interface Answered {
  operation: Operation;
  text: string;
  /** Besides itself. */
  mayMean: string[];
  code: string | undefined;
  /** The answer says that the outcome is not known yet. */
  isProvisional: boolean;
}

/** The outcome of one run. */
export interface Ran {
  taken: Step[];
  isWhole: boolean;
  /** Of each operation, story by story. */
  answered: Answered[];
  /** The state after the cleanups and LiveKit's last events. */
  left: string[];
  broken: string[];
}

/** The outcomes of running one operation after the other. */
type Serial = (Ran & { order: string; hasLost?: boolean })[];

export interface Found extends Explored {
  /** Runs that no serial order explains, or that broke a promise: their steps, and the differences. */
  wrong: string[];
}

/**
 * What a refusal says when the world changed between two reads of one operation: one may take the
 * place of another, and nothing else.
 */
const MEANWHILE: ErrorCode[] = [
  'CLUB_NOT_FOUND',
  'MEETING_NOT_ACTIVE',
  'MEMBER_NOT_FOUND',
  'NOT_A_MEMBER',
  'NOT_A_MODERATOR',
  'REMOVED_FROM_MEETING',
];

interface Play {
  choose(doneCount: () => number): Choose;
  late?: Late;
  /** The process of the first story dies after this step of it. */
  killedAfter?: string;
  /** Left out of the run. */
  without?: readonly Operation[];
  /** Their answers were lost, and what they wrote was not. */
  refusedLate?: readonly Operation[];
}

/** Plays the stories from the scene; what is at rest already is not looked at twice. */
function playing(theatre: Theatre, scene: Scene, stories: Story[], isSecondLater = false) {
  const names = THREADS.slice(0, stories.length);
  const known = new Map<string, Pick<Ran, 'left' | 'broken'>>();

  return async ({
    choose,
    late,
    killedAfter,
    without = [],
    refusedLate = [],
  }: Play): Promise<Ran> => {
    const world = await theatre.open(scene);
    const operationsOf = (index: number) =>
      stories[index]?.operations.filter((operation) => !without.includes(operation)) ?? [];
    const answers: unknown[][] = stories.map(() => []);
    const isDone = (index: number) => answers[index]?.length === operationsOf(index).length;
    const play = async (index: number, thread: Thread) => {
      const actor = world.actors[thread];
      if (isSecondLater && index > 0) {
        const begins = { label: 'begins', reads: [], writes: [], isPossible: () => isDone(0) };
        await actor.step(begins, () => Promise.resolve());
      }
      for (const operation of operationsOf(index)) {
        const isLost = refusedLate.includes(operation);
        answers[index]?.push(await (isLost ? operation.refusedLate : operation.run)?.(actor));
      }
    };
    const { taken, isWhole } = await theatre.stage.play(
      Object.fromEntries(names.map((name, index) => [name, () => play(index, name)])),
      choose(() => answers.reduce((count, { length }) => count + length, 0)),
      { ...(late && { late }), ...(killedAfter && { killedAfter }) },
    );
    if (!isWhole) return { taken, isWhole, answered: [], left: [], broken: [] };

    // Lambda invokes a command again that could not be carried out, and people ask again.
    for (const [index, operation] of (late || killedAfter ? operationsOf(0) : []).entries()) {
      if (!operation.isGradual && !operation.isRepeated) continue;
      if (answers[0] && answers[0].length > index && !isGivenUp(answers[0][index])) continue;
      await operation.run(world.observer);
    }
    while (killedAfter && answers[0] && answers[0].length < operationsOf(0).length) {
      answers[0].push(undefined);
    }
    const first = world.state();
    const operations = stories.flatMap((_, index) => operationsOf(index));
    const all = answers.flat(1);
    const answered = operations.map((operation, index) => answeredBy(operation, all[index], first));
    const seen = { operations, answers: all, scene: first };
    const key = [...wholeOf(first), ...answered.map(({ text }) => text)].join('\n');
    const rest =
      known.get(key) ??
      (await atRest(world, seen, late !== undefined || killedAfter !== undefined));
    known.set(key, rest);
    return {
      taken,
      isWhole,
      answered,
      ...rest,
      broken: [...brokenOf(ANSWERED, seen), ...rest.broken],
    };
  };
}

function answeredBy(operation: Operation, outcome: unknown, scene: Scene): Answered {
  const { isProvisional = false, ...said } = (outcome ?? {}) as Outcome & {
    isProvisional?: boolean;
  };
  const { answer, code } = said;
  const meant = (answer && operation.mayMean?.(answer)) ?? [];
  return {
    operation,
    text: comparable(outcome && said, scene),
    mayMean: meant.map((each) => comparable({ answer: each }, scene)),
    code,
    isProvisional,
  };
}

/** All at once: what one operation after the other comes to, in some order of them, explains each run. */
export async function together(
  theatre: Theatre,
  scene: Scene,
  given: Story[],
  bounds?: Bounds,
): Promise<Found> {
  // A story can run twice at once, so each gets operations of its own.
  const stories = given.map(({ name, operations }) => ({
    name,
    operations: operations.map((operation) => ({ ...operation })),
  }));
  const run = playing(theatre, scene, stories);
  const isGradual = stories.some(({ operations }) => operations.some((one) => one.isGradual));

  /** In each order of the operations. */
  async function serialWithout(
    without: Operation[],
    refusedLate: Operation[] = [],
  ): Promise<Serial> {
    const turns = stories.flatMap(({ operations }, index) =>
      operations.filter((one) => !without.includes(one)).map(() => THREADS[index] ?? ''),
    );
    const serial: Serial = [];
    for (const order of permutations(turns)) {
      const choose = (doneCount: () => number) => inTurn(order, doneCount);
      serial.push({
        order: order.join(''),
        hasLost: refusedLate.length > 0,
        ...(await run({ choose, without, refusedLate })),
      });
    }
    return serial;
  }
  const knownSerials = new Map<string, Serial>();

  const isExplainedBy = ({ answered, left }: Ran, serial: Serial) =>
    serial.some(
      (other) =>
        left.join() === other.left.join() &&
        answered.every((each) => {
          const instead = other.answered.find(({ operation }) => operation === each.operation);
          if (!instead) return isRefused(each);
          // What a lost answer noted was not given.
          const isOversaid = other.hasLost && instead.mayMean.includes(each.text);
          return isOversaid || mayTake(each, instead, isGradual);
        }),
    );
  /** Without the refused operations, since they changed nothing. */
  async function isExplainedWithoutRefused(ran: Ran): Promise<boolean> {
    for (const refused of subsets(ran.answered.filter(isRefused))) {
      const without = refused.map(({ operation }) => operation);
      const key = ran.answered.map(({ operation }) => without.includes(operation)).join();
      const lost = without.filter((operation) => operation.refusedLate);
      const serial = knownSerials.get(key) ?? [
        ...(await serialWithout(without)),
        ...(lost.length > 0
          ? await serialWithout(
              without.filter((one) => !lost.includes(one)),
              lost,
            )
          : []),
      ];
      knownSerials.set(key, serial);
      if (isExplainedBy(ran, serial)) return true;
    }
    return false;
  }

  const whole = await serialWithout([]);
  const wrong = whole.filter(({ broken }) => broken.length > 0).map((ran) => report(ran, [ran]));
  const explored = await explore(async (choose) => {
    const ran = await run({ choose: () => choose });
    if (!ran.isWhole) return false;
    const isExplained =
      isExplainedBy(ran, whole) ||
      (await isExplainedWithoutRefused(ran)) ||
      ran.answered.some(({ isProvisional }) => isProvisional);
    if (!isExplained || ran.broken.length > 0) wrong.push(report(ran, whole));
    return true;
  }, bounds);
  return { ...explored, wrong };
}

const isRefused = ({ code, operation }: Answered): boolean =>
  code !== undefined && (operation.mayRefuse ?? []).includes(code);

/** Whether an operation may say this where it says `instead` when it is alone. */
function mayTake(answered: Answered, instead: Answered, isGradual: boolean): boolean {
  if (answered.text === instead.text || answered.operation.isUnheard) return true;
  if (answered.code === undefined) {
    if (!isGradual) return answered.mayMean.includes(instead.text);
    // A meeting that another has ended by then needs nothing of LiveKit.
    return instead.code === undefined || instead.code === 'MEDIA_UNAVAILABLE';
  }
  if (isRefused(answered)) return true;
  return (
    MEANWHILE.includes(answered.code as ErrorCode) && (instead.code !== undefined || isGradual)
  );
}

/**
 * Gives up each write of the first story to the table in turn: its caller gets an answer, the second story
 * runs, and the write arrives between two of its steps. The outcome must be that of a write which never
 * arrives, or which arrives before the second story. Or after it, unless both decide the same: a newer
 * decision stands.
 */
export async function late(
  theatre: Theatre,
  scene: Scene,
  [first, second]: [Story, Story],
  { order }: Bounds = {},
): Promise<Found> {
  const alone = await playing(theatre, scene, [first])({ choose: () => (possible) => possible[0] });
  const writes = alone.taken.filter((step) => step.writes.some(isOfTable));
  const isGradual = [first, second].some(({ operations }) =>
    operations.some((operation) => operation.isGradual),
  );
  const found: Found = { orders: 0, cutShort: 0, wrong: [] };
  for (const { id } of writes) {
    const lateId = lateIdOf({ id });
    if (order && !order.includes(lateId)) continue;
    const run = playing(theatre, scene, [first, second], true);
    const isLate = (step: Step) => step.id === id;
    const runIn = async (name: string, arrives: boolean, ...threads: string[]) => {
      const choose: Choose = (possible) =>
        threads.flatMap((thread) => possible.filter((step) => step.thread === thread))[0];
      return { order: name, ...(await run({ choose: () => choose, late: { isLate, arrives } })) };
    };
    const serial = [
      await runIn('which never arrives', false, 'A', 'B'),
      await runIn('which arrives before the second', true, 'A', lateThreadOf('A'), 'B'),
      ...(decideTheSame(first, second)
        ? []
        : [await runIn('which arrives after the second', true, 'A', 'B', lateThreadOf('A'))]),
    ];
    const explored = await explore(
      async (choose) => {
        const ran = await run({ choose: () => choose, late: { isLate, arrives: true } });
        if (!ran.isWhole) return false;
        const isExplained = serial.some(
          ({ answered, left }) =>
            left.join() === ran.left.join() &&
            answered.every((instead, index) => {
              const each = ran.answered[index];
              return each && mayTake(each, instead, isGradual);
            }),
        );
        if (!isExplained || ran.broken.length > 0) found.wrong.push(report(ran, serial));
        return true;
      },
      { order },
    );
    found.orders += explored.orders;
    found.cutShort += explored.cutShort;
  }
  return found;
}

/**
 * The process of the first story dies after each of its steps, while the second story goes on: what holds
 * whatever happens holds, once the cleanups have run.
 */
export async function killed(
  theatre: Theatre,
  scene: Scene,
  [first, second]: [Story, Story],
  bounds?: Bounds,
): Promise<Found> {
  const alone = await playing(theatre, scene, [first])({ choose: () => (possible) => possible[0] });
  const run = playing(theatre, scene, [first, second]);
  const found: Found = { orders: 0, cutShort: 0, wrong: [] };
  for (const { id } of alone.taken) {
    const explored = await explore(async (choose) => {
      const ran = await run({ choose: () => choose, killedAfter: id });
      const alike = [{ ...ran, order: 'itself' }];
      if (ran.broken.length > 0) found.wrong.push(`killed after ${id}\n${report(ran, alike)}`);
      return ran.isWhole;
    }, bounds);
    found.orders += explored.orders;
    found.cutShort += explored.cutShort;
  }
  return found;
}

const isGivenUp = (outcome: unknown): boolean =>
  (outcome as Outcome | undefined)?.code === 'STORE_UNAVAILABLE';

const decisionsOf = ({ operations }: Story) => operations.flatMap(({ decides = [] }) => decides);

const decideTheSame = (one: Story, other: Story): boolean =>
  decisionsOf(one).some((decision) => decisionsOf(other).includes(decision));

const isOfTable = (name: string) => name.includes('/');

/** After everything that comes by itself, and after everybody tried to come in again. */
async function atRest(
  world: World,
  seen: Seen,
  hadLateWrites: boolean,
): Promise<Pick<Ran, 'left' | 'broken'>> {
  const broken: string[] = [];
  await settle(world, hadLateWrites);
  const isRecorded = seen.operations.some((operation) => operation.isRecorded);
  const { egresses, isSilent } = world.observer.rooms.recordings.state;
  if (isRecorded || egresses.size > 0) {
    await runSecondCleanup(world);
    // What that one stopped has ended, and the next one finds it so.
    if (!isSilent) broken.push(...brokenOf(CLAIMED, { ...seen, scene: world.state() }));
    await runLastCleanup(world);
    // What a late write opened is given up by that one.
    if (hadLateWrites) await runLastCleanup(world);
    broken.push(...brokenOf(SETTLED, { ...seen, scene: world.state() }));
  }
  const scene = world.state();
  broken.push(...brokenOf(LEFT, { ...seen, scene }));
  await rejoinWithOldTokens(world);
  const after = world.state();
  broken.push(...brokenOf(LEFT, { ...seen, scene: after }));
  return { left: [...linesOf(scene), ...linesOf(after)], broken };
}

/** All but the empty one. */
function subsets<T>([first, ...others]: T[]): T[][] {
  if (first === undefined) return [];
  const rest = subsets(others);
  return [[first], ...rest, ...rest.map((set) => [first, ...set])];
}

/** The steps, what came of them, and how that differs from the order of whole operations next to it. */
function report(ran: Ran, serial: Serial): string {
  const differences = serial
    .map((other) => ({ order: other.order, lines: differencesOf(ran, other) }))
    .toSorted((a, b) => a.lines.length - b.lines.length);
  const [next] = differences;
  return [
    textOf(ran.taken),
    ...ran.broken,
    ...ran.answered.map(({ text }) => `said ${text}`),
    `${next?.lines.length} differences to ${next?.order}, more to ${differences.length - 1} others:`,
    ...(next?.lines ?? []),
    `again: EXPLORER_ORDER='${idsOf(ran.taken)}'`,
  ].join('\n');
}

function differencesOf({ answered, left }: Ran, other: Ran): string[] {
  return [
    ...answered.flatMap(({ text }, index) => {
      const instead = other.answered[index]?.text;
      return text === instead ? [] : [`  said ${text}`, `  not  ${instead}`];
    }),
    ...left.filter((line) => !other.left.includes(line)).map((line) => `  + ${line}`),
    ...other.left.filter((line) => !left.includes(line)).map((line) => `  - ${line}`),
  ];
}
