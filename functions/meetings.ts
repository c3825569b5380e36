import * as z from 'zod/mini';
import { identity, loadConfig, store } from '../lib/config.ts';
import { createRecordDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { listMeetings, type MeetingListDeps } from '../lib/meetings/history.ts';
import { ClubId, MeetingId, PageLimit } from '../lib/meetings/model.ts';

export const Path = z.object({ clubId: ClubId });
export const Query = z.strictObject({
  limit: z._default(PageLimit, 20),
  cursor: z.optional(MeetingId),
});
export const route = { route: 'GET /{clubId}/meetings', failure: 'Failed to list meetings' };

export const createHandler = (deps: MeetingListDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path, query: Query }, async ({ cursor: before, ...request }) =>
    ok(await listMeetings(deps, { ...request, before })),
  );

export const handler = createHandler(createRecordDeps(loadConfig({ store, identity })));
