/** What happens to a token at the door (pkg/service/utils.go: ValidateConnectRequest). */
import {
  ParticipantInfo_Kind,
  ParticipantInfo_State,
  ParticipantPermission,
  RoomConfiguration,
} from '@livekit/protocol';
import type { Caller, VideoGrant } from './auth.ts';
import { Kind } from './control.ts';
import { PlainError } from './errors.ts';
import { LIMITS } from './room-service.ts';
import type { Newcomer, Rooms } from './rooms.ts';

/** Throws a PlainError with the status and words of the server; else the room it opens. */
export function checkJoin(caller: Caller | undefined, rooms: Rooms, autoCreate: boolean): string {
  const video = caller?.video;
  if (caller === undefined || video === undefined) {
    throw new PlainError(401, 'no permissions to access the room');
  }
  if (!video.roomJoin) throw new PlainError(401, 'permissions denied');
  if (caller.identity === '') throw new PlainError(400, 'identity cannot be empty');
  checkLength('participant identity', caller.identity);
  if (video.room === '') throw new PlainError(400, 'no room name');
  checkLength('room name', video.room);
  // roomCreate opens this door even where joins may create nothing.
  if (!autoCreate && !video.roomCreate && !rooms.has(video.room)) {
    throw new PlainError(404, 'requested room does not exist');
  }
  return video.room;
}

/** A join as by a client with this token. Throws a PlainError as the server answers. */
export function joinWithGrants(caller: Caller, rooms: Rooms, autoCreate: boolean) {
  const roomName = checkJoin(caller, rooms, autoCreate);
  const wishes =
    caller.roomConfig === undefined
      ? new RoomConfiguration()
      : // A JSON value: it came out of a token's payload.
        RoomConfiguration.fromJsonString(JSON.stringify(caller.roomConfig), {
          ignoreUnknownFields: true,
        });
  rooms.create(roomName, wishes);
  return { roomName, person: rooms.admit(roomName, newcomerOf(caller)) };
}

function newcomerOf(caller: Caller): Newcomer {
  return {
    identity: caller.identity,
    name: caller.name,
    metadata: caller.metadata,
    attributes: caller.attributes,
    kind: kindOf(caller.kind),
    state: ParticipantInfo_State.ACTIVE,
    permission: permissionOf(caller.video),
    tracks: [],
  };
}

function permissionOf(video: VideoGrant | undefined): ParticipantPermission {
  const canPublish = video?.canPublish ?? true;
  return new ParticipantPermission({
    canPublish,
    canSubscribe: video?.canSubscribe ?? true,
    canPublishData: video?.canPublishData ?? canPublish,
    canUpdateMetadata: video?.canUpdateOwnMetadata ?? false,
    hidden: video?.hidden ?? false,
    recorder: video?.recorder ?? false,
    agent: video?.agent ?? false,
  });
}

const kindOf = (kind: string): ParticipantInfo_Kind =>
  ParticipantInfo_Kind[Kind.catch('STANDARD').parse(kind.toUpperCase())];

function checkLength(what: string, text: string): void {
  if (Buffer.byteLength(text) <= LIMITS.name) return;
  throw new PlainError(400, `${what} length exceeds limits: max length ${LIMITS.name}`);
}
