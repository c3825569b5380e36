/** Which calls of DynamoDB each function's role allows, by `deploy/roles.yml`. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Wire } from './wire.ts';

const roles = readFileSync(new URL('../../deploy/roles.yml', import.meta.url), 'utf8');

function allowedTo(functionName: string): string[] {
  const name = `${functionName.charAt(0).toUpperCase()}${functionName.slice(1)}Role`;
  const [, role] = roles.split(`\n  ${name}:\n`);
  if (role === undefined) throw new Error(`deploy/roles.yml has no ${name}`);
  const [own = ''] = role.split(/\n {2}\w+Role:\n/);
  return [...own.matchAll(/dynamodb:(\w+)/g)].flatMap(([, operation]) => operation ?? []);
}

/**
 * Wraps a process's calls of its functions: what a function asks of DynamoDB while no other one of the
 * process runs must be allowed to its role.
 */
export function withinRoles(wire: Wire) {
  let running = 0;
  let isShared = false;
  return async <T>(functionName: string, call: () => Promise<T>): Promise<T> => {
    running += 1;
    isShared = running > 1;
    const seen = new Set(wire.seen());
    try {
      return await call();
    } finally {
      running -= 1;
      const asked = wire
        .seen()
        .filter((request) => request.side === 'store' && !seen.has(request))
        .map(({ operation }) => operation);
      if (!isShared) expect(allowedTo(functionName)).toEqual(expect.arrayContaining(asked));
    }
  };
}
