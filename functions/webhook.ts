import { livekit, loadConfig, recording, store } from '../lib/config.ts';
import { createWebhookDeps } from '../lib/deps.ts';
import { authenticatedHandler, type Telemetry } from '../lib/http/handler.ts';
import { rawBody } from '../lib/http/request.ts';
import { ok } from '../lib/http/response.ts';
import { handleLiveKitEvent, type LiveKitEventDeps } from '../lib/meetings/livekit-events.ts';
import type { VerifyWebhook } from '../lib/meetings/media.ts';
import { type EgressEventDeps, followEgress } from '../lib/meetings/recording/events.ts';

export const route = { route: 'POST /api/livekit/webhook', failure: 'Failed to handle the event' };

export const createHandler = (
  deps: LiveKitEventDeps & EgressEventDeps & Telemetry & { verifyWebhook: VerifyWebhook },
) =>
  authenticatedHandler(
    route,
    deps,
    (event) => deps.verifyWebhook(rawBody(event), event.headers['authorization']),
    async (_, event) => {
      if (!event) return ok({ result: 'ignored' });
      return ok({
        result:
          event.type === 'egress'
            ? await followEgress(deps, event.egress)
            : await handleLiveKitEvent(deps, event),
      });
    },
  );

export const handler = createHandler(createWebhookDeps(loadConfig({ store, livekit, recording })));
