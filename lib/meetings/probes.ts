import type { MediaEvent } from './media.ts';
import { roomNameOf } from './model.ts';

/**
 * The club of the rooms by which `npm run doctor` proves that LiveKit and the webhook work. It is no
 * {@link ClubId}: it cannot be created, and no room of it can be taken for a meeting's.
 */
const DOCTORS_CLUB = '.doctor';

/** @param probeId a ULID: such a name, too, is used once */
export const doctorsRoomNameOf = (probeId: string): string => roomNameOf(DOCTORS_CLUB, probeId);

/** The reverse of {@link doctorsRoomNameOf}. */
export function parseDoctorsRoomName(roomName: string): string | undefined {
  const [, probeId] = /^reading-club-\.doctor-([0-7][0-9A-HJKMNP-TV-Z]{25})$/.exec(roomName) ?? [];
  return probeId;
}

/** The events that the doctor expects, and those that arrived. Deleted after ten minutes at most. */
export interface ProbeRepository {
  /** From now on, events of the proof's room are noted. */
  expectEvents(probeId: string, now: Date): Promise<void>;

  /** Says whether it is expected here. An event that comes too late does nothing. */
  noteEvent(probeId: string, type: MediaEvent['type']): Promise<boolean>;

  /** Undefined when nothing is expected (any more). */
  listEvents(probeId: string): Promise<string[] | undefined>;

  forgetEvents(probeId: string): Promise<void>;
}
