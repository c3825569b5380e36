/** What the doctor finds, run in this process, which is faster than the program. */
import { expect } from 'vitest';
import { type Io, run } from '../../cli/doctor/run.ts';
import type { Outcome, Report } from '../../cli/doctor/runner.ts';
import { expectNoSecret } from '../harness/secrets.ts';
import { printed } from './terminal.ts';

/** By check: its outcome, or with its words. */
export type Findings = Record<
  string,
  Outcome | { outcome: Outcome; sentence?: Words; remedy?: Words }
>;

/** A string is the whole text; see `containing`. */
type Words = string | ReturnType<typeof containing>;

const finding = (outcome: Outcome) => (sentence?: Words, remedy?: Words) => ({
  outcome,
  ...(sentence !== undefined && { sentence }),
  ...(remedy !== undefined && { remedy }),
});
export const ok = finding('ok');
export const warning = finding('warning');
export const failure = finding('failure');
export const skipped = (...checks: string[]): Findings =>
  Object.fromEntries(checks.map((check) => [check, 'skipped']));

export const containing = (part: string) => expect.stringContaining(part);
export const matching = (pattern: RegExp) => expect.stringMatching(pattern);

/** The JSON of the doctor. Nothing that it prints is a secret or a token; its exit code fits. */
export async function reportsOf(
  args: string[],
  io: Omit<Io, 'env' | 'out' | 'err'>,
  secrets: string[],
): Promise<{ target: string | null; checks: Report[] }> {
  const { exit, out, err } = await printed((to) => run([...args, '--json'], { ...to, ...io }));
  expectNoSecret([['the output', out + err]], secrets);
  expect(out + err, 'a token').not.toMatch(/eyJ[\w-]+\.[\w-]+/);
  const report: Awaited<ReturnType<typeof reportsOf>> = JSON.parse(out);
  const hasFailure = report.checks.some(({ outcome }) => outcome === 'failure');
  expect(exit).toBe(io.stop?.aborted ? 130 : hasFailure ? 1 : 0);
  return report;
}

/** All checks in the order of `healthy`, and as there but for the findings. */
export function expectFindings(
  checks: Report[],
  healthy: Record<string, Outcome>,
  findings: Findings = {},
): void {
  expect(checks).toMatchObject(
    Object.entries<Findings[string]>({ ...healthy, ...findings }).map(([check, expected]) => ({
      check,
      ...(typeof expected === 'string' ? { outcome: expected } : expected),
    })),
  );
}
