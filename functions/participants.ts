import * as z from 'zod/mini';
import { identity, livekit, loadConfig, store } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId } from '../lib/meetings/model.ts';
import { listParticipants } from '../lib/meetings/moderation/participants.ts';
import type { ModerationDeps } from '../lib/meetings/moderation/target.ts';

export const Path = z.object({ clubId: ClubId });
export const route = {
  route: 'GET /{clubId}/participants',
  failure: 'Failed to list participants',
};

export const createHandler = (deps: ModerationDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path }, async (request) =>
    ok(await listParticipants(deps, request)),
  );

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity })));
