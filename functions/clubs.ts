import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { livekit, loadConfig, store } from '../lib/config.ts';
import { createManageDeps } from '../lib/deps.ts';
import { AppError, type ErrorCode } from '../lib/errors.ts';
import { STATUS } from '../lib/http/errors.ts';
import { parse } from '../lib/http/request.ts';
import { Command, type ManageDeps, type Managed, manageClubs } from '../lib/meetings/manage.ts';
import type { Meter } from '../lib/meetings/ports.ts';
import { withRequestId } from '../lib/observability.ts';

/**
 * A refusal is an answer, unless the command asks for an error; an outage is thrown. What is thrown in an
 * asynchronous invocation is tried again.
 */
type Answer = Managed | { error: string; code: ErrorCode };

export const createHandler =
  (deps: ManageDeps & { meter: Pick<Meter, 'run'> }) =>
  (event: unknown, context: Context): Promise<Answer> =>
    withRequestId(context.awsRequestId, async () => {
      try {
        return await manageClubs(deps, parse(event ?? {}, Command));
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

export const handler = createHandler(createManageDeps(loadConfig({ store, livekit })));
