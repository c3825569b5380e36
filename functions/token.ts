import * as z from 'zod/mini';
import { identity, livekit, loadConfig, rooms, store, tokens } from '../lib/config.ts';
import { createDeps } from '../lib/deps.ts';
import { type HttpDeps, httpHandler } from '../lib/http/handler.ts';
import { parseBody } from '../lib/http/request.ts';
import { ok } from '../lib/http/response.ts';
import { ClubId, ParticipantName } from '../lib/meetings/model.ts';
import { createJoinToken, type TokenDeps } from '../lib/meetings/token.ts';

export const Body = z.strictObject({
  readingClubId: ClubId,
  participantName: z.optional(ParticipantName),
});
export const route = { route: 'POST /token', failure: 'Failed to generate token' };

export const createHandler = (deps: TokenDeps & HttpDeps) =>
  httpHandler(route, deps, async (event, caller) => {
    const { readingClubId: clubId, participantName } = parseBody(event, Body);
    return ok(await createJoinToken(deps, { caller, clubId, participantName }));
  });

export const handler = createHandler(
  createDeps(loadConfig({ store, livekit, identity, rooms, tokens })),
);
