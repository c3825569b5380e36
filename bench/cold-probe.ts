/**
 * Imports one module in a process that has done nothing else, and has it answer one request. Compiled
 * before it is run, so that nothing of Node's TypeScript support is in the figures.
 */
import { statSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface ProbeOrder {
  /** Loaded as the Lambda runtime does it: CommonJS by `require`. */
  module: string;
  /** Its export is an Express app, for which this adapter makes the handler. */
  adapter?: string;
  event?: unknown;
  /** Counts what is loaded instead, which costs time. */
  countsFiles?: boolean;
}

export interface ProbeResult {
  importMs: number;
  /** From before the import to the first request's answer. */
  answeredMs?: number;
  statusCode?: number;
  /** User and system time of both together. */
  cpuMs: number;
  /** Of the whole process at the end: Node, code and data. */
  residentBytes: number;
  files: number;
  bytes: number;
}

const order: ProbeOrder = JSON.parse(process.argv[2] ?? '{}');
const load = createRequire(order.module);
const context = { getRemainingTimeInMillis: () => 12_000 };

let files = 0;
let bytes = 0;
if (order.countsFiles) {
  registerHooks({
    load(url, loadContext, nextLoad) {
      if (url.startsWith('file:')) {
        files++;
        bytes += statSync(fileURLToPath(url)).size;
      }
      return nextLoad(url, loadContext);
    },
  });
}

const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
const exports = load(order.module);
const importMs = performance.now() - startedAt;
const answer: Pick<ProbeResult, 'answeredMs' | 'statusCode'> = {};
if (order.event) {
  const handler = order.adapter
    ? load(order.adapter).configure({ app: exports.app })
    : exports.handler;
  const { statusCode } = await handler(order.event, context);
  answer.answeredMs = performance.now() - startedAt;
  answer.statusCode = statusCode;
}
const { user, system } = process.cpuUsage(cpuBefore);
const result: ProbeResult = {
  importMs,
  ...answer,
  cpuMs: (user + system) / 1000,
  residentBytes: process.memoryUsage.rss(),
  files,
  bytes,
};
process.send?.(result, () => process.exit());
