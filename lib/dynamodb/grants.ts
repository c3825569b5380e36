import { GrantNote } from '../meetings/model.ts';
import type { GrantRepository } from '../meetings/ports.ts';
import { grantKey } from './keys.ts';
import type { Table } from './table.ts';

/** Seconds for which a note is kept: longer than a meeting and its tokens can last (7 days and 1). */
const TTL_SECONDS = 9 * 86_400;

export const createGrantRepository = (table: Table): GrantRepository => ({
  async get(clubId, userId) {
    const item = await table.get(grantKey(clubId, userId));
    return item && GrantNote.parse(item);
  },

  put: (clubId, note, now) =>
    table.put({
      ...grantKey(clubId, note.userId),
      ...note,
      expiresAt: Math.floor(now.getTime() / 1000) + TTL_SECONDS,
    }),

  remove: (clubId, userId) => table.remove(grantKey(clubId, userId)),
});
