import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createServer as createVite } from 'vite';
import { type Cognito, issuerOf } from './identity.ts';
import type { LiveKit } from './livekit/start.ts';

const HOST = '127.0.0.1';
const configFile = fileURLToPath(new URL('../web/vite.config.ts', import.meta.url));

/** By its name: a user pool lets pages on `localhost` alone log people in over http. */
export const webUrl = (port: number): string => `http://localhost:${port}`;

/** The page's `/config.json`: where its API is, and how people log in. */
export const webConfig = (apiUrl: string, cognito: Cognito, livekit: LiveKit['kind']) => ({
  apiUrl,
  identity: {
    issuer: issuerOf(cognito),
    clientId: cognito.clientId,
    authorizationEndpoint: `${cognito.endpoint}/oauth2/authorize`,
    tokenEndpoint: `${cognito.endpoint}/oauth2/token`,
  },
  livekit: livekit === 'stand-in' ? 'stand-in' : 'server',
});

/** The page of `web/`, by Vite in this process: an edit shows at once. */
export async function startWeb({ port, config }: { port: number; config: object }) {
  const server = createServer((request, response) => answer(request, response));
  const vite = await createVite({
    configFile,
    configLoader: 'native',
    server: { middlewareMode: true, ws: { server } },
    logLevel: 'warn',
    clearScreen: false,
  });
  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.url === '/config.json') {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(config));
      return;
    }
    vite.middlewares(request, response, () => response.writeHead(404).end());
  }
  try {
    server.listen(port, HOST);
    await once(server, 'listening');
  } catch (error) {
    await vite.close();
    throw error;
  }
  return {
    url: webUrl(port),
    async stop() {
      await vite.close();
      server.close();
      server.closeAllConnections();
    },
  };
}
