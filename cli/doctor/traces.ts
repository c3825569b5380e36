/** Everything that the checks put somewhere, so that nothing of it stays. */
import { ulid } from 'ulid';
import { doctorsRoomNameOf } from '../../lib/meetings/model.ts';
import type { MediaServer, ProofRepository } from '../../lib/meetings/ports.ts';
import type { Finding } from './examination.ts';
import { reasonOf } from './reasons.ts';

export class Traces {
  readonly #proofIds: string[] = [];

  /** Names a room that no other check has, and notes that there may be such a room, and an item. */
  newProof(): { proofId: string; roomName: string } {
    const proofId = ulid();
    this.#proofIds.push(proofId);
    return { proofId, roomName: doctorsRoomNameOf(proofId) };
  }

  /** Deletes what a check could not delete, and says whether anything may be left. */
  async remove(
    media: Pick<MediaServer, 'getRoom' | 'deleteRoom'> | undefined,
    proofs: Pick<ProofRepository, 'forgetEvents'> | undefined,
  ): Promise<Finding> {
    const left: string[] = [];
    for (const proofId of this.#proofIds) {
      const roomName = doctorsRoomNameOf(proofId);
      try {
        const room = await media?.getRoom(roomName);
        if (room) await media?.deleteRoom(roomName);
        await proofs?.forgetEvents(proofId);
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
