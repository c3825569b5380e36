import type { WebhookAnswer } from '../contract/answers.ts';
import { isAttendee, isPerson } from './attendees.ts';
import { findEnded } from './conclude.ts';
import {
  type Club,
  isBarred,
  type Member,
  parseDoctorsRoomName,
  parseRoomName,
  type Session,
} from './model.ts';
import type {
  ClubRepository,
  Log,
  MediaEvent,
  MediaServer,
  MeetingRef,
  Participant,
  PresenceRepository,
  ProofRepository,
  RoomIncarnation,
} from './ports.ts';

export interface FollowDeps {
  clubs: Pick<ClubRepository, 'getClub' | 'getClubAndMember' | 'getEndedMeeting'>;
  presence: Pick<
    PresenceRepository,
    | 'roomStarted'
    | 'roomFinished'
    | 'addPresent'
    | 'removePresent'
    | 'sessionStarted'
    | 'sessionEnded'
    | 'closeSession'
  >;
  proofs: Pick<ProofRepository, 'noteEvent'>;
  media: Pick<MediaServer, 'deleteRoom' | 'removeParticipant'>;
  now: () => Date;
  log: Log;
}

/**
 * Follows what LiveKit tells: presence and attendance of a meeting of ours, and the end of a room
 * whose meeting is over. Events may come in any order and any number of times. Rooms that this table
 * knows nothing of may be another stage's or application's, and are left alone.
 */
export async function followMediaEvent(
  deps: FollowDeps,
  event: MediaEvent,
): Promise<WebhookAnswer['result']> {
  const proofId = parseDoctorsRoomName(event.room.name);
  if (proofId) return (await deps.proofs.noteEvent(proofId, event.type)) ? 'followed' : 'ignored';
  const meeting = parseRoomName(event.room.name);
  if (!meeting) return 'ignored';
  const participant = 'participant' in event ? event.participant : undefined;
  if (participant && !isAttendee(participant)) return 'ignored';

  const { club, member } = await readFor(deps, meeting.clubId, participant);
  const isOn = club?.meeting?.meetingId === meeting.meetingId;
  if (!isOn && !(await findEnded(deps, club, meeting.meetingId))) return 'ignored';

  const room = { ...event.room, observedAt: event.at };
  // A guest cannot be barred.
  const isKeptOut =
    isOn && participant && isPerson(participant) && isBarred(club, participant.identity);
  // The same for a join and a departure, so that it does not matter which of them comes first.
  const isAttended =
    participant && ((isOn && !isKeptOut) || isRemembered(meeting, club, member, participant));
  switch (event.type) {
    case 'room_started':
      if (isOn) await deps.presence.roomStarted(meeting, room);
      break;
    case 'room_finished':
      if (isOn) await deps.presence.roomFinished(meeting, room);
      break;
    case 'participant_joined': {
      const { identity } = event.participant;
      if (isKeptOut) await deps.media.removeParticipant(event.room.name, identity, deps.now());
      if (isAttended) {
        await attendeeJoined(deps, meeting, room, sessionOf(event.participant, member));
      }
      break;
    }
    case 'participant_left': {
      const { sid } = event.participant;
      if (isAttended) {
        await deps.presence.sessionEnded(meeting, sessionOf(event.participant, member), event.at);
      } else {
        await deps.presence.closeSession(meeting, sid, event.at);
      }
      await deps.presence.removePresent(meeting, [sid], event.at);
      break;
    }
    case 'participant_connection_aborted': {
      // Nobody heard of them, unless a cleanup saw them while they were joining.
      const { sid } = event.participant;
      await deps.presence.closeSession(meeting, sid, event.at);
      await deps.presence.removePresent(meeting, [sid], event.at);
      break;
    }
  }

  const isSignOfLife = event.type === 'room_started' || event.type === 'participant_joined';
  if (isOn || !isSignOfLife) return 'followed';
  await deps.media.deleteRoom(event.room.name);
  deps.log.info('zombie deleted', { ...meeting, event: event.type });
  return 'zombie-deleted';
}

/**
 * Whether a session is written after its meeting. An event arrives after what it is about: it must not
 * bring back the attendance of a person who was forgotten, or of a club that was removed.
 */
const isRemembered = (
  { meetingId }: MeetingRef,
  club: Club | undefined,
  member: Member | undefined,
  participant: Participant,
): boolean => {
  const { lastMeeting, moderatorId } = club ?? {};
  if (lastMeeting?.meetingId === meetingId && lastMeeting.reason === 'club-removed') return false;
  // Nothing that is written about a guest identifies them.
  if (!isPerson(participant)) return true;
  return member !== undefined || moderatorId === participant.identity;
};

/** The club, and the member that the participant is; a guest is none, whatever their identity. */
export const readFor = async (
  { clubs }: { clubs: Pick<ClubRepository, 'getClub' | 'getClubAndMember'> },
  clubId: string,
  participant: Participant | undefined,
): Promise<{ club: Club | undefined; member?: Member | undefined }> =>
  participant && isPerson(participant)
    ? clubs.getClubAndMember(clubId, participant.identity)
    : { club: await clubs.getClub(clubId) };

/** A guest's session names nobody: their identity and name can be a telephone number. */
export const sessionOf = (participant: Participant, member: Member | undefined): Session => ({
  userId: isPerson(participant) ? participant.identity : null,
  participantSid: participant.sid,
  displayName: member?.displayName ?? null,
  joinedAt: participant.joinedAt,
});

/**
 * Present first, then the session; and out again if the session has ended already. A departure goes
 * the other way round, so whichever comes last sees the other.
 */
export async function attendeeJoined(
  {
    presence,
  }: { presence: Pick<PresenceRepository, 'addPresent' | 'removePresent' | 'sessionStarted'> },
  meeting: MeetingRef,
  room: RoomIncarnation,
  session: Session,
): Promise<void> {
  await presence.addPresent(meeting, room, session.participantSid);
  const { leftAt } = await presence.sessionStarted(meeting, session);
  if (leftAt !== undefined) {
    await presence.removePresent(meeting, [session.participantSid], room.observedAt);
  }
}
