import * as z from 'zod/mini';
import { identity, livekit, loadConfig, store } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { parsePath } from '../lib/http/request.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId } from '../lib/meetings/model.ts';
import { listParticipants, type ModerationDeps } from '../lib/meetings/moderation.ts';

export const Path = z.object({ clubId: ClubId });
export const route = {
  route: 'GET /{clubId}/participants',
  failure: 'Failed to list participants',
};

export const createHandler = (deps: ModerationDeps & HttpDeps) =>
  httpHandler(route, deps, async (event, caller) => {
    const { clubId } = parsePath(event, Path);
    return ok(await listParticipants(deps, { caller, clubId }));
  });

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity })));
