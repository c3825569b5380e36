import * as z from 'zod/mini';
import { identity, loadConfig, store } from '../lib/config.ts';
import { createRecordDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId, MeetingId } from '../lib/meetings/model.ts';
import { listRecordings, type RecordingListDeps } from '../lib/meetings/recording/library.ts';

export const Path = z.object({ clubId: ClubId, meetingId: MeetingId });
export const route = {
  route: 'GET /{clubId}/meetings/{meetingId}/recordings',
  failure: 'Failed to list the recordings',
};

export const createHandler = (deps: RecordingListDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path }, async (request) =>
    ok(await listRecordings(deps, request)),
  );

export const handler = createHandler(createRecordDeps(loadConfig({ store, identity })));
