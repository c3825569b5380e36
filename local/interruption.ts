import { constants } from 'node:os';

/** npm passes on a Ctrl-C that the terminal has sent its child already: the same one, a moment later. */
const SAME_SIGNAL_WITHIN_MS = 500;

/**
 * Aborted by the first signal that asks this process to end. The next one ends it at once, whatever it
 * waits for: children of `startChild` end with it.
 */
export function onInterruption(): AbortController {
  const interrupted = new AbortController();
  let firstAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      firstAt ??= performance.now();
      if (performance.now() - firstAt > SAME_SIGNAL_WITHIN_MS) {
        process.exit(128 + constants.signals[signal]);
      }
      interrupted.abort(new Error(`Stopped (${signal}).`));
    });
  }
  return interrupted;
}
