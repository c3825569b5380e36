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

type Arbitraries<Facts> = { [Name in keyof Facts]: fc.Arbitrary<Facts[Name]> };
type NoFacts = Record<never, never>;

const call = <const Does extends string, Facts extends object = NoFacts>(
  does: Does,
  facts = {} as Arbitraries<Facts>,
) => fc.record({ does: fc.constant(does), ...facts }) as fc.Arbitrary<{ does: Does } & Facts>;

/** What these people ask, of these clubs. */
export const askedOf = (clubs: string[], callers: string[]) => {
  const by = { caller: fc.constantFrom(...callers), clubId: fc.constantFrom(...clubs) };
  return {
    start: call('start', by),
    /** `nth`: it names a meeting. */
    end: call('end', { ...by, nth: fc.option(nth, { nil: undefined }) }),
    token: call('token', by),
    status: call('status', by),
    history: call('history', { ...by, limit: fc.integer({ min: 1, max: 3 }) }),
    meeting: call('meeting', { ...by, nth }),
    participants: call('participants', by),
    remove: call('remove', { ...by, userId, allowRejoin: fc.boolean() }),
    readmit: call('readmit', { ...by, userId }),
    role: call('role', { ...by, userId, role }),
  };
};

const managed = <const Name extends Managing['command'], Facts extends object>(
  command: Name,
  facts: Arbitraries<Facts>,
) =>
  call('manage', {
    command: fc.record({ command: fc.constant(command), ...facts }) as fc.Arbitrary<
      { command: Name } & Facts
    >,
  });

/** The commands of the application that owns the clubs. */
export const commandsOf = (clubs: string[]) => {
  const clubId = fc.constantFrom(...clubs);
  const member = { clubId, userId };
  return {
    putClub: managed('put-club', {
      clubId,
      name: fc.constantFrom('A', 'B'),
      moderatorId: userId,
    }),
    removeClub: managed('remove-club', { clubId }),
    putMember: managed('put-member', { ...member, role: fc.option(role, { nil: undefined }) }),
    removeMember: managed('remove-member', member),
    setRole: managed('set-role', { ...member, role }),
    forgetUser: managed('forget-user', member),
  };
};

export const around = {
  cleanup: call('cleanup'),
  /** With the nth newest of all tokens. */
  join: call('join', { nth }),
  leave: call('leave', { userId }),
  timeOut: call('room timers'),
  crash: call('LiveKit restarts'),
  deliver: call('deliver', { nth: fc.nat(9) }),
  deliverAll: call('deliver all'),
  repeat: call('deliver again', { nth: fc.nat(9) }),
  lose: call('lose', { nth: fc.nat(9) }),
  wait: call('wait', { minutes: fc.constantFrom(1, 5, 5, 16, 16, 800) }),
  outage: call('LiveKit down', { isDown: fc.constantFrom(true, false, false) }),
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
  meetingId?: string | null;
  roomName?: string | null;
  endedAt?: string;
  observedBy?: string;
  meetings?: unknown[];
  participants?: unknown[];
  attendance?: unknown[];
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

/** Each once. */
export function permutations<T>(items: T[]): T[][] {
  if (items.length < 2) return [items];
  return [...new Set(items)].flatMap((first) =>
    permutations(items.toSpliced(items.indexOf(first), 1)).map((rest) => [first, ...rest]),
  );
}

export const textOf = ({ does, ...call }: Call): string => {
  const facts = 'command' in call ? Object.values(call.command) : Object.values(call);
  return [...(does === 'manage' ? [] : [does]), ...facts.filter((fact) => fact !== undefined)].join(
    ' ',
  );
};
