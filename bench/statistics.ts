import { createHistogram } from 'node:perf_hooks';

const NS_PER_MS = 1e6;

/** Percentiles of durations in milliseconds, from Node's own HDR histogram. */
export function distributionOf(durationsMs: Iterable<number>) {
  const histogram = createHistogram({ figures: 4 });
  for (const value of durationsMs) histogram.record(Math.max(1, Math.round(value * NS_PER_MS)));
  return {
    p50: histogram.percentile(50) / NS_PER_MS,
    p99: histogram.percentile(99) / NS_PER_MS,
  };
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return (upper + lower) / 2;
}
