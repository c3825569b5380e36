import * as z from 'zod/mini';
import { identity, loadConfig, recording, store } from '../lib/config.ts';
import { createRecordDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId } from '../lib/meetings/model.ts';
import { type ConsentDeps, giveConsent } from '../lib/meetings/recording/consent.ts';

export const Path = z.object({ clubId: ClubId });
export const route = {
  route: 'POST /{clubId}/recording/consent',
  failure: 'Failed to keep the consent',
};

export const createHandler = (deps: ConsentDeps & HttpDeps) =>
  httpHandler(route, deps, { path: Path }, async (request) => ok(await giveConsent(deps, request)));

const config = loadConfig({ store, identity, recording });
export const handler = createHandler({ ...config, ...createRecordDeps(config) });
