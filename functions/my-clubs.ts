import * as z from 'zod/mini';
import { identity, loadConfig, store } from '../lib/config.ts';
import { createRecordDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { type ClubListDeps, listClubs } from '../lib/meetings/membership.ts';
import { ClubId, PageLimit } from '../lib/meetings/model.ts';

export const Query = z.strictObject({
  limit: z._default(PageLimit, 50),
  cursor: z.optional(ClubId),
});
export const route = { route: 'GET /clubs', failure: 'Failed to list your clubs' };

export const createHandler = (deps: ClubListDeps & HttpDeps) =>
  httpHandler(route, deps, { query: Query }, async ({ cursor: after, ...request }) =>
    ok(await listClubs(deps, { ...request, after })),
  );

export const handler = createHandler(createRecordDeps(loadConfig({ store, identity })));
