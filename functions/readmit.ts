import * as z from 'zod/mini';
import { identity, livekit, loadConfig, store } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { parsePath } from '../lib/http/request.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId, UserId } from '../lib/meetings/model.ts';
import { type ModerationDeps, readmitParticipant } from '../lib/meetings/moderation.ts';

export const Path = z.object({ clubId: ClubId, userId: UserId });
export const route = {
  route: 'DELETE /{clubId}/participants/{userId}/removal',
  failure: 'Failed to let the person back in',
};

export const createHandler = (deps: ModerationDeps & HttpDeps) =>
  httpHandler(route, deps, async (event, caller) => {
    const { clubId, userId } = parsePath(event, Path);
    return ok(await readmitParticipant(deps, { caller, clubId, userId }));
  });

export const handler = createHandler(createDeps(loadConfig({ store, livekit, identity })));
