import * as z from 'zod/mini';
import { MediaUnavailable } from '../errors.ts';
import { isAttendee } from '../meetings/attendees.ts';
import type {
  MediaServer,
  Participant,
  Permissions,
  Room,
  RoomOptions,
  RoomStatus,
} from '../meetings/media.ts';
import type { Timed } from '../meetings/ports.ts';
import { signToken, type VideoGrant } from './access-token.ts';
import {
  list,
  message,
  ParticipantMessage,
  participantOf,
  RoomMessage,
  roomOf,
} from './mapping.ts';
import type { LiveKitSettings } from './settings.ts';
import {
  type Call,
  type CallLiveKit,
  createLiveKitClients,
  Refusal,
  type TwirpOptions,
} from './twirp.ts';

const RoomList = message({ rooms: list(RoomMessage) });
const ParticipantList = message({ participants: list(ParticipantMessage) });
/** Nothing of the answer is used. */
const Done = z.unknown();

/** For the room list, when a room did not answer: time for the caller's own work must be left. */
const LOOK_TIMEOUT_MS = 1_000;

/**
 * Statuses that say "not now" or "not with this key", as opposed to "never like this". An answer
 * without LiveKit's own code comes from something in front of it and says nothing about a room.
 */
const isOutage = ({ status, code }: Refusal): boolean =>
  code === undefined || status >= 500 || [401, 403, 408, 429].includes(status);

/**
 * LiveKit's room API and join tokens.
 *
 * `settings` is called for each request, so that a rotated key is picked up without a restart. No method
 * takes LiveKit's silence for an answer: see `MediaServer` for what each throws.
 */
export class LiveKitService implements MediaServer {
  readonly #settings: () => Promise<LiveKitSettings>;
  readonly #timed: Timed;
  readonly #client: () => Promise<CallLiveKit>;

  constructor(
    settings: () => Promise<LiveKitSettings>,
    { timed = (call) => call(), ...options }: TwirpOptions & { timed?: Timed } = {},
  ) {
    this.#settings = settings;
    this.#timed = timed;
    this.#client = createLiveKitClients(settings, options);
  }

  async getServerUrl(): Promise<string> {
    return (await this.#settings()).wsUrl;
  }

  async createToken(
    roomName: string,
    participantName: string,
    participantId: string,
    permissions: Permissions,
    { ttlSeconds, roomOptions }: { ttlSeconds: number; roomOptions: RoomOptions },
  ): Promise<string> {
    const claims = {
      video: grantsOf(roomName, permissions),
      name: participantName,
      roomConfig: configurationOf(roomOptions),
    };
    return signToken(await this.#settings(), claims, { ttlSeconds, identity: participantId });
  }

  async createRoom(roomName: string, options: RoomOptions): Promise<Room> {
    const room = await this.#ask(RoomMessage, {
      method: 'RoomService/CreateRoom',
      grant: { roomCreate: true },
      message: { name: roomName, ...configurationOf(options) },
    });
    return roomOf(room);
  }

  async getRoom(roomName: string): Promise<Room | null> {
    const [room] = await this.#listRooms([roomName]);
    return room ?? null;
  }

  listRooms(): Promise<Room[]> {
    return this.#listRooms([]);
  }

  async deleteRoom(roomName: string): Promise<true> {
    const request = this.#ask(Done, {
      method: 'RoomService/DeleteRoom',
      grant: { roomCreate: true },
      message: { room: roomName },
    });
    await request.catch((error) => this.#unlessGone(roomName, error));
    return true;
  }

  async getParticipants(roomName: string): Promise<Participant[]> {
    try {
      const { participants } = await this.#ask(ParticipantList, {
        method: 'RoomService/ListParticipants',
        grant: administrationOf(roomName),
        message: { room: roomName },
      });
      return participants.filter(({ state }) => state).map(participantOf);
    } catch (error) {
      await this.#unlessGone(roomName, error);
      return [];
    }
  }

  async removeParticipant(
    roomName: string,
    participantId: string,
    revokeBefore?: Date,
  ): Promise<boolean> {
    // Left to itself, LiveKit Cloud revokes a minute ahead, and so refuses tokens that are yet to come.
    const revocation = revokeBefore && {
      revokeTokenTs: String(Math.floor(revokeBefore.getTime() / 1000)),
    };
    try {
      await this.#ask(Done, {
        method: 'RoomService/RemoveParticipant',
        grant: administrationOf(roomName),
        message: { room: roomName, identity: participantId, ...revocation },
      });
      return true;
    } catch (error) {
      await this.#unlessGone(roomName, error);
      return false;
    }
  }

  async muteTrack(roomName: string, participantId: string, trackSid: string): Promise<void> {
    const request = this.#ask(Done, {
      method: 'RoomService/MutePublishedTrack',
      grant: administrationOf(roomName),
      message: { room: roomName, identity: participantId, trackSid, muted: true },
    });
    await request.catch((error) => this.#unlessGone(roomName, error));
  }

  async getRoomStatus(roomName: string): Promise<RoomStatus> {
    const room = await this.getRoom(roomName);
    if (!room) return { exists: false, isActive: false, participantCount: 0 };
    const participantCount = (await this.getParticipants(roomName)).filter(isAttendee).length;
    return {
      exists: true,
      isActive: participantCount > 0,
      participantCount,
      creationTime: room.createdAt,
      metadata: room.metadata,
    };
  }

  /** All rooms without names. */
  async #listRooms(names: string[], options?: Pick<Call, 'once'>): Promise<Room[]> {
    const { rooms } = await this.#ask(RoomList, {
      method: 'RoomService/ListRooms',
      grant: { roomList: true },
      message: { names },
      ...options,
    });
    return rooms.map(roomOf);
  }

  /**
   * Throws `error` unless it means that the room, or what was asked for in it, is not there.
   *
   * `not_found` says so. About a room that is closing, a server answers `unavailable` after 3 to 5 s,
   * which is longer than we wait; with `api.enable_psrpc_for_get_list_participants` it does so about every
   * missing room (both seen on 1.13.5). So the room list, which does not ask the room's node, decides.
   */
  async #unlessGone(roomName: string, error: unknown): Promise<void> {
    if (codeOf(error) === 'not_found') return;
    if (!hasNoAnswer(error)) throw error;
    const rooms = await this.#listRooms([roomName], { once: { timeoutMs: LOOK_TIMEOUT_MS } });
    if (rooms.length) throw error;
  }

  async #ask<S extends z.ZodMiniType>(
    schema: S,
    request: Omit<Call, 'signal'>,
  ): Promise<z.infer<S>> {
    const call = await this.#client();
    let answer: unknown;
    try {
      answer = await this.#timed((signal) => call({ ...request, signal }));
    } catch (error) {
      throw classify(error);
    }
    const { success, data } = schema.safeParse(answer);
    if (success) return data;
    const cause = new Error(`The answer to ${request.method} is not LiveKit's`);
    throw new MediaUnavailable({ cause });
  }
}

/** The closed list of grants: each is stated, since LiveKit's defaults are true for some. */
const grantsOf = (roomName: string, permissions: Permissions): VideoGrant => ({
  room: roomName,
  roomJoin: true,
  canPublish: true,
  canSubscribe: true,
  canPublishData: true,
  canUpdateOwnMetadata: true,
  roomAdmin: permissions.isModerator ?? false,
  roomRecord: permissions.canRecord ?? false,
});

const administrationOf = (roomName: string): VideoGrant => ({ room: roomName, roomAdmin: true });

/** As a request to create a room and a join token have it. */
const configurationOf = (options: RoomOptions) => ({
  emptyTimeout: options.emptyTimeoutSeconds,
  departureTimeout: options.departureTimeoutSeconds,
  maxParticipants: options.maxParticipants,
  metadata: JSON.stringify(options.metadata),
});

/** Twirp's, where LiveKit itself refused. */
function codeOf(error: unknown): string | undefined {
  const refusal = error instanceof MediaUnavailable ? error.cause : error;
  return refusal instanceof Refusal ? refusal.code : undefined;
}

/** LiveKit did not hear of it from the room's node, or we not from LiveKit. */
const hasNoAnswer = (error: unknown): boolean =>
  codeOf(error) === 'unavailable' || (error instanceof MediaUnavailable && isTimeout(error.cause));

const isTimeout = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'TimeoutError';

/** LiveKit's failures as ours; what is no outage is a mistake of this service and stays as it is. */
export function classify(error: unknown): unknown {
  if (error instanceof Refusal) {
    if (!isOutage(error)) return error;
    return new MediaUnavailable({ cause: error, isRateLimit: error.status === 429 });
  }
  const isTransport =
    (error instanceof TypeError && error.cause !== undefined) || // fetch: refused, reset, redirected
    error instanceof SyntaxError || // an answer that is no JSON
    isTimeout(error);
  return isTransport ? new MediaUnavailable({ cause: error }) : error;
}
