/** LiveKit's events, as it sends them and as API Gateway passes them on. */
import { createHash, randomUUID } from 'node:crypto';
import {
  ParticipantInfo,
  ParticipantInfo_Kind,
  ParticipantInfo_State,
  ParticipantPermission,
  Room,
  WebhookEvent,
} from '@livekit/protocol';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { AccessToken } from 'livekit-server-sdk';
import webhookEvent from '../../events/webhook.json' with { type: 'json' };

/** Of every LiveKit that tests start. */
export const API_KEY = 'devkey';
export const API_SECRET = 'a-secret-that-only-these-tests-know';

type EventName =
  | 'room_started'
  | 'room_finished'
  | 'participant_joined'
  | 'participant_left'
  | 'participant_connection_aborted'
  | 'track_published';

export interface RoomFacts {
  name: string;
  sid: string;
  createdAtMs: number;
}

export interface ParticipantFacts {
  identity: string;
  sid: string;
  joinedAtMs: number;
  name?: string;
  kind?: keyof typeof ParticipantInfo_Kind;
  hidden?: boolean;
}

/** An event in the form in which LiveKit 1.13.5 sends it: seen there. */
export function eventBody(
  event: EventName,
  { room, participant, at }: { room: RoomFacts; participant?: ParticipantFacts; at: number },
): string {
  return new WebhookEvent({
    event,
    room: new Room({
      sid: room.sid,
      name: room.name,
      emptyTimeout: 2100,
      departureTimeout: 2100,
      creationTime: BigInt(Math.floor(room.createdAtMs / 1000)),
      creationTimeMs: BigInt(room.createdAtMs),
      turnPassword: 'what-must-not-be-handed-on',
    }),
    ...(participant && {
      participant: new ParticipantInfo({
        sid: participant.sid,
        identity: participant.identity,
        name: participant.name ?? '',
        state:
          event === 'participant_joined'
            ? ParticipantInfo_State.ACTIVE
            : ParticipantInfo_State.DISCONNECTED,
        joinedAt: BigInt(Math.floor(participant.joinedAtMs / 1000)),
        joinedAtMs: BigInt(participant.joinedAtMs),
        kind: ParticipantInfo_Kind[participant.kind ?? 'STANDARD'],
        permission: new ParticipantPermission({
          canPublish: true,
          canSubscribe: true,
          canPublishData: true,
          hidden: participant.hidden ?? false,
        }),
      }),
    }),
    id: `EV_${randomUUID().slice(0, 12)}`,
    createdAt: BigInt(Math.floor(at / 1000)),
  }).toJsonString();
}

/** The time of such an event, as the service takes it: LiveKit names the second only. */
export const eventTime = (at: number): string =>
  new Date(Math.floor(at / 1000) * 1000 + 999).toISOString();

export interface Signature {
  apiKey?: string;
  apiSecret?: string;
  /** Of which body; by default the one that is sent. */
  of?: string | Buffer;
  ttlSeconds?: number;
}

/** What LiveKit sends as `Authorization` with this body. */
export function sign(
  body: string | Buffer,
  { apiKey = API_KEY, apiSecret = API_SECRET, of = body, ttlSeconds = 300 }: Signature = {},
): Promise<string> {
  const jwt = new AccessToken(apiKey, apiSecret, { ttl: ttlSeconds });
  jwt.sha256 = createHash('sha256').update(of).digest('base64');
  return jwt.toJwt();
}

export interface Post {
  body: string | Buffer;
  authorization?: string | undefined;
  /** As serverless-offline passes it on. API Gateway encodes it. */
  asText?: boolean;
}

/** The event with which API Gateway calls the webhook function. */
export function webhookPost({ body, authorization, asText = false }: Post): APIGatewayProxyEventV2 {
  const { authorization: _, ...headers } = webhookEvent.headers;
  return {
    ...webhookEvent,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    requestContext: { ...webhookEvent.requestContext, requestId: randomUUID() },
    isBase64Encoded: !asText,
    body: asText ? String(body) : Buffer.from(body).toString('base64'),
  };
}
