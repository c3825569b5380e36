import * as z from 'zod/mini';
import { identity, loadConfig, store } from '../lib/config.ts';
import { createRecordDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { listMembers, type MemberListDeps } from '../lib/meetings/membership.ts';
import { ClubId, PageLimit, UserId } from '../lib/meetings/model.ts';

export const Path = z.object({ clubId: ClubId });
export const Query = z.strictObject({
  limit: z._default(PageLimit, 100),
  cursor: z.optional(UserId),
});
export const route = { route: 'GET /{clubId}/members', failure: 'Failed to list the members' };

export const createHandler = (deps: MemberListDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path, query: Query }, async ({ cursor: after, ...request }) =>
    ok(await listMembers(deps, { ...request, after })),
  );

export const handler = createHandler(createRecordDeps(loadConfig({ store, identity })));
