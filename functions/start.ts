import * as z from 'zod/mini';
import { identity, livekit, loadConfig, rooms, store } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { parsePath } from '../lib/http/request.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId } from '../lib/meetings/model.ts';
import { type StartDeps, startMeeting } from '../lib/meetings/start.ts';

export const Path = z.object({ clubId: ClubId });
export const route = { route: 'POST /{clubId}/start', failure: 'Failed to start meeting' };

export const createHandler = (deps: StartDeps & HttpDeps) =>
  httpHandler(route, deps, async (event, caller) => {
    const { clubId } = parsePath(event, Path);
    return ok(await startMeeting(deps, { caller, clubId }));
  });

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity, rooms })));
