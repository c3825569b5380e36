import * as z from 'zod/mini';
import type { Participant, ParticipantKind, Room, Track } from '../meetings/media.ts';
import type { Egress } from '../meetings/recording/ports.ts';

/**
 * LiveKit's messages, as far as they are used here (livekit_models.proto, livekit_webhook.proto, livekit_egress.proto), in
 * proto3's JSON (https://protobuf.dev/programming-guides/json): a field has its own name in the API's
 * answers (`joined_at_ms`) and JSON's in webhooks (`joinedAtMs`), a default may be left out, 64 bits are
 * text, and an enum is a name. A newer LiveKit may have fields and names that are not known here.
 */

const snakeCase = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);

/** An object with these fields, by either of their names. */
export const message = <Shape extends z.core.$ZodShape>(shape: Shape) => {
  const names = Object.keys(shape).map((name) => [name, snakeCase(name)] as const);
  return z.pipe(
    z.transform((json: unknown) => {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
      const fields = new Map<string, unknown>(Object.entries(json));
      return Object.fromEntries(
        names.map(([name, own]) => [name, fields.get(name) ?? fields.get(own) ?? undefined]),
      );
    }),
    z.object(shape),
  );
};

export const list = <Item extends z.ZodMiniType>(item: Item) => z._default(z.array(item), []);

const text = z._default(z.string(), '');

/** An int64 of seconds, milliseconds or nanoseconds since 1970, up to the year 9999. */
const timeIn = (unitMs: number) =>
  z._default(
    z.pipe(
      z.union([z.int(), z.string().check(z.regex(/^\d{1,19}$/))]),
      z.pipe(
        z.transform((value: number | string) => Number(value)),
        z.number().check(z.gte(0), z.lt(Date.UTC(10_000, 0) / unitMs)),
      ),
    ),
    0,
  );
const seconds = timeIn(1000);
const milliseconds = timeIn(1);
/** Precise to the microsecond, as numbers are. */
const nanoseconds = timeIn(1e-6);

/** LiveKit's number and name of each value, and what it is here. The first is the default. */
const enumOf = <Value>(values: [number, string, Value][], unknown: Value) => {
  const known = new Map<number | string, Value>(
    values.flatMap(([number, name, value]) => [
      [number, value],
      [name, value],
    ]),
  );
  return z.pipe(
    z._default(z.union([z.string(), z.int()]), 0),
    z.transform((value: number | string) => known.get(value) ?? unknown),
  );
};

export const RoomMessage = message({
  sid: text,
  name: text,
  creationTime: seconds,
  creationTimeMs: milliseconds,
  metadata: text,
  numParticipants: z._default(z.int(), 0),
});

const TrackMessage = message({
  sid: text,
  type: enumOf<Track['kind']>(
    [
      [0, 'AUDIO', 'audio'],
      [1, 'VIDEO', 'video'],
      [2, 'DATA', 'data'],
    ],
    'data',
  ),
  source: enumOf<Track['source']>(
    [
      [0, 'UNKNOWN', 'unknown'],
      [1, 'CAMERA', 'camera'],
      [2, 'MICROPHONE', 'microphone'],
      [3, 'SCREEN_SHARE', 'screen_share'],
      [4, 'SCREEN_SHARE_AUDIO', 'screen_share_audio'],
    ],
    'unknown',
  ),
  muted: z._default(z.boolean(), false),
});

export const ParticipantMessage = message({
  sid: text,
  identity: text,
  name: text,
  /** Whether the participant is in the room: neither still joining nor already gone. */
  state: enumOf(
    [
      [0, 'JOINING', false],
      [1, 'JOINED', true],
      [2, 'ACTIVE', true],
      [3, 'DISCONNECTED', false],
    ],
    false,
  ),
  kind: enumOf<ParticipantKind>(
    [
      [0, 'STANDARD', 'standard'],
      [3, 'SIP', 'sip'],
      [7, 'CONNECTOR', 'connector'],
    ],
    'other',
  ),
  permission: z.optional(message({ hidden: z._default(z.boolean(), false) })),
  joinedAt: seconds,
  joinedAtMs: milliseconds,
  tracks: list(TrackMessage),
});

const FileOutput = message({ filepath: text });

/** An egress that records a room into one file; of others no key is known. */
export const EgressMessage = message({
  egressId: text,
  roomName: text,
  status: enumOf<Egress['state']>(
    [
      [0, 'EGRESS_STARTING', 'starting'],
      [1, 'EGRESS_ACTIVE', 'active'],
      [2, 'EGRESS_ENDING', 'stopping'],
      [3, 'EGRESS_COMPLETE', 'completed'],
      [4, 'EGRESS_FAILED', 'failed'],
      [5, 'EGRESS_ABORTED', 'aborted'],
      // Of time, or of the file: what was recorded until then is complete.
      [6, 'EGRESS_LIMIT_REACHED', 'completed'],
    ],
    'active',
  ),
  startedAt: nanoseconds,
  endedAt: nanoseconds,
  roomComposite: z.optional(
    message({ fileOutputs: list(FileOutput), file: z.optional(FileOutput) }),
  ),
  fileResults: list(message({ filename: text, startedAt: nanoseconds, duration: nanoseconds })),
});

export const EventMessage = message({
  event: text,
  createdAt: seconds,
  room: z.optional(RoomMessage),
  participant: z.optional(ParticipantMessage),
  egressInfo: z.optional(EgressMessage),
});

export const egressOf = (egress: z.infer<typeof EgressMessage>): Egress => {
  const [result] = egress.fileResults;
  const { fileOutputs = [], file } = egress.roomComposite ?? {};
  return {
    egressId: egress.egressId,
    roomName: egress.roomName,
    // What was asked for, where nothing came of it yet.
    key: result?.filename || fileOutputs[0]?.filepath || file?.filepath || '',
    state: egress.status,
    startedAt: momentOf(result?.startedAt || egress.startedAt),
    endedAt: momentOf(egress.endedAt),
    durationSeconds: result?.duration ? Math.round(result.duration / 1e9) : undefined,
  };
};

/** LiveKit leaves out what has not happened yet. */
const momentOf = (ns: number): string | undefined =>
  ns === 0 ? undefined : new Date(ns / 1e6).toISOString();

export const roomOf = (room: z.infer<typeof RoomMessage>): Room => ({
  name: room.name,
  sid: room.sid,
  createdAt: instant(room.creationTimeMs, room.creationTime),
  participantCount: room.numParticipants,
  metadata: room.metadata,
});

export const participantOf = (participant: z.infer<typeof ParticipantMessage>): Participant => ({
  kind: participant.permission?.hidden ? 'other' : participant.kind,
  identity: participant.identity,
  sid: participant.sid,
  name: participant.name,
  joinedAt: instant(participant.joinedAtMs, participant.joinedAt),
  tracks: participant.tracks.map(({ sid, type, source, muted }) => ({
    sid,
    kind: type,
    source,
    muted,
  })),
});

/** Servers before 1.8 know whole seconds only. */
const instant = (ms: number, seconds: number): string =>
  new Date(ms || seconds * 1000).toISOString();
