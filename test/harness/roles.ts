/** Which calls of DynamoDB and S3 each function's role allows, by `deploy/roles.yml`. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Wire } from './wire.ts';

const roles = readFileSync(new URL('../../deploy/roles.yml', import.meta.url), 'utf8');

function allowedTo(functionName: string): string[] {
  const name = `${functionName.charAt(0).toUpperCase()}${functionName.slice(1)}Role`;
  const [, role] = roles.split(`\n  ${name}:\n`);
  if (role === undefined) throw new Error(`deploy/roles.yml has no ${name}`);
  const [own = ''] = role.split(/\n {2}\w+Role:\n/);
  // A statement that several roles share is written out in the first of them.
  const statements = [...own.matchAll(/\*(\w+)$/gm)].map(
    ([, anchor]) => roles.split(`&${anchor}\n`)[1]?.split('\n              - ')[0] ?? '',
  );
  return [...[own, ...statements].join('\n').matchAll(/(?:dynamodb|s3):(\w+)/g)].flatMap(
    ([, operation]) => operation ?? [],
  );
}

/**
 * Wraps a process's calls of its functions: what a function asks of DynamoDB and S3 must be allowed to its
 * role. Nothing is checked while several run, or after one failed, since a part of it may run on.
 */
export function withinRoles(wire: Wire) {
  let running = 0;
  let isShared = false;
  let hasFailed = false;
  return async <T>(functionName: string, call: () => Promise<T>): Promise<T> => {
    const runsOn = hasFailed;
    running += 1;
    isShared = running > 1;
    const seen = new Set(wire.seen());
    try {
      const answer = await call();
      hasFailed ||= isFailure(answer);
      return answer;
    } catch (error) {
      hasFailed = true;
      throw error;
    } finally {
      running -= 1;
      const asked = wire
        .seen()
        .filter((request) => ['store', 'files'].includes(request.side) && !seen.has(request))
        .map(({ operation }) => operation)
        // The recorder's, who has rights of its own.
        .filter((operation) => operation !== 'PutObject');
      if (!isShared && !runsOn) {
        expect(allowedTo(functionName)).toEqual(expect.arrayContaining(asked));
      }
    }
  };
}

const isFailure = (answer: unknown): boolean =>
  typeof answer === 'object' &&
  answer !== null &&
  'status' in answer &&
  Number(answer.status) >= 500;
