/**
 * The control of a stand-in: the same interface in its own process and, as `standInControl(url)`,
 * from any other. The wire is `POST /stand-in/<operation>` with one JSON object.
 */
import { z } from 'zod';
import { OwnEnd, RecorderWishes } from './egress-service.ts';
import { Delivery } from './webhooks.ts';

export const CONTROL_PREFIX = '/stand-in/';
const ANSWER_WITHIN_MS = 10_000;

const Kind = z.enum(['STANDARD', 'INGRESS', 'EGRESS', 'SIP', 'AGENT', 'CONNECTOR', 'BRIDGE']);
const State = z.enum(['JOINING', 'JOINED', 'ACTIVE']);
const Source = z.enum(['CAMERA', 'MICROPHONE', 'SCREEN_SHARE', 'SCREEN_SHARE_AUDIO']);
/** Those that a departure commonly has; LiveKit's names. */
const Reason = z.enum([
  'UNKNOWN_REASON',
  'CLIENT_INITIATED',
  'DUPLICATE_IDENTITY',
  'SERVER_SHUTDOWN',
  'PARTICIPANT_REMOVED',
  'ROOM_DELETED',
  'JOIN_FAILURE',
  'SIGNAL_CLOSE',
  'ROOM_CLOSED',
  'CONNECTION_TIMEOUT',
]);
export type Reason = z.infer<typeof Reason>;

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
export type JoinerInput = z.input<typeof Joiner>;

const Joined = z.object({ sid: z.string(), trackSids: z.array(z.string()) });
export type Joined = z.infer<typeof Joined>;

const JoinedByToken = z.object({ sid: z.string(), roomName: z.string(), identity: z.string() });
export type JoinedByToken = z.infer<typeof JoinedByToken>;

const RoomSnapshot = z.object({
  name: z.string(),
  sid: z.string(),
  metadata: z.string(),
  maxParticipants: z.int(),
  emptyTimeoutSeconds: z.int(),
  departureTimeoutSeconds: z.int(),
  createdAtMs: z.int(),
  participants: z.array(
    z.object({
      sid: z.string(),
      identity: z.string(),
      name: z.string(),
      kind: z.string(),
      state: z.string(),
    }),
  ),
});
export type RoomSnapshot = z.infer<typeof RoomSnapshot>;

const Departure = z.object({
  roomName: z.string(),
  sid: z.string(),
  identity: z.string(),
  reason: z.string(),
});
export type Departure = z.infer<typeof Departure>;

const Nothing = z.strictObject({});
const Done = z.object({});

export interface StandInControl {
  rooms(): Promise<RoomSnapshot[]>;
  /** Puts a participant into a room without a token. Throws JoinRefused. */
  join(roomName: string, who: JoinerInput): Promise<Joined>;
  /** As a client with this token would. Throws JoinRefused. */
  joinWithToken(token: string): Promise<JoinedByToken>;
  leave(roomName: string, sid: string, reason?: Reason): Promise<void>;
  /** The room closes as by its timer: ROOM_CLOSED for its participants, then `room_finished`. */
  finishRoom(roomName: string): Promise<void>;
  /** All departures since the start, oldest first, with the reason that the client received. */
  departures(): Promise<Departure[]>;
  /** What records, as far as it can without media. */
  readonly recorder: {
    set(wishes: z.input<typeof RecorderWishes>): Promise<void>;
    /** Ends what records as SIGKILL does. The next start finds another recorder. */
    kill(): Promise<void>;
    /** Ends what records by itself. */
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

interface Operation<Input, Output> {
  input: z.ZodType<Input, unknown>;
  output: z.ZodType<Output, unknown>;
}
const operation = <Input, Output>(
  input: z.ZodType<Input, unknown>,
  output: z.ZodType<Output, unknown>,
): Operation<Input, Output> => ({ input, output });

const operations = {
  rooms: operation(Nothing, z.array(RoomSnapshot)),
  join: operation(z.strictObject({ roomName: z.string(), who: Joiner }), Joined),
  'join-with-token': operation(z.strictObject({ token: z.string() }), JoinedByToken),
  leave: operation(
    z.strictObject({ roomName: z.string(), sid: z.string(), reason: Reason.optional() }),
    Done,
  ),
  'finish-room': operation(z.strictObject({ roomName: z.string() }), Done),
  departures: operation(Nothing, z.array(Departure)),
  'set-recorder': operation(z.strictObject({ wishes: RecorderWishes }), Done),
  'kill-recorder': operation(Nothing, Done),
  'end-recordings': operation(z.strictObject({ how: OwnEnd }), Done),
  'forget-recordings': operation(Nothing, Done),
  deliveries: operation(Nothing, z.array(Delivery)),
  'settle-webhooks': operation(Nothing, Done),
};
type OperationName = keyof typeof operations;

/** A refused join is this body with LiveKit's status; anything else wrong is a 400 or 404. */
const Refusal = z.object({ error: z.string(), refusedJoin: z.boolean() });

/** The control of the stand-in that listens at this URL (http or ws). */
export function standInControl(url: string): StandInControl {
  const call = async <Input, Output>(
    name: OperationName,
    { output }: Operation<Input, Output>,
    input: unknown = {},
  ): Promise<Output> => {
    const response = await fetch(new URL(CONTROL_PREFIX + name, url.replace(/^ws/, 'http')), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const body: unknown = await response.json();
    if (response.ok) return output.parse(body);
    const { error, refusedJoin } = Refusal.parse(body);
    throw refusedJoin
      ? new JoinRefused(response.status, error)
      : new Error(`The stand-in refused ${name}: ${error}`);
  };
  const tell = async (name: OperationName, input?: unknown): Promise<void> => {
    await call(name, operation(Nothing, Done), input);
  };

  return {
    rooms: () => call('rooms', operations.rooms),
    join: (roomName, who) => call('join', operations.join, { roomName, who }),
    joinWithToken: (token) => call('join-with-token', operations['join-with-token'], { token }),
    leave: (roomName, sid, reason) => tell('leave', { roomName, sid, reason }),
    finishRoom: (roomName) => tell('finish-room', { roomName }),
    departures: () => call('departures', operations.departures),
    recorder: {
      set: (wishes) => tell('set-recorder', { wishes }),
      kill: () => tell('kill-recorder'),
      end: (how) => tell('end-recordings', { how }),
      forget: () => tell('forget-recordings'),
    },
    webhooks: {
      deliveries: () => call('deliveries', operations.deliveries),
      settled: () => tell('settle-webhooks'),
    },
  };
}

export interface ControlAnswer {
  status: number;
  body: unknown;
}

/** Serves the control over HTTP: takes the operation's name and body, returns status and body. */
export function serveControl(control: StandInControl) {
  const route =
    <Input, Output>({ input }: Operation<Input, Output>, run: (input: Input) => Promise<Output>) =>
    (json: unknown): Promise<unknown> =>
      run(input.parse(json));
  const done = async (work: Promise<void>) => {
    await work;
    return {};
  };
  const routes: Record<OperationName, (json: unknown) => Promise<unknown>> = {
    rooms: route(operations.rooms, () => control.rooms()),
    join: route(operations.join, ({ roomName, who }) => control.join(roomName, who)),
    'join-with-token': route(operations['join-with-token'], ({ token }) =>
      control.joinWithToken(token),
    ),
    leave: route(operations.leave, ({ roomName, sid, reason }) =>
      done(control.leave(roomName, sid, reason)),
    ),
    'finish-room': route(operations['finish-room'], ({ roomName }) =>
      done(control.finishRoom(roomName)),
    ),
    departures: route(operations.departures, () => control.departures()),
    'set-recorder': route(operations['set-recorder'], ({ wishes }) =>
      done(control.recorder.set(wishes)),
    ),
    'kill-recorder': route(operations['kill-recorder'], () => done(control.recorder.kill())),
    'end-recordings': route(operations['end-recordings'], ({ how }) =>
      done(control.recorder.end(how)),
    ),
    'forget-recordings': route(operations['forget-recordings'], () =>
      done(control.recorder.forget()),
    ),
    deliveries: route(operations.deliveries, () => control.webhooks.deliveries()),
    'settle-webhooks': route(operations['settle-webhooks'], () => done(control.webhooks.settled())),
  };
  const isOperation = (name: string): name is OperationName => Object.hasOwn(routes, name);

  return async (name: string, body: string): Promise<ControlAnswer> => {
    const refuse = (status: number, error: string, refusedJoin = false): ControlAnswer => ({
      status,
      body: { error, refusedJoin } satisfies z.infer<typeof Refusal>,
    });
    if (!isOperation(name)) return refuse(404, `no such operation: ${name}`);
    try {
      return { status: 200, body: await routes[name](JSON.parse(body || '{}')) };
    } catch (error) {
      if (error instanceof JoinRefused) return refuse(error.status, error.message, true);
      if (error instanceof z.ZodError) return refuse(400, z.prettifyError(error));
      return refuse(400, error instanceof Error ? error.message : String(error));
    }
  };
}
