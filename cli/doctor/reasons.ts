import { AppError } from '../../lib/errors.ts';

/**
 * Why something failed, in a few words. LiveKit's own refusals quote the token that they refuse, so they
 * come through lib/livekit, which leaves that out.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  // Its own message quotes what it could not read.
  if (error instanceof SyntaxError) return 'an answer that is no JSON';
  // Of a service that is out of reach, or of fetch: the cause says more.
  const isWrapper = error instanceof AppError || error.message === 'fetch failed';
  if (isWrapper && error.cause !== undefined) return reasonOf(error.cause);
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join(', ');
  return error.message || ('code' in error ? String(error.code) : error.name);
}
