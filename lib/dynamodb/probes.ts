import * as z from 'zod/mini';
import type { ProbeRepository } from '../meetings/probes.ts';
import { probeKey } from './keys.ts';
import type { Table } from './table.ts';

/** Seconds after which the item of a doctor that was killed goes by itself. */
const TTL_SECONDS = 600;

/** DynamoDB keeps no empty set, so `events` is absent until the first one. */
const ProbeItem = z.object({ events: z.optional(z.set(z.string())) });

/**
 * The webhook updates an item that the doctor has put, and never creates one: LiveKit sends its events to
 * every stage that shares its project, and may send them late.
 */
export const createProbeRepository = (table: Table): ProbeRepository => ({
  expectEvents: (probeId, now) =>
    table.put({
      ...probeKey(probeId),
      expiresAt: Math.floor(now.getTime() / 1000) + TTL_SECONDS,
    }),

  noteEvent: (probeId, type) =>
    table.updateIf(probeKey(probeId), {
      ConditionExpression: 'attribute_exists(pk)',
      UpdateExpression: 'ADD events :types',
      ExpressionAttributeValues: { ':types': new Set([type]) },
    }),

  async listEvents(probeId) {
    const item = await table.get(probeKey(probeId));
    return item && [...(ProbeItem.parse(item).events ?? [])];
  },

  forgetEvents: (probeId) => table.remove(probeKey(probeId)),
});
