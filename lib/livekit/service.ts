import {
  AccessToken,
  RoomConfiguration,
  RoomServiceClient,
  ServerError,
  type VideoGrant,
} from 'livekit-server-sdk';
import { MediaUnavailable } from '../errors.ts';
import { isAttendee } from '../meetings/attendees.ts';
import type {
  MediaServer,
  Participant,
  Permissions,
  Room,
  RoomOptions,
  RoomStatus,
  Timed,
} from '../meetings/ports.ts';
import type { LiveKitProject } from './project.ts';
import { isConnected, participantOf, roomOf } from './shapes.ts';

/**
 * Seconds for one attempt: longer than the 3 s for which LiveKit itself waits for a room's node. Below 5
 * the SDK does not fail over to other regions by itself.
 */
const REQUEST_TIMEOUT_SECONDS = 3.5;

/** A socket that the server closed while it was idle: the request never arrived. */
const DEAD_SOCKET_CODES = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

/**
 * Statuses that say "not now" or "not with this key", as opposed to "never like this". An answer
 * without LiveKit's own code comes from something in front of it and says nothing about a room.
 */
const isOutage = ({ status, code }: ServerError): boolean =>
  code === undefined || status >= 500 || [401, 403, 408, 429].includes(status);

/**
 * LiveKit's room API and join tokens.
 *
 * `project` is asked at each call, so that a rotated key is picked up without a restart. No method
 * takes LiveKit's silence for an answer: see `MediaServer` for what each throws.
 */
export class LiveKitService implements MediaServer {
  readonly #project: () => Promise<LiveKitProject>;
  readonly #timed: Timed;
  #client: { of: LiveKitProject; rooms: RoomServiceClient } | undefined;

  constructor(project: () => Promise<LiveKitProject>, timed: Timed = (call) => call()) {
    this.#project = project;
    this.#timed = timed;
  }

  async getServerUrl(): Promise<string> {
    return (await this.#project()).wsUrl;
  }

  async createToken(
    roomName: string,
    participantName: string,
    participantId: string,
    permissions: Permissions,
    { ttlSeconds, roomOptions }: { ttlSeconds: number; roomOptions: RoomOptions },
  ): Promise<string> {
    const { apiKey, apiSecret } = await this.#project();
    const token = new AccessToken(apiKey, apiSecret, {
      identity: participantId,
      name: participantName,
      ttl: ttlSeconds,
    });
    token.addGrant(grantsOf(roomName, permissions));
    // Without `name`, which would be the room's: the configuration is for whatever room is joined.
    const { name: _, ...configuration } = sdkRoomOptions(roomName, roomOptions);
    token.roomConfig = new RoomConfiguration(configuration);
    return token.toJwt();
  }

  async createRoom(roomName: string, options: RoomOptions): Promise<Room> {
    return roomOf(await this.#call((rooms) => rooms.createRoom(sdkRoomOptions(roomName, options))));
  }

  async getRoom(roomName: string): Promise<Room | null> {
    const [room] = await this.#call((rooms) => rooms.listRooms([roomName]));
    return room ? roomOf(room) : null;
  }

  async listRooms(): Promise<Room[]> {
    return (await this.#call((rooms) => rooms.listRooms())).map(roomOf);
  }

  async deleteRoom(roomName: string): Promise<true> {
    await this.#call((rooms) => rooms.deleteRoom(roomName).catch(unlessNotFound));
    return true;
  }

  async getParticipants(roomName: string): Promise<Participant[]> {
    const participants = await this.#call((rooms) =>
      rooms.listParticipants(roomName).catch(async (error) => {
        // About a room that does not exist, LiveKit Cloud answers `not_found`, and a server with
        // `api.enable_psrpc_for_get_list_participants` (seen on 1.13.5) `unavailable` after 3 s.
        if (isRefusal(error, 'not_found')) return [];
        const isMissing =
          isRefusal(error, 'unavailable') && (await rooms.listRooms([roomName])).length === 0;
        if (isMissing) return [];
        throw error;
      }),
    );
    return participants.filter(isConnected).map(participantOf);
  }

  async removeParticipant(
    roomName: string,
    participantId: string,
    revokeBefore?: Date,
  ): Promise<boolean> {
    // Left to itself, LiveKit Cloud revokes a minute ahead, and so refuses tokens that are yet to come.
    const revocation = revokeBefore && {
      revokeTokenTs: BigInt(Math.floor(revokeBefore.getTime() / 1000)),
    };
    return this.#call((rooms) =>
      rooms
        .removeParticipant(roomName, participantId, revocation)
        .then(() => true)
        .catch((error) => unlessNotFound(error)),
    );
  }

  async muteTrack(roomName: string, participantId: string, trackSid: string): Promise<void> {
    await this.#call((rooms) =>
      rooms.mutePublishedTrack(roomName, participantId, trackSid, true).catch(unlessNotFound),
    );
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

  async #call<T>(request: (rooms: RoomServiceClient) => Promise<T>): Promise<T> {
    const rooms = await this.#rooms();
    try {
      return await this.#timed(() =>
        request(rooms).catch((error) => {
          if (!isDeadSocket(error)) throw error;
          return request(rooms);
        }),
      );
    } catch (error) {
      throw classify(error);
    }
  }

  async #rooms(): Promise<RoomServiceClient> {
    const project = await this.#project();
    if (this.#client?.of !== project) {
      this.#client = {
        of: project,
        rooms: new RoomServiceClient(project.wsUrl, project.apiKey, project.apiSecret, {
          requestTimeout: REQUEST_TIMEOUT_SECONDS,
        }),
      };
    }
    return this.#client.rooms;
  }
}

/** The closed list of grants; the SDK would copy any key that it is given into the token. */
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

const sdkRoomOptions = (name: string, options: RoomOptions) => ({
  name,
  emptyTimeout: options.emptyTimeoutSeconds,
  departureTimeout: options.departureTimeoutSeconds,
  maxParticipants: options.maxParticipants,
  metadata: JSON.stringify(options.metadata),
});

function unlessNotFound(error: unknown): false {
  if (isRefusal(error, 'not_found')) return false;
  throw error;
}

const isRefusal = (error: unknown, code: string): boolean =>
  error instanceof ServerError && error.code === code;

const isDeadSocket = (error: unknown): boolean =>
  error instanceof TypeError && DEAD_SOCKET_CODES.includes(causeCode(error) ?? '');

const causeCode = ({ cause }: Error): string | undefined =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;

/**
 * LiveKit's failures as ours; what is no outage is a mistake of this service and stays as it is.
 * A refusal's message can contain the whole API token (seen with 1.13.5), so the cause that is kept,
 * and may be logged, is made of the status and the code only.
 */
function classify(error: unknown): unknown {
  if (error instanceof ServerError) {
    const cause = new Error(`LiveKit answered ${error.status} ${error.code ?? ''}`.trim());
    if (!isOutage(error)) return cause;
    return new MediaUnavailable({ cause, isRateLimit: error.status === 429 });
  }
  const isTransport =
    (error instanceof TypeError && error.cause !== undefined) || // fetch: refused, reset, not found
    error instanceof SyntaxError || // an answer that is no JSON
    isUndecodable(error) ||
    (error instanceof DOMException && error.name === 'TimeoutError');
  return isTransport ? new MediaUnavailable({ cause: error }) : error;
}

/** JSON of something else than LiveKit's message: protobuf-es has no class of its own for it. */
const isUndecodable = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('cannot decode');
