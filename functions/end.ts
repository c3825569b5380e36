import * as z from 'zod/mini';
import { identity, livekit, loadConfig, store } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { type EndDeps, endMeeting } from '../lib/meetings/end.ts';
import { ClubId, MeetingId, maybe } from '../lib/meetings/model.ts';

export const Path = z.object({ clubId: ClubId });
export const Body = z.strictObject({ meetingId: maybe(MeetingId) });
export const route = { route: 'POST /{clubId}/end', failure: 'Failed to end meeting' };

export const createHandler = (deps: EndDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path, body: Body }, async (request) =>
    ok(await endMeeting(deps, request)),
  );

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity })));
