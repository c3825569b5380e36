import * as z from 'zod/mini';
import { identity, livekit, loadConfig, store } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { parseBody, parsePath } from '../lib/http/request.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId, MutableSource } from '../lib/meetings/model.ts';
import { type ModerationDeps, muteEverybody } from '../lib/meetings/moderation.ts';

export const Path = z.object({ clubId: ClubId });
export const Body = z.strictObject({
  source: z.optional(MutableSource),
});
export const route = { route: 'POST /{clubId}/participants/mute', failure: 'Failed to mute' };

export const createHandler = (deps: ModerationDeps & HttpDeps) =>
  httpHandler(route, deps, async (event, caller) => {
    const { clubId } = parsePath(event, Path);
    return ok(await muteEverybody(deps, { caller, clubId, ...parseBody(event, Body) }));
  });

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity })));
