/**
 * `npm run demo`: a meeting from its start to its history, as the people in it see it. Against the stack
 * that `npm run dev` runs, or one of its own. Ends with 1 when a step is not as promised.
 */
import { ok, strictEqual } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { styleText } from 'node:util';
import { type ApiClient, apiClient } from './client.ts';
import { createClub, removeClub } from './demo-data.ts';
import { logIn } from './identity.ts';
import { onInterruption } from './interruption.ts';
import { JoinRefused, standInClients } from './livekit/stand-in.ts';
import { parseOptionsOrExit } from './options.ts';
import {
  freeParticipants,
  joinRoom,
  joinStandIn,
  type Participant,
  type RealParticipant,
} from './participant.ts';
import { bypassProxiesOnLoopback } from './proxies.ts';
import { startStack } from './stack.ts';
import { readStack, type StackDescription, type StackUser } from './stack-file.ts';
import { until } from './until.ts';

/** The whole of it, the start of a stack included, takes some 15 s. */
const ALL_WITHIN_MS = 150_000;
/** Webhooks take effect some 20 ms later; on a busy machine several times that. */
const EVENTS_WITHIN_MS = 5_000;
const SENTENCE_COLUMNS = 82;

parseOptionsOrExit('demo', {});

bypassProxiesOnLoopback();
const interrupted = onInterruption();
const tooLate = new Error(`The demo was not done within ${ALL_WITHIN_MS / 1000} s.`);
const deadline = setTimeout(() => interrupted.abort(tooLate), ALL_WITHIN_MS);
/** Rejects when it is time to stop, whatever is being waited for. */
const stopped = new Promise<never>((_, reject) => {
  interrupted.signal.addEventListener('abort', () => reject(interrupted.signal.reason));
});
stopped.catch(() => undefined);

let steps = 0;
let startedAt = performance.now();

/** With the stack that runs already, or with one that is gone afterwards. */
async function withStack(use: (stack: StackDescription) => Promise<void>): Promise<void> {
  const running = await readStack();
  if (running) {
    console.log('Using the development stack that runs here.');
    await Promise.race([use(running), stopped]);
    return;
  }
  console.log('Starting a development stack for this (some 10 s) …');
  const stack = await startStack({ signal: interrupted.signal });
  try {
    const ended = stack.exited.then((sentence) => Promise.reject(new Error(sentence)));
    await Promise.race([use(stack.description), ended, stopped]);
  } finally {
    await stack.stop();
  }
}

/** In its own club, so that it disturbs no other meeting and leaves nothing behind. */
async function demonstrate(stack: StackDescription): Promise<void> {
  const [ada, cleo] = ['moderator', 'member'].map((role) =>
    stack.users.find((user) => user.role === role),
  );
  const gus = stack.users.find(({ role }) => role === 'outsider');
  if (!ada || !cleo || !gus) throw new Error('The stack lacks its demo users.');
  const club = { clubId: `demo-${randomUUID().slice(0, 8)}`, name: 'The Demo Readers' };
  await createClub(stack.dynamodb, {
    ...club,
    moderatorId: ada.userId,
    members: [
      { userId: ada.userId, role: 'moderator', displayName: 'Ada' },
      { userId: cleo.userId, role: 'member', displayName: 'Cleo' },
    ],
  });
  const present: Participant[] = [];
  try {
    introduce(stack, club.name);
    startedAt = performance.now();
    await aMeeting(stack, { clubId: club.clubId, ada, cleo, gus }, present);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`\n${styleText('green', `${steps} steps as promised, in ${seconds} s.`)}`);
    console.log('(The first call of each function loads it here, which is most of these times.)');
    if (stack.livekit.kind === 'stand-in') console.log(NOT_SHOWN);
  } finally {
    await tidyUp(stack, club.clubId, ada, present);
  }
}

interface Cast {
  clubId: string;
  ada: StackUser;
  cleo: StackUser;
  gus: StackUser;
}

async function aMeeting(stack: StackDescription, cast: Cast, present: Participant[]) {
  const { clubId, ada, cleo, gus } = cast;
  const { kind } = stack.livekit;
  const hasEvents = kind !== 'external';

  const [asAda, asCleo, asGus] = await step('Ada, Cleo and Gus log in with a password', () =>
    Promise.all([clientOf(stack, ada), clientOf(stack, cleo), clientOf(stack, gus)]),
  );
  await step('Cleo sees that no meeting is on; there is no token for one (409)', async () => {
    strictEqual((await answered(asCleo.status(clubId))).state, 'idle');
    await refused(asCleo.token(clubId), 409, 'MEETING_NOT_ACTIVE');
  });
  await step('Cleo cannot start one, since only moderators can (403)', () =>
    refused(asCleo.start(clubId), 403, 'NOT_A_MODERATOR'),
  );
  const meeting = await step('Ada starts the meeting', () => answered(asAda.start(clubId)));
  note(`its room at LiveKit: ${meeting.roomName}`);

  const tokens = await step('Ada and Cleo get tokens for LiveKit, Ada a moderator’s', async () => {
    const [adas, cleos] = await Promise.all([
      answered(asAda.token(clubId)),
      answered(asCleo.token(clubId)),
    ]);
    strictEqual(adas.isModerator, true);
    strictEqual(cleos.isModerator, false);
    strictEqual(adas.roomName, meeting.roomName);
    return { ada: adas, cleo: cleos };
  });
  await step('Gus, who belongs to no club, gets neither token nor status (403)', async () => {
    await refused(asGus.token(clubId), 403, 'NOT_A_MEMBER');
    await refused(asGus.status(clubId), 403, 'NOT_A_MEMBER');
  });

  if (kind === 'stand-in') {
    await step('The stand-in plays Ada and Cleo: both tokens open the room', async () => {
      const standIn = standInClients(stack.livekit.wsUrl);
      present.push(await joinStandIn(standIn, tokens.ada.token));
      present.push(await joinStandIn(standIn, tokens.cleo.token));
    });
  } else {
    const [inAda, inCleo] = await step('Both join the room at LiveKit', async () => {
      const [first, second] = await Promise.all([
        joinRoom(tokens.ada.serverUrl, tokens.ada.token),
        joinRoom(tokens.cleo.serverUrl, tokens.cleo.token),
      ]);
      present.push(first, second);
      return [first, second] as const;
    });
    await step('They see each other, and hear each other’s greeting', () =>
      greetEachOther({ ...ada, name: 'Ada', in: inAda }, { ...cleo, name: 'Cleo', in: inCleo }),
    );
  }

  const from = hasEvents ? 'from webhooks, without a LiveKit call' : 'by asking LiveKit';
  await step(`The status counts two people, ${from}`, async () => {
    const status = await until(
      async () => {
        const now = await answered(asCleo.status(clubId));
        return now.participantCount === 2 ? now : undefined;
      },
      'The status never counted two people',
      EVENTS_WITHIN_MS,
    );
    strictEqual(status.state, 'live');
    strictEqual(status.observedBy, hasEvents ? 'events' : 'query');
  });

  const ended = await step('Ada ends the meeting', () => answered(asAda.end(clubId)));
  strictEqual(ended.success, true);
  await step('Everybody is disconnected at once', async () => {
    for (const participant of present) strictEqual(await participant.outBecause(), 'ROOM_DELETED');
    present.length = 0;
  });
  await step('No meeting is on; there is no new token (409)', async () => {
    strictEqual((await answered(asCleo.status(clubId))).state, 'idle');
    await refused(asCleo.token(clubId), 409, 'MEETING_NOT_ACTIVE');
  });
  await step('The token from before is refused by LiveKit (404)', () =>
    oldTokenIsRefused(stack, tokens.cleo),
  );

  await step('The history has the meeting, with the one who ended it', async () => {
    const { meetings } = await answered(asCleo.meetings(clubId));
    strictEqual(meetings.length, 1);
    strictEqual(meetings[0]?.meetingId, meeting.meetingId);
    strictEqual(meetings[0].endedBy, ada.userId);
  });
  if (!hasEvents) {
    note('Attendance is unknown: it comes from webhooks, and this LiveKit sends them elsewhere.');
    return;
  }
  const attendance = await step('It knows who was there', () =>
    until(
      async () => {
        const { meeting: over, attendance } = await answered(
          asCleo.meeting(clubId, ended.meetingId),
        );
        return over.peopleCount === 2 ? attendance : undefined;
      },
      'The attendance never named two people',
      EVENTS_WITHIN_MS,
    ),
  );
  const clock = (instant: string) => instant.slice('2026-01-01T'.length, -1);
  for (const { displayName, firstJoinedAt, lastLeftAt, secondsPresent, sessions } of attendance) {
    strictEqual(sessions, 1);
    ok(firstJoinedAt <= lastLeftAt && lastLeftAt <= ended.endedAt, 'Stays end with the meeting.');
    note(
      `${displayName?.padEnd(5)} from ${clock(firstJoinedAt)} to ${clock(lastLeftAt)}, ${secondsPresent} s`,
    );
  }
}

type Greeter = StackUser & { name: string; in: RealParticipant };

async function greetEachOther(one: Greeter, other: Greeter): Promise<void> {
  strictEqual(await one.in.sees(other.userId), other.name);
  strictEqual(await other.in.sees(one.userId), one.name);
  for (const [speaker, listener] of [
    [one, other],
    [other, one],
  ] as const) {
    const text = `Hello ${listener.name}!`;
    await speaker.in.say(text);
    const heard = await listener.in.hears();
    strictEqual(heard.text, text);
    strictEqual(heard.from, speaker.userId);
  }
}

async function oldTokenIsRefused(
  { livekit }: StackDescription,
  { serverUrl, token }: { serverUrl: string; token: string },
): Promise<void> {
  let returned: Participant;
  try {
    returned =
      livekit.kind === 'stand-in'
        ? await joinStandIn(standInClients(livekit.wsUrl), token)
        : await joinRoom(serverUrl, token);
  } catch (error) {
    if (!(error instanceof JoinRefused)) throw error;
    strictEqual(error.status, 404);
    return;
  }
  await returned.leave();
  throw new Error(
    'LiveKit let the old token in: this project creates a room on join. ' +
      'Switch that off (auto_create: false; on LiveKit Cloud in the settings of the project).',
  );
}

/** Also after a failure half-way: leaves no meeting, no participant and no club. */
async function tidyUp(
  stack: StackDescription,
  clubId: string,
  moderator: StackUser,
  present: Participant[],
): Promise<void> {
  try {
    await Promise.all(present.map((participant) => participant.leave()));
    // Ending an ended meeting changes nothing; before the first one it is refused.
    await (await clientOf(stack, moderator)).end(clubId);
    await removeClub(stack.dynamodb, clubId);
  } catch (error) {
    // What went wrong before is what matters, and a stack of our own goes as a whole.
    console.error(`Could not tidy up: ${error}`);
  }
}

const clientOf = async (stack: StackDescription, user: StackUser): Promise<ApiClient> => {
  const { accessToken } = await logIn(stack.cognito, user.username, user.password);
  return apiClient(stack.apiUrl, accessToken);
};

interface Answer {
  status: number;
  body: { error?: string; code?: string; message?: string };
}

/** The body of an answer that was a success. */
async function answered<A extends Answer>(answer: Promise<A>): Promise<A['body']> {
  const { status, body } = await answer;
  if (status !== 200) throw new Error(`Expected 200, got ${status}: ${body.error ?? body.message}`);
  return body;
}

async function refused(answer: Promise<Answer>, status: number, code: string): Promise<void> {
  const { status: actual, body } = await answer;
  strictEqual(`${actual} ${body.code}`, `${status} ${code}`);
}

// ---- the transcript

const NOT_SHOWN = styleText(
  'yellow',
  'Not shown: real clients that see and hear each other. This LiveKit is a stand-in, which no client\n' +
    'can join; `npm run livekit:install` builds the real server (Go, 3 to 10 minutes, once).',
);

function introduce({ apiUrl, livekit }: StackDescription, clubName: string): void {
  const kind = {
    server: 'a real server',
    external: 'the one of LIVEKIT_WS_URL',
    'stand-in': 'a STAND-IN, which no client can join',
  }[livekit.kind];
  console.log(
    [
      '',
      `  The API   ${apiUrl}`,
      `  LiveKit   ${livekit.wsUrl}, ${kind}`,
      `  The club  “${clubName}”: Ada moderates it, Cleo is a member, Gus is neither`,
      '',
      `  when     ${'what'.padEnd(SENTENCE_COLUMNS)}   took`,
    ].join('\n'),
  );
}

/** One line: when it began, what it is, how long it took. What it throws is the end of the demo. */
async function step<T>(sentence: string, work: () => Promise<T>): Promise<T> {
  const beganAt = performance.now();
  const line = (sign: string) => {
    const when = ((beganAt - startedAt) / 1000).toFixed(2).padStart(5);
    const took = (performance.now() - beganAt).toFixed(0).padStart(5);
    return `  ${when} s  ${sign} ${sentence.padEnd(SENTENCE_COLUMNS - 2)} ${took} ms`;
  };
  try {
    const result = await work();
    steps += 1;
    console.log(line(styleText('green', '✓')));
    return result;
  } catch (error) {
    console.log(line(styleText('red', '✗')));
    throw error;
  }
}

const note = (text: string): void => console.log(`             ${text}`);

try {
  await withStack(demonstrate);
} catch (error) {
  const verdict = interrupted.signal.aborted ? 'Not finished.' : 'Not as promised.';
  console.error(`\n${styleText('red', verdict, { stream: process.stderr })}`);
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  clearTimeout(deadline);
  await freeParticipants();
}
