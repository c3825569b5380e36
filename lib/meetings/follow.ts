import type { WebhookAnswer } from '../contract/answers.ts';
import { findEnded } from './conclude.ts';
import {
  type Club,
  type Member,
  parseDoctorsRoomName,
  parseRoomName,
  type Session,
  UserId,
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
  if (participant && !isPersonOfOurs(participant)) return 'ignored';

  const { club, member } = await read(deps, meeting, participant);
  const isOn = club?.meeting?.meetingId === meeting.meetingId;
  if (!isOn && !(await findEnded(deps, club, meeting.meetingId))) return 'ignored';

  const room = { ...event.room, observedAt: event.at };
  const isBarred = isOn && participant && club?.barredUserIds?.has(participant.identity);
  // The same for a join and a departure, so that it does not matter which of them comes first.
  const isAttended =
    participant &&
    ((isOn && !isBarred) || isRemembered(meeting, club, member, participant.identity));
  switch (event.type) {
    case 'room_started':
      if (isOn) await deps.presence.roomStarted(meeting, room);
      break;
    case 'room_finished':
      if (isOn) await deps.presence.roomFinished(meeting, room);
      break;
    case 'participant_joined': {
      const { identity } = event.participant;
      if (isBarred) await deps.media.removeParticipant(event.room.name, identity, deps.now());
      if (isAttended) {
        await personJoined(deps, meeting, room, sessionOf(event.participant, member));
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

/** Tokens of this service carry a user id; whoever came by another way is nobody that it knows. */
export const isPersonOfOurs = ({ isPerson, identity }: Participant): boolean =>
  isPerson && UserId.safeParse(identity).success;

/**
 * Whether a stay is to be written down whatever is known of it. Events come after what they are about:
 * they must not bring back the attendance of somebody who was forgotten, or of a club that was removed.
 */
const isRemembered = (
  { meetingId }: MeetingRef,
  club: Club | undefined,
  member: Member | undefined,
  userId: string,
): boolean => {
  const { lastMeeting, moderatorId } = club ?? {};
  if (lastMeeting?.meetingId === meetingId && lastMeeting.reason === 'club-removed') return false;
  return member !== undefined || moderatorId === userId;
};

const read = async (
  { clubs }: FollowDeps,
  { clubId }: MeetingRef,
  participant: Participant | undefined,
): Promise<{ club: Club | undefined; member?: Member | undefined }> =>
  participant
    ? clubs.getClubAndMember(clubId, participant.identity)
    : { club: await clubs.getClub(clubId) };

export const sessionOf = (
  { identity, sid, joinedAt }: Participant,
  member: Member | undefined,
): Session => ({
  userId: identity,
  participantSid: sid,
  displayName: member?.displayName ?? null,
  joinedAt,
});

/**
 * Present first, then the session; and out again if the session has ended already. A departure goes
 * the other way round, so whichever comes last sees the other.
 */
export async function personJoined(
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
