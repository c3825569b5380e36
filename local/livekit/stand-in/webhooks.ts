/** Signed webhooks with the real server's order, retries and limits. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type EgressInfo, WebhookEvent } from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import { newId, type RoomEvent } from './rooms.ts';

/** go-retryablehttp's defaults, which LiveKit uses: 4 retries over 15 s. */
export const RETRY_DELAYS_MS = [1_000, 2_000, 4_000, 8_000];
/** protocol/webhook/resource_url_notifier.go: older events and longer queues are dropped. */
const MAX_AGE_MS = 30_000;
const MAX_QUEUED = 200;
const ANSWER_WITHIN_MS = 10_000;
const KEPT_DELIVERIES = 1_000;

export interface Delivery {
  id: string;
  event: string;
  roomName: string;
  url: string;
  attempts: number;
  /** `failed` is final: nothing is kept for later. */
  outcome: 'delivered' | 'failed' | 'dropped';
}

export interface WebhookTarget {
  urls: readonly string[];
  apiKey: string;
}

interface WebhookOptions {
  target: WebhookTarget | undefined;
  secret: string;
  retryDelaysMs: readonly number[];
}

interface Queue {
  tail: Promise<void>;
  length: number;
}

/** Events of a recording have no room, but LiveKit sends them in the order of the room's events. */
const roomNameOf = ({ room, egressInfo }: WebhookEvent): string =>
  room?.name ?? egressInfo?.roomName ?? '';

export function createWebhooks({ target, secret, retryDelaysMs }: WebhookOptions) {
  const queues = new Map<string, Queue>();
  const deliveries: Delivery[] = [];
  const pending = new Set<Promise<void>>();
  const closing = new AbortController();

  const record = (
    event: WebhookEvent,
    url: string,
    result: Pick<Delivery, 'attempts' | 'outcome'>,
  ) => {
    deliveries.push({
      id: event.id,
      event: event.event,
      roomName: roomNameOf(event),
      url,
      ...result,
    });
    if (deliveries.length > KEPT_DELIVERIES) deliveries.shift();
  };
  const track = (work: Promise<void>): Promise<void> => {
    // A rejection here is the closing of the stand-in; no caller waits for it any more.
    const settled = work.catch(() => undefined);
    pending.add(settled);
    void settled.then(() => pending.delete(settled));
    return settled;
  };

  async function post(url: string, event: WebhookEvent, apiKey: string): Promise<void> {
    const body = event.toJsonString();
    const token = new AccessToken(apiKey, secret, { ttl: '5m' });
    token.sha256 = createHash('sha256').update(body).digest('base64');
    const authorization = await token.toJwt();
    for (let attempts = 1; ; attempts++) {
      const status = await statusOf(url, body, authorization);
      if (closing.signal.aborted) return;
      const retryable = status === undefined || status === 429 || status >= 500;
      const wait = retryDelaysMs[attempts - 1];
      if (!retryable || wait === undefined) {
        const outcome = status !== undefined && status < 300 ? 'delivered' : 'failed';
        record(event, url, { attempts, outcome });
        return;
      }
      await delay(wait, undefined, { signal: closing.signal });
    }
  }

  /** Undefined: no answer. */
  async function statusOf(url: string, body: string, authorization: string) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/webhook+json' },
        body,
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
      });
      await response.body?.cancel();
      return response.status;
    } catch {
      return undefined;
    }
  }

  function enqueue(queue: Queue, event: WebhookEvent, { urls, apiKey }: WebhookTarget): void {
    const queuedAtMs = Date.now();
    queue.length += 1;
    queue.tail = track(
      queue.tail.then(async () => {
        try {
          for (const url of urls) {
            if (Date.now() - queuedAtMs > MAX_AGE_MS) recordDropped(event, url);
            else await post(url, event, apiKey);
          }
        } finally {
          queue.length -= 1;
        }
      }),
    );
  }

  const recordDropped = (event: WebhookEvent, url: string) =>
    record(event, url, { attempts: 0, outcome: 'dropped' });

  function queueOf(roomName: string): Queue {
    const queue = queues.get(roomName) ?? { tail: Promise.resolve(), length: 0 };
    queues.set(roomName, queue);
    return queue;
  }

  return {
    emit(facts: RoomEvent | { event: string; egressInfo: EgressInfo }): void {
      if (target === undefined || closing.signal.aborted) return;
      const event = new WebhookEvent({
        ...facts,
        id: newId('EV_'),
        createdAt: BigInt(Math.floor(Date.now() / 1000)),
      });
      const queue = queueOf(roomNameOf(event));
      if (queue.length < MAX_QUEUED) {
        enqueue(queue, event, target);
        return;
      }
      for (const url of target.urls) recordDropped(event, url);
    },

    deliveries: (): readonly Delivery[] => deliveries,
    /** Resolves once everything sent so far was answered or given up. */
    async settled(): Promise<void> {
      while (pending.size > 0) await Promise.all(pending);
    },
    close(): void {
      closing.abort();
    },
  };
}
