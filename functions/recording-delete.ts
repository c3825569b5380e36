import * as z from 'zod/mini';
import { identity, loadConfig, recording, store } from '../lib/config.ts';
import { createFileDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId, MeetingId, RecordingId } from '../lib/meetings/model.ts';
import { type DeleteDeps, deleteRecording } from '../lib/meetings/recording/library.ts';

export const Path = z.object({
  clubId: ClubId,
  meetingId: MeetingId,
  recordingId: RecordingId,
});
export const route = {
  route: 'DELETE /{clubId}/meetings/{meetingId}/recordings/{recordingId}',
  failure: 'Failed to delete the recording',
};

export const createHandler = (deps: DeleteDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path }, async (request) =>
    ok(await deleteRecording(deps, request)),
  );

export const handler = createHandler(createFileDeps(loadConfig({ store, identity, recording })));
