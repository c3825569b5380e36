import * as z from 'zod/mini';
import { identity, loadConfig, store } from '../lib/config.ts';
import { createRecordDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId, UserId } from '../lib/meetings/model.ts';
import { readmitParticipant } from '../lib/meetings/moderation/remove.ts';
import type { RecordDeps } from '../lib/meetings/moderation/target.ts';

export const Path = z.object({ clubId: ClubId, userId: UserId });
export const route = {
  route: 'DELETE /{clubId}/participants/{userId}/removal',
  failure: 'Failed to let the person back in',
};

export const createHandler = (deps: RecordDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path }, async (request) =>
    ok(await readmitParticipant(deps, request)),
  );

export const handler = createHandler(createRecordDeps(loadConfig({ store, identity })));
