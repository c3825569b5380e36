/** LiveKit's events: does the API take them, and does LiveKit send them there? */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod/mini';
import { signToken } from '../../lib/livekit/access-token.ts';
import type { LiveKitSettings } from '../../lib/livekit/settings.ts';
import type { ProbeRepository } from '../../lib/meetings/probes.ts';
import type { Artifacts } from './artifacts.ts';
import { LEEWAY_MS, spoken } from './clocks.ts';
import { type Answer, ask } from './http.ts';
import { type LiveKit, ROOM } from './livekit.ts';
import { reasonOf } from './reasons.ts';
import type { Finding, Found } from './runner.ts';

/** The function starts first, when it was not called for a while. */
const API_WITHIN_MS = 10_000;
/** LiveKit sends its webhook within some 10 ms. */
export const EVENTS_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 100;

const Failure = z.object({ code: z.string() });
const Success = z.object({ result: z.string() });

/** Sends events signed as LiveKit's are, with each valid key: checks the API without LiveKit. */
export async function postEvents(
  webhookUrl: string,
  { previous, ...current }: LiveKitSettings,
  probes: ProbeRepository,
  artifacts: Artifacts,
): Promise<Found<{ url: string }>> {
  const keys = [
    { name: 'the key', ...current },
    ...(previous ? [{ name: 'the previous key', ...previous }] : []),
  ];
  for (const { name, apiKey, apiSecret } of keys) {
    const { probeId, roomName } = artifacts.newProbe();
    await probes.expectEvents(probeId, new Date());
    const body = JSON.stringify(eventOf(probeId, roomName));
    const authorization = await signatureOf(body, apiKey, apiSecret);
    let answer: Answer;
    try {
      const headers = { authorization, 'content-type': 'application/webhook+json' };
      answer = await ask(webhookUrl, { method: 'POST', headers, body }, API_WITHIN_MS);
    } catch (error) {
      return {
        outcome: 'failure',
        sentence: `No answer from ${webhookUrl}: ${reasonOf(error)}`,
        remedy: 'Is the API up, and is this its URL?',
      };
    }
    const events = await probes.listEvents(probeId);
    await probes.forgetEvents(probeId);
    const complaint = complaintAbout(answer, { webhookUrl, key: name, isNoted: !!events?.length });
    if (complaint) return complaint;
  }
  const signers = keys.map(({ name }) => name).join(' and with ');
  return {
    outcome: 'ok',
    sentence: `${webhookUrl} takes events that are signed with ${signers}`,
    found: { url: webhookUrl },
  };
}

function complaintAbout(
  { status, text, aheadMs = 0 }: Answer,
  { webhookUrl, key, isNoted }: { webhookUrl: string; key: string; isNoted: boolean },
): Finding | undefined {
  if (isNoted) return undefined;
  const failure = (sentence: string, remedy: string): Finding => ({
    outcome: 'failure',
    sentence,
    remedy,
  });
  const code = parsed(Failure, text)?.code;
  if (status === 401) {
    return failure(
      `The API refuses events that are signed with ${key}`,
      Math.abs(aheadMs) >= LEEWAY_MS
        ? `Set the clocks first: the API's is ${spoken(aheadMs)} here`
        : 'Its functions have other settings of LiveKit. After a change, wait five minutes: so long they keep what they read',
    );
  }
  if (status >= 500) {
    return failure(
      `The API cannot take events: it answers ${status} ${code ?? ''}`.trim(),
      code === 'MEDIA_UNAVAILABLE'
        ? "May the webhook function read and decrypt LiveKit's parameter? Its log says"
        : "Look at the webhook function's log: docs/operations.md",
    );
  }
  if (parsed(Success, text)) {
    return failure(
      'The API took the event, but wrote nothing into this table',
      'It has another table, or an older version of the service: is this the URL of the same stage?',
    );
  }
  return failure(
    `${webhookUrl} is not the webhook: it answers ${status}`,
    'Is the API of this service there?',
  );
}

/** A room's start and end, by LiveKit's own webhooks. */
export async function awaitEvents(
  webhookUrl: string,
  { service }: LiveKit,
  probes: ProbeRepository,
  artifacts: Artifacts,
  eventsWithinMs: number,
): Promise<Finding> {
  const { probeId, roomName } = artifacts.newProbe();
  const isTold = async (type: string) => {
    const giveUpAt = performance.now() + eventsWithinMs;
    while (performance.now() < giveUpAt) {
      if ((await probes.listEvents(probeId))?.includes(type)) return true;
      await delay(LOOK_EVERY_MS);
    }
    return false;
  };
  await probes.expectEvents(probeId, new Date());
  await service.createRoom(roomName, ROOM);
  const isStartTold = await isTold('room_started');
  await service.deleteRoom(roomName);
  const isEndTold = isStartTold && (await isTold('room_finished'));
  await probes.forgetEvents(probeId);

  const seconds = eventsWithinMs / 1000;
  if (!isStartTold) {
    return {
      outcome: 'failure',
      sentence: `LiveKit made a room, and no webhook arrived within ${seconds} s`,
      remedy: `Let LiveKit send webhooks to ${webhookUrl}, signed with a key of these settings. If it does: can it reach that URL, and does its log say why not?`,
    };
  }
  if (!isEndTold) {
    return {
      outcome: 'warning',
      sentence: `The webhook of a room's start arrived, and that of its end did not within ${seconds} s`,
      remedy: 'Try again. The cleanup corrects what webhooks miss',
    };
  }
  return {
    outcome: 'ok',
    sentence: 'The webhooks of a room arrive, from its start to its end',
  };
}

function eventOf(probeId: string, roomName: string) {
  const now = Date.now();
  const seconds = String(Math.floor(now / 1000));
  return {
    event: 'room_started',
    id: `EV_${probeId}`,
    createdAt: seconds,
    room: {
      sid: `RM_${probeId}`,
      name: roomName,
      creationTime: seconds,
      creationTimeMs: String(now),
    },
  };
}

/** As LiveKit: a JWT without "Bearer", with the body's hash. */
function signatureOf(body: string, apiKey: string, apiSecret: string): Promise<string> {
  const sha256 = createHash('sha256').update(body).digest('base64');
  return signToken({ apiKey, apiSecret }, { sha256 }, { ttlSeconds: 60 });
}

function parsed<S extends z.ZodMiniType>(schema: S, text: string): z.infer<S> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
