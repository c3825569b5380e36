/** What can happen, as data: so that a list of it can be generated, made shorter and printed. */
import fc from 'fast-check';
import { AppError } from '../../lib/errors.ts';
import { type Change, runClubCommand } from '../../lib/meetings/club-commands.ts';
import { endMeeting } from '../../lib/meetings/end.ts';
import { getMeeting, listMeetings } from '../../lib/meetings/history.ts';
import { Caller } from '../../lib/meetings/model.ts';
import { listParticipants } from '../../lib/meetings/moderation/participants.ts';
import { readmitParticipant, removeParticipant } from '../../lib/meetings/moderation/remove.ts';
import { setRole } from '../../lib/meetings/moderation/roles.ts';
import { startMeeting } from '../../lib/meetings/start.ts';
import { getMeetingStatus } from '../../lib/meetings/status.ts';
import { createJoinToken } from '../../lib/meetings/token.ts';
import type { Service } from './service.ts';

export const CLUBS = ['novels', 'poems'];
export const PEOPLE = ['ada', 'ben', 'cleo'];

const userId = fc.constantFrom(...PEOPLE);
const role = fc.constantFrom('member' as const, 'moderator' as const);
/** Which of several, counted from the newest. */
const nth = fc.nat(3);

/** What these people ask, of these clubs. */
export const askedOf = (clubs: string[], callers: string[]) => {
  const by = { caller: fc.constantFrom(...callers), clubId: fc.constantFrom(...clubs) };
  return {
    start: fc.record({ does: fc.constant('start' as const), ...by }),
    /** `nth`: it names a meeting. */
    end: fc.record({
      does: fc.constant('end' as const),
      ...by,
      nth: fc.option(nth, { nil: undefined }),
    }),
    token: fc.record({ does: fc.constant('token' as const), ...by }),
    status: fc.record({ does: fc.constant('status' as const), ...by }),
    history: fc.record({
      does: fc.constant('history' as const),
      ...by,
      limit: fc.integer({ min: 1, max: 3 }),
    }),
    meeting: fc.record({ does: fc.constant('meeting' as const), ...by, nth }),
    participants: fc.record({ does: fc.constant('participants' as const), ...by }),
    remove: fc.record({
      does: fc.constant('remove' as const),
      ...by,
      userId,
      allowRejoin: fc.boolean(),
    }),
    readmit: fc.record({ does: fc.constant('readmit' as const), ...by, userId }),
    role: fc.record({ does: fc.constant('role' as const), ...by, userId, role }),
  };
};

const managed = <C extends Managing>(command: fc.Arbitrary<C>) =>
  fc.record({ does: fc.constant('manage' as const), command });

/** The commands of the application that owns the clubs. */
export const commandsOf = (clubs: string[]) => {
  const clubId = fc.constantFrom(...clubs);
  return {
    putClub: managed(
      fc.record({
        command: fc.constant('put-club' as const),
        clubId,
        name: fc.constantFrom('A', 'B'),
        moderatorId: userId,
      }),
    ),
    removeClub: managed(fc.record({ command: fc.constant('remove-club' as const), clubId })),
    putMember: managed(
      fc.record({
        command: fc.constant('put-member' as const),
        clubId,
        userId,
        role: fc.option(role, { nil: undefined }),
      }),
    ),
    removeMember: managed(
      fc.record({ command: fc.constant('remove-member' as const), clubId, userId }),
    ),
    setRole: managed(
      fc.record({ command: fc.constant('set-role' as const), clubId, userId, role }),
    ),
    forgetUser: managed(
      fc.record({ command: fc.constant('forget-user' as const), clubId, userId }),
    ),
  };
};

export const around = {
  cleanup: fc.record({ does: fc.constant('cleanup' as const) }),
  /** With the nth newest of all tokens. */
  join: fc.record({ does: fc.constant('join' as const), nth }),
  leave: fc.record({ does: fc.constant('leave' as const), userId }),
  timeOut: fc.record({ does: fc.constant('room timers' as const) }),
  crash: fc.record({ does: fc.constant('LiveKit restarts' as const) }),
  deliver: fc.record({ does: fc.constant('deliver' as const), nth: fc.nat(9) }),
  deliverAll: fc.record({ does: fc.constant('deliver all' as const) }),
  repeat: fc.record({ does: fc.constant('deliver again' as const), nth: fc.nat(9) }),
  lose: fc.record({ does: fc.constant('lose' as const), nth: fc.nat(9) }),
  wait: fc.record({
    does: fc.constant('wait' as const),
    minutes: fc.constantFrom(1, 5, 5, 16, 16, 800),
  }),
  outage: fc.record({
    does: fc.constant('LiveKit down' as const),
    isDown: fc.constantFrom(true, false, false),
  }),
};

/** `show` is what the others are seen by. */
export type Managing = Change;

type Generated<T extends Record<string, fc.Arbitrary<unknown>>> =
  T[keyof T] extends fc.Arbitrary<infer C> ? C : never;
/** A call of a person or of the application that owns the clubs. */
export type UseCase = Generated<ReturnType<typeof askedOf>> | { does: 'manage'; command: Managing };
export type Call = UseCase | Generated<typeof around>;

/** What the model looks into; the rest of an answer it compares. */
export interface Answer {
  success?: boolean;
  done?: boolean;
  clubId?: string;
  result?: string;
  meetingId?: string | null;
  roomName?: string | null;
  startedAt?: string | null;
  endedAt?: string;
  participantCount?: number;
  observedBy?: string;
  meetings?: unknown[];
  participants?: unknown[];
  attendance?: unknown[];
  failed?: number;
  isBarred?: boolean;
  wasPresent?: boolean;
  isModerator?: boolean;
  effective?: string;
  until?: string;
  isRenewed?: boolean;
}

/** What a call came to: an answer, or the error's code. */
export interface Outcome {
  answer?: Answer;
  code?: string;
}

/** Calls the use case; `meetingId` is the meeting that the call names. */
export const perform = (
  deps: Service,
  call: UseCase,
  meetingId: string | undefined,
): Promise<Outcome> => outcomeOf(() => answerOf(deps, call, meetingId));

export async function outcomeOf<A>(ask: () => Promise<A>): Promise<{ answer?: A; code?: string }> {
  try {
    return { answer: await ask() };
  } catch (error) {
    if (error instanceof AppError) return { code: error.code };
    throw error;
  }
}

function answerOf(deps: Service, call: UseCase, meetingId: string | undefined): Promise<Answer> {
  if (call.does === 'manage') return runClubCommand(deps, call.command);
  const { clubId } = call;
  const caller = Caller.parse({ userId: call.caller, username: call.caller });
  switch (call.does) {
    case 'start':
      return startMeeting(deps, { caller, clubId });
    case 'end':
      return endMeeting(deps, { caller, clubId, meetingId });
    case 'token':
      return createJoinToken(deps, { caller, clubId });
    case 'status':
      return getMeetingStatus(deps, { caller, clubId });
    case 'history':
      return everyPage(deps, { caller, clubId, limit: call.limit });
    case 'meeting':
      return getMeeting(deps, { caller, clubId, meetingId: meetingId ?? '' });
    case 'participants':
      return listParticipants(deps, { caller, clubId });
    case 'remove': {
      const { userId, allowRejoin } = call;
      return removeParticipant(deps, { caller, clubId, userId, allowRejoin });
    }
    case 'readmit':
      return readmitParticipant(deps, { caller, clubId, userId: call.userId });
    case 'role':
      return setRole(deps, { caller, clubId, userId: call.userId, role: call.role });
  }
}

async function everyPage(
  deps: Service,
  question: { caller: Caller; clubId: string; limit: number },
): Promise<{ meetings: unknown[] }> {
  const meetings: unknown[] = [];
  let before: string | undefined;
  do {
    const page = await listMeetings(deps, { ...question, before });
    meetings.push(...page.meetings);
    before = page.cursor;
  } while (before !== undefined);
  return { meetings };
}

export const textOf = ({ does, ...call }: Call): string => {
  const facts = 'command' in call ? Object.values(call.command) : Object.values(call);
  return [...(does === 'manage' ? [] : [does]), ...facts.filter((fact) => fact !== undefined)].join(
    ' ',
  );
};
