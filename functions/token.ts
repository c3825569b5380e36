import * as z from 'zod/mini';
import { identity, livekit, loadConfig, recording, rooms, store, tokens } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId, maybe, ParticipantName } from '../lib/meetings/model.ts';
import { createJoinToken, type TokenDeps } from '../lib/meetings/token.ts';

export const Body = z.strictObject({
  readingClubId: ClubId,
  participantName: maybe(ParticipantName),
  roomMissing: maybe(z.boolean('must be true or false')),
  consent: maybe(z.boolean('must be true or false')),
});
export const route = { route: 'POST /token', failure: 'Failed to generate token' };

export const createHandler = (deps: TokenDeps & HttpDeps) =>
  httpHandler(route, deps, { body: Body }, async ({ readingClubId: clubId, ...request }) =>
    ok(await createJoinToken(deps, { clubId, ...request })),
  );

export const handler = createHandler(
  createDeps(loadConfig({ store, livekit, identity, rooms, tokens, recording })),
);
