import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import getPort from 'get-port';
import { onTestFinished } from 'vitest';
import { closeNow, listen } from '../../local/listen.ts';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** The connection that it came over: the same object for a kept one. */
  socket: Socket;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  /** A string as it is, anything else as JSON. */
  body?: unknown;
}

/** What to answer; `drop` ends the connection without one. */
export type Responder = (request: Received) => Answer | 'drop' | Promise<Answer | 'drop'>;

/**
 * A tiny HTTP server on loopback, for one test: it keeps every request and answers whatever
 * `respond` says at that moment. It goes when the test is finished.
 */
export async function serveHttp(
  respond: Responder,
  onFinished: (close: () => Promise<void>) => void = onTestFinished,
): Promise<{ url: string; requests: Received[]; close: () => Promise<void> }> {
  const requests: Received[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers, socket } = request;
    const received = { method, path: url, headers, body: await text(request), socket };
    requests.push(received);
    const answer = await respond(received);
    if (answer === 'drop') {
      socket.destroy();
      return;
    }
    const { status = 200, headers: sent = {}, body = {} } = answer;
    response.writeHead(status, { 'content-type': 'application/json', ...sent });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const port = await listen(server);
  const close = () => closeNow(server);
  onFinished(close);
  return { url: `http://127.0.0.1:${port}`, requests, close };
}

/** A URL on loopback that refuses connections. */
export const nowhere = async (): Promise<string> =>
  `http://127.0.0.1:${await getPort({ host: '127.0.0.1' })}`;
