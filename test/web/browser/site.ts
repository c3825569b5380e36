/** The built page on a port, with the headers that its deployment sends. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { contentSecurityPolicy, type Origins } from '../../../web/policy.ts';

const built = new URL('../../../.web/', import.meta.url);
const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.woff2': 'font/woff2',
};

export async function serveSite({
  port,
  config,
  origins,
}: {
  port: number;
  config: object;
  origins: Origins;
}) {
  const policy = contentSecurityPolicy(origins);
  const fileOf = async (path: string): Promise<{ body: Buffer; type: string }> => {
    if (path === '/config.json') {
      return { body: Buffer.from(JSON.stringify(config)), type: TYPES['.json'] ?? '' };
    }
    // Every other address is one of the page's own.
    const name = extname(path) === '' ? 'index.html' : path.slice(1);
    return { body: await readFile(new URL(name, built)), type: TYPES[extname(name)] ?? '' };
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const { body, type } = await fileOf(pathname);
    response
      .writeHead(200, {
        'content-type': type,
        'content-encoding': 'gzip',
        'content-security-policy': policy,
        'cache-control': 'no-cache',
      })
      .end(gzipSync(body));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(404).end());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
