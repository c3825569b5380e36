/**
 * The control of a stand-in: all of it in its own process and, as `standInClients(url)`, what plays
 * clients from any other. The wire is `POST /stand-in/<operation>` with one JSON object.
 */
import type { DisconnectReason } from '@livekit/protocol';
import { z } from 'zod';
import type { OwnEnd, RecorderWishes } from './egress-service.ts';
import type { Delivery } from './webhooks.ts';

export const CONTROL_PREFIX = '/stand-in/';
const ANSWER_WITHIN_MS = 10_000;

export const Kind = z.enum([
  'STANDARD',
  'INGRESS',
  'EGRESS',
  'SIP',
  'AGENT',
  'CONNECTOR',
  'BRIDGE',
]);
const State = z.enum(['JOINING', 'JOINED', 'ACTIVE']);
const Source = z.enum(['CAMERA', 'MICROPHONE', 'SCREEN_SHARE', 'SCREEN_SHARE_AUDIO']);
export const Joiner = z.strictObject({
  identity: z.string().min(1),
  name: z.string().default(''),
  metadata: z.string().default(''),
  attributes: z.record(z.string(), z.string()).default({}),
  kind: Kind.default('STANDARD'),
  /** `participant_joined` is sent for ACTIVE only. */
  state: State.default('ACTIVE'),
  tracks: z
    .array(z.strictObject({ source: Source.default('MICROPHONE'), name: z.string().default('') }))
    .default([]),
});
export type Joiner = z.infer<typeof Joiner>;

export interface RoomSnapshot {
  name: string;
  sid: string;
  metadata: string;
  maxParticipants: number;
  emptyTimeoutSeconds: number;
  departureTimeoutSeconds: number;
  participants: { sid: string; identity: string; kind: string }[];
}

const JoinedByToken = z.object({ sid: z.string(), roomName: z.string(), identity: z.string() });

const Departure = z.object({
  roomName: z.string(),
  sid: z.string(),
  identity: z.string(),
  reason: z.string(),
});

/** What plays clients: over HTTP, too. */
export interface StandInClients {
  /** As a client with this token would. Throws JoinRefused. */
  joinWithToken(token: string): Promise<z.infer<typeof JoinedByToken>>;
  leave(roomName: string, sid: string): Promise<void>;
  /** All departures since the start, oldest first, with the reason that the client received. */
  departures(): Promise<z.infer<typeof Departure>[]>;
}

export interface StandInControl extends StandInClients {
  rooms(): Promise<RoomSnapshot[]>;
  /** Puts a participant into a room without a token. Throws JoinRefused. */
  join(
    roomName: string,
    who: z.input<typeof Joiner>,
  ): Promise<{ sid: string; trackSids: string[] }>;
  leave(roomName: string, sid: string, reason?: keyof typeof DisconnectReason): Promise<void>;
  /** The room closes as by its timer: ROOM_CLOSED for its participants, then `room_finished`. */
  finishRoom(roomName: string): Promise<void>;
  /** What records, as far as it can without media. */
  readonly recorder: {
    set(wishes: z.input<typeof RecorderWishes>): Promise<void>;
    /** Ends what records as SIGKILL does. The next start finds another recorder. */
    kill(): Promise<void>;
    /** Ends the recordings, as recorders do without a request. */
    end(how: OwnEnd): Promise<void>;
    /** LiveKit loses its record of what is recorded, as with its Redis. */
    forget(): Promise<void>;
  };
  readonly webhooks: {
    deliveries(): Promise<Delivery[]>;
    /** Resolves once everything sent so far was answered or given up. */
    settled(): Promise<void>;
  };
}

/** A join that LiveKit would have refused, with its status and words. */
export class JoinRefused extends Error {
  override readonly name = 'JoinRefused';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const Token = z.strictObject({ token: z.string() });
const Leaver = z.strictObject({ roomName: z.string(), sid: z.string() });

/** A refused join is this body with LiveKit's status; anything else wrong is a 400 or 404. */
const Refusal = z.object({ error: z.string(), refusedJoin: z.boolean() });

/** The clients of the stand-in that listens at this URL (http or ws). */
export function standInClients(url: string): StandInClients {
  const call = async (name: string, input: object): Promise<unknown> => {
    const response = await fetch(new URL(CONTROL_PREFIX + name, url.replace(/^ws/, 'http')), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const body: unknown = await response.json();
    if (response.ok) return body;
    const { error, refusedJoin } = Refusal.parse(body);
    throw refusedJoin
      ? new JoinRefused(response.status, error)
      : new Error(`The stand-in refused ${name}: ${error}`);
  };
  return {
    joinWithToken: async (token) => JoinedByToken.parse(await call('join-with-token', { token })),
    leave: async (roomName, sid) => void (await call('leave', { roomName, sid })),
    departures: async () => z.array(Departure).parse(await call('departures', {})),
  };
}

interface ControlAnswer {
  status: number;
  body: unknown;
}

/** Serves the clients over HTTP: takes the operation's name and body, returns status and body. */
export function serveControl(control: StandInClients) {
  const operations = new Map<string, (json: unknown) => Promise<unknown>>([
    ['join-with-token', async (json) => control.joinWithToken(Token.parse(json).token)],
    [
      'leave',
      async (json) => {
        const { roomName, sid } = Leaver.parse(json);
        await control.leave(roomName, sid);
        return {};
      },
    ],
    ['departures', () => control.departures()],
  ]);

  return async (name: string, body: string): Promise<ControlAnswer> => {
    const refuse = (status: number, error: string, refusedJoin = false): ControlAnswer => ({
      status,
      body: { error, refusedJoin } satisfies z.infer<typeof Refusal>,
    });
    const operation = operations.get(name);
    if (!operation) return refuse(404, `no such operation: ${name}`);
    try {
      return { status: 200, body: await operation(JSON.parse(body)) };
    } catch (error) {
      if (error instanceof JoinRefused) return refuse(error.status, error.message, true);
      if (error instanceof z.ZodError) return refuse(400, z.prettifyError(error));
      return refuse(400, error instanceof Error ? error.message : String(error));
    }
  };
}
