import * as z from 'zod/mini';
import { identity, livekit, loadConfig, recording, rooms, store } from '../lib/config.ts';
import { createRecordingDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { json } from '../lib/http/response.ts';
import { ClubId, maybe } from '../lib/meetings/model.ts';
import { type StartRecordingDeps, startRecording } from '../lib/meetings/recording/start.ts';

export const Path = z.object({ clubId: ClubId });
export const Body = z.strictObject({ audioOnly: maybe(z.boolean('must be true or false')) });
export const route = {
  route: 'POST /{clubId}/recording/start',
  failure: 'Failed to start the recording',
};

export const createHandler = (deps: StartRecordingDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path, body: Body }, async (request) => {
    const { answer, isCertain } = await startRecording(deps, request);
    return json(isCertain ? 200 : 202, answer);
  });

export const handler = createHandler(
  createRecordingDeps(loadConfig({ store, livekit, identity, rooms, recording })),
);
