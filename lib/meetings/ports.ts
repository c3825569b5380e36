import type { Club, EndedMeeting, Meeting, Member } from './model.ts';

/**
 * The record of clubs and meetings. Every read is consistent. Each method throws
 * `StoreUnavailable` when the outcome cannot be known in time: never "absent" for "not answered".
 */
export interface ClubRepository {
  /** Both in one round trip. */
  getClubAndMember(
    clubId: string,
    userId: string,
  ): Promise<{ club: Club | undefined; member: Member | undefined }>;

  getClub(clubId: string): Promise<Club | undefined>;

  /** Puts the meeting on, if the club exists and has none on; says whether it did. */
  claimMeeting(clubId: string, meeting: Meeting): Promise<boolean>;

  /** Moves the meeting that is on to `lastMeeting`, if it is still that one; says whether it did. */
  concludeMeeting(clubId: string, ended: EndedMeeting): Promise<boolean>;

  /** Puts the history row of an ended meeting: a copy of decided facts, so it can be repeated. */
  recordEndedMeeting(clubId: string, ended: EndedMeeting): Promise<void>;

  /** The history row of a meeting before the last one. */
  getEndedMeeting(clubId: string, meetingId: string): Promise<EndedMeeting | undefined>;
}

export interface RoomOptions {
  /** Seconds for which a room stays open before anybody joined. */
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
  /** Lags behind by seconds: a hint, never a proof that somebody or nobody is there. */
  participantCount: number;
  metadata: string;
}

/** Somebody in a room. Recorders, agents and other machines are not people. */
export interface Participant {
  identity: string;
  sid: string;
  name: string;
  isPerson: boolean;
  /** ISO 8601. */
  joinedAt: string;
}

export interface RoomStatus {
  exists: boolean;
  /** Somebody is in the room. */
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

  /** Disconnects everybody and closes the room. True also when there was none. */
  deleteRoom(roomName: string): Promise<true>;

  /** Whoever is connected to the room, right at once; empty for a room that does not exist. */
  getParticipants(roomName: string): Promise<Participant[]>;

  /** False when nobody of that identity was there. Not a ban: a token that is valid joins again. */
  removeParticipant(roomName: string, participantId: string): Promise<boolean>;

  getRoomStatus(roomName: string): Promise<RoomStatus>;
}

/** Fields of a log line: ids, codes, counts and durations; never a name, a token or an event. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

export interface Log {
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields, error?: unknown): void;
  error(message: string, fields: LogFields, error?: unknown): void;
}
