import { MediaUnavailable } from '../../errors.ts';
import type { CleanupDeps } from './types.ts';

/** Not in this run: its calls are used up, or LiveKit asked for less. */
export class Postponed extends Error {
  override readonly name = 'Postponed';
}

/** LiveKit while more than `reserve` calls are left, and not after it asked for less. */
export function withCallBudget(
  { media, recorder }: Pick<CleanupDeps, 'media' | 'recorder'>,
  calls: { left: number },
  reserve: number,
): Pick<CleanupDeps, 'media' | 'recorder'> {
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
  const budgetedMedia: CleanupDeps['media'] = {
    listRooms: () => call(() => media.listRooms()),
    getParticipants: (roomName) => call(() => media.getParticipants(roomName)),
    createRoom: (roomName, options) => call(() => media.createRoom(roomName, options)),
    deleteRoom: (roomName) => call(() => media.deleteRoom(roomName)),
    removeParticipant: (roomName, userId, revokeBefore) =>
      call(() => media.removeParticipant(roomName, userId, revokeBefore)),
  };
  const budgetedRecorder: CleanupDeps['recorder'] = {
    stop: (egressId) => call(() => recorder.stop(egressId)),
    listActive: () => call(() => recorder.listActive()),
    listOf: (roomName) => call(() => recorder.listOf(roomName)),
  };
  return { media: budgetedMedia, recorder: budgetedRecorder };
}
