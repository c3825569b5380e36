import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { livekit, loadConfig, store } from '../lib/config.ts';
import { createClubCommandDeps } from '../lib/deps.ts';
import { AppError, type ErrorCode } from '../lib/errors.ts';
import { STATUS } from '../lib/http/errors.ts';
import { parse } from '../lib/http/request.ts';
import {
  type ClubCommandDeps,
  Command,
  type CommandResult,
  runClubCommand,
} from '../lib/meetings/club-commands.ts';
import type { Meter } from '../lib/meetings/ports.ts';
import { withRequestId } from '../lib/observability.ts';

/**
 * A refusal is an answer, unless the command asks for an error; an outage is thrown. What is thrown in an
 * asynchronous invocation is tried again.
 */
type Answer = CommandResult | { error: string; code: ErrorCode };

export const createHandler =
  (deps: ClubCommandDeps & { meter: Pick<Meter, 'run'> }) =>
  (event: unknown, context: Context): Promise<Answer> =>
    withRequestId(context.awsRequestId, async () => {
      try {
        return await runClubCommand(deps, parse(event ?? {}, Command));
      } catch (error) {
        if (!(error instanceof AppError) || STATUS[error.code] >= 500) throw error;
        deps.log.warn('command refused', { code: error.code });
        deps.meter.run('clubs', { refused: 1 });
        if (ThrowsRefusals.safeParse(event).success) throw error;
        return { error: error.message, code: error.code };
      }
    });

/** Also a command that is refused because something else in it is wrong. */
const ThrowsRefusals = z.looseObject({ onRefusal: z.literal('throw') });

export const handler = createHandler(createClubCommandDeps(loadConfig({ store, livekit })));
