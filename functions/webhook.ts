import { livekit, loadConfig, store } from '../lib/config.ts';
import { createWebhookDeps } from '../lib/deps.ts';
import { authenticatedHandler, type Reports } from '../lib/http/handler.ts';
import { rawBody } from '../lib/http/request.ts';
import { ok } from '../lib/http/response.ts';
import { type FollowDeps, followMediaEvent } from '../lib/meetings/follow.ts';
import type { VerifyWebhook } from '../lib/meetings/ports.ts';

export const route = { route: 'POST /api/livekit/webhook', failure: 'Failed to handle the event' };

export const createHandler = (deps: FollowDeps & Reports & { verifyWebhook: VerifyWebhook }) =>
  authenticatedHandler(
    route,
    deps,
    (event) => deps.verifyWebhook(rawBody(event), event.headers['authorization']),
    async (_, event) => ok({ result: event ? await followMediaEvent(deps, event) : 'ignored' }),
  );

export const handler = createHandler(createWebhookDeps(loadConfig({ store, livekit })));
