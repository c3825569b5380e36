import * as z from 'zod/mini';
import type { ProofRepository } from '../meetings/ports.ts';
import { proofKey } from './keys.ts';
import type { Table } from './table.ts';

/** Seconds after which the item of a doctor that was killed goes by itself. */
const TTL_SECONDS = 600;

/** A set that nothing was added to is not there. */
const Told = z.object({ events: z.optional(z.set(z.string())) });

/**
 * The webhook writes into an item that the doctor has put, and makes none: LiveKit tells every stage that
 * shares its project, and may tell late.
 */
export const createProofRepository = (table: Table): ProofRepository => ({
  expectEvents: (proofId, now) =>
    table.put({
      ...proofKey(proofId),
      expiresAt: Math.floor(now.getTime() / 1000) + TTL_SECONDS,
    }),

  noteEvent: (proofId, type) =>
    table.updateIf(proofKey(proofId), {
      ConditionExpression: 'attribute_exists(pk)',
      UpdateExpression: 'ADD events :types',
      ExpressionAttributeValues: { ':types': new Set([type]) },
    }),

  async listEvents(proofId) {
    const item = await table.get(proofKey(proofId));
    return item && [...(Told.parse(item).events ?? [])];
  },

  forgetEvents: (proofId) => table.remove(proofKey(proofId)),
});
