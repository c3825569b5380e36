import type { Context } from 'aws-lambda';
import { livekit, loadConfig, store } from '../lib/config.ts';
import { createManageDeps } from '../lib/deps.ts';
import { AppError, type ErrorCode } from '../lib/errors.ts';
import { STATUS } from '../lib/http/errors.ts';
import { parse } from '../lib/http/request.ts';
import { Command, type ManageDeps, type Managed, manageClubs } from '../lib/meetings/manage.ts';
import { withRequestId } from '../lib/observability.ts';

/** A refusal is an answer; an outage is thrown, so that an asynchronous invocation is tried again. */
type Answer = Managed | { error: string; code: ErrorCode };

export const createHandler =
  (deps: ManageDeps) =>
  (event: unknown, context: Context): Promise<Answer> =>
    withRequestId(context.awsRequestId, async () => {
      try {
        return await manageClubs(deps, parse(event ?? {}, Command));
      } catch (error) {
        if (!(error instanceof AppError) || STATUS[error.code] >= 500) throw error;
        return { error: error.message, code: error.code };
      }
    });

export const handler = createHandler(createManageDeps(loadConfig({ store, livekit })));
