import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { closeNow, listen } from './listen.ts';

const documentFile = new URL('../docs/openapi.json', import.meta.url);
const { resolve } = createRequire(import.meta.url);

/** The origin from which the page calls the API. */
export const referenceUrl = (port: number): string => `http://127.0.0.1:${port}`;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="favicon.png">
<link rel="stylesheet" href="swagger-ui.css">
<title>The API of the development stack</title>
<main id="reference"></main>
<script src="swagger-ui-bundle.js"></script>
<script src="page.js"></script>
`;

const SCRIPT = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
`;

/**
 * docs/openapi.json as a page, by Swagger UI, which calls the API from there. Everything comes from this
 * machine, and the page's policy allows no other origin.
 */
export async function startReference({ port, apiUrl }: { port: number; apiUrl: string }) {
  const { origin } = new URL(apiUrl);
  const files: Record<string, { type: string; read: () => Promise<Buffer | string> | string }> = {
    '/': { type: 'text/html', read: () => PAGE },
    '/page.js': { type: 'text/javascript', read: () => SCRIPT },
    '/openapi.json': { type: 'application/json', read: () => documentOf(origin) },
    '/swagger-ui.css': swaggerUi('swagger-ui.css', 'text/css'),
    '/swagger-ui-bundle.js': swaggerUi('swagger-ui-bundle.js', 'text/javascript'),
    '/favicon.png': swaggerUi('favicon-32x32.png', 'image/png'),
  };
  const policy = `default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ${origin}`;

  const answer = async ({ url = '' }: IncomingMessage, response: ServerResponse) => {
    const file = files[new URL(url, referenceUrl(port)).pathname];
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    const content = await file.read();
    response
      .writeHead(200, {
        'content-type': `${file.type}; charset=utf-8`,
        'content-security-policy': policy,
        'cache-control': 'no-cache',
      })
      .end(content);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  await listen(server, port);
  return { url: referenceUrl(port), stop: () => closeNow(server) };
}

const swaggerUi = (name: string, type: string) => ({
  type,
  read: () => readFile(resolve(`swagger-ui-dist/${name}`)),
});

/** As it is by now, and about this stack alone. */
async function documentOf(origin: string): Promise<string> {
  const document: object = JSON.parse(await readFile(documentFile, 'utf8'));
  return JSON.stringify({ ...document, servers: [{ url: origin }] });
}
