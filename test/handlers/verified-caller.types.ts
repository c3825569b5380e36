/**
 * Checked by the compiler alone: no use case can be called for a caller whose token was not verified, and
 * no function can be made without a verifier. Each `@ts-expect-error` fails the type check as soon as that
 * becomes possible.
 */
import { createHandler } from '../../functions/start.ts';
import type { HttpDeps } from '../../lib/http/handler.ts';
import { type EndDeps, endMeeting } from '../../lib/meetings/end.ts';
import type { Caller } from '../../lib/meetings/model.ts';
import { type StartDeps, startMeeting } from '../../lib/meetings/start.ts';
import { getMeetingStatus, type StatusDeps } from '../../lib/meetings/status.ts';
import { createJoinToken, type TokenDeps } from '../../lib/meetings/token.ts';

declare const deps: TokenDeps & StartDeps & EndDeps & StatusDeps;
declare const verified: Caller;
const claimed = { userId: 'the-user', username: 'the-user' };
const clubId = 'novels';

export const accepted = [
  () => createJoinToken(deps, { caller: verified, clubId }),
  () => startMeeting(deps, { caller: verified, clubId }),
  () => endMeeting(deps, { caller: verified, clubId }),
  () => getMeetingStatus(deps, { caller: verified, clubId }),
];

export const refused = [
  // @ts-expect-error: what a request claims is no verified caller
  () => createJoinToken(deps, { caller: claimed, clubId }),
  // @ts-expect-error
  () => startMeeting(deps, { caller: claimed, clubId }),
  // @ts-expect-error
  () => endMeeting(deps, { caller: claimed, clubId }),
  // @ts-expect-error
  () => getMeetingStatus(deps, { caller: claimed, clubId }),
  // @ts-expect-error: no caller
  () => startMeeting(deps, { clubId }),
];

declare const unverifying: StartDeps & Omit<HttpDeps, 'verifyCaller'>;
// @ts-expect-error: a handler without a verifier
export const openDoor = () => createHandler(unverifying);
