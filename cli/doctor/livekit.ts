/** LiveKit itself: does it answer, may we, and does it refuse what it must? */
import { createRecorder } from '../../lib/livekit/recorder.ts';
import { LiveKitService } from '../../lib/livekit/service.ts';
import type { LiveKitSettings } from '../../lib/livekit/settings.ts';
import { originOf } from '../../lib/livekit/url.ts';
import type { RoomOptions } from '../../lib/meetings/media.ts';
import type { Recorder } from '../../lib/meetings/recording/ports.ts';
import type { Artifacts } from './artifacts.ts';
import { LEEWAY_MS, spoken } from './clocks.ts';
import { type Answer, ask } from './http.ts';
import { reasonOf } from './reasons.ts';
import type { Finding, Found } from './runner.ts';

/** It closes after this if it is not deleted. */
export const ROOM: RoomOptions = {
  emptyTimeoutSeconds: 60,
  departureTimeoutSeconds: 20,
  maxParticipants: 2,
  metadata: {},
};
const TOKEN_TTL_SECONDS = 60;

/** A publisher's, with one audio track: what LiveKit needs to go as far as it goes. */
const SDP_OFFER = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:none',
  'a=ice-pwd:nobody-will-ever-connect',
  `a=fingerprint:sha-256 ${Array(32).fill('00').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sendonly',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  '',
].join('\r\n');

export interface LiveKit {
  /** Of the room API. */
  origin: string;
  service: LiveKitService;
  recorder: Pick<Recorder, 'listActive'>;
}

export const liveKitOf = (settings: LiveKitSettings): LiveKit => ({
  origin: originOf(settings.wsUrl),
  service: new LiveKitService(() => Promise.resolve(settings)),
  // It is asked for a list alone.
  recorder: createRecorder(() => Promise.resolve(settings), { bucket: '' }),
});

export async function reach({ origin }: LiveKit): Promise<Found<Pick<Answer, 'aheadMs'>>> {
  let answer: Answer;
  try {
    answer = await ask(origin);
  } catch (error) {
    return {
      outcome: 'failure',
      sentence: `No answer from ${origin}: ${reasonOf(error)}`,
      remedy: 'Is LiveKit up, wsUrl its URL, and its port open from here?',
    };
  }
  const { status, aheadMs } = answer;
  if (status === 200) {
    return { outcome: 'ok', sentence: `Answers at ${origin}`, found: { aheadMs } };
  }
  return {
    outcome: 'warning',
    sentence: `Answers ${status} at ${origin}, where a healthy LiveKit says 200`,
    remedy: 'Is wsUrl the URL of LiveKit, and not of something else?',
    found: { aheadMs },
  };
}

/** As the service itself calls: a request about rooms of an unused name. */
export async function useKey(
  { service }: LiveKit,
  artifacts: Artifacts,
  { aheadMs = 0 }: Pick<Answer, 'aheadMs'>,
): Promise<Found<true>> {
  try {
    await service.getRoom(artifacts.newProbe().roomName);
    return { outcome: 'ok', sentence: 'LiveKit knows the key, which may list rooms', found: true };
  } catch (error) {
    return failureOf(error, {
      refusal: 'LiveKit refuses the key, or its secret',
      remedy:
        Math.abs(aheadMs) >= LEEWAY_MS
          ? `Set the clocks first: LiveKit's is ${spoken(aheadMs)} here, and it refuses tokens of another time`
          : 'Write the key and the secret that LiveKit has, both of the same pair',
    });
  }
}

/** What the service does with a room, on one of the doctor's own. */
export async function useRights(
  { service }: LiveKit,
  artifacts: Artifacts,
): Promise<Found<{ aheadMs: number }>> {
  const { roomName } = artifacts.newProbe();
  let doing = 'make rooms';
  try {
    const sentAt = Date.now();
    const { createdAt } = await service.createRoom(roomName, ROOM);
    const aheadMs = Date.parse(createdAt) - (sentAt + Date.now()) / 2;
    doing = 'administer rooms';
    await service.getParticipants(roomName);
    doing = 'delete rooms';
    await service.deleteRoom(roomName);
    return {
      outcome: 'ok',
      sentence: 'The key may make, administer and delete rooms',
      found: { aheadMs },
    };
  } catch (error) {
    return failureOf(error, {
      refusal: `The key may not ${doing}`,
      remedy: 'Make a key with all rights for rooms in LiveKit',
    });
  }
}

/** Whether LiveKit refuses us or does not answer decides what to do. */
function failureOf(
  error: unknown,
  { refusal, remedy }: { refusal: string; remedy: string },
): Found<never> {
  const reason = reasonOf(error);
  return /^LiveKit answered 40[13]/.test(reason)
    ? { outcome: 'failure', sentence: `${refusal}: ${reason}`, remedy }
    : {
        outcome: 'failure',
        sentence: `The room API cannot be used: ${reason}`,
        remedy: "Is LiveKit healthy? Look at its log, and at its provider's status",
      };
}

/**
 * The check that LiveKit makes of a join, without a join (`/rtc/validate`, which clients ask when a join
 * failed). It makes no room: livekit-server 1.13.5, pkg/service/utils.go, ValidateConnectRequest.
 */
export async function joinNowhere(
  { origin, service }: LiveKit,
  artifacts: Artifacts,
): Promise<Finding> {
  const join = async (roomName: string) => {
    const headers = { authorization: `Bearer ${await joinToken(service, roomName)}` };
    return ask(`${origin}/rtc/validate`, { headers });
  };
  // Where a join that must be let in is not, one that is refused proves nothing.
  const [there, nowhere] = [artifacts.newProbe().roomName, artifacts.newProbe().roomName];
  await service.createRoom(there, ROOM);
  const letIn = await join(there);
  const refused = await join(nowhere);
  await Promise.all([service.deleteRoom(there), service.deleteRoom(nowhere)]);
  if (letIn.status === 200 && refused.status === 404) {
    return { outcome: 'ok', sentence: 'Off: a join is refused where there is no room' };
  }
  if (refused.status === 200) {
    return {
      outcome: 'failure',
      sentence: 'On: a join with an old token makes the room of an ended meeting again',
      remedy:
        "Set room.auto_create: false in LiveKit's configuration, or in the project's settings on LiveKit Cloud",
    };
  }
  return {
    outcome: 'warning',
    sentence: `Cannot be proved: a join is answered ${letIn.status} where there is a room, and ${refused.status} where there is none`,
    remedy: 'Does a proxy between here and LiveKit answer /rtc/validate itself?',
  };
}

/** An SDP offer for a room that is not there: LiveKit 1.13.5 makes it, whatever `auto_create` says. */
export async function publishNowhere(
  { origin, service }: LiveKit,
  artifacts: Artifacts,
): Promise<Finding> {
  const { roomName } = artifacts.newProbe();
  const headers = {
    authorization: `Bearer ${await joinToken(service, roomName)}`,
    'content-type': 'application/sdp',
  };
  // Whatever the answer, or without one: only the room itself proves it.
  const answer = await ask(`${origin}/whip/v1`, { method: 'POST', headers, body: SDP_OFFER }).then(
    ({ status }) => `answered ${status}`,
    reasonOf,
  );
  const isMade = (await service.getRoom(roomName)) !== null;
  await service.deleteRoom(roomName);
  if (!isMade) {
    return { outcome: 'ok', sentence: `Closed: an offer made no room (${answer})` };
  }
  return {
    outcome: 'warning',
    sentence: 'Open: with an old token an offer makes the room of an ended meeting again',
    remedy:
      'Where LiveKit is your own, let the proxy before it refuse /whip. Else the webhook and the cleanup delete such rooms',
  };
}

const joinToken = (service: LiveKitService, roomName: string): Promise<string> =>
  service.createToken(
    roomName,
    'doctor',
    'doctor',
    {},
    { ttlSeconds: TOKEN_TTL_SECONDS, roomOptions: ROOM },
  );
