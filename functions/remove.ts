import * as z from 'zod/mini';
import { identity, livekit, loadConfig, store, tokens } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { parseBody, parsePath } from '../lib/http/request.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId, UserId } from '../lib/meetings/model.ts';
import { type ModerationDeps, removeParticipant } from '../lib/meetings/moderation.ts';
import type { TokenRules } from '../lib/meetings/token.ts';

export const Path = z.object({ clubId: ClubId, userId: UserId });
export const Body = z.strictObject({
  allowRejoin: z._default(z.boolean('must be true or false'), false),
});
export const route = {
  route: 'POST /{clubId}/participants/{userId}/remove',
  failure: 'Failed to remove the participant',
};

export const createHandler = (deps: ModerationDeps & HttpDeps & { tokens: TokenRules }) =>
  httpHandler(route, deps, async (event, caller) => {
    const { clubId, userId } = parsePath(event, Path);
    const { allowRejoin } = parseBody(event, Body);
    return ok(await removeParticipant(deps, { caller, clubId, userId, allowRejoin }));
  });

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity, tokens })));
