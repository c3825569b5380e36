/** What can be done at the same time. */
import { AppError } from '../../lib/errors.ts';
import { cleanUp } from '../../lib/meetings/cleanup/run.ts';
import { CleanupIncomplete } from '../../lib/meetings/cleanup/types.ts';
import { handleLiveKitEvent } from '../../lib/meetings/livekit-events.ts';
import type { MediaEvent } from '../../lib/meetings/media.ts';
import { Caller } from '../../lib/meetings/model.ts';
import { giveConsent } from '../../lib/meetings/recording/consent.ts';
import { followEgress } from '../../lib/meetings/recording/events.ts';
import { deleteRecording } from '../../lib/meetings/recording/library.ts';
import type { Egress } from '../../lib/meetings/recording/ports.ts';
import { startRecording } from '../../lib/meetings/recording/start.ts';
import { stopRecording } from '../../lib/meetings/recording/stop.ts';
import {
  type Answer,
  type Managing,
  outcomeOf,
  perform,
  textOf,
  type UseCase,
} from '../model/calls.ts';
import type { Rooms } from '../model/rooms.ts';
import { MAX_PARTICIPANTS } from '../model/service.ts';
import type { Actor } from './world.ts';

export const CLUB = 'novels';
/** The club's owner, another moderator, a plain member, and a person who is no member yet. */
export const [OWNER, MODERATOR, MEMBER, NEWCOMER] = ['ada', 'ben', 'cleo', 'dan'] as const;

/** Another request is making sure of the room: the client asks again (`roomMissing`). */
const ROOM_MISSING = 'ROOM_MISSING';

export interface Operation {
  /** The use case or the command. */
  does?: string;
  command?: Managing;
  /** Whom it bars from the meeting. */
  removes?: string;
  /** What it may answer in place of success, when it was undone while it was being done. */
  mayRefuse?: string[];
  /** Whether it can be done in the scene. */
  isPossible?(rooms: Rooms['state']): boolean;
  /** Of a recording: it needs more cleanups to settle. */
  isRecorded?: boolean;
  /** What the answer may stand for besides itself. */
  mayMean?(answer: Answer): object[];
  /** What LiveKit does by itself: a room that is on its way out lets people in. */
  isUnheard?: boolean;
  /** In place of `run`, as if it had been refused after its writes. */
  refusedLate?(actor: Actor): Promise<unknown>;
  /** It takes several steps and promises only their end: others may see it half done. */
  isGradual?: boolean;
  /** It promises only its end, too, and its caller asks again. */
  isRepeated?: boolean;
  /** What a newer operation that decides the same has the last word on. */
  decides?: string[];
  /** Gives what its caller is answered. */
  run(actor: Actor): Promise<unknown>;
}

/** What one thread does, one operation after the other. */
export interface Story {
  name: string;
  operations: Operation[];
}

function decisionsOf(call: UseCase): string[] {
  if (call.does === 'remove') return call.allowRejoin ? [] : [`bar of ${call.userId}`];
  if (call.does === 'readmit') return [`bar of ${call.userId}`];
  if (call.does === 'role') return [`role of ${call.userId}`];
  if (call.does !== 'manage') return [];
  const { command } = call;
  switch (command.command) {
    case 'put-club':
      return ['name', 'owner'];
    case 'put-member':
      return [`stay of ${command.userId}`, ...(command.role ? [`role of ${command.userId}`] : [])];
    case 'set-role':
      return [`role of ${command.userId}`];
    case 'remove-member':
    case 'forget-user':
      return ['stay', 'role', 'bar'].map((what) => `${what} of ${command.userId}`);
    case 'remove-club':
      return ['name', 'owner'];
  }
}

const GRADUAL = ['remove-club', 'remove-member', 'forget-user'];

/** A removal that is in the record first, and reaches LiveKit second: docs/decisions.md. */
const wasOvertaken = (answer: Answer) =>
  // Or a person joined with an old token between the two.
  answer.isBarred ? [{ ...answer, wasPresent: !answer.wasPresent }] : [];
const wasOvertaking = (answer: Answer) =>
  answer.isBarred ? [{ ...answer, wasPresent: false }] : [];

/** The meeting ended after the answer: nothing of it is renewed any more. */
const isOverSince = (answer: Answer) => [{ ...answer, isRenewed: false }];

/** It names a grant that was noted, and then not given. */
const wasNotGranted = ({ until: _, isRenewed: __, ...answer }: Answer) =>
  answer.effective === undefined ? [] : [{ ...answer, effective: 'now' }];

const orNotGranted = (mayMean: (answer: Answer) => Answer[]) => (answer: Answer) =>
  [answer, ...mayMean(answer)].flatMap((one) => [one, ...wasNotGranted(one)]);

const asks = (call: UseCase): Story => {
  const does = call.does === 'manage' ? call.command.command : call.does;
  const operation: Operation = {
    does,
    ...(call.does === 'manage' && { command: call.command }),
    ...(call.does === 'remove' && !call.allowRejoin && { removes: call.userId }),
    ...(does === 'start' && { mayRefuse: ['MEETING_NOT_ACTIVE'] }),
    ...(call.does === 'remove' && {
      mayMean: orNotGranted(call.allowRejoin ? wasOvertaking : wasOvertaken),
    }),
    ...(call.does === 'role' && { mayMean: orNotGranted(isOverSince) }),
    isGradual: GRADUAL.includes(does),
    decides: decisionsOf(call),
    run: ({ service }) => perform(service, call, undefined),
  };
  return { name: textOf(call).replace(` ${CLUB}`, ''), operations: [operation] };
};

const commands = (command: Managing): Story => asks({ does: 'manage', command });

export const follow = (type: MediaEvent['type']): Story => ({
  name: `webhook ${type}`,
  operations: [
    {
      isPossible: ({ onTheWay }) => onTheWay.some((event) => event.type === type),
      async run({ service, rooms }) {
        const event = rooms.onTheWay.find((each) => each.type === type);
        return refusable(async () => {
          if (!event) return;
          await handleLiveKitEvent(service, event);
          rooms.markDelivered(event);
        });
      },
    },
  ],
});

/** LiveKit's first event about a recording in this state. */
export const followRecording = (state: Egress['state']): Story => ({
  name: `webhook of a recording that is ${state}`,
  operations: [
    {
      isRecorded: true,
      isPossible: ({ recordings }) => recordings.onTheWay.some((egress) => egress.state === state),
      async run({ service, rooms: { recordings } }) {
        const egress = recordings.state.onTheWay.find((each) => each.state === state);
        return refusable(async () => {
          if (!egress) return;
          await followEgress(service, egress);
          recordings.markDelivered(egress);
        });
      },
    },
  ],
});

/** LiveKit's next event, as soon as there is one; another story may cause it. */
export const followWhatComes: Story = {
  name: 'webhook of what comes',
  operations: [
    {
      async run({ service, rooms, step }) {
        const takes = {
          label: 'LiveKit reports',
          reads: ['events'],
          writes: [],
          isPossible: () => rooms.onTheWay.length > 0,
        };
        const event = await step(takes, async () => rooms.onTheWay.shift());
        return refusable(async () => {
          if (event) await handleLiveKitEvent(service, event);
        });
      },
    },
  ],
};

const cleanUpOnce: Operation = {
  run: ({ service }) =>
    refusable(async () => {
      await cleanUp(service, () => true);
    }),
};

/** No caller reads the answer, but LiveKit and the schedule see that it failed, and repeat it. */
async function refusable(run: () => Promise<void>): Promise<{ code: string } | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return { code: error.code };
    if (error instanceof CleanupIncomplete) return { code: error.name };
    throw error;
  }
}

const by = (caller: string) => ({ caller, clubId: CLUB });

const askForToken = (caller: string): Operation => ({
  does: 'token',
  mayRefuse: ['MEETING_NOT_ACTIVE', 'REMOVED_FROM_MEETING', 'NOT_A_MEMBER'],
  refusedLate: ({ service }) => perform(service, { does: 'token', ...by(caller) }, undefined),
  async run({ service, tokens }) {
    const outcome = await perform(service, { does: 'token', ...by(caller) }, undefined);
    const { roomName, isModerator = false } = outcome.answer ?? {};
    if (roomName) tokens.push({ roomName, identity: caller, isModerator });
    return outcome;
  },
});

/** What one person asks of recordings. */
const asksOfRecordings = (
  name: string,
  caller: string,
  ask: (
    actor: Actor,
    by: { caller: Caller; clubId: string },
  ) => Promise<{ answer: object; isCertain?: boolean }>,
  about: Partial<Operation> = {},
): Story => ({
  name: `${name} ${caller}`,
  operations: [
    {
      does: name,
      isRecorded: true,
      async run(actor) {
        const by = { caller: Caller.parse({ userId: caller, username: caller }), clubId: CLUB };
        const { answer: asked, code } = await outcomeOf(() => ask(actor, by));
        // It may still start; and others read that it starts, before no recorder was free.
        const isProvisional =
          name === 'record' && (asked?.isCertain === false || code === 'RECORDING_UNAVAILABLE');
        return { answer: asked?.answer, code, isProvisional };
      },
      ...about,
    },
  ],
});

export const record = (caller: string): Story =>
  asksOfRecordings('record', caller, ({ service }, by) => startRecording(service, by), {
    mayRefuse: ['MEETING_NOT_ACTIVE', 'RECORDING_UNAVAILABLE'],
    // It is one and the same recording, which goes on meanwhile.
    mayMean: (answer) => RECORDED_STATES.map((state) => ({ ...answer, state })),
  });
export const stopRecord = (caller: string): Story =>
  asksOfRecordings('stop recording', caller, ({ service }, by) => stopRecording(service, by));
/** The newest of the scene. */
export const deleteRecord = (caller: string): Story =>
  asksOfRecordings(
    'delete recording',
    caller,
    async ({ service, recorded = NO_RECORDING }, { caller: by }) => ({
      answer: await deleteRecording(service, { ...recorded, caller: by }),
    }),
    { isPossible: ({ recordings }) => recordings.egresses.size > 0, isRepeated: true },
  );
export const consent = (caller: string): Story =>
  asksOfRecordings('consent', caller, async ({ service }, by) => ({
    answer: await giveConsent(service, by),
  }));

const RECORDED_STATES = ['starting', 'active', 'stopping'];
const NO_RECORDING = { clubId: CLUB, meetingId: '', recordingId: '' };

/** What recorders do by themselves. */
const recorders = (
  name: string,
  writes: string[],
  run: (recordings: Rooms['recordings']) => void,
): Story => ({
  name,
  operations: [
    {
      isRecorded: true,
      isUnheard: true,
      run: ({ rooms, step }) =>
        step({ label: name, reads: [], writes: ['recorders', 'events', ...writes] }, async () =>
          run(rooms.recordings),
        ),
    },
  ],
});
export const recorderBegins = recorders('recorder begins', [], ({ begin }) => begin());
export const recorderUploads = recorders('recorder uploads', ['files'], ({ upload }) => upload());

/** With the newest of their tokens. */
const join = (caller: string): Operation => ({
  mayRefuse: [ROOM_MISSING],
  isUnheard: true,
  async run({ tokens, rooms, step }) {
    const { roomName = '' } = tokens.findLast(({ identity }) => identity === caller) ?? {};
    const label = `${caller} joins ${roomName}`;
    return step({ label, reads: [], writes: [roomName, 'events'] }, async () => {
      if (!rooms.exists(roomName)) return { code: ROOM_MISSING };
      rooms.join(roomName, caller, MAX_PARTICIPANTS);
      return undefined;
    });
  },
});

export const enter = (caller: string): Story => ({
  name: `token and join ${caller}`,
  operations: [askForToken(caller), join(caller)],
});

export const inOrder = (...stories: Story[]): Story => ({
  name: stories.map(({ name }) => name).join(' then '),
  operations: stories.flatMap(({ operations }) => operations),
});

const clubId = CLUB;

export const start = (caller: string) => asks({ does: 'start', ...by(caller) });
export const end = (caller: string) => asks({ does: 'end', ...by(caller), nth: undefined });
export const remove = (caller: string, userId: string, allowRejoin = false) =>
  asks({ does: 'remove', ...by(caller), userId, allowRejoin });
export const readmit = (caller: string, userId: string) =>
  asks({ does: 'readmit', ...by(caller), userId });
export const role = (userId: string, to: 'member' | 'moderator') =>
  asks({ does: 'role', ...by(OWNER), userId, role: to });

export const putClub = (moderatorId: string, name = 'B') =>
  commands({ command: 'put-club', clubId, name, moderatorId });
export const removeClub = commands({ command: 'remove-club', clubId });
export const putMember = (userId: string, to?: 'member' | 'moderator') =>
  commands({ command: 'put-member', clubId, userId, role: to });
export const removeMember = (userId: string) =>
  commands({ command: 'remove-member', clubId, userId });
export const setRole = (userId: string, to: 'member' | 'moderator') =>
  commands({ command: 'set-role', clubId, userId, role: to });
export const forgetUser = (userId: string) => commands({ command: 'forget-user', clubId, userId });

/** The command, about a change that was made so many minutes after the club. */
export const occurred = (minute: number, { operations }: Story): Story => {
  const command = operations[0]?.command;
  if (!command) throw new Error('Only a command has a time');
  const occurredAt = new Date(Date.parse('2026-11-01T18:00:00.000Z') + minute * 60_000);
  return commands({ ...command, occurredAt: occurredAt.toISOString() });
};

/** DynamoDB answers the first read of it in part. */
export const torn = ({ name, operations: [first, ...others] }: Story): Story => ({
  name: `${name}, whose first read is torn,`,
  operations: first
    ? [
        {
          ...first,
          run(actor) {
            actor.tearNextRead();
            return first.run(actor);
          },
        },
        ...others,
      ]
    : [],
});

export const cleanup: Story = { name: 'cleanup', operations: [cleanUpOnce] };

/** Every operation that writes, as few of each kind as make a difference. */
export const STORIES: Story[] = [
  start(MODERATOR),
  start(OWNER),
  end(MODERATOR),
  end(OWNER),
  enter(MEMBER),
  enter(MODERATOR),
  remove(OWNER, MEMBER),
  remove(MODERATOR, MEMBER, true),
  remove(OWNER, MODERATOR),
  readmit(OWNER, MEMBER),
  role(MEMBER, 'moderator'),
  role(MEMBER, 'member'),
  role(MODERATOR, 'member'),
  putClub(OWNER),
  putClub(MODERATOR),
  removeClub,
  putMember(MEMBER),
  putMember(MEMBER, 'moderator'),
  removeMember(MEMBER),
  removeMember(MODERATOR),
  setRole(MEMBER, 'moderator'),
  setRole(MODERATOR, 'member'),
  forgetUser(MEMBER),
  forgetUser(MODERATOR),
  follow('room_started'),
  follow('participant_joined'),
  follow('participant_left'),
  follow('room_finished'),
  cleanup,
];

/** What is about recordings. */
export const RECORDING_STORIES: Story[] = [
  record(MODERATOR),
  record(OWNER),
  stopRecord(MODERATOR),
  deleteRecord(OWNER),
  consent(MEMBER),
  followRecording('starting'),
  followRecording('active'),
  followRecording('stopping'),
  followRecording('completed'),
  followRecording('aborted'),
  recorderBegins,
  recorderUploads,
];

/** What writes the same items, or closes rooms. */
export const BESIDE_RECORDINGS: Story[] = [
  start(OWNER),
  end(OWNER),
  inOrder(end(OWNER), start(OWNER), record(OWNER)),
  enter(MEMBER),
  remove(OWNER, MODERATOR),
  role(MODERATOR, 'member'),
  putClub(OWNER),
  removeClub,
  inOrder(removeClub, putClub(OWNER)),
  removeMember(MODERATOR),
  forgetUser(MEMBER),
  forgetUser(MODERATOR),
  follow('room_finished'),
  cleanup,
];
