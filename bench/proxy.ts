import { createServer, request } from 'node:http';
import { closeNow, listen } from '../local/listen.ts';

interface WireProxy {
  port: number;
  /** What was asked for since the last call, in order. */
  take(): string[];
  stop(): Promise<void>;
}

/**
 * Passes every HTTP request on to `target` as it is, `delayMs` after it came, and keeps the name of what
 * it asked for.
 */
export async function startProxy(target: string, delayMs = 0): Promise<WireProxy> {
  const { hostname, port: targetPort } = new URL(target);
  let asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    // DynamoDB's operation is in a header, a Twirp method's in the path.
    const operation = incoming.headers['x-amz-target'] ?? incoming.url ?? '';
    asked.push(String(operation).split(/[./]/).at(-1) ?? '');
    const { method = 'POST', url: path = '/', headers } = incoming;
    const passOn = () => {
      const onward = request({ hostname, port: targetPort, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    };
    if (delayMs === 0) passOn();
    else setTimeout(passOn, delayMs);
  });
  return {
    port: await listen(server),
    take() {
      const taken = asked;
      asked = [];
      return taken;
    },
    stop: () => closeNow(server),
  };
}
