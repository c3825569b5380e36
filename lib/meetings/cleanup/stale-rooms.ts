import { parseRoomName } from '../model.ts';
import { attempt } from './attempt.ts';
import type { Run } from './types.ts';

/** Rooms of meetings that this table knows to be over. Any other room belongs to another stage or application. */
export async function deleteStaleRooms(
  run: Run,
  roomNames: string[],
  hasTime: () => boolean,
): Promise<void> {
  const candidates = roomNames.flatMap((roomName) => {
    const meeting = parseRoomName(roomName);
    return meeting ? [{ roomName, ...meeting }] : [];
  });
  const zombies = new Set(await run.clubs.filterEnded(candidates));
  for (const { roomName, ...meeting } of candidates.filter((room) => zombies.has(room))) {
    if (!hasTime()) {
      run.report.postponed += 1;
      continue;
    }
    await attempt(run, meeting, async () => {
      await run.media.deleteRoom(roomName);
      run.report.zombiesDeleted += 1;
    });
  }
}
