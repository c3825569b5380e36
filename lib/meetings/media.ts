import type { EgressEvent } from './recording/ports.ts';

/** LiveKit's rooms, participants and events, as the rules see them, and what the rules ask of it. */

export interface RoomOptions {
  /** Seconds for which a room stays open before the first participant joins. */
  emptyTimeoutSeconds: number;
  /** Seconds for which a room stays open after the last participant left. */
  departureTimeoutSeconds: number;
  maxParticipants: number;
  /** Kept with the room as JSON, for clients to read. */
  metadata: Record<string, string>;
}

export interface Room {
  name: string;
  sid: string;
  /** ISO 8601. By LiveKit's clock. */
  createdAt: string;
  /** Lags behind by seconds: a hint, never proof that the room is occupied or empty. */
  participantCount: number;
  metadata: string;
}

export interface Track {
  sid: string;
  kind: 'audio' | 'video' | 'data';
  source: 'microphone' | 'camera' | 'screen_share' | 'screen_share_audio' | 'unknown';
  muted: boolean;
}

/**
 * What LiveKit says that a participant is. `other` is an agent, a recorder, an ingress, a hidden helper
 * or a kind that this version does not know.
 */
export type ParticipantKind = 'standard' | 'sip' | 'connector' | 'other';

/** Whatever is connected to a room: `attendees.ts` says who of it is in the meeting. */
export interface Participant {
  kind: ParticipantKind;
  identity: string;
  sid: string;
  name: string;
  /** ISO 8601. */
  joinedAt: string;
  tracks: Track[];
}

/** An event of LiveKit's about a room or a participant. */
export type MediaEvent = {
  /** ISO 8601: the last millisecond of the second in which it happened, by LiveKit's clock. */
  at: string;
  room: Pick<Room, 'name' | 'sid' | 'createdAt'>;
} & (
  | { type: 'room_started' | 'room_finished' }
  | {
      type: 'participant_joined' | 'participant_left' | 'participant_connection_aborted';
      participant: Participant;
    }
);

const FOLLOWED: Record<MediaEvent['type'], true> = {
  room_started: true,
  room_finished: true,
  participant_joined: true,
  participant_left: true,
  participant_connection_aborted: true,
};
/** LiveKit's names of these events: it need not send others, and there is one for each track. */
export const MEDIA_EVENT_TYPES: string[] = Object.keys(FOLLOWED);

/**
 * Verifies a webhook and then reads it. `body` is what was sent, byte for byte; undefined is an event
 * that is of no use here.
 * @throws Unauthenticated without a signature of one of the project's keys for this body
 * @throws MediaUnavailable while the project's keys cannot be read
 */
export type VerifyWebhook = (
  body: Uint8Array,
  authorization: string | undefined,
) => Promise<MediaEvent | EgressEvent | undefined>;

export interface RoomStatus {
  exists: boolean;
  /** A participant is in the room. */
  isActive: boolean;
  participantCount: number;
  /** ISO 8601. */
  creationTime?: string;
  metadata?: string;
}

export interface Permissions {
  isModerator?: boolean;
  canRecord?: boolean;
}

/**
 * The rooms. Each method throws `MediaUnavailable` when the server does not answer in time, fails or
 * refuses the API key: never "no room" or "nobody there" for "not answered".
 */
export interface MediaServer {
  /** The URL that a client connects to. */
  getServerUrl(): Promise<string>;

  /**
   * Signs a join token that is valid for `ttlSeconds`. `roomOptions` travel along for a server that
   * creates rooms at the join.
   */
  createToken(
    roomName: string,
    participantName: string,
    participantId: string,
    permissions: Permissions,
    token: { ttlSeconds: number; roomOptions: RoomOptions },
  ): Promise<string>;

  /** Creates the room, or returns it unchanged if it exists. */
  createRoom(roomName: string, options: RoomOptions): Promise<Room>;

  getRoom(roomName: string): Promise<Room | null>;

  /** Every room of the LiveKit project, of other stages and applications, too. */
  listRooms(): Promise<Room[]>;

  /** Disconnects everybody and closes the room. True also when there was none. */
  deleteRoom(roomName: string): Promise<true>;

  /** What is connected to the room, without a lag; empty for a room that does not exist. */
  getParticipants(roomName: string): Promise<Participant[]>;

  /**
   * False when no participant has that identity. Not a ban on a self-hosted server: a token that is
   * valid joins again. LiveKit Cloud also refuses tokens that were signed before `revokeBefore`.
   */
  removeParticipant(roomName: string, participantId: string, revokeBefore?: Date): Promise<boolean>;

  /** Mutes a track, if it is still there. A track cannot be unmuted by the server. */
  muteTrack(roomName: string, participantId: string, trackSid: string): Promise<void>;

  getRoomStatus(roomName: string): Promise<RoomStatus>;
}
