/**
 * LiveKit's RPC over publish and subscribe, as far as Egress uses it: psrpc 0.7.2, which livekit-server
 * 1.13.5 is built with. The caller publishes a request; a server that can handle it answers with a claim; the
 * caller picks one claim, and that server alone works and responds.
 * Source: github.com/livekit/psrpc, internal/internal.proto and pkg/info/channels.go.
 */
import { randomUUID } from 'node:crypto';
import { type AnyMessage, type MessageType, proto3, ScalarType } from '@bufbuild/protobuf';
import type { Bus } from './bus.ts';

const { STRING, BYTES, INT64, FLOAT } = ScalarType;

const message = (name: string, fields: Record<number, [string, ScalarType]>) =>
  proto3.makeMessageType(`internal.${name}`, () =>
    Object.entries(fields).map(([no, [field, T]]) => ({
      no: Number(no),
      name: field,
      kind: 'scalar' as const,
      T,
    })),
  );

const Envelope = message('Msg', { 1: ['type_url', STRING], 2: ['value', BYTES] });
const Request = message('Request', {
  1: ['request_id', STRING],
  2: ['client_id', STRING],
  3: ['sent_at', INT64],
  4: ['expiry', INT64],
  8: ['raw_request', BYTES],
});
const Response = message('Response', {
  1: ['request_id', STRING],
  2: ['server_id', STRING],
  3: ['sent_at', INT64],
  5: ['error', STRING],
  6: ['code', STRING],
  7: ['raw_response', BYTES],
});
const ClaimRequest = message('ClaimRequest', {
  1: ['request_id', STRING],
  2: ['server_id', STRING],
  3: ['affinity', FLOAT],
});
const ClaimResponse = message('ClaimResponse', {
  1: ['request_id', STRING],
  2: ['server_id', STRING],
});

/** A refusal that the caller sees; `code` is psrpc's: `invalid_argument`, `failed_precondition`, … */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: string;

  constructor(code: string, text: string) {
    super(text);
    this.code = code;
  }
}

interface Method {
  service: string;
  method: string;
  /** Empty for none. */
  topic?: string;
}

const NANOSECONDS = 1_000_000n;
const nowNanoseconds = (): bigint => BigInt(Date.now()) * NANOSECONDS;

const channelOf = ({ service, method, topic }: Method, kind: 'REQ' | 'RCLAIM'): string =>
  [service, method, topic, kind].filter(Boolean).join('|');

function send(bus: Bus, channel: string, type: MessageType<AnyMessage>, fields: object): void {
  const value = new type(fields).toBinary();
  const envelope = { typeUrl: `type.googleapis.com/${type.typeName}`, value };
  bus.publish(channel, new Envelope(envelope).toBinary());
}

const open = (type: MessageType<AnyMessage>, bytes: Uint8Array): AnyMessage =>
  type.fromBinary(Envelope.fromBinary(bytes)['value']);

/**
 * Serves a method until the answer is called.
 * @param handle the request's bytes to the response's; throws `RpcError` for a refusal
 */
export async function serve(
  bus: Bus,
  method: Method,
  handle: (request: Uint8Array) => Promise<Uint8Array>,
): Promise<() => void> {
  const serverId = `SRV_${randomUUID()}`;
  /** Requests that were claimed here, until the caller has picked a server. */
  const claimed = new Map<string, AnyMessage>();
  const [requests, claims] = [channelOf(method, 'REQ'), channelOf(method, 'RCLAIM')];

  await bus.subscribe(claims, (bytes) => {
    const { requestId, serverId: picked } = open(ClaimResponse, bytes);
    const request = claimed.get(requestId);
    claimed.delete(requestId);
    if (request && picked === serverId) void respond(request);
  });
  await bus.subscribe(requests, (bytes) => {
    const request = open(Request, bytes);
    if (request['expiry'] < nowNanoseconds()) return;
    const { requestId, clientId } = request;
    claimed.set(requestId, request);
    const claim = { requestId, serverId, affinity: 1 };
    send(bus, `${method.service}|${clientId}|CLAIM`, ClaimRequest, claim);
  });

  async function respond({ requestId, clientId, rawRequest }: AnyMessage): Promise<void> {
    const outcome = await handle(rawRequest).then(
      (rawResponse) => ({ rawResponse }),
      (error: unknown) => ({
        error: error instanceof Error ? error.message : String(error),
        code: error instanceof RpcError ? error.code : 'internal',
      }),
    );
    const response = { requestId, serverId, sentAt: nowNanoseconds(), ...outcome };
    send(bus, `${method.service}|${clientId}|RES`, Response, response);
  }

  return () => {
    bus.unsubscribe(requests);
    bus.unsubscribe(claims);
  };
}

export type Call = (method: string, request: Uint8Array, timeoutMs: number) => Promise<Uint8Array>;

/** @throws RpcError `unavailable` when no server responds in time, or what the server answered */
export async function createClient(bus: Bus, service: string): Promise<Call> {
  // Part of a channel's name, in which psrpc escapes dashes.
  const clientId = `CLI_${randomUUID().replaceAll('-', '')}`;
  const calls = new Map<string, { method: Method; settle: PromiseWithResolvers<Uint8Array> }>();

  await bus.subscribe(`${service}|${clientId}|CLAIM`, (bytes) => {
    const { requestId, serverId } = open(ClaimRequest, bytes);
    const call = calls.get(requestId);
    if (call) send(bus, channelOf(call.method, 'RCLAIM'), ClaimResponse, { requestId, serverId });
  });
  await bus.subscribe(`${service}|${clientId}|RES`, (bytes) => {
    const { requestId, error, code, rawResponse } = open(Response, bytes);
    const settle = calls.get(requestId)?.settle;
    if (error) settle?.reject(new RpcError(code, error));
    else settle?.resolve(rawResponse);
  });

  return async (name, rawRequest, timeoutMs) => {
    const requestId = `RPC_${randomUUID()}`;
    const method = { service, method: name };
    const settle = Promise.withResolvers<Uint8Array>();
    calls.set(requestId, { method, settle });
    const sentAt = nowNanoseconds();
    const expiry = sentAt + BigInt(timeoutMs) * NANOSECONDS;
    send(bus, channelOf(method, 'REQ'), Request, {
      requestId,
      clientId,
      sentAt,
      expiry,
      rawRequest,
    });
    const timer = setTimeout(() => {
      settle.reject(new RpcError('unavailable', `No response to ${name} in ${timeoutMs} ms`));
    }, timeoutMs);
    try {
      return await settle.promise;
    } finally {
      clearTimeout(timer);
      calls.delete(requestId);
    }
  };
}
