import { WebhookReceiver } from 'livekit-server-sdk';
import { Unauthenticated } from '../errors.ts';
import type { MediaEvent, VerifyWebhook } from '../meetings/ports.ts';
import type { LiveKitProject } from './project.ts';
import { participantOf, roomOf } from './shapes.ts';

/**
 * What LiveKit allows the tokens that it gets (livekit/protocol, auth/verifier.go). The SDK allows ten
 * seconds, and LiveKit does not send again what it is answered 401.
 */
const CLOCK_TOLERANCE_SECONDS = 60;

/** Byte for byte, so that the text has the hash that was signed: nothing replaced, nothing left out. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Both keys of a rotation count. */
export function createWebhookVerifier(project: () => Promise<LiveKitProject>): VerifyWebhook {
  return async (body, authorization) => {
    const { apiKey, apiSecret, previous } = await project();
    const keys = [{ apiKey, apiSecret }, ...(previous ? [previous] : [])];
    return mediaEventOf(await receive(keys, body, authorization));
  };
}

type SdkEvent = Awaited<ReturnType<WebhookReceiver['receive']>>;

async function receive(
  keys: { apiKey: string; apiSecret: string }[],
  body: Uint8Array,
  authorization: string | undefined,
): Promise<SdkEvent> {
  try {
    const text = utf8.decode(body);
    return await Promise.any(
      keys.map(({ apiKey, apiSecret }) =>
        new WebhookReceiver(apiKey, apiSecret).receive(
          text,
          authorization,
          false,
          CLOCK_TOLERANCE_SECONDS,
        ),
      ),
    );
  } catch (cause) {
    throw new Unauthenticated({ cause });
  }
}

/** What the record can hold. Nothing else comes from LiveKit itself, whoever else has its key. */
const isSid = (sid: string): boolean => /^[\w-]{1,64}$/.test(sid);
const isTime = (ms: bigint): boolean => ms >= 0n && ms < BigInt(Date.UTC(10_000, 0));

function isRecordable({ room, participant, createdAt }: SdkEvent): boolean {
  const sids = [room?.sid ?? '', ...(participant ? [participant.sid] : [])];
  const seconds = [createdAt, room?.creationTime ?? 0n, participant?.joinedAt ?? 0n];
  const milliseconds = [room?.creationTimeMs ?? 0n, participant?.joinedAtMs ?? 0n];
  return (
    sids.every(isSid) && [...seconds.map((second) => second * 1000n), ...milliseconds].every(isTime)
  );
}

function mediaEventOf(event: SdkEvent): MediaEvent | undefined {
  const { event: type, room, participant, createdAt } = event;
  if (!room || !isRecordable(event)) return undefined;
  const about = { at: new Date(Number(createdAt) * 1000).toISOString(), room: roomOf(room) };
  switch (type) {
    case 'room_started':
    case 'room_finished':
      return { type, ...about };
    case 'participant_joined':
    case 'participant_left':
    case 'participant_connection_aborted':
      return participant && { type, ...about, participant: participantOf(participant) };
    default:
      return undefined;
  }
}
