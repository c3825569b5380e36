/**
 * A cleanup in a process of its own, as a Lambda function is one: for what its memory and time are.
 * Takes the function's environment, and writes one line of JSON.
 */
import { readFileSync } from 'node:fs';
import { handler } from '../../functions/cleanup.ts';
import { CLEANUP_TIMEOUT_MS, contextOf } from './context.ts';

const startedAt = performance.now();
const report = await handler(
  {},
  contextOf(Number(process.env['TIMEOUT_MS'] ?? CLEANUP_TIMEOUT_MS)),
);
const seconds = (performance.now() - startedAt) / 1000;
const megabytes = peakKilobytes() / 1024;
process.stdout.write(`${JSON.stringify({ report, seconds, megabytes })}\n`);
process.exit();

/** On Linux `maxRSS` begins with the peak of the process that started this one; /proc has our own. */
function peakKilobytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  const [, kilobytes] =
    /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes);
}
