import * as z from 'zod/mini';
import { identity, loadConfig, store, tokens } from '../lib/config.ts';
import { createRecordDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import type { GrantDeps } from '../lib/meetings/grants.ts';
import type { MemberChangeDeps } from '../lib/meetings/member-changes.ts';
import { ClubId, Role, UserId } from '../lib/meetings/model.ts';
import { setRole } from '../lib/meetings/moderation/roles.ts';
import type { RecordDeps } from '../lib/meetings/moderation/target.ts';

export const Path = z.object({ clubId: ClubId, userId: UserId });
export const Body = z.strictObject({ role: Role });
export const route = {
  route: 'PUT /{clubId}/members/{userId}/role',
  failure: 'Failed to set the role',
};

export const createHandler = (deps: RecordDeps & MemberChangeDeps & GrantDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path, body: Body }, async (request) =>
    ok(await setRole(deps, request)),
  );

export const handler = createHandler(createRecordDeps(loadConfig({ store, identity, tokens })));
