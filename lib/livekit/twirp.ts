import * as z from 'zod/mini';
import { signToken, type VideoGrant } from './access-token.ts';
import { jsonOf } from './json.ts';
import { createRegions } from './regions.ts';
import type { LiveKitSettings } from './settings.ts';
import { originOf } from './url.ts';

/**
 * LiveKit's API: Twirp over JSON (https://twitchtv.github.io/twirp/docs/spec_v7.html). A client of our
 * own, since the SDK's takes no abort signal, turns a participant's kind that it does not know into a
 * standard one, and fails over to another region only with a time-out of 5 s or more.
 */

/** Longer than the 3 s for which LiveKit itself waits for a room's node. */
const ATTEMPT_TIMEOUT_MS = 3_500;
/** For one call with all of its attempts: two that time out, and the question for other regions. */
const CALL_TIMEOUT_MS = 8_000;
/** The region that is asked first, and the next two. */
const REGIONS_A_CALL = 3;
/** Time that another region needs to have a chance. */
const WORTH_AN_ATTEMPT_MS = 500;
/** For how long calls begin at the region that answered in another's place. */
const DETOUR_MS = 60_000;
/** The longest wait before the second region; it doubles. Many callers leave a region at once. */
const BACKOFF_MS = 200;

const TOKEN_TTL_SECONDS = 600;

/** A socket that the server closed while it was idle: the request never arrived. */
const DEAD_SOCKET_CODES = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

/**
 * An answer with another status than 200. Its message is left out: it can contain the whole API token
 * (seen with 1.13.5).
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  /** Twirp's; undefined when something in front of LiveKit answered. */
  readonly code: string | undefined;

  constructor(status: number, code: string | undefined) {
    super(`LiveKit answered ${status} ${code ?? ''}`.trim());
    this.status = status;
    this.code = code;
  }
}

export interface Call {
  /** `RoomService/ListRooms` */
  method: string;
  message: object;
  grant: VideoGrant;
  /** Aborted when the caller gave up: no attempt is made after that, and the running one ends. */
  signal?: AbortSignal | undefined;
  /** The call is never repeated, since each one that arrives has an effect. Its own timeout. */
  once?: { timeoutMs: number };
}

export interface TwirpOptions {
  callTimeoutMs?: number;
  fetch?: typeof fetch;
}

/** The answer's JSON. Throws a {@link Refusal}, a SyntaxError for what is no JSON, or what `fetch` throws. */
export type CallLiveKit = (call: Call) => Promise<unknown>;

/**
 * A client of one project. On LiveKit Cloud, a region that is unreachable or answers 5xx is left for the
 * next one, while there is time, and for the calls of the next minute. Every call of this service can be
 * repeated, except for those that are made {@link Call.once}.
 */
export function createTwirpClient(
  settings: LiveKitSettings,
  { callTimeoutMs = CALL_TIMEOUT_MS, fetch = globalThis.fetch }: TwirpOptions = {},
): CallLiveKit {
  const home = originOf(settings.wsUrl);
  const regions = createRegions(home, fetch);
  let detour = { origin: home, until: 0 };

  return async ({ method, message, grant, signal, once }) => {
    const deadline = Date.now() + (once?.timeoutMs ?? callTimeoutMs);
    const token = await signToken(settings, { video: grant }, { ttlSeconds: TOKEN_TTL_SECONDS });
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      // One for all attempts, so that LiveKit recognizes the same request.
      'x-livekit-request-id': crypto.randomUUID(),
    };
    const attempt = (origin: string, timeoutMs = ATTEMPT_TIMEOUT_MS): Promise<unknown> =>
      post(fetch, `${origin}/twirp/livekit.${method}`, {
        headers,
        body: JSON.stringify(message),
        signal: within(Math.min(timeoutMs, deadline - Date.now()), signal),
      });
    const first = Date.now() < detour.until ? detour.origin : home;
    if (once) return attempt(first, once.timeoutMs);

    const asked: string[] = [];
    let others: string[] | undefined;
    for (let origin = first; ; ) {
      asked.push(origin);
      try {
        const answer = await attempt(origin).catch((error) => {
          if (!isDeadSocket(error)) throw error;
          return attempt(origin);
        });
        if (asked.length > 1) detour = { origin, until: Date.now() + DETOUR_MS };
        return answer;
      } catch (error) {
        if (signal?.aborted || asked.length === REGIONS_A_CALL || !isOfRegion(error)) throw error;
        others ??= await regions(token, within(deadline - Date.now(), signal));
        const next = [home, ...others].find((other) => !asked.includes(other));
        if (next === undefined || deadline - Date.now() < WORTH_AN_ATTEMPT_MS) throw error;
        await pause(Math.random() * BACKOFF_MS * 2 ** (asked.length - 1));
        origin = next;
      }
    }
  };
}

/** The client of the settings as they are now: a rotated key is picked up without a restart. */
export function createLiveKitClients(
  settings: () => Promise<LiveKitSettings>,
  options: TwirpOptions,
): () => Promise<CallLiveKit> {
  let client: { of: LiveKitSettings; call: CallLiveKit } | undefined;
  return async () => {
    const current = await settings();
    if (client?.of !== current) {
      client = { of: current, call: createTwirpClient(current, options) };
    }
    return client.call;
  };
}

const TwirpError = z.object({ code: z.string() });

async function post(
  fetch: typeof globalThis.fetch,
  url: string,
  request: Pick<RequestInit, 'headers' | 'body' | 'signal'>,
): Promise<unknown> {
  request.signal?.throwIfAborted();
  const response = await fetch(url, { method: 'POST', redirect: 'error', ...request });
  const answer = jsonOf(await response.text());
  if (response.status !== 200) {
    throw new Refusal(response.status, TwirpError.safeParse(answer).data?.code);
  }
  if (answer === undefined) throw new SyntaxError('The answer is no JSON');
  return answer;
}

function within(ms: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(Math.max(0, ms));
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

/** Whether another region may answer what this one does not. */
const isOfRegion = (error: unknown): boolean =>
  error instanceof Refusal ? error.status >= 500 : true;

const isDeadSocket = (error: unknown): boolean =>
  error instanceof TypeError && DEAD_SOCKET_CODES.includes(causeCode(error) ?? '');

const causeCode = ({ cause }: Error): string | undefined =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
