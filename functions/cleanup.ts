import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { cleanup, limits, livekit, loadConfig, recording, rooms, store } from '../lib/config.ts';
import { createCleanupDeps } from '../lib/deps.ts';
import { cleanUp } from '../lib/meetings/cleanup/run.ts';
import type { CleanupDeps, CleanupReport } from '../lib/meetings/cleanup/types.ts';
import { withRequestId } from '../lib/observability.ts';

/** What a batch of clubs may take at worst, and a margin. */
const TIME_FOR_A_BATCH_MS = 30_000;

export const createHandler =
  (deps: CleanupDeps) =>
  (_: unknown, context: Context): Promise<CleanupReport> =>
    withRequestId(context.awsRequestId, () =>
      cleanUp(deps, () => context.getRemainingTimeInMillis() > TIME_FOR_A_BATCH_MS),
    );

const cleanUpNow = createHandler(
  createCleanupDeps(loadConfig({ store, livekit, rooms, limits, cleanup, recording })),
);

/** The doctor's event: it asks whether the function starts, and cleans up nothing. */
const Probe = z.object({ isProbe: z.literal(true) });

export const handler = async (event: unknown, context: Context) =>
  Probe.safeParse(event).success ? 'started' : cleanUpNow(event, context);
