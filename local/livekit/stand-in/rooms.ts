/** The rooms and the people in them: state and its rules, no HTTP. */
import { randomUUID } from 'node:crypto';
import {
  Codec,
  type CreateRoomRequest,
  DisconnectReason,
  ParticipantInfo,
  ParticipantInfo_Kind,
  ParticipantInfo_State,
  ParticipantPermission,
  Room,
  type TrackInfo,
} from '@livekit/protocol';
import { DEPARTURE_TIMEOUT_SECONDS, EMPTY_TIMEOUT_SECONDS } from '../server.ts';
import { PlainError } from './errors.ts';

/** pkg/rtc/room.go: roomUpdateInterval. How often a Room object learns how many are in it. */
export const COUNT_REFRESH_MS = 5_000;
const KEPT_DEPARTURES = 1_000;
const CODECS = 'audio/PCMU audio/PCMA audio/opus audio/red video/VP8 video/H264 video/VP9 video/AV1'
  .split(' ')
  .map((mime) => new Codec({ mime }));

type RoomEventName =
  | 'room_started'
  | 'room_finished'
  | 'participant_joined'
  | 'participant_left'
  | 'participant_connection_aborted';

export interface RoomEvent {
  event: RoomEventName;
  room: Room;
  participant?: ParticipantInfo;
}

interface Departure {
  roomName: string;
  sid: string;
  identity: string;
  reason: string;
}

interface RoomsOptions {
  countLagMs: number;
  emit: (event: RoomEvent) => void;
}

/** What a createRoom request and a token's roomConfig both may ask of a new room. */
type RoomWishes = Pick<
  CreateRoomRequest,
  'emptyTimeout' | 'departureTimeout' | 'maxParticipants' | 'metadata'
>;

export interface Newcomer {
  identity: string;
  name: string;
  metadata: string;
  attributes: Record<string, string>;
  kind: ParticipantInfo_Kind;
  state: ParticipantInfo_State;
  permission: ParticipantPermission;
  tracks: TrackInfo[];
}

interface LivingRoom {
  info: Room;
  /** By identity: LiveKit has one session for each. */
  people: Map<string, ParticipantInfo>;
  everJoined: boolean;
  lastLeftAtMs: number | undefined;
  /** The count that the Room object shows, and when it last changed. */
  shown: { count: number; atMs: number; dirtySinceMs: number | undefined };
}

export type Rooms = ReturnType<typeof createRooms>;

export function createRooms(options: RoomsOptions) {
  const rooms = new Map<string, LivingRoom>();
  const departures: Departure[] = [];

  const countOf = (room: LivingRoom) => [...room.people.values()].filter(countsAsSomebody).length;

  // The server's rule (protocol/utils/protoproxy.go): a change shows at once when nothing has
  // changed for an interval, and else at the first tick of the room's clock that is an interval
  // after the last one shown. So a count is right at once, or up to two intervals late.
  const show = (room: LivingRoom, atMs: number) => {
    const count = countOf(room);
    room.shown.dirtySinceMs = undefined;
    if (count !== room.shown.count) Object.assign(room.shown, { count, atMs });
  };
  const showDue = (room: LivingRoom) => {
    const { atMs, dirtySinceMs } = room.shown;
    if (dirtySinceMs === undefined) return;
    const createdAtMs = Number(room.info.creationTimeMs);
    const earliestMs = Math.max(dirtySinceMs, atMs + options.countLagMs);
    const ticks = Math.ceil((earliestMs - createdAtMs) / (options.countLagMs || 1));
    const tickMs = createdAtMs + ticks * (options.countLagMs || 1);
    if (tickMs <= Date.now()) show(room, tickMs);
  };
  /** Every change of who is in a room goes through here. */
  const changePeople = (room: LivingRoom, change: () => void) => {
    showDue(room);
    change();
    const nowMs = Date.now();
    if (nowMs - room.shown.atMs >= options.countLagMs) show(room, nowMs);
    else room.shown.dirtySinceMs ??= nowMs;
  };
  const infoOf = (room: LivingRoom): Room => {
    showDue(room);
    return new Room({
      ...room.info,
      numParticipants: room.shown.count,
      activeRecording: [...room.people.values()].some(({ permission }) => permission?.recorder),
    });
  };
  const emit = (event: RoomEventName, room: LivingRoom, participant?: ParticipantInfo) =>
    options.emit({
      event,
      room: infoOf(room),
      ...(participant && { participant: participant.clone() }),
    });

  function create(name: string, wishes: RoomWishes): Room {
    const living = rooms.get(name);
    if (living !== undefined) return infoOf(living);
    const nowMs = Date.now();
    const room: LivingRoom = {
      info: new Room({
        sid: newId('RM_'),
        name,
        emptyTimeout: wishes.emptyTimeout || EMPTY_TIMEOUT_SECONDS,
        departureTimeout: wishes.departureTimeout || DEPARTURE_TIMEOUT_SECONDS,
        maxParticipants: wishes.maxParticipants,
        metadata: wishes.metadata,
        creationTime: BigInt(Math.floor(nowMs / 1000)),
        creationTimeMs: BigInt(nowMs),
        // As the server does: a Room must not be passed on whole.
        turnPassword: `${newId('')}${newId('')}`,
        enabledCodecs: CODECS,
      }),
      people: new Map(),
      everJoined: false,
      lastLeftAtMs: undefined,
      shown: { count: 0, atMs: nowMs, dirtySinceMs: undefined },
    };
    rooms.set(name, room);
    emit('room_started', room);
    return infoOf(room);
  }

  /** Disconnects its participants with the reason, then sends `room_finished`. False: no such room. */
  function close(name: string, reason: DisconnectReason): boolean {
    const room = rooms.get(name);
    if (room === undefined) return false;
    rooms.delete(name);
    for (const person of [...room.people.values()]) depart(room, person, reason);
    emit('room_finished', room);
    return true;
  }

  function depart(room: LivingRoom, person: ParticipantInfo, reason: DisconnectReason): void {
    const wasActive = person.state === ParticipantInfo_State.ACTIVE;
    changePeople(room, () => room.people.delete(person.identity));
    room.lastLeftAtMs = Date.now();
    person.state = ParticipantInfo_State.DISCONNECTED;
    person.disconnectReason = reason;
    departures.push({
      roomName: room.info.name,
      sid: person.sid,
      identity: person.identity,
      reason: DisconnectReason[reason],
    });
    if (departures.length > KEPT_DEPARTURES) departures.shift();
    emit(wasActive ? 'participant_left' : 'participant_connection_aborted', room, person);
  }

  /** Throws a PlainError 500 for a full room, as the server does at the end of a join. */
  function admit(name: string, newcomer: Newcomer): ParticipantInfo {
    const room = rooms.get(name);
    if (room === undefined) throw new PlainError(404, 'requested room does not exist');
    const earlier = room.people.get(newcomer.identity);
    if (earlier !== undefined) depart(room, earlier, DisconnectReason.DUPLICATE_IDENTITY);

    const nowMs = Date.now();
    const person = new ParticipantInfo({
      ...newcomer,
      sid: newId('PA_'),
      joinedAt: BigInt(Math.floor(nowMs / 1000)),
      joinedAtMs: BigInt(nowMs),
      isPublisher: newcomer.tracks.length > 0,
      version: 2,
    });
    const limit = room.info.maxParticipants;
    if (limit > 0 && countsAsSomebody(person) && countOf(room) >= limit) {
      throw new PlainError(500, 'room has exceeded its max participants');
    }
    changePeople(room, () => room.people.set(person.identity, person));
    room.everJoined ||= countsAsSomebody(person);
    if (person.state === ParticipantInfo_State.ACTIVE) emit('participant_joined', room, person);
    return person;
  }

  function remove(name: string, person: ParticipantInfo, reason: DisconnectReason): void {
    const room = rooms.get(name);
    if (room?.people.get(person.identity) === person) depart(room, person, reason);
  }

  /** pkg/rtc/room.go: CloseIfEmpty, called every second. */
  function closeIdle(): void {
    for (const room of [...rooms.values()]) {
      if (countOf(room) > 0) continue;
      const { emptyTimeout, departureTimeout, creationTimeMs, name } = room.info;
      const hasBeenLeft = room.everJoined && room.lastLeftAtMs !== undefined;
      const sinceMs = hasBeenLeft ? (room.lastLeftAtMs ?? 0) : Number(creationTimeMs);
      const timeoutSeconds = hasBeenLeft ? departureTimeout : emptyTimeout;
      if (Date.now() - sinceMs >= timeoutSeconds * 1000) close(name, DisconnectReason.ROOM_CLOSED);
    }
  }

  return {
    create,
    close,
    admit,
    remove,
    closeIdle,
    departures: (): readonly Departure[] => departures,
    has: (name: string) => rooms.has(name),
    list: (names: readonly string[]): Room[] =>
      [...rooms.values()]
        .filter(({ info }) => names.length === 0 || names.includes(info.name))
        .map(infoOf),
    people: (name: string): ParticipantInfo[] => [...(rooms.get(name)?.people.values() ?? [])],
    person: (name: string, identity: string) => rooms.get(name)?.people.get(identity),
    setMetadata(name: string, metadata: string): Room | undefined {
      const room = rooms.get(name);
      if (room === undefined) return undefined;
      room.info.metadata = metadata;
      Object.assign(room.shown, { atMs: Date.now() });
      show(room, Date.now());
      return infoOf(room);
    },
  };
}

export const newId = (prefix: string) =>
  `${prefix}${randomUUID().replaceAll('-', '').slice(0, 12)}`;

/** Agents and recorders hold no room open and take no place (participant.go: IsDependent). */
function countsAsSomebody({ kind, permission }: ParticipantInfo): boolean {
  const isMachine = kind === ParticipantInfo_Kind.AGENT || kind === ParticipantInfo_Kind.EGRESS;
  return !isMachine && !permission?.agent && !permission?.recorder;
}

export const EVERYTHING_ALLOWED = new ParticipantPermission({
  canPublish: true,
  canSubscribe: true,
  canPublishData: true,
});
