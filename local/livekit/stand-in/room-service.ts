/** The RoomService's methods over Twirp's JSON, with the real server's checks in its order. */
import {
  CreateRoomRequest,
  DeleteRoomRequest,
  DeleteRoomResponse,
  DisconnectReason,
  ListParticipantsRequest,
  ListParticipantsResponse,
  ListRoomsRequest,
  ListRoomsResponse,
  MuteRoomTrackRequest,
  MuteRoomTrackResponse,
  ParticipantPermission,
  RemoveParticipantResponse,
  RoomParticipantIdentity,
  UpdateParticipantRequest,
  UpdateRoomMetadataRequest,
} from '@livekit/protocol';
import { type Caller, ensureAdmin, ensureCreate, ensureList } from './auth.ts';
import { goError, roomNotFound, TwirpError } from './errors.ts';
import type { Rooms } from './rooms.ts';

/** pkg/config/config.go: the defaults of LimitConfig, in bytes. */
export const LIMITS = { name: 256, metadata: 512 * 1024, attributes: 64 * 1024 };

/** What the real server can do and this one cannot: said so, never answered as if done. */
export const UNSUPPORTED_METHODS = [
  'SendData',
  'UpdateSubscriptions',
  'ForwardParticipant',
  'MoveParticipant',
  'PerformRpc',
];

/** The request's JSON to the answer's. Throws TwirpError. */
type Handler = (json: string, caller: Caller | undefined) => string;

interface Decoder<T> {
  fromJsonString(json: string, options: { ignoreUnknownFields: boolean }): T;
}
interface Encoder {
  toJsonString(options: { emitDefaultValues: boolean; useProtoFieldName: boolean }): string;
}

/**
 * What ListParticipants answers about a room that does not exist: an empty list, as a server does by
 * default; `not-found`, as LiveKit Cloud does (reported, not seen); `unavailable`, as a server does
 * with `api.enable_psrpc_for_get_list_participants`, after 3 s.
 */
export type MissingRoom = 'empty' | 'not-found' | 'unavailable';

const noServerAnswers = () => goError('unavailable', 'no response from servers');

export function createRoomService(rooms: Rooms, missingRoom: MissingRoom): Record<string, Handler> {
  const findParticipant = (roomName: string, identity: string) => {
    const person = rooms.person(roomName, identity);
    if (person === undefined) throw goError('not_found', 'participant does not exist');
    return person;
  };

  return {
    CreateRoom: method(CreateRoomRequest, (request, caller) => {
      ensureCreate(caller);
      checkNameLength('room name', request.name);
      checkMetadata(request.metadata);
      return rooms.create(request.name, request);
    }),

    ListRooms: method(ListRoomsRequest, ({ names }, caller) => {
      ensureList(caller);
      return new ListRoomsResponse({ rooms: rooms.list(names) });
    }),

    DeleteRoom: method(DeleteRoomRequest, ({ room }, caller) => {
      ensureCreate(caller);
      if (!rooms.close(room, DisconnectReason.ROOM_DELETED)) throw roomNotFound();
      return new DeleteRoomResponse();
    }),

    ListParticipants: method(ListParticipantsRequest, ({ room }, caller) => {
      ensureAdmin(caller, room);
      if (missingRoom !== 'empty' && !rooms.has(room)) {
        throw missingRoom === 'not-found' ? roomNotFound() : noServerAnswers();
      }
      return new ListParticipantsResponse({ participants: rooms.people(room) });
    }),

    GetParticipant: method(RoomParticipantIdentity, ({ room, identity }, caller) => {
      ensureAdmin(caller, room);
      return findParticipant(room, identity);
    }),

    RemoveParticipant: method(RoomParticipantIdentity, ({ room, identity }, caller) => {
      ensureAdmin(caller, room);
      rooms.remove(room, findParticipant(room, identity), DisconnectReason.PARTICIPANT_REMOVED);
      return new RemoveParticipantResponse();
    }),

    MutePublishedTrack: method(MuteRoomTrackRequest, (request, caller) => {
      ensureAdmin(caller, request.room);
      const person = rooms.person(request.room, request.identity);
      // The real server asks the participant's own node and gives up after 3 s, room or no room.
      if (person === undefined) throw noServerAnswers();
      if (!request.muted) throw goError('failed_precondition', 'remote unmute not enabled');
      const track = person.tracks.find(({ sid }) => sid === request.trackSid);
      if (track === undefined) return new MuteRoomTrackResponse();
      track.muted = true;
      return new MuteRoomTrackResponse({ track });
    }),

    UpdateParticipant: method(UpdateParticipantRequest, (request, caller) => {
      if (byteLength(request.name) > LIMITS.name) {
        throw invalidArgument('name length exceeds limits', LIMITS.name);
      }
      checkMetadata(request.metadata);
      checkAttributes(request.attributes);
      ensureAdmin(caller, request.room);
      const person = findParticipant(request.room, request.identity);
      // Empty means "leave it", except for an attribute, where it means "delete it".
      person.name = request.name || person.name;
      person.metadata = request.metadata || person.metadata;
      const attributes = { ...person.attributes, ...request.attributes };
      person.attributes = Object.fromEntries(
        Object.entries(attributes).filter(([, value]) => value !== ''),
      );
      if (request.permission) {
        person.permission = new ParticipantPermission(request.permission);
      }
      return person;
    }),

    UpdateRoomMetadata: method(UpdateRoomMetadataRequest, (request, caller) => {
      checkMetadata(request.metadata);
      ensureAdmin(caller, request.room);
      const room = rooms.setMetadata(request.room, request.metadata);
      if (room === undefined) throw roomNotFound();
      return room;
    }),
  };
}

function method<Request>(
  request: Decoder<Request>,
  handle: (request: Request, caller: Caller | undefined) => Encoder,
): Handler {
  return (json, caller) => encode(handle(decode(request, json), caller));
}

/** As the server's twirp does: snake_case, and empty fields too. */
export const encode = (answer: Encoder): string =>
  answer.toJsonString({ emitDefaultValues: true, useProtoFieldName: true });

export function decode<T>(message: Decoder<T>, json: string): T {
  try {
    return message.fromJsonString(json, { ignoreUnknownFields: true });
  } catch {
    throw new TwirpError('malformed', 'the json request could not be decoded');
  }
}

const byteLength = (text: string) => Buffer.byteLength(text);

const invalidArgument = (argument: string, limit: number) =>
  new TwirpError('invalid_argument', `${argument} ${limit}`, { argument });

function checkNameLength(what: string, name: string): void {
  if (byteLength(name) <= LIMITS.name) return;
  throw goError('invalid_argument', `${what} length exceeds limits: max length ${LIMITS.name}`);
}

function checkMetadata(metadata: string): void {
  if (byteLength(metadata) <= LIMITS.metadata) return;
  throw invalidArgument('metadata size exceeds limits', LIMITS.metadata);
}

function checkAttributes(attributes: Record<string, string>): void {
  const size = Object.entries(attributes)
    .flat()
    .reduce((sum, text) => sum + byteLength(text), 0);
  if (size > LIMITS.attributes) {
    throw invalidArgument('attribute size exceeds limits', LIMITS.attributes);
  }
}
