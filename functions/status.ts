import * as z from 'zod/mini';
import { identity, limits, livekit, loadConfig, store } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { revalidated } from '../lib/http/response.ts';
import { ClubId } from '../lib/meetings/model.ts';
import { getMeetingStatus, type StatusDeps } from '../lib/meetings/status.ts';

export const Path = z.object({ clubId: ClubId });
export const route = { route: 'GET /{clubId}/status', failure: 'Failed to get meeting status' };

export const createHandler = (deps: StatusDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path }, async (request, event) => {
    const status = await getMeetingStatus(deps, request);
    // For `record` and `query`, `observedAt` is only the time of this request.
    const isTimeOfEvent = status.observedBy === 'events';
    return revalidated(event, status, isTimeOfEvent ? status : { ...status, observedAt: null });
  });

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity, limits })));
