import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { TimedOut } from './errors.ts';
import type { Log, LogFields, Meter, Timed } from './meetings/ports.ts';

const METRICS_NAMESPACE = 'ReadingClubMeetings';

/** What the function waits for while it handles a request. */
export type Dependency = 'Store' | 'Media' | 'Files';

interface Invocation {
  requestId: string;
  /** Aborted when the request was answered without waiting for its work. */
  signal?: AbortSignal;
  waits: { dependency: Dependency; durationMs: number }[];
}

const invocation = new AsyncLocalStorage<Invocation>();

/** Runs `work` so that each of its log lines carries the request id, and its waits are known. */
export const withRequestId = <T>(requestId: string, work: () => T): T =>
  invocation.run({ requestId, waits: [] }, work);

/** Once `signal` is aborted, the invocation begins no more calls to its dependencies. */
export function stopOn(signal: AbortSignal): void {
  const current = invocation.getStore();
  if (current) current.signal = signal;
}

export const requestId = (): string | undefined => invocation.getStore()?.requestId;

/**
 * One JSON line a message through Powertools, which reads its level from `POWERTOOLS_LOG_LEVEL` and
 * the service, that figures have as their dimension, from `POWERTOOLS_SERVICE_NAME`.
 */
export function createLog(): Log {
  const logger = new Logger();
  const line = (fields: LogFields, error?: unknown) => ({
    requestId: requestId(),
    ...fields,
    ...(error instanceof Error && { error }),
  });
  return {
    info: (message, fields) => logger.info(message, line(fields)),
    warn: (message, fields, error) => logger.warn(message, line(fields, error)),
    error: (message, fields, error) => logger.error(message, line(fields, error)),
  };
}

/**
 * Notes how long the invocation waits for a dependency, whether or not it answers. Makes no call for a
 * request that was given up, and aborts the one that is running: on Lambda its attempts would go on at
 * the next request, minutes later, and undo what was decided in between.
 */
export const timed =
  (dependency: Dependency): Timed =>
  async (call) => {
    const signal = invocation.getStore()?.signal;
    if (signal?.aborted) throw new TimedOut();
    const startedAt = performance.now();
    try {
      return await call(signal);
    } catch (error) {
      throw signal?.aborted ? new TimedOut() : error;
    } finally {
      const durationMs = performance.now() - startedAt;
      invocation.getStore()?.waits.push({ dependency, durationMs });
    }
  };

/** `storeMs`, `mediaMs`, `filesMs`: all that the invocation waited for each, retries included. */
export function waits(): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { dependency, durationMs } of invocation.getStore()?.waits ?? []) {
    const name = `${dependency.toLowerCase()}Ms`;
    sums[name] = Math.round((sums[name] ?? 0) + durationMs);
  }
  return sums;
}

/**
 * CloudWatch metrics in the embedded format, one line for each request or run: docs/operations.md
 * lists them. Times are in the log and no metrics: each would cost money by route and code, and Lambda
 * measures the time of each function by itself. `POWERTOOLS_METRICS_DISABLED` silences them.
 */
export function createMeter(): Meter {
  const metrics = new Metrics({ namespace: METRICS_NAMESPACE });
  // Powertools keeps what was added until it is published: nothing may come in between.
  const emit = (dimensions: Record<string, string>, counts: Record<string, number>): void => {
    metrics.addDimensions(dimensions);
    for (const [name, count] of Object.entries(counts)) {
      metrics.addMetric(name, MetricUnit.Count, count);
    }
    metrics.publishStoredMetrics();
  };
  return {
    request: (dimensions) => emit({ ...dimensions }, { Requests: 1 }),
    run: (job, counts) => emit({ job }, counts),
  };
}
