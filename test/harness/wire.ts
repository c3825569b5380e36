/**
 * What is between one process of the service and everything that it talks to: an HTTP proxy on
 * loopback for each side. It sees every request by its operation, and faults can be put on it.
 */
import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as openRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';

const HOST = '127.0.0.1';

/**
 * Below the ephemeral ports of the system, and each used once: no other process gets one while connections
 * to it are refused. Test files that run at the same time begin at other ports.
 */
let nextPort = 20_000 + Math.floor(Math.random() * 10_000);

/** DynamoDB, LiveKit, the user pool's key set and S3; and the way back, from LiveKit to the service. */
export const SIDES = ['store', 'media', 'identity', 'files', 'webhook'] as const;
export type Side = (typeof SIDES)[number];

export interface WireRequest {
  side: Side;
  /**
   * `GetItem`, `CreateRoom`, …; the key set is `GetKeys`; of S3 the action in IAM, `ListBucket`; of a
   * webhook the event, `room_started`.
   */
  operation: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface WireAnswer {
  status: number;
  headers: OutgoingHttpHeaders;
  body: string | Buffer;
}

/** Stands between a request and what answers it, `pass`. Throws `Cut` to end the connection. */
export type Fault = (request: WireRequest, pass: () => Promise<WireAnswer>) => Promise<WireAnswer>;

/** The connection ends without an answer. */
export class Cut extends Error {
  override readonly name = 'Cut';
}

export type Wire = Awaited<ReturnType<typeof startWire>>;

/** What is behind a side: the address of a server, or something in this process that answers. */
type Upstream = string | ((request: WireRequest) => Promise<WireAnswer>);

/** `upstreams`: what is behind each side, as far as it is needed. */
export async function startWire(upstreams: Partial<Record<Side, Upstream>>) {
  const agent = new Agent({ keepAlive: true });
  const seen: WireRequest[] = [];
  const faults = new Set<Fault>();
  const doors = new Map(
    SIDES.flatMap((side) => {
      const upstream = upstreams[side];
      return upstream === undefined ? [] : [[side, doorTo(side, upstream)] as const];
    }),
  );
  const doorOf = (side: Side) => {
    const door = doors.get(side);
    if (!door) throw new Error(`Nothing is behind the ${side}'s side`);
    return door;
  };

  function doorTo(side: Side, upstream: Upstream) {
    const server = createServer(
      (incoming, response) => void serve(side, upstream, incoming, response),
    );
    // A dead idle socket is a fault that a test asks for, not one that comes by itself.
    server.keepAliveTimeout = 0;
    return { server, port: 0 };
  }

  async function serve(
    side: Side,
    upstream: Upstream,
    incoming: IncomingMessage,
    response: ServerResponse,
  ) {
    try {
      const body = await buffer(incoming);
      const request = {
        side,
        operation: operationOf(side, incoming, body),
        headers: incoming.headers,
        body,
      };
      seen.push(request);
      const chain = [...faults].reduceRight<() => Promise<WireAnswer>>(
        (pass, fault) => () => fault(request, pass),
        () =>
          typeof upstream === 'string'
            ? forward(upstream, incoming, body, agent)
            : upstream(request),
      );
      const answer = await chain();
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch (error) {
      response.destroy();
      // A mistake in this process must not look like an outage.
      if (typeof upstream !== 'string' && !(error instanceof Cut)) throw error;
    }
  }

  const refuse = async (side: Side) => {
    const { server } = doorOf(side);
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };

  const accept = async (side: Side) => {
    const door = doorOf(side);
    const wished = door.port;
    do {
      door.port = wished || nextPort++;
    } while (!(await listens(door.server, door.port)));
  };

  await Promise.all([...doors.keys()].map(accept));

  return {
    urlOf: (side: Side) => `http://${HOST}:${doorOf(side).port}`,
    /** Stops listening: connections are refused until `accept`. */
    refuse,
    accept,
    /** Puts a fault on everything, inside those that are there already; the answer takes it away. */
    set(fault: Fault): () => void {
      faults.add(fault);
      return () => faults.delete(fault);
    },
    heal: () => faults.clear(),
    /** The requests since the last `forget`, in the order in which they arrived. */
    seen: (): readonly WireRequest[] => seen,
    operations: (of?: Side) =>
      seen.filter(({ side }) => of === undefined || side === of).map(({ operation }) => operation),
    forget: () => {
      seen.length = 0;
    },
    async close() {
      await Promise.all(
        [...doors.keys()].filter((side) => doorOf(side).server.listening).map(refuse),
      );
      agent.destroy();
    },
  };
}

const OBJECT_ACTIONS: Record<string, string> = {
  GET: 'GetObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};

function operationOf(
  side: Side,
  { headers, url = '', method = '' }: IncomingMessage,
  body: Buffer,
): string {
  if (side === 'identity') return 'GetKeys';
  if (side === 'webhook') return JSON.parse(String(body)).event;
  if (side === 'files') {
    return url.includes('list-type=') ? 'ListBucket' : (OBJECT_ACTIONS[method] ?? method);
  }
  const name = side === 'store' ? String(headers['x-amz-target']) : url;
  return name.split(/[./]/).at(-1) ?? name;
}

function forward(upstream: string, incoming: IncomingMessage, body: Buffer, agent: Agent) {
  return new Promise<WireAnswer>((resolve, reject) => {
    const { method, url = '/', headers } = incoming;
    const outgoing = openRequest(new URL(url, upstream), { method, headers, agent }, (response) => {
      buffer(response).then(
        (answer) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: ownHeaders(response),
            body: answer,
          }),
        reject,
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Without those that are about the connection, which ends here. */
function ownHeaders({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const { connection, 'keep-alive': _, 'transfer-encoding': __, ...rest } = headers;
  return rest;
}

/** False when another process listens there. */
async function listens(server: Server, port: number): Promise<boolean> {
  server.listen(port, HOST);
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
}
