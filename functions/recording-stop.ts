import * as z from 'zod/mini';
import { identity, livekit, loadConfig, recording, store } from '../lib/config.ts';
import { createRecordingDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { json } from '../lib/http/response.ts';
import { ClubId, maybe, RecordingId } from '../lib/meetings/model.ts';
import { type StopRecordingDeps, stopRecording } from '../lib/meetings/recording/stop.ts';

export const Path = z.object({ clubId: ClubId });
export const Body = z.strictObject({ recordingId: maybe(RecordingId) });
export const route = {
  route: 'POST /{clubId}/recording/stop',
  failure: 'Failed to stop the recording',
};

export const createHandler = (deps: StopRecordingDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path, body: Body }, async (request) => {
    const { answer, isCertain } = await stopRecording(deps, request);
    return json(isCertain ? 200 : 202, answer);
  });

export const handler = createHandler(
  createRecordingDeps(loadConfig({ store, livekit, identity, recording })),
);
