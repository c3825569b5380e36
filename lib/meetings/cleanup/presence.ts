import { isAttendee, isPerson } from '../attendees.ts';
import { attendeesJoined, sessionOf, undoIfForgotten } from '../livekit-events.ts';
import type { Participant, Room } from '../media.ts';
import { type Club, isBarred, type Meeting, type Presence } from '../model.ts';
import type { MeetingRef } from '../ports.ts';
import { observeRoom, type RoomObservation } from './observation.ts';
import type { Run } from './types.ts';

/** Removes barred people who came in with an old token, in case the event about it was lost. */
export async function removeBarred(
  { media, clubs, now }: Run,
  club: Club,
  { meetingId, roomName }: Meeting,
  listed: Room | undefined,
): Promise<void> {
  if (!club.barredUserIds || !listed) return;
  for (const participant of await media.getParticipants(roomName)) {
    const { identity } = participant;
    if (!isPerson(participant) || !isBarred(club, identity)) continue;
    // They may have been let back in since the club was read.
    const { club: current } = await clubs.getClubAndMember(club.clubId, identity);
    if (current?.meeting?.meetingId !== meetingId || !isBarred(current, identity)) continue;
    await media.removeParticipant(roomName, identity, now());
  }
}

/**
 * Compares presence with the room, where LiveKit's events arrive at all: a meeting that no event was
 * about stays so, and its status is asked for. Returns what it saw in the room if it had to look.
 */
export async function repairPresence(
  run: Run,
  club: Club,
  meeting: Meeting,
  listed: Room | undefined,
): Promise<RoomObservation | undefined> {
  const { presence } = club;
  if (!presence) return undefined;
  const sids = club.presentSids ?? new Set<string>();
  const ref = { clubId: club.clubId, meetingId: meeting.meetingId };
  const askedAt = run.now().toISOString();
  if (presenceMatches({ presence, count: sids.size }, listed)) {
    if (sids.size > 0) await run.presence.roomSeen(ref, presence.roomSid, askedAt);
    return undefined;
  }

  // The rooms were listed before the club was read: another one may have replaced the listed room.
  const isKnown = listed?.sid === presence.roomSid;
  const observation = await observeRoom(run, club, meeting, isKnown ? listed : undefined);
  await repairRoom(run, club, ref, { presence, sids }, observation, {
    askedAt,
    observedAt: run.now().toISOString(),
  });
  run.report.repaired += 1;
  return observation;
}

/**
 * Makes presence what LiveKit said between `askedAt` and `observedAt`, by single sids: events may
 * change it in the meantime.
 */
async function repairRoom(
  run: Run,
  club: Club,
  ref: MeetingRef,
  known: { presence: Presence; sids: Set<string> },
  { room: { sid, createdAt }, inRoom }: RoomObservation,
  { askedAt, observedAt }: { askedAt: string; observedAt: string },
): Promise<void> {
  const { presence } = run;
  const room = { sid, createdAt, observedAt };
  const attendees = inRoom.filter(isAttendee);
  const isKnown = known.presence.roomSid === sid;
  const sids = isKnown ? known.sids : new Set<string>();
  if (!isKnown) await presence.roomAdopted(ref, room, known.presence);
  else if (known.presence.isFinished && attendees.length > 0)
    await presence.roomReopened(ref, room);

  // Sids that were present before LiveKit was asked, and are not in the room now, are gone.
  const there = new Set(attendees.map((attendee) => attendee.sid));
  const gone = [...sids].filter((each) => !there.has(each));
  await Promise.all(gone.map((each) => presence.estimateEnd(ref, each, observedAt)));
  await presence.removePresent(ref, gone, observedAt);

  const added = attendees.filter((attendee) => !sids.has(attendee.sid));
  if (added.length > 0) {
    const userIds = new Set(added.filter(isPerson).map(({ identity }) => identity));
    const members = await run.clubs.getMembers(club, [...userIds]);
    const memberFor = (attendee: Participant) =>
      members.find(({ userId }) => isPerson(attendee) && userId === attendee.identity);
    const sessions = added.map((attendee) => sessionOf(attendee, room, memberFor(attendee)));
    await attendeesJoined(run, ref, room, sessions, askedAt);
    await Promise.all(
      added.map((attendee) =>
        undoIfForgotten(run, ref, attendee, {
          club,
          forgottenAt: memberFor(attendee)?.forgottenAt,
        }),
      ),
    );
  }
  // Last, so that a repair that broke off is not taken for complete.
  await presence.roomStarted(ref, room);
  if (attendees.length > 0) await presence.roomSeen(ref, sid, askedAt);
}

const presenceMatches = (
  { presence, count }: { presence: NonNullable<Club['presence']>; count: number },
  room: Room | undefined,
): boolean =>
  room
    ? presence.roomSid === room.sid &&
      presence.isComplete &&
      !presence.isFinished &&
      count === room.participantCount
    : presence.isFinished;
