import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { type Child, startChild } from './child.ts';
import { ON_THIS_MACHINE } from './dynamodb.ts';

/** As long as a working day; a pool on AWS has one hour by default. */
export const ACCESS_TOKEN_HOURS = 12;
const READY_WITHIN_MS = 90_000;

// The same in every stack, so that a client can be configured once.
const USER_POOL_ID = 'local_clubs';
const CLIENT_ID = 'reading-clubs-app';

const program = createRequire(import.meta.url).resolve('cognito-local/lib/bin/start.js');

/** A user pool with an app client: all that a login needs. */
export type Cognito = { endpoint: string; userPoolId: string; clientId: string };

export type Identity = Cognito & Child;

/** The user pool that `startIdentity` on that port has: known before it runs. */
export function cognitoOn(port: number): Cognito {
  return {
    endpoint: `http://127.0.0.1:${port}`,
    userPoolId: USER_POOL_ID,
    clientId: CLIENT_ID,
  };
}

/**
 * cognito-local on `port`, with an empty user pool and a client that logs in by password, or on the pool's
 * own page, which leads back to `callbackUrl`.
 */
export async function startIdentity(options: {
  port: number;
  callbackUrl?: string;
  onLine?: ((line: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}): Promise<Identity> {
  const { port, callbackUrl, onLine, signal } = options;
  const cognito = cognitoOn(port);
  const dir = await mkdtemp(join(tmpdir(), 'cognito-local-'));
  const removeDir = () => rm(dir, { recursive: true, force: true });
  try {
    await writeUserPool(dir, cognito, callbackUrl);
    const child = await startChild({
      name: 'Cognito (cognito-local)',
      args: [program],
      cwd: dir,
      env: { HOST: '127.0.0.1', PORT: `${port}` },
      readyLine: /Cognito Local running on/,
      readyWithinMs: READY_WITHIN_MS,
      onLine,
      signal,
    });
    return { ...cognito, ...child, stop: () => child.stop().finally(removeDir) };
  } catch (error) {
    await removeDir();
    throw error;
  }
}

/** What the tokens of this pool name as their issuer; the key set is below it. */
export function issuerOf({ endpoint, userPoolId }: Pick<Cognito, 'endpoint' | 'userPoolId'>) {
  return `${endpoint}/${userPoolId}`;
}

/** A user who can log in; the answer is the `sub`, by which the service knows people. */
export function createUser(
  { endpoint, userPoolId }: Cognito,
  { username, password }: { username: string; password: string },
): Promise<string> {
  return withClient(endpoint, async (client) => {
    const user = { UserPoolId: userPoolId, Username: username };
    const created = await client.send(
      new AdminCreateUserCommand({ ...user, MessageAction: 'SUPPRESS' }),
    );
    await client.send(
      new AdminSetUserPasswordCommand({ ...user, Password: password, Permanent: true }),
    );
    const attributes = created.User?.Attributes ?? [];
    return given(attributes.find(({ Name }) => Name === 'sub')?.Value, `sub of ${username}`);
  });
}

/** Logs a user in by password. */
export function logIn(
  { endpoint, clientId }: Pick<Cognito, 'endpoint' | 'clientId'>,
  username: string,
  password: string,
): Promise<{ accessToken: string; idToken: string; refreshToken: string }> {
  return withClient(endpoint, async (client) => {
    const { AuthenticationResult: result } = await client.send(
      new InitiateAuthCommand({
        ClientId: clientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: username, PASSWORD: password },
      }),
    );
    return {
      accessToken: given(result?.AccessToken, `access token for ${username}`),
      idToken: given(result?.IdToken, `ID token for ${username}`),
      refreshToken: given(result?.RefreshToken, `refresh token for ${username}`),
    };
  });
}

/** cognito-local keeps all it knows in files, and starts from what it finds in them. */
async function writeUserPool(
  dir: string,
  cognito: Cognito,
  callbackUrl: string | undefined,
): Promise<void> {
  const { endpoint, userPoolId: UserPoolId, clientId: ClientId } = cognito;
  const client = {
    ClientId,
    UserPoolId,
    ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
    AccessTokenValidity: ACCESS_TOKEN_HOURS,
    IdTokenValidity: ACCESS_TOKEN_HOURS,
    ...(callbackUrl && { CallbackURLs: [callbackUrl] }),
    TokenValidityUnits: { AccessToken: 'hours', IdToken: 'hours' },
  };
  const files = {
    'config.json': { TokenConfig: { IssuerDomain: endpoint } },
    'db/clients.json': { Clients: { [ClientId]: client } },
    // No attribute as user name: these names are no e-mail addresses.
    [`db/${UserPoolId}.json`]: { Users: {}, Options: { Id: UserPoolId, UsernameAttributes: [] } },
  };
  await mkdir(join(dir, '.cognito', 'db'), { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(dir, '.cognito', file), JSON.stringify(content));
  }
}

async function withClient<T>(
  endpoint: string,
  use: (client: CognitoIdentityProviderClient) => Promise<T>,
): Promise<T> {
  const client = new CognitoIdentityProviderClient({ endpoint, ...ON_THIS_MACHINE });
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

function given(value: string | undefined, what: string): string {
  if (value === undefined) throw new Error(`cognito-local gave no ${what}.`);
  return value;
}
