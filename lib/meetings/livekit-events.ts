import type { WebhookAnswer } from '../contract/answers.ts';
import { MediaUnavailable } from '../errors.ts';
import { isAttendee, isPerson } from './attendees.ts';
import { findEndedMeeting } from './ending.ts';
import type { MediaEvent, MediaServer, Participant } from './media.ts';
import { type Club, type EndedMeeting, isBarred, type Member, parseRoomName } from './model.ts';
import type {
  ClubRepository,
  Log,
  MeetingRef,
  PresenceRepository,
  RoomInstance,
  SessionStart,
} from './ports.ts';
import type { ProbeRepository } from './probes.ts';
import { parseDoctorsRoomName } from './probes.ts';

export interface LiveKitEventDeps {
  clubs: Pick<
    ClubRepository,
    'getClub' | 'getClubAndMember' | 'getEndedMeeting' | 'isOfRemovedClub'
  >;
  presence: Pick<
    PresenceRepository,
    | 'roomStarted'
    | 'roomFinished'
    | 'addPresent'
    | 'removePresent'
    | 'sessionStarted'
    | 'sessionEnded'
    | 'closeSession'
    | 'reopenSession'
    | 'getSession'
    | 'removeSession'
  >;
  probes: Pick<ProbeRepository, 'noteEvent'>;
  media: Pick<MediaServer, 'deleteRoom' | 'removeParticipant'>;
  now: () => Date;
  log: Log;
}

/**
 * Follows an event of LiveKit: updates presence and attendance of the meeting, and deletes a stale room.
 * Events may come in any order and any number of times. Rooms that this table does not know may belong to
 * another stage or application, and are not touched. The record comes first; what LiveKit does not do in
 * time is left to the cleanup.
 */
export async function handleLiveKitEvent(
  deps: LiveKitEventDeps,
  event: MediaEvent,
): Promise<WebhookAnswer['result']> {
  const probeId = parseDoctorsRoomName(event.room.name);
  if (probeId) return (await deps.probes.noteEvent(probeId, event.type)) ? 'followed' : 'ignored';
  const meeting = parseRoomName(event.room.name);
  if (!meeting) return 'ignored';
  const participant = 'participant' in event ? event.participant : undefined;
  if (participant && !isAttendee(participant)) return 'ignored';

  const read = await readFor(deps, meeting.clubId, participant);
  const { club, member } = read;
  const isOn = club?.meeting?.meetingId === meeting.meetingId;
  const ended = isOn ? undefined : await findEndedMeeting(deps, club, meeting.meetingId);
  if (!isOn && !ended && !(await deps.clubs.isOfRemovedClub(meeting))) return 'ignored';

  const room = { ...event.room, observedAt: latest(event.at, club?.presence?.observedAt) };
  // A guest cannot be barred.
  const isKeptOut =
    isOn && participant && isPerson(participant) && isBarred(club, participant.identity);
  // The same for a join and a departure, so that it does not matter which of them comes first.
  const isAttended =
    participant &&
    ((isOn && !isKeptOut) ||
      ((isOn || isOfThisClub(ended)) && isRemembered(club, member, participant)));
  switch (event.type) {
    case 'room_started':
      if (isOn) await deps.presence.roomStarted(meeting, room);
      break;
    case 'room_finished':
      if (isOn) await deps.presence.roomFinished(meeting, room, event.at);
      break;
    case 'participant_joined':
      if (isAttended) {
        await attendeesJoined(deps, meeting, room, [sessionOf(event.participant, room, member)]);
      }
      break;
    case 'participant_left': {
      const { sid } = event.participant;
      if (isAttended) {
        const session = sessionOf(event.participant, room, member);
        await deps.presence.sessionEnded(meeting, session, event.at);
        await deps.presence.removePresent(meeting, [sid], room.observedAt);
      } else await attendeeGone(deps, meeting, room, sid, event.at);
      break;
    }
    case 'participant_connection_aborted':
      await attendeeGone(deps, meeting, room, event.participant.sid, event.at);
      break;
  }

  if (isAttended && club) await undoIfForgotten(deps, meeting, participant, { ...read, club });

  const isSignOfLife = event.type === 'room_started' || event.type === 'participant_joined';
  try {
    if (isKeptOut && isSignOfLife) {
      const { identity } = participant;
      await deps.media.removeParticipant(event.room.name, identity, deps.now());
    }
    if (isOn || !isSignOfLife) return 'followed';
    await deps.media.deleteRoom(event.room.name);
    deps.log.info('zombie deleted', { ...meeting, event: event.type });
    return 'zombie-deleted';
  } catch (error) {
    // LiveKit sends the room's next event only after this answer, and drops what waits for 30 s.
    if (!(error instanceof MediaUnavailable)) throw error;
    deps.log.warn('left to the cleanup', { ...meeting, event: event.type }, error);
    return 'postponed';
  }
}

/** Not of a club that is removed, or was before there was this one. */
const isOfThisClub = (ended: EndedMeeting | undefined): boolean =>
  ended !== undefined && ended.reason !== 'club-removed';

/**
 * Whether a session is written after its meeting. An event arrives after what it is about: it must not
 * bring back the attendance of a person who was forgotten.
 */
const isRemembered = (
  club: Club | undefined,
  member: Member | undefined,
  participant: Participant,
): boolean => {
  // Nothing that is written about a guest identifies them.
  if (!isPerson(participant)) return true;
  return member !== undefined || club?.moderatorId === participant.identity;
};

/** The club, and the member that the participant is; a guest is none, whatever their identity. */
export const readFor = async (
  { clubs }: { clubs: Pick<ClubRepository, 'getClub' | 'getClubAndMember'> },
  clubId: string,
  participant: Participant | undefined,
): ReturnType<ClubRepository['getClubAndMember']> =>
  participant && isPerson(participant)
    ? clubs.getClubAndMember(clubId, participant.identity)
    : { club: await clubs.getClub(clubId), member: undefined };

/**
 * Deletes the participant's session again when its club was removed, or the person forgotten, since that
 * was read. Both make their note first and delete the sessions then: one of the two sees the other.
 *
 * @param seen what the session was written on
 */
export async function undoIfForgotten(
  deps: {
    clubs: Pick<ClubRepository, 'getClub' | 'getClubAndMember'>;
    presence: Pick<PresenceRepository, 'removeSession'>;
  },
  meeting: MeetingRef,
  participant: Participant,
  seen: { club: Club; forgottenAt?: string | undefined },
): Promise<void> {
  const { club, forgottenAt } = await readFor(deps, meeting.clubId, participant);
  const isSame = club !== undefined && club.generation === seen.club.generation;
  if (isSame && forgottenAt === seen.forgottenAt) return;
  await deps.presence.removeSession(meeting, participant.sid);
}

/** A guest's session has no user id: their identity and name can be a telephone number. */
export const sessionOf = (
  participant: Participant,
  { sid }: Pick<RoomInstance, 'sid'>,
  member: Member | undefined,
): SessionStart => ({
  userId: isPerson(participant) ? participant.identity : null,
  participantSid: participant.sid,
  roomSid: sid,
  displayName: member?.displayName ?? null,
  joinedAt: participant.joinedAt,
});

/**
 * Writes the sessions first, then adds the sids, and takes out again those whose session has ended
 * since. So each present participant has a session, which a cleanup can end; and a departure, which ends the
 * session first and then takes the sid out, meets this in any order with the same result.
 *
 * @param seenAt when a cleanup saw the attendees in the room: that takes back older estimates of their end
 */
export async function attendeesJoined(
  {
    presence,
  }: {
    presence: Pick<
      PresenceRepository,
      'addPresent' | 'removePresent' | 'sessionStarted' | 'reopenSession' | 'getSession'
    >;
  },
  meeting: MeetingRef,
  room: RoomInstance,
  sessions: SessionStart[],
  seenAt?: string,
): Promise<void> {
  const sids = sessions.map(({ participantSid }) => participantSid);
  await Promise.all(sessions.map((session) => presence.sessionStarted(meeting, session)));
  if (!(await presence.addPresent(meeting, room, sids))) return;
  const ended = await Promise.all(
    sids.map(async (sid) => {
      if (seenAt !== undefined) await presence.reopenSession(meeting, sid, seenAt);
      const session = await presence.getSession(meeting, sid);
      return session?.leftAt === undefined ? [] : sid;
    }),
  );
  await presence.removePresent(meeting, ended.flat(), room.observedAt);
}

/**
 * For a departure that writes no session of its own; a cleanup may be adopting the participant at this
 * moment. The sid goes first: what the cleanup then adds has its session closed here, and its next run
 * takes out the sid. The other way round, a session of an absent participant could stay open.
 */
async function attendeeGone(
  { presence }: { presence: Pick<PresenceRepository, 'removePresent' | 'closeSession'> },
  meeting: MeetingRef,
  room: RoomInstance,
  participantSid: string,
  leftAt: string,
): Promise<void> {
  await presence.removePresent(meeting, [participantSid], room.observedAt);
  await presence.closeSession(meeting, participantSid, leftAt);
}

const latest = (at: string, known: string | undefined): string =>
  known !== undefined && known > at ? known : at;
