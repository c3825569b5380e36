import { MediaUnavailable } from '../../errors.ts';
import type { CleanupDeps } from './types.ts';

/** Not in this run: its calls are used up, or LiveKit asked for less. */
export class Postponed extends Error {
  override readonly name = 'Postponed';
}

/** The media server while more than `kept` calls are left, and none after it asked for less. */
export function withCallBudget(
  media: CleanupDeps['media'],
  calls: { left: number },
  reserve: number,
): CleanupDeps['media'] {
  const call = async <T>(request: () => Promise<T>): Promise<T> => {
    if (calls.left <= reserve) throw new Postponed();
    calls.left -= 1;
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof MediaUnavailable && error.isRateLimit)) throw error;
      calls.left = 0;
      throw new Postponed();
    }
  };
  return {
    listRooms: () => call(() => media.listRooms()),
    getParticipants: (roomName) => call(() => media.getParticipants(roomName)),
    createRoom: (roomName, options) => call(() => media.createRoom(roomName, options)),
    deleteRoom: (roomName) => call(() => media.deleteRoom(roomName)),
    removeParticipant: (roomName, userId, revokeBefore) =>
      call(() => media.removeParticipant(roomName, userId, revokeBefore)),
  };
}
