/**
 * LiveKit in memory, as far as the rules see it: rooms, the people in them, and the events about both. An
 * event is on its way until a test delivers or loses it.
 */
import { MediaUnavailable } from '../../lib/errors.ts';
import type { MediaEvent, MediaServer, Participant, Room } from '../../lib/meetings/media.ts';
import type { RoomInstance } from '../../lib/meetings/ports.ts';
import { createRecorder, noRecordings, type RecorderState } from './recorder.ts';

type EventType = MediaEvent['type'];
type RoomState = Pick<RoomInstance, 'sid' | 'createdAt'> & {
  name: string;
  people: Map<string, Participant>;
};

export type Rooms = ReturnType<typeof createRooms>;

interface State {
  rooms: Map<string, RoomState>;
  onTheWay: MediaEvent[];
  delivered: MediaEvent[];
  /** The identity of each participant sid, of every participant who ever joined. */
  identities: Map<string, string>;
  /** Rooms of which at least one event is lost. */
  lossy: Set<string>;
  /** How many sids each room's name and each identity had. */
  sids: Map<string, number>;
  isDown: boolean;
  recordings: RecorderState;
}

const nothing = (): State => ({
  rooms: new Map(),
  onTheWay: [],
  delivered: [],
  identities: new Map(),
  lossy: new Set(),
  sids: new Map(),
  isDown: false,
  recordings: noRecordings(),
});

/** @param before what `state` gave of other rooms; these begin with a copy of it */
export function createRooms(now: () => Date, before = nothing()) {
  const state = structuredClone(before);
  const { rooms, onTheWay, delivered, identities, lossy, sids } = state;
  const recordings = createRecorder(now, state.recordings, {
    isDown: () => state.isDown,
    exists: (name) => rooms.has(name),
  });

  /** The same for the nth of a name, whatever else there was. */
  const nextSid = (prefix: string, name: string) => {
    const number = (sids.get(name) ?? 0) + 1;
    sids.set(name, number);
    return `${prefix}_${name}_${number}`;
  };
  const send = (
    type: EventType,
    { name, sid, createdAt }: RoomState,
    participant?: Participant,
  ) => {
    const at = `${now().toISOString().slice(0, 19)}.999Z`;
    const event = { type, at, room: { name, sid, createdAt }, ...(participant && { participant }) };
    onTheWay.push(event as MediaEvent);
  };
  const leave = (room: RoomState, person: Participant) => {
    room.people.delete(person.identity);
    send('participant_left', room, person);
  };
  const close = (room: RoomState) => {
    for (const person of [...room.people.values()]) leave(room, person);
    rooms.delete(room.name);
    send('room_finished', room);
    recordings.closed(room.name);
  };
  const shown = ({ name, sid, createdAt, people }: RoomState): Room => ({
    name,
    sid,
    createdAt,
    participantCount: people.size,
    metadata: '',
  });
  const open = (name: string): RoomState => {
    const room = {
      name,
      sid: nextSid('RM', name),
      createdAt: now().toISOString(),
      people: new Map(),
    };
    rooms.set(name, room);
    send('room_started', room);
    return room;
  };
  let calls = 0;
  const unlessDown = <T>(answer: () => T): Promise<T> => {
    calls += 1;
    return state.isDown ? Promise.reject(new MediaUnavailable()) : Promise.resolve(answer());
  };
  const peopleIn = (name: string): Participant[] => [...(rooms.get(name)?.people.values() ?? [])];

  /** LiveKit lists them, and does not count them. */
  const recordersIn = (name: string): Participant[] =>
    recordings.inRoom(name).map(({ egressId, startedAt = '' }) => ({
      kind: 'other',
      identity: egressId,
      sid: `PA_${egressId}`,
      name: '',
      joinedAt: startedAt,
      tracks: [],
    }));

  const media: MediaServer = {
    getServerUrl: async () => 'ws://127.0.0.1:1',
    createToken: async (roomName, _, userId) => `${userId} may join ${roomName}`,
    createRoom: (name) => unlessDown(() => shown(rooms.get(name) ?? open(name))),
    getRoom: (name) =>
      unlessDown(() => {
        const room = rooms.get(name);
        return room ? shown(room) : null;
      }),
    listRooms: () => unlessDown(() => [...rooms.values()].map(shown)),
    deleteRoom: (name) =>
      unlessDown(() => {
        const room = rooms.get(name);
        if (room) close(room);
        return true;
      }),
    getParticipants: (name) => unlessDown(() => [...peopleIn(name), ...recordersIn(name)]),
    removeParticipant: (name, identity) =>
      unlessDown(() => {
        const room = rooms.get(name);
        const person = room?.people.get(identity);
        if (room && person) leave(room, person);
        return person !== undefined;
      }),
    muteTrack: () => unlessDown(() => undefined),
    getRoomStatus: (name) =>
      unlessDown(() => {
        const participantCount = peopleIn(name).length;
        return { exists: rooms.has(name), isActive: participantCount > 0, participantCount };
      }),
  };

  return {
    media,
    recordings,
    state,
    onTheWay,
    delivered,
    identities,
    lossy,
    peopleIn,
    exists: (name: string) => rooms.has(name),
    names: () => [...rooms.keys()],
    get isDown() {
      return state.isDown;
    },
    /** How many calls LiveKit got so far, answered or not. */
    get calls() {
      return calls;
    },
    setDown(down: boolean) {
      state.isDown = down;
    },

    /** A second session of an identity evicts its first one. */
    join(name: string, identity: string, maxParticipants: number): void {
      const room = rooms.get(name);
      if (!room) return;
      const before = room.people.get(identity);
      if (!before && room.people.size >= maxParticipants) return;
      if (before) leave(room, before);
      const sid = nextSid('PA', identity);
      const joinedAt = now().toISOString();
      const kind = 'standard' as const;
      const person = { kind, identity, sid, name: identity, joinedAt, tracks: [] };
      identities.set(sid, identity);
      room.people.set(identity, person);
      send('participant_joined', room, person);
    },
    leave(identity: string): void {
      for (const room of rooms.values()) {
        const person = room.people.get(identity);
        if (person) leave(room, person);
      }
    },
    /** LiveKit's timer closes every empty room. */
    timeOut(): void {
      for (const room of [...rooms.values()]) if (room.people.size === 0) close(room);
    },
    /** Every room is lost, without an event. */
    crash(): void {
      for (const { name } of rooms.values()) lossy.add(name);
      rooms.clear();
      recordings.kill();
    },
    /** Marks the event as delivered, maybe not for the first time. */
    markDelivered(event: MediaEvent): void {
      const index = onTheWay.indexOf(event);
      if (index === -1) return;
      onTheWay.splice(index, 1);
      delivered.push(event);
    },
    lose(event: MediaEvent): void {
      lossy.add(event.room.name);
      onTheWay.splice(onTheWay.indexOf(event), 1);
    },
  };
}
