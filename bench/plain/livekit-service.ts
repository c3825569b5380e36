import { AccessToken, RoomServiceClient, ServerError } from 'livekit-server-sdk';

const { LIVEKIT_API_KEY = '', LIVEKIT_API_SECRET = '', LIVEKIT_WS_URL = '' } = process.env;

/** The original's wrapper, its seven methods, each asking LiveKit one thing at a time. */
export class LiveKitService {
  readonly #rooms = new RoomServiceClient(
    LIVEKIT_WS_URL.replace(/^ws/, 'http'),
    LIVEKIT_API_KEY,
    LIVEKIT_API_SECRET,
  );

  createToken(
    roomName: string,
    participantName: string,
    participantId: string,
    permissions: { isModerator?: boolean; canRecord?: boolean } = {},
  ): Promise<string> {
    const token = new AccessToken(LIVEKIT_API_KEY, LIVEKIT_API_SECRET, {
      identity: String(participantId),
      name: participantName,
      ttl: '6h',
    });
    token.addGrant({
      room: roomName,
      roomJoin: true,
      canPublish: true,
      canSubscribe: true,
      canPublishData: true,
      canUpdateOwnMetadata: true,
      roomAdmin: permissions.isModerator ?? false,
      roomRecord: permissions.canRecord ?? false,
    });
    return token.toJwt();
  }

  createRoom(
    name: string,
    { emptyTimeout = 300, maxParticipants = 50, metadata = {} }: RoomSettings = {},
  ) {
    return this.#rooms.createRoom({
      name,
      emptyTimeout,
      maxParticipants,
      metadata: JSON.stringify(metadata),
    });
  }

  async getRoom(roomName: string) {
    const [room] = await this.#rooms.listRooms([roomName]);
    return room ?? null;
  }

  async deleteRoom(roomName: string): Promise<boolean> {
    try {
      await this.#rooms.deleteRoom(roomName);
      return true;
    } catch (error) {
      if (error instanceof ServerError && error.status === 404) return false;
      throw error;
    }
  }

  getParticipants(roomName: string) {
    return this.#rooms.listParticipants(roomName);
  }

  async removeParticipant(roomName: string, participantId: string): Promise<boolean> {
    await this.#rooms.removeParticipant(roomName, participantId);
    return true;
  }

  async getRoomStatus(roomName: string) {
    const room = await this.getRoom(roomName);
    if (!room) return { exists: false, isActive: false, participantCount: 0 };
    const participants = await this.getParticipants(roomName);
    return {
      exists: true,
      isActive: participants.length > 0,
      participantCount: participants.length,
      creationTime: Number(room.creationTime),
      metadata: room.metadata,
    };
  }
}

interface RoomSettings {
  emptyTimeout?: number;
  maxParticipants?: number;
  metadata?: Record<string, unknown>;
}
