import type { ParticipantList } from '../../contract/answers.ts';
import { requireActiveMeeting } from '../access.ts';
import { isPerson } from '../attendees.ts';
import { type Caller, isBarred, isModerator, type Role } from '../model.ts';
import { attendeesIn, type ModerationDeps, membersAmong } from './target.ts';

/** @throws NotAModerator, MeetingNotActive */
export async function listParticipants(
  deps: Pick<ModerationDeps, 'clubs' | 'media'>,
  { caller, clubId }: { caller: Caller; clubId: string },
): Promise<ParticipantList> {
  const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
  const { club, meeting } = requireActiveMeeting(read, caller, 'see the participants');
  const attendees = await attendeesIn(deps, meeting);
  const barredIds = [...(club.barredUserIds ?? [])];
  const members = await membersAmong(deps, club, [
    ...attendees.filter(isPerson).map(({ identity }) => identity),
    ...barredIds,
  ]);
  const roleOf = (userId: string): Role =>
    isModerator(club, members.get(userId), userId) ? 'moderator' : 'member';
  return {
    participants: attendees.map((attendee) => {
      const { kind, sid: participantSid, identity, name, joinedAt, tracks } = attendee;
      const person = isPerson(attendee)
        ? { userId: identity, role: roleOf(identity) }
        : { userId: null, role: null };
      return { kind, participantSid, ...person, name, joinedAt, tracks };
    }),
    // Only people of the club can be readmitted.
    barred: barredIds
      .filter((userId) => members.has(userId) && isBarred(club, userId))
      .map((userId) => ({ userId, name: members.get(userId)?.displayName ?? null })),
  };
}
