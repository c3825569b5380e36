import * as z from 'zod/mini';
import { identity, livekit, loadConfig, store } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId, MutableSource, maybe } from '../lib/meetings/model.ts';
import { muteEverybody } from '../lib/meetings/moderation/mute.ts';
import type { ModerationDeps } from '../lib/meetings/moderation/target.ts';

export const Path = z.object({ clubId: ClubId });
export const Body = z.strictObject({
  source: maybe(MutableSource),
});
export const route = { route: 'POST /{clubId}/participants/mute', failure: 'Failed to mute' };

export const createHandler = (deps: ModerationDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path, body: Body }, async (request) =>
    ok(await muteEverybody(deps, request)),
  );

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity })));
