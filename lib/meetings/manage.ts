import * as z from 'zod/mini';
import { ClubNotFound, MemberNotFound, NotAllowed, StoreUnavailable } from '../errors.ts';
import { changeBar } from './bars.ts';
import { concludeMeeting, findEnded } from './conclude.ts';
import {
  type Club,
  ClubId,
  ClubName,
  type EndedMeeting,
  type Meeting,
  type Member,
  maybe,
  ParticipantName,
  parseRoomName,
  Role,
  UserId,
} from './model.ts';
import type { ClubAdministration, ClubRepository, Log, MediaServer } from './ports.ts';

/** How often a club that somebody keeps starting meetings in is tried to be removed. */
const REMOVAL_ATTEMPTS = 3;

/** What the application that owns the clubs tells this service: one command at a time. */
export const Command = z.discriminatedUnion(
  'command',
  [
    z.strictObject({
      command: z.literal('put-club'),
      clubId: ClubId,
      name: ClubName,
      moderatorId: UserId,
    }),
    z.strictObject({ command: z.literal('remove-club'), clubId: ClubId }),
    z.strictObject({
      command: z.literal('put-member'),
      clubId: ClubId,
      userId: UserId,
      displayName: maybe(ParticipantName),
      role: maybe(Role),
    }),
    z.strictObject({ command: z.literal('remove-member'), clubId: ClubId, userId: UserId }),
    z.strictObject({ command: z.literal('set-role'), clubId: ClubId, userId: UserId, role: Role }),
    z.strictObject({ command: z.literal('show'), clubId: ClubId }),
    z.strictObject({ command: z.literal('forget-user'), clubId: ClubId, userId: UserId }),
  ],
  'must be one of the commands',
);
export type Command = z.infer<typeof Command>;

export interface ManageDeps {
  clubs: Pick<
    ClubRepository,
    'getClub' | 'changeBar' | 'recordEndedMeeting' | 'getEndedMeeting' | 'concludeMeeting'
  >;
  administration: ClubAdministration;
  media: Pick<MediaServer, 'listRooms' | 'deleteRoom' | 'removeParticipant'>;
  now: () => Date;
  log: Log;
}

/** What a command did; `show` answers with the club as it is. */
export type Managed = { done: true } | ShownClub;

export interface ShownClub extends Pick<Club, 'clubId' | 'name' | 'moderatorId' | 'createdAt'> {
  members: Member[];
  meeting: Meeting | null;
  barredUserIds: string[];
  lastMeeting: EndedMeeting | null;
}

/**
 * Carries out one command. Each can be repeated, and writes only the fields that it owns: a meeting
 * that is on goes on, unless its club or the person in it is removed.
 *
 * @throws ClubNotFound, MemberNotFound
 * @throws NotAllowed for taking the club's own moderator off the club: name another one first
 */
export async function manageClubs(deps: ManageDeps, command: Command): Promise<Managed> {
  const { clubId } = command;
  deps.log.info('clubs', {
    command: command.command,
    clubId,
    ...('userId' in command && { userId: command.userId }),
  });
  switch (command.command) {
    case 'put-club':
      await deps.administration.putClub(command, deps.now().toISOString());
      break;
    case 'remove-club':
      await removeClub(deps, clubId);
      break;
    case 'put-member':
      await existing(deps, clubId);
      await deps.administration.putMember(clubId, command, deps.now().toISOString());
      break;
    case 'remove-member':
      await removeMember(deps, { clubId, userId: command.userId });
      break;
    case 'set-role':
      await setRole(deps, command);
      break;
    case 'forget-user':
      await removeMember(deps, { clubId, userId: command.userId, isForgotten: true });
      break;
    case 'show':
      return shown(await existing(deps, clubId), await deps.administration.listMembers(clubId));
  }
  return { done: true };
}

const shown = (
  { clubId, name, moderatorId, createdAt, meeting, barredUserIds, lastMeeting }: Club,
  members: Member[],
): ShownClub => ({
  clubId,
  name,
  moderatorId,
  createdAt,
  members,
  meeting: meeting ?? null,
  barredUserIds: [...(barredUserIds ?? [])],
  lastMeeting: lastMeeting ?? null,
});

async function existing({ clubs }: ManageDeps, clubId: string): Promise<Club> {
  const club = await clubs.getClub(clubId);
  if (!club) throw new ClubNotFound();
  return club;
}

async function setRole(
  deps: ManageDeps,
  { clubId, userId, role }: { clubId: string; userId: string; role: Role },
): Promise<void> {
  if (await deps.administration.setRole(clubId, userId, role, deps.now().toISOString())) return;
  await existing(deps, clubId);
  throw new MemberNotFound();
}

/**
 * The meeting first, then everything else, the club's own item last: whatever stops this half-way
 * leaves a club that can be removed again.
 */
async function removeClub(deps: ManageDeps, clubId: string): Promise<void> {
  for (let attempt = 0; attempt < REMOVAL_ATTEMPTS; attempt += 1) {
    const club = await deps.clubs.getClub(clubId);
    const roomName = club?.meeting?.roomName ?? club?.lastMeeting?.roomName;
    if (club?.meeting) {
      const by = { endedBy: null, reason: 'club-removed' } as const;
      await concludeMeeting(deps, club, club.meeting, by);
    }
    if (club && roomName) {
      await deps.media.deleteRoom(roomName);
      await deleteEarlierRooms(deps, club);
    }
    await deps.administration.removeItemsOfClub(clubId);
    if (await deps.administration.removeIdleClub(clubId)) return;
  }
  throw new StoreUnavailable({ cause: new Error('meetings kept being started in the club') });
}

/**
 * The rooms of meetings before the last that LiveKit did not delete when they ended: once the club's
 * items are gone, nobody knows that they are ours.
 */
async function deleteEarlierRooms({ clubs, media }: ManageDeps, club: Club): Promise<void> {
  for (const { name } of await media.listRooms()) {
    const meeting = parseRoomName(name);
    if (meeting?.clubId !== club.clubId) continue;
    if (await findEnded({ clubs }, club, meeting.meetingId)) await media.deleteRoom(name);
  }
}

/**
 * The record first: bars the user from the meeting, so that no token is given out in between, then
 * removes the member and, with `isForgotten`, what the record has of them. LiveKit comes last: it may
 * be down, and nothing of this waits for it.
 */
async function removeMember(
  deps: ManageDeps,
  {
    clubId,
    userId,
    isForgotten = false,
  }: { clubId: string; userId: string; isForgotten?: boolean },
): Promise<void> {
  const club = await existing(deps, clubId);
  if (club.moderatorId === userId) {
    throw new NotAllowed("The club's own moderator cannot be taken off it: name another one first");
  }
  await bar(deps, club, userId);
  await deps.administration.removeMember(clubId, userId);
  if (isForgotten) await deps.administration.forgetUser(clubId, userId);
  // Since the first read a meeting may have started, or a moderator have readmitted the user.
  const now = await deps.clubs.getClub(clubId);
  if (!now?.meeting || !(await bar(deps, now, userId))) return;
  await deps.media.removeParticipant(now.meeting.roomName, userId, deps.now());
}

/** Says whether the meeting is on, and the user barred from it. */
async function bar(deps: Pick<ManageDeps, 'clubs'>, club: Club, userId: string): Promise<boolean> {
  if (!club.meeting) return false;
  const change = { userId, isBarred: true };
  return (await changeBar(deps, club, club.meeting, change)) !== undefined;
}
