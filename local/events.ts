import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { APIGatewayProxyEventV2WithJWTAuthorizer } from 'aws-lambda';
import { logIn } from './identity.ts';
import type { StackDescription } from './stack-file.ts';

/** What the sample events hold in place of a club and a token. */
const SAMPLE_CLUB = 'my-club';
const SAMPLE_TOKEN = 'not.a.token';

const samplesDir = new URL('../events/', import.meta.url);
const eventsDir = new URL('../.local/events/', import.meta.url);

/**
 * Writes the sample events as the first club's moderator would send them, with a token that the
 * stack's user pool has just issued. Like the token they are of no use once the stack is gone. An event
 * without a caller, such as the schedule's, only gets the club.
 */
export async function writeEvents(stack: StackDescription): Promise<void> {
  const [moderator] = stack.users;
  if (!moderator?.clubId) throw new Error('The stack has no club with a moderator.');
  const { accessToken } = await logIn(stack.cognito, moderator.username, moderator.password);
  await mkdir(eventsDir, { recursive: true });
  for (const file of await readdir(samplesDir)) {
    const sample = await readFile(new URL(file, samplesDir), 'utf8');
    const event = sample.replaceAll(SAMPLE_CLUB, moderator.clubId);
    const isSigned = sample.includes(SAMPLE_TOKEN);
    await writeFile(new URL(file, eventsDir), isSigned ? withToken(event, accessToken) : event);
  }
}

export async function removeEvents(): Promise<void> {
  await rm(eventsDir, { recursive: true, force: true });
}

function withToken(sample: string, accessToken: string): string {
  const event: APIGatewayProxyEventV2WithJWTAuthorizer = JSON.parse(
    sample.replaceAll(SAMPLE_TOKEN, accessToken),
  );
  event.requestContext.authorizer.jwt.claims = claimsOf(accessToken);
  return `${JSON.stringify(event, null, 2)}\n`;
}

/** API Gateway hands every claim on as text. */
function claimsOf(token: string): Record<string, string> {
  const [, payload = ''] = token.split('.');
  const claims: Record<string, unknown> = JSON.parse(
    Buffer.from(payload, 'base64url').toString('utf8'),
  );
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, String(value)]));
}
