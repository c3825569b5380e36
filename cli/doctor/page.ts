/** The page of the stage: is it there, of this stage, and may it connect to LiveKit? */
import * as z from 'zod/mini';
import type { LiveKitSettings } from '../../lib/livekit/settings.ts';
import { type Answer, ask, jsonOf } from './http.ts';
import { reasonOf } from './reasons.ts';
import type { Finding } from './runner.ts';
import type { Configuration } from './targets.ts';

const Config = z.object({ apiUrl: z.string() });

export async function visitPage(
  { url, livekitOrigins }: NonNullable<Configuration['page']>,
  { apiUrl, webOrigins }: Configuration,
  { wsUrl }: LiveKitSettings,
): Promise<Finding> {
  const failure = (sentence: string, remedy: string): Finding => ({
    outcome: 'failure',
    sentence,
    remedy,
  });
  if (!webOrigins.includes(url)) {
    return failure(
      `The page at ${url} may not call the API or log in`,
      `Add ${url} to webOrigins, and deploy the stage again`,
    );
  }
  const { origin } = new URL(wsUrl);
  const forbidden = [origin, origin.replace(/^ws/, 'http')].filter(
    (each) => !livekitOrigins.some((allowed) => isWithin(each, allowed)),
  );
  if (forbidden.length > 0) {
    return failure(
      `The page's policy does not let it connect to ${forbidden.join(' and ')}`,
      'Name these origins in the parameter livekitOrigins, and deploy the stage again',
    );
  }
  let answer: Answer;
  try {
    answer = await ask(`${url}/config.json`);
  } catch (error) {
    return failure(
      `No answer from ${url}: ${reasonOf(error)}`,
      'Does its domain name lead to the output WebAddress of the stack?',
    );
  }
  const upload = 'Put the page there: npm run web:deploy -- --stage …';
  if (answer.status !== 200) return failure(`${url} is answered ${answer.status}`, upload);
  const config = Config.safeParse(jsonOf(answer.text));
  if (config.data?.apiUrl !== apiUrl) {
    return failure(`The page at ${url} is not of this stage`, upload);
  }
  return { outcome: 'ok', sentence: `The page at ${url} is of this stage` };
}

/** As a browser compares a source of a content security policy: `*.` stands for any label before it. */
function isWithin(origin: string, allowed: string): boolean {
  const [scheme = '', host = ''] = allowed.split('://');
  if (!origin.startsWith(`${scheme}://`)) return false;
  const name = origin.slice(scheme.length + '://'.length);
  return host.startsWith('*.') ? name.endsWith(host.slice(1)) : name === host;
}
