import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { fileURLToPath } from 'node:url';
import { createServer as createVite } from 'vite';
import { type Cognito, issuerOf } from './identity.ts';
import { closeNow, listen } from './listen.ts';
import type { LiveKit } from './livekit/start.ts';
import type { PublicHost } from './network.ts';

const configFile = fileURLToPath(new URL('../web/vite.config.ts', import.meta.url));

/** By its name: a user pool lets pages on `localhost` alone log people in over http. */
export const webUrl = (port: number, host?: string): string =>
  host === undefined ? `http://localhost:${port}` : `https://${host}:${port}`;

/** The other parts, for a page that others on the network open: all of them at the page's own origin. */
interface Behind {
  api: string;
  cognito: string;
  livekit: string;
}

/** The page's `/config.json`: where its API is, and how people log in. */
export const webConfig = (
  apiUrl: string,
  cognito: Cognito,
  livekit: LiveKit['kind'],
  /** Where the page reaches the pool. */
  login = cognito.endpoint,
) => ({
  apiUrl,
  identity: {
    issuer: issuerOf(cognito),
    clientId: cognito.clientId,
    authorizationEndpoint: `${login}/oauth2/authorize`,
    tokenEndpoint: `${login}/oauth2/token`,
  },
  livekit: livekit === 'stand-in' ? 'stand-in' : 'server',
  // All that the development recorder can.
  recordingDefault: 'audio',
});

/** The page of `web/`, by Vite in this process: an edit shows at once. */
export async function startWeb({
  port,
  config,
  publicHost,
  behind,
}: {
  port: number;
  config: object;
  publicHost?: PublicHost | undefined;
  behind: Behind;
}) {
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    answer(request, response);
  const server = publicHost
    ? createSecureServer({ key: publicHost.key, cert: publicHost.cert }, onRequest)
    : createServer(onRequest);
  const vite = await createVite({
    configFile,
    configLoader: 'native',
    server: {
      middlewareMode: { server },
      ws: { server },
      ...(publicHost && { proxy: proxyTo(behind) }),
    },
    logLevel: 'warn',
    clearScreen: false,
  });
  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '/config.json') {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache' });
      response.end(JSON.stringify(config));
      return;
    }
    vite.middlewares(request, response, () => response.writeHead(404).end());
  }
  try {
    await listen(server, port, publicHost?.address);
  } catch (error) {
    await vite.close();
    throw error;
  }
  return {
    url: webUrl(port, publicHost?.address),
    async stop() {
      await vite.close();
      // Not awaited: a connection that was upgraded stays open.
      void closeNow(server);
    },
  };
}

/** Signalling and room API of LiveKit, the API, and the pool's login. */
const proxyTo = ({ api, cognito, livekit }: Behind) => ({
  '/api/': { target: api },
  '/rtc': { target: livekit, ws: true },
  '/twirp/': { target: livekit },
  '/oauth2/': { target: cognito },
});
