/** The user pool's key set, by which the functions verify callers. */
import * as z from 'zod/mini';
import { type Answer, ask, jsonOf } from './http.ts';
import { reasonOf } from './reasons.ts';
import type { Found } from './runner.ts';

const KeySet = z.object({
  keys: z.array(z.object({ kid: z.string(), kty: z.literal('RSA') })).check(z.minLength(1)),
});

export async function readKeySet(issuer: string): Promise<Found<Pick<Answer, 'aheadMs'>>> {
  const url = `${issuer}/.well-known/jwks.json`;
  const remedy = 'Is the issuer the URL of a user pool that is there?';
  let answer: Answer;
  try {
    answer = await ask(url);
  } catch (error) {
    return { outcome: 'failure', sentence: `No answer from ${url}: ${reasonOf(error)}`, remedy };
  }
  const { status, text, aheadMs } = answer;
  if (status !== 200)
    return { outcome: 'failure', sentence: `${url} is answered ${status}`, remedy };
  const keySet = KeySet.safeParse(jsonOf(text));
  if (!keySet.success) {
    return { outcome: 'failure', sentence: `${url} has no RSA keys for signatures`, remedy };
  }
  const { length } = keySet.data.keys;
  return {
    outcome: 'ok',
    sentence: `${length} key${length === 1 ? '' : 's'} at ${url}`,
    found: { aheadMs },
  };
}
