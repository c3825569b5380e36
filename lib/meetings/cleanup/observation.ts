import type { Participant, Room } from '../media.ts';
import type { Club, Meeting } from '../model.ts';
import { ensureRoom } from '../room.ts';
import type { Run } from './types.ts';

/** The meeting's room, and what is connected to it. */
export interface RoomObservation {
  room: Room;
  inRoom: Participant[];
}

/**
 * A room that is not listed is made sure of before its participants are listed. One that exists after
 * all comes back as it is; about one that does not, LiveKit answers an empty list, an error or
 * `unavailable`, by its version and configuration.
 *
 * @throws MeetingNotActive when the meeting ended in the meantime
 */
export async function observeRoom(
  run: Run,
  club: Club,
  meeting: Meeting,
  listed: Room | undefined,
): Promise<RoomObservation> {
  const room = listed ?? (await ensureRoom(run, club, meeting));
  return { room, inRoom: await run.media.getParticipants(meeting.roomName) };
}
