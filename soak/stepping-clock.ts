/**
 * Loaded into the API's process before anything else: its clock is ahead or behind for a while, as that of a
 * machine which is set right. The steps are the plan's.
 */
import process from 'node:process';
import type { ClockStep } from './generator.ts';

const { beganAt, steps }: { beganAt: number; steps: ClockStep[] } = JSON.parse(
  process.env['SOAK_CLOCK'] ?? '{ "beganAt": 0, "steps": [] }',
);

const Real = globalThis.Date;

function now(): number {
  const real = Real.now();
  return real + (steps.findLast(({ fromMs }) => beganAt + fromMs <= real)?.aheadMs ?? 0);
}

globalThis.Date = new Proxy(Real, {
  construct: (target, parts, newTarget) =>
    Reflect.construct(target, parts.length === 0 ? [now()] : parts, newTarget),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
