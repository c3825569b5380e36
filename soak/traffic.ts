/** Plays a plan: everybody does one thing after the other, at their times or as soon as they can. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseRoomName } from '../lib/meetings/model.ts';
import type { Answers, Reply } from '../local/client.ts';
import { JoinRefused } from '../local/livekit/stand-in.ts';
import { pick } from './chance.ts';
import type { Clock } from './clock.ts';
import type { Nemesis } from './faults.ts';
import type { Action, Errand, Plan, Step } from './generator.ts';
import type { About, Command, History, Route } from './history.ts';
import type { CastClub, Person, World } from './world.ts';

/** The parts that are removed from meetings, and whose role changes, so that of the others all is certain. */
const REMOVABLE = ['reader', 'climber', 'guest'] as const;

/** How much of the plan's time passes while the API is away. */
const DOWN_MS = 2_000;

interface Traffic {
  /** By name, and what was planned and not got to. */
  counts: Map<string, number>;
}

export async function playTraffic(
  plan: Plan,
  world: World,
  nemesis: Nemesis,
  history: History,
  clock: Clock,
): Promise<Traffic> {
  const counts = new Map<string, number>();
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);

  const play = async <Does extends string>(
    steps: Step<Does>[],
    deeds: Record<Does, (choice: number) => Promise<unknown>>,
  ) => {
    for (const { atMs, does, choice } of steps) {
      await clock.reach(atMs);
      if (clock.now() > plan.lengthMs) {
        count('not got to');
        continue;
      }
      await deeds[does](choice);
      count(does);
    }
  };

  const errands = errandsOf(world, nemesis, history);
  const killApi = async () => {
    const isBack = world.killApi();
    // The API is unreachable for a moment.
    await Promise.race([isBack, delay(DOWN_MS)]);
    clock.stop();
    await isBack;
    clock.goOn();
  };
  const kills = async () => {
    for (const atMs of plan.kills) {
      await clock.reach(atMs);
      await killApi();
      count('kill');
    }
  };
  await Promise.all([
    ...world.clubs.flatMap((club, index) =>
      Object.values(club.people).map((person) => {
        const steps = plan.clubs[index]?.parts[person.part] ?? [];
        const other = world.clubs[(index + 1) % world.clubs.length] ?? club;
        return play(steps, actionsOf(person, club, other, world, history));
      }),
    ),
    ...plan.errands.map((steps) => play(steps, errands)),
    kills(),
  ]);
  return { counts };
}

/** What one person does, and what they remember of it. */
function actionsOf(
  person: Person,
  { clubId, people }: CastClub,
  other: CastClub,
  { standIn }: World,
  { ask, stays }: History,
): Record<Action, (choice: number) => Promise<unknown>> {
  const by = person.userId;
  /** The meetings in the person's answers, and their last token. */
  const meetings: string[] = [];
  let token: string | undefined;
  let session: { roomName: string; sid: string } | undefined;

  const heardOf = <T extends { meetingId: string | null }>(answer: T | undefined) => {
    if (answer?.meetingId && !meetings.includes(answer.meetingId)) meetings.push(answer.meetingId);
    return answer;
  };
  const enter = async (withToken: string) => {
    const from = Date.now();
    try {
      const { roomName, sid } = await standIn.joinWithToken(withToken);
      session = { roomName, sid };
      const room = parseRoomName(roomName);
      if (room) stays.push({ ...room, userId: by, sid, from, to: Date.now() });
      return true;
    } catch (error) {
      // The room of the token is gone.
      if (!(error instanceof JoinRefused)) throw error;
      return false;
    }
  };
  const targetOf = (choice: number) => people[pick(REMOVABLE, choice) ?? 'reader'].userId;
  /** `about` is for the history, `parts` are what the client's function takes besides the club. */
  const requestIn =
    (clubId: string) =>
    <R extends Route>(route: R, about: Omit<About, 'clubId'> = {}, ...parts: PartsOf<R>) => {
      const send = person[route] as unknown as Send<R>;
      return ask(by, route, { clubId, ...about }, () => send(clubId, ...parts));
    };
  const request = requestIn(clubId);
  const end = async (meetingId?: string) =>
    heardOf(await (meetingId ? request('end', { meetingId }, { meetingId }) : request('end')));
  const remove = (choice: number, allowRejoin: boolean) => {
    const userId = targetOf(choice);
    return request('remove', { userId, allowRejoin }, userId, { allowRejoin });
  };

  return {
    start: async () => heardOf(await request('start')),
    end: () => end(),
    endNamed: () => end(meetings.at(-1)),
    endEarlier: async (choice) => {
      const earlier = pick(meetings.slice(0, -1), choice);
      if (earlier) await end(earlier);
    },
    join: async () => {
      for (const roomMissing of [false, true]) {
        const given = heardOf(await request('token', {}, { roomMissing }));
        if (!given) return;
        token = given.token;
        if (await enter(token)) return;
      }
    },
    joinAgain: async () => {
      if (token) await enter(token);
    },
    leave: async () => {
      const left = session;
      session = undefined;
      // They may be out already: removed, evicted or the room gone.
      if (left) await standIn.leave(left.roomName, left.sid).catch(() => undefined);
    },
    poll: async () => heardOf(await request('status')),
    list: () => request('meetings', {}, '?limit=5'),
    details: async (choice) => {
      const meetingId = pick(meetings, choice);
      if (meetingId) await request('meeting', { meetingId }, meetingId);
    },
    participants: () => request('participants'),
    mute: (choice) => request('mute', { userId: targetOf(choice) }, targetOf(choice)),
    muteAll: () => request('muteAll'),
    remove: (choice) => remove(choice, false),
    disconnect: (choice) => remove(choice, true),
    readmit: (choice) => request('readmit', { userId: targetOf(choice) }, targetOf(choice)),
    setRole: (choice) => {
      const { userId } = people.climber;
      const role = choice < 0.5 ? 'member' : 'moderator';
      return request('setRole', { userId, role }, userId, role);
    },
    record: () => request('recordingStart'),
    stopRecording: () => request('recordingStop'),
    deleteRecording: async (choice) => {
      const meetingId = pick(meetings, choice);
      if (!meetingId) return;
      const listed = await request('recordings', { meetingId }, meetingId);
      const { recordingId } = pick(listed?.recordings ?? [], (choice * 1000) % 1) ?? {};
      if (!recordingId) return;
      await request('recordingDelete', { meetingId, recordingId }, meetingId, recordingId);
    },
    consent: () => request('recordingConsent'),
    /** In a club of which they are no member. */
    trespass: async (choice) => {
      const route = pick(TRESPASSES, choice);
      if (route) await requestIn(other.clubId)(route);
    },
  };
}

const TRESPASSES = [
  'token',
  'status',
  'start',
  'end',
  'meetings',
  'recordingStart',
  'recordingStop',
] as const;

type PartsOf<R extends Route> =
  Parameters<Person[R]> extends [string, ...infer Parts] ? Parts : never;
type Send<R extends Route> = (clubId: string, ...parts: PartsOf<R>) => Promise<Reply<Answers[R]>>;

/** What the application that owns the clubs does, the schedule, and LiveKit by itself. */
function errandsOf(
  world: World,
  nemesis: Nemesis,
  history: History,
): Record<Errand, (choice: number) => Promise<unknown>> {
  const { standIn } = world;
  /** Each change of the application is later than the one before. */
  let lastChange = 0;
  const changeNow = () => {
    lastChange = Math.max(Date.now(), lastChange + 1);
    return new Date(lastChange).toISOString();
  };
  const deliver = async (sent: Pick<Command, 'command' | 'clubId' | 'userId' | 'occurredAt'>) => {
    const { command, clubId, userId, occurredAt } = sent;
    const club = world.clubs.find((each) => each.clubId === clubId);
    const { displayName = '' } = club?.people.guest ?? {};
    if (command === 'show') return world.command({ command, clubId });
    const about = { clubId, userId, occurredAt };
    return command === 'remove-member'
      ? world.command({ command, ...about })
      : world.command({ command, ...about, displayName });
  };
  const sendAbout = async (
    { clubId, people }: CastClub,
    command: Command['command'],
    occurredAt: string,
  ): Promise<boolean> => {
    const sent: Command = {
      ...{ command, clubId, userId: people.guest.userId, occurredAt, sentAt: Date.now() },
      overAt: Number.POSITIVE_INFINITY,
      isDone: false,
    };
    history.commands.push(sent);
    try {
      await deliver(sent);
      sent.isDone = true;
    } catch {
      // An outage, or the process was killed: the outcome is unknown.
    }
    sent.overAt = Date.now() + (sent.isDone ? 0 : 60_000);
    return sent.isDone;
  };
  const send = (command: Command['command']) => async (choice: number) => {
    const club = pick(world.clubs, choice);
    if (club) await sendAbout(club, command, changeNow());
  };
  /** It changes nothing, so it is in no history: the record has it, or something newer. */
  const repeat = async (choice: number) => {
    const earlier = history.commands.filter(({ command, isDone }) => isDone && command !== 'show');
    const again = pick(earlier, choice);
    if (again) await deliver(again).catch(() => undefined);
  };
  /** Two changes, of which the later one arrives first; the earlier one then changes nothing. */
  const outOfOrder = async (choice: number) => {
    const club = pick(world.clubs, choice);
    if (!club) return;
    const [earlier, later] = [changeNow(), changeNow()];
    const commands = ['put-member', 'remove-member'] as const;
    const [first, second] = (choice * 1000) % 1 < 0.5 ? commands : commands.toReversed();
    if (!first || !second || !(await sendAbout(club, first, later))) return;
    const about = { clubId: club.clubId, userId: club.people.guest.userId };
    await deliver({ command: second, ...about, occurredAt: earlier }).catch(() => undefined);
  };
  // A run throws for whatever it could not put right; the next one does that.
  const cleanUp = () => world.cleanUp().catch(() => undefined);

  return {
    enrol: send('put-member'),
    strike: send('remove-member'),
    repeat,
    outOfOrder,
    show: send('show'),
    cleanUp,
    cleanUpTwice: () => Promise.all([cleanUp(), cleanUp()]),
    timeOut: async (choice) => {
      const room = pick(await standIn.rooms(), choice);
      if (room) await standIn.finishRoom(room.name).catch(() => undefined);
    },
    crash: async () => {
      for (const { name, sid } of await standIn.rooms()) {
        nemesis.silence(sid);
        await standIn.finishRoom(name).catch(() => undefined);
      }
    },
    recordersDie: async () => {
      await standIn.recorder.kill();
      history.deaths.push(Date.now());
    },
    recordersFail: (choice) => standIn.recorder.end(choice < 0.5 ? 'crashed' : 'limit reached'),
    recordersAreBusy: () => standIn.recorder.set({ isAvailable: false }),
    recordersAreFree: (choice) => standIn.recorder.set({ startMs: Math.round(choice * 1000) }),
  };
}
