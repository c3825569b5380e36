import * as z from 'zod/mini';
import { originOf } from './url.ts';

const DISCOVERY_TIMEOUT_MS = 1_000;

/** As LiveKit Cloud answers at `/settings/regions`. */
const RegionSettings = z.object({ regions: z.array(z.object({ url: z.string() })) });

/**
 * The origins of a LiveKit Cloud project's regions, the nearest first; none for any other server.
 * Never throws: without an answer, those of the last one are returned.
 */
export type Regions = (token: string, signal: AbortSignal) => Promise<string[]>;

/** Keeps an answer for as long as its `cache-control` says. */
export function createRegions(home: string, fetch: typeof globalThis.fetch): Regions {
  if (!isCloud(home)) return () => Promise.resolve([]);
  let known: { origins: string[]; freshUntil: number } = { origins: [], freshUntil: 0 };

  return async (token, signal) => {
    if (Date.now() < known.freshUntil) return known.origins;
    try {
      const response = await fetch(`${home}/settings/regions`, {
        headers: { authorization: `Bearer ${token}` },
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(DISCOVERY_TIMEOUT_MS)]),
      });
      const { regions } = RegionSettings.parse(await response.json());
      known = {
        // The token goes there: nowhere but to LiveKit Cloud.
        origins: regions.map(({ url }) => originOf(url)).filter(isCloud),
        freshUntil: Date.now() + maxAgeMs(response.headers.get('cache-control') ?? ''),
      };
    } catch {
      // A guess at where to go next: what it was last is better than nothing.
    }
    return known.origins;
  };
}

const isCloud = (origin: string): boolean => /^https:\/\/[^/]+\.livekit\.cloud$/.test(origin);

const maxAgeMs = (cacheControl: string): number =>
  Number(/(?:^|[\s,])max-age=(\d+)/i.exec(cacheControl)?.[1] ?? 0) * 1000;
