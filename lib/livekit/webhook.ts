import type * as z from 'zod/mini';
import { Unauthenticated } from '../errors.ts';
import type { MediaEvent, VerifyWebhook } from '../meetings/media.ts';
import { EGRESS_EVENT_TYPES, type EgressEvent } from '../meetings/recording/ports.ts';
import { verifyBody } from './access-token.ts';
import { EventMessage, egressOf, participantOf, roomOf } from './mapping.ts';
import type { ApiKey, LiveKitSettings } from './settings.ts';

/**
 * What LiveKit allows the tokens that it gets (livekit/protocol, auth/verifier.go): it does not send
 * again what it is answered 401.
 */
const CLOCK_TOLERANCE_SECONDS = 60;

/** Byte for byte: what is read is what was signed. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Event = z.infer<typeof EventMessage>;

/** Both keys of a rotation count. */
export function createWebhookVerifier(settings: () => Promise<LiveKitSettings>): VerifyWebhook {
  return async (body, authorization) => {
    const { apiKey, apiSecret, previous } = await settings();
    const keys = [{ apiKey, apiSecret }, ...(previous ? [previous] : [])];
    return mediaEventOf(await receive(keys, body, authorization));
  };
}

async function receive(
  keys: ApiKey[],
  body: Uint8Array,
  authorization: string | undefined,
): Promise<Event> {
  try {
    await Promise.any(
      keys.map((key) => verifyBody(key, body, authorization ?? '', CLOCK_TOLERANCE_SECONDS)),
    );
    return EventMessage.parse(JSON.parse(utf8.decode(body)));
  } catch (cause) {
    throw new Unauthenticated({ cause });
  }
}

/** What the record can hold. LiveKit itself sends nothing else. */
const isSid = (sid: string): boolean => /^[\w-]{1,64}$/.test(sid);

/**
 * LiveKit cuts an event's time down to whole seconds (telemetry/events.go: `time.Now().Unix()`), and
 * nothing else in an event says when it happened. The second's last millisecond is never too early: no
 * stay is cut short by it, and nothing seems observed before the meeting in whose first second it was.
 */
const endOfSecond = (seconds: number): string => new Date(seconds * 1000 + 999).toISOString();

function mediaEventOf({
  event: type,
  room,
  participant,
  createdAt,
  egressInfo,
}: Event): MediaEvent | EgressEvent | undefined {
  if (egressInfo && EGRESS_EVENT_TYPES.includes(type)) {
    return isSid(egressInfo.egressId)
      ? { type: 'egress', egress: egressOf(egressInfo) }
      : undefined;
  }
  if (!room || !isSid(room.sid)) return undefined;
  const about = { at: endOfSecond(createdAt), room: roomOf(room) };
  switch (type) {
    case 'room_started':
    case 'room_finished':
      return { type, ...about };
    case 'participant_joined':
    case 'participant_left':
    case 'participant_connection_aborted':
      if (!participant || !isSid(participant.sid)) return undefined;
      return { type, ...about, participant: participantOf(participant) };
    default:
      return undefined;
  }
}
