import * as z from 'zod/mini';
import { identity, livekit, loadConfig, store, tokens } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import type { GrantDeps } from '../lib/meetings/grants.ts';
import { ClubId, maybe, UserId } from '../lib/meetings/model.ts';
import { removeParticipant } from '../lib/meetings/moderation/remove.ts';
import type { ModerationDeps } from '../lib/meetings/moderation/target.ts';

export const Path = z.object({ clubId: ClubId, userId: UserId });
export const Body = z.strictObject({
  allowRejoin: maybe(z.boolean('must be true or false')),
});
export const route = {
  route: 'POST /{clubId}/participants/{userId}/remove',
  failure: 'Failed to remove the participant',
};

export const createHandler = (deps: ModerationDeps & GrantDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path, body: Body }, async (request) =>
    ok(await removeParticipant(deps, request)),
  );

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity, tokens })));
