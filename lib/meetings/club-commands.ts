import * as z from 'zod/mini';
import type { Done, ListedClubs, ShownClub, StaleField } from '../contract/commands.ts';
import { ClubNotFound, InvalidRequest, StoreUnavailable } from '../errors.ts';
import { changeBar } from './bars.ts';
import { type EndingDeps, tryEndMeeting } from './ending.ts';
import type { MediaServer } from './media.ts';
import { changeMember, LEAVES } from './member-changes.ts';
import {
  type Club,
  ClubId,
  ClubName,
  type Meeting,
  type Member,
  maybe,
  ParticipantName,
  RecordingAccess,
  RecordingConsent,
  Role,
  roomNameOf,
  UserId,
} from './model.ts';
import type { ClubAdministration, ClubRepository, Log, MemberRepository } from './ports.ts';
import type { RecordingRepository } from './recording/ports.ts';
import { emptyEarlierClubs } from './removals.ts';
import { isStale, timeOfChange } from './times.ts';

/** Members on one page of `show`: at 600 bytes each far from the 6 MB that Lambda answers at most. */
const SHOWN_MEMBERS = 1000;

/**
 * How often a change of a club is tried again that met another one. For a removal, each meeting that is
 * started meanwhile takes two.
 */
const ATTEMPTS = 10;

/** A command that is further ahead than this comes from a clock that is wrong. */
const MAX_AHEAD_MS = 5 * 60_000;

const OCCURRED_RULE = 'must be a time in UTC, as 2026-11-22T20:06:59.900Z';

/** When the change was made that the command is about. In milliseconds, so that times compare as text. */
export const OccurredAt = z.pipe(
  z.iso.datetime(OCCURRED_RULE),
  z.transform((text) => new Date(text).toISOString()),
);

/** `throw` makes a refusal an error of the invocation: Lambda tries again, and dead letters keep it. */
const OnRefusal = z.enum(['answer', 'throw'], 'must be "answer" or "throw"');

const CURSOR_RULE = 'must be the cursor of an answer';

/** Where a page of `list` ends. */
const ListCursor = z
  .string(CURSOR_RULE)
  .check(z.regex(/^[\x21-\x7e]{1,100} [\x21-\x7e]{1,200}$/, CURSOR_RULE));

/** Every command that changes something. */
const change = {
  clubId: ClubId,
  occurredAt: maybe(OccurredAt),
  onRefusal: maybe(OnRefusal),
};
const ofMember = { ...change, userId: UserId };

/** A command of the application that owns the clubs. */
export const Command = z.discriminatedUnion(
  'command',
  [
    z.strictObject({
      command: z.literal('put-club'),
      ...change,
      name: ClubName,
      moderatorId: UserId,
      recordingConsent: maybe(RecordingConsent),
      recordingAccess: maybe(RecordingAccess),
    }),
    z.strictObject({ command: z.literal('remove-club'), ...change }),
    z.strictObject({
      command: z.literal('put-member'),
      ...ofMember,
      displayName: maybe(ParticipantName),
      /** Takes the name away. */
      noName: maybe(z.literal(true, 'must be true')),
      role: maybe(Role),
    }),
    z.strictObject({ command: z.literal('remove-member'), ...ofMember }),
    z.strictObject({ command: z.literal('set-role'), ...ofMember, role: Role }),
    z.strictObject({ command: z.literal('forget-user'), ...ofMember }),
    z.strictObject({ command: z.literal('show'), clubId: ClubId, cursor: maybe(UserId) }),
    z.strictObject({ command: z.literal('list'), cursor: maybe(ListCursor) }),
  ],
  'must be one of the commands',
);
export type Command = z.infer<typeof Command>;
/** Those that change something. */
export type Change = Exclude<Command, { command: 'show' | 'list' }>;
type CommandOf<Name extends Command['command']> = Extract<Command, { command: Name }>;

export interface ClubCommandDeps {
  clubs: EndingDeps['clubs'] &
    Pick<ClubRepository, 'changeBar' | 'listEndedMeetings' | 'listMembers'>;
  members: MemberRepository;
  administration: ClubAdministration;
  recordings: Pick<RecordingRepository, 'listOfEarlierClubs' | 'discard'>;
  media: Pick<MediaServer, 'deleteRoom' | 'removeParticipant'>;
  now: () => Date;
  log: Log;
}

/** What a command did; `show` answers with the club as it is, `list` with a page of all clubs. */
export type CommandResult = Done | ShownClub | ListedClubs;

/**
 * Carries out one command. Each can be repeated, and writes only the fields that it owns: a meeting
 * that is on goes on, unless its club or the person in it is removed.
 *
 * @throws ClubNotFound, MemberNotFound
 * @throws NotAllowed for taking the club's own moderator off the club: name another one first
 * @throws InvalidRequest for a command from the future
 */
export async function runClubCommand(deps: ClubCommandDeps, command: Change): Promise<Done>;
export async function runClubCommand(
  deps: ClubCommandDeps,
  command: Command,
): Promise<CommandResult>;
export async function runClubCommand(
  deps: ClubCommandDeps,
  command: Command,
): Promise<CommandResult> {
  deps.log.info('clubs', {
    command: command.command,
    ...('clubId' in command && { clubId: command.clubId }),
    ...('userId' in command && { userId: command.userId }),
  });
  if (command.command === 'show') return show(deps, command);
  if (command.command === 'list') return list(deps, command);
  if (isAhead(command, deps.now())) {
    throw new InvalidRequest('occurredAt must not be more than 5 minutes ahead');
  }
  const stale = await carryOut(deps, command);
  return { done: true, ...(stale.length > 0 && { stale }) };
}

const isAhead = ({ occurredAt }: { occurredAt?: string | undefined }, now: Date): boolean =>
  occurredAt !== undefined && Date.parse(occurredAt) - now.getTime() > MAX_AHEAD_MS;

async function carryOut(deps: ClubCommandDeps, command: Change): Promise<StaleField[]> {
  switch (command.command) {
    case 'put-club':
      return putClub(deps, command);
    case 'remove-club':
      return removeClub(deps, command);
    case 'put-member': {
      const { displayName, noName, role } = command;
      const name = noName ? null : displayName;
      return changeMember(deps, command, { membership: true, name, role });
    }
    case 'set-role':
      return changeMember(deps, command, { role: command.role });
    case 'remove-member':
    case 'forget-user':
      return removeMember(deps, command);
  }
}

async function show(
  { clubs }: ClubCommandDeps,
  { clubId, cursor }: CommandOf<'show'>,
): Promise<ShownClub> {
  const club = await clubs.getClub(clubId);
  if (!club) throw new ClubNotFound();
  // One more than a page has, to know whether there is a next one.
  const members = await clubs.listMembers(club, { after: cursor, limit: SHOWN_MEMBERS + 1 });
  const last = members.length > SHOWN_MEMBERS ? members[SHOWN_MEMBERS - 1] : undefined;
  return {
    ...shown(club, members.slice(0, SHOWN_MEMBERS)),
    ...(last && { cursor: last.userId }),
  };
}

async function list(
  { administration, now }: ClubCommandDeps,
  { cursor }: CommandOf<'list'>,
): Promise<ListedClubs> {
  const readAt = now().toISOString();
  const { clubs, unfinished, next } = await administration.listClubs(cursor);
  return {
    readAt,
    clubs: clubs.map(({ clubId, name, moderatorId, createdAt }) => ({
      clubId,
      name,
      moderatorId,
      createdAt,
    })),
    unfinished,
    ...(next !== undefined && { cursor: next }),
  };
}

const shown = (
  {
    clubId,
    name,
    moderatorId,
    createdAt,
    meeting,
    recording,
    barredUserIds,
    lastMeeting,
    recordingConsent = 'notice',
    recordingAccess = 'moderators',
  }: Club,
  members: Member[],
): ShownClub => ({
  clubId,
  name,
  moderatorId,
  createdAt,
  recordingConsent,
  recordingAccess,
  members: members.map(({ userId, displayName, role, joinedAt }) => ({
    userId,
    displayName,
    role,
    joinedAt,
  })),
  meeting: meeting ?? null,
  recording: recording ?? null,
  barredUserIds: [...(barredUserIds ?? [])],
  lastMeeting: lastMeeting ?? null,
});

async function putClub(
  { administration, now }: ClubCommandDeps,
  { clubId, name, moderatorId, occurredAt, ...wishes }: CommandOf<'put-club'>,
): Promise<StaleField[]> {
  const { recordingConsent, recordingAccess } = wishes;
  const settings = {
    ...(recordingConsent && { recordingConsent }),
    ...(recordingAccess && { recordingAccess }),
  };
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await administration.findClub(clubId);
    const changedAt = found.club ? found.club.putAt : found.removedAt;
    const putAt = timeOfChange({ occurredAt, now: now() }, [changedAt]);
    if (isStale(putAt, changedAt)) return ['club'];
    const isPut = found.club
      ? await administration.changeClub(found.club, { name, moderatorId, putAt, ...settings })
      : await administration.makeClub(found, {
          clubId,
          name,
          moderatorId,
          createdAt: putAt,
          putAt,
          clearedAt: found.removedAt,
          ...settings,
        });
    if (isPut) return [];
  }
  throw new StoreUnavailable({ cause: new Error('the club kept being changed') });
}

/**
 * Meetings that ended longer ago than this are not named when their club is removed: no token of them
 * works (`TOKEN_TTL_SECONDS` is a day at most), and the cleanup has deleted their rooms.
 */
const TOKENS_WORK_MS = 2 * 86_400_000;
/** More than a club has in that time. */
const NAMED_MEETINGS = 200;

/**
 * The meeting first, then the names of the meetings, then the club, then its other items, and the rooms
 * last: LiveKit may be down, and nothing waits for it. If it stops half-way, the same command continues
 * from there.
 */
async function removeClub(
  deps: ClubCommandDeps,
  { clubId, occurredAt }: CommandOf<'remove-club'>,
): Promise<StaleField[]> {
  const { administration } = deps;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await administration.findClub(clubId);
    const { club } = found;
    const changedAt = club ? club.putAt : found.removedAt;
    const removedAt = timeOfChange({ occurredAt, now: deps.now() }, [changedAt]);
    if (isStale(removedAt, changedAt)) return ['club'];
    if (club?.meeting) {
      const by = { endedBy: null, reason: 'club-removed' } as const;
      await tryEndMeeting(deps, club, club.meeting, by);
      continue;
    }
    if (club) await nameMeetings(deps, club);
    await administration.noteRemoval({ clubId, removedAt: deps.now().toISOString() });
    if (!(await administration.removeClub(clubId, found, removedAt))) continue;
    await emptyEarlierClubs(deps, clubId);
    for (const meetingId of await administration.listRemovedMeetings(clubId)) {
      await deps.media.deleteRoom(roomNameOf(clubId, meetingId));
    }
    await administration.noteEmptied(clubId, removedAt);
    return [];
  }
  throw new StoreUnavailable({ cause: new Error('meetings kept being started in the club') });
}

/**
 * An old token can make the room of a meeting again, and once the club's items are gone, nothing else
 * says that it is ours. The club itself is not named: another stage may have one of that id.
 */
async function nameMeetings(
  { administration, clubs, now }: ClubCommandDeps,
  club: Club,
): Promise<void> {
  const { clubId, lastMeeting } = club;
  if (!lastMeeting) return;
  const since = now().getTime() - TOKENS_WORK_MS;
  const rows = await clubs.listEndedMeetings(club, { before: undefined, limit: NAMED_MEETINGS });
  const recent = rows.filter(({ endedAt }) => Date.parse(endedAt) >= since);
  const meetingIds = new Set([lastMeeting, ...recent].map(({ meetingId }) => meetingId));
  await administration.nameRemovedMeetings(clubId, [...meetingIds], now());
}

/**
 * The record first: who is no member gets no token and is barred from the meeting, so that an old token
 * does not let them in; with `forget-user`, what the record has of them goes as well. LiveKit comes last: it
 * may be down, and nothing of this waits for it.
 */
async function removeMember(
  deps: ClubCommandDeps,
  { clubId, userId, command, occurredAt }: CommandOf<'remove-member' | 'forget-user'>,
): Promise<StaleField[]> {
  const isForgotten = command === 'forget-user';
  const about = { clubId, userId, occurredAt };
  const stale = await changeMember(deps, about, { ...LEAVES, isForgotten });
  const isMember = stale.includes('membership');
  const club = isMember ? undefined : await deps.clubs.getClub(clubId);
  const barredFrom = club && (await bar(deps, club, userId));
  if (isForgotten) {
    const until = isMember ? occurredAt : undefined;
    await deps.administration.noteRemoval({
      clubId,
      userId,
      removedAt: deps.now().toISOString(),
      until,
    });
    await deps.administration.forgetUser(clubId, userId, until);
  }
  if (barredFrom) await deps.media.removeParticipant(barredFrom.roomName, userId, deps.now());
  return stale;
}

/** The meeting that is on, from which the user is barred now. */
async function bar(
  deps: Pick<ClubCommandDeps, 'clubs'>,
  club: Club,
  userId: string,
): Promise<Meeting | undefined> {
  if (!club.meeting) return undefined;
  const change = { userId, isBarred: true };
  const isOn = (await changeBar(deps, club, club.meeting, change)) !== undefined;
  return isOn ? club.meeting : undefined;
}
