import * as z from 'zod/mini';
import { identity, loadConfig, store } from '../lib/config.ts';
import { createHistoryDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { getMeeting, type MeetingDetailsDeps } from '../lib/meetings/history.ts';
import { ClubId, MeetingId } from '../lib/meetings/model.ts';

export const Path = z.object({ clubId: ClubId, meetingId: MeetingId });
export const route = {
  route: 'GET /{clubId}/meetings/{meetingId}',
  failure: 'Failed to get the meeting',
};

export const createHandler = (deps: MeetingDetailsDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path }, async (request) => ok(await getMeeting(deps, request)));

export const handler = createHandler(createHistoryDeps(loadConfig({ store, identity })));
