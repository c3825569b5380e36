/** Everything that the checks put somewhere, so that nothing of it stays. */
import { ulid } from 'ulid';
import type { MediaServer } from '../../lib/meetings/media.ts';
import type { ProbeRepository } from '../../lib/meetings/probes.ts';
import { doctorsRoomNameOf } from '../../lib/meetings/probes.ts';
import { reasonOf } from './reasons.ts';
import type { Finding } from './runner.ts';

export class Artifacts {
  readonly #probeIds: string[] = [];

  /** Names a room that no other check has, and notes that there may be such a room, and an item. */
  newProbe(): { probeId: string; roomName: string } {
    const probeId = ulid();
    this.#probeIds.push(probeId);
    return { probeId, roomName: doctorsRoomNameOf(probeId) };
  }

  /** Deletes what a check could not delete, and returns whether anything may be left. */
  async remove(
    media: Pick<MediaServer, 'getRoom' | 'deleteRoom'> | undefined,
    probes: Pick<ProbeRepository, 'forgetEvents'> | undefined,
  ): Promise<Finding> {
    const left: string[] = [];
    for (const probeId of this.#probeIds) {
      const roomName = doctorsRoomNameOf(probeId);
      try {
        const room = await media?.getRoom(roomName);
        if (room) await media?.deleteRoom(roomName);
        await probes?.forgetEvents(probeId);
      } catch (error) {
        left.push(`${roomName} (${reasonOf(error)})`);
      }
    }
    if (left.length === 0) return { outcome: 'ok', sentence: 'Nothing is left behind' };
    return {
      outcome: 'warning',
      sentence: `Unknown whether these are left: ${left.join(', ')}`,
      remedy: 'A room closes by itself after a minute, and an item expires after ten',
    };
  }
}
