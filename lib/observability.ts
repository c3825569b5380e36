import { AsyncLocalStorage } from 'node:async_hooks';
import { Logger } from '@aws-lambda-powertools/logger';
import type { Log, LogFields } from './meetings/ports.ts';

const invocation = new AsyncLocalStorage<{ requestId: string }>();

/** Runs `work` so that each of its log lines carries the request id. */
export const withRequestId = <T>(requestId: string, work: () => T): T =>
  invocation.run({ requestId }, work);

export const requestId = (): string | undefined => invocation.getStore()?.requestId;

/** One JSON line a message through Powertools; its level is `POWERTOOLS_LOG_LEVEL`. */
export function createLog(): Log {
  const logger = new Logger({ serviceName: 'reading-club-meetings' });
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
