/** Who may call the API: the pages of which origins, and a person with a token. */
import * as z from 'zod/mini';
import { type Answer, ask, jsonOf } from './http.ts';
import { reasonOf } from './reasons.ts';
import type { Finding } from './runner.ts';
import type { Configuration } from './targets.ts';

/** The function starts first, when it was not called for a while. */
const API_WITHIN_MS = 10_000;

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];
const HEADERS = ['authorization', 'content-type'];

const isLoopback = (origin: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(new URL(origin).hostname);

/** As a browser asks before it lets a page call: once for each origin. */
export async function mayCall(
  { apiUrl, webOrigins }: Configuration,
  isLocal: boolean,
): Promise<Finding> {
  const complaints: string[] = [];
  for (const origin of webOrigins) {
    const { headers } = await ask(`${apiUrl}/token`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': HEADERS.join(','),
      },
    });
    const allowed = (name: string) =>
      (headers.get(`access-control-allow-${name}`) ?? '').toLowerCase().split(/ *, */);
    if (!allowed('origin').includes(origin)) complaints.push(origin);
    else {
      const methods = METHODS.map((method) => method.toLowerCase());
      const missing = [
        ...methods.filter((method) => !allowed('methods').includes(method)),
        ...HEADERS.filter((header) => !allowed('headers').includes(header)),
      ];
      if (missing.length > 0) complaints.push(`${origin} (${missing.join(', ')})`);
    }
  }
  if (complaints.length > 0) {
    return {
      outcome: 'failure',
      sentence: `The API does not let pages call of ${complaints.join(', ')}`,
      remedy: 'Was CORS changed by hand? Deploy this version again',
    };
  }
  const sentence = `Pages of ${webOrigins.join(', ')} may call the API`;
  if (!isLocal && webOrigins.every(isLoopback)) {
    return {
      outcome: 'warning',
      sentence: `${sentence}, and no other`,
      remedy: 'Name the origin of your page: webOrigins in docs/configuration.md',
    };
  }
  return { outcome: 'ok', sentence };
}

const Claims = z.object({
  iss: z.optional(z.string()),
  token_use: z.optional(z.string()),
  client_id: z.optional(z.string()),
  exp: z.optional(z.number()),
});
const Clubs = z.object({ clubs: z.array(z.unknown()) });

/** What a person is answered who asks for their clubs. */
export async function askAsPerson(configuration: Configuration, token: string): Promise<Finding> {
  let answer: Answer;
  try {
    const headers = { authorization: `Bearer ${token}` };
    answer = await ask(`${configuration.apiUrl}/clubs`, { headers }, API_WITHIN_MS);
  } catch (error) {
    return {
      outcome: 'failure',
      sentence: `No answer from ${configuration.apiUrl}: ${reasonOf(error)}`,
      remedy: 'Is the API up, and is this its URL?',
    };
  }
  const { status, text } = answer;
  if (status === 401) {
    return {
      outcome: 'failure',
      sentence: 'The API refuses the token',
      remedy: whyRefused(configuration, token),
    };
  }
  const clubs = Clubs.safeParse(jsonOf(text));
  if (status !== 200 || !clubs.success) {
    return {
      outcome: 'failure',
      sentence: `The API answers the token with ${status}`,
      remedy: 'Look at the log of the function myClubs: docs/operations.md',
    };
  }
  const { length } = clubs.data.clubs;
  const answered = `The API accepts the token, whose owner is in ${length} club${length === 1 ? '' : 's'}`;
  if (length > 0) return { outcome: 'ok', sentence: answered };
  return {
    outcome: 'warning',
    sentence: answered,
    remedy: 'Make them a member: `npm run clubs -- put-member`',
  };
}

/** By what the token says of itself. */
function whyRefused({ issuer, clientIds }: Configuration, token: string): string {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const claims = Claims.safeParse(jsonOf(payload)).data;
  if (!claims)
    return 'It is no token of a user pool: give the access token alone, without "Bearer"';
  if (claims.token_use !== 'access')
    return 'It is no access token: a login gives one besides the ID token';
  if (claims.iss !== issuer) return `It is of ${claims.iss}, and the API takes those of ${issuer}`;
  if (!clientIds.includes(claims.client_id ?? '')) {
    return `Its app client ${claims.client_id} is none of ${clientIds.join(', ')}: userPoolClientIds`;
  }
  if ((claims.exp ?? 0) * 1000 < Date.now()) return 'It has expired: log in again';
  return 'It looks right. Is it cut off, or was it made by another pool of that id?';
}
