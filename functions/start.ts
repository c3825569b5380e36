import * as z from 'zod/mini';
import { identity, livekit, loadConfig, rooms, store } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId } from '../lib/meetings/model.ts';
import { type StartDeps, startMeeting } from '../lib/meetings/start.ts';

export const Path = z.object({ clubId: ClubId });
export const route = { route: 'POST /{clubId}/start', failure: 'Failed to start meeting' };

export const createHandler = (deps: StartDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path }, async (request) =>
    ok(await startMeeting(deps, request)),
  );

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity, rooms })));
