/**
 * A Redis for one livekit-server on loopback, in memory: the commands that version 1.13.5 sends once it
 * is configured with Redis, which it needs for Egress. Unknown commands are answered with an error.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { listen } from '../listen.ts';
import { array, bulk, createParser, failure, integer, simple } from './resp.ts';

interface Redis {
  /** `127.0.0.1:<port>`, as livekit-server's `redis.address` takes it. */
  address: string;
  port: number;
  /**
   * Forgets all keys. A server that was killed leaves rooms that the next one lists and cannot reach, so
   * this is due whenever the server's process has ended.
   */
  clear(): void;
  stop(): Promise<void>;
}

type Entry =
  | { type: 'string'; value: Buffer; expiresAtMs: number }
  | { type: 'hash'; fields: Map<string, Buffer> }
  | { type: 'set'; members: Set<string> };

/** Keys, fields and members are bytes: latin1 keeps each as one character. */
const text = (bytes: Buffer): string => bytes.toString('latin1');
const bytesOf = (value: string): Buffer => Buffer.from(value, 'latin1');

export async function startRedis(): Promise<Redis> {
  const entries = new Map<string, Entry>();
  const subscribers = new Map<string, Set<Socket>>();
  const sockets = new Set<Socket>();

  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay());
    const parse = createParser();
    socket.on('data', (chunk: Buffer) => {
      for (const value of parse(chunk)) {
        const [name, ...args] = Array.isArray(value) ? value.filter(Buffer.isBuffer) : [];
        socket.write(run(socket, name ? text(name).toUpperCase() : '', args));
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      for (const listeners of subscribers.values()) listeners.delete(socket);
    });
  });

  function read(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (entry?.type === 'string' && entry.expiresAtMs <= Date.now()) entries.delete(key);
    return entries.get(key);
  }

  function hash(key: string): Map<string, Buffer> {
    const entry = read(key);
    if (entry?.type === 'hash') return entry.fields;
    const fields = new Map<string, Buffer>();
    entries.set(key, { type: 'hash', fields });
    return fields;
  }

  function set(key: string): Set<string> {
    const entry = read(key);
    if (entry?.type === 'set') return entry.members;
    const members = new Set<string>();
    entries.set(key, { type: 'set', members });
    return members;
  }

  const stringAt = (key: string): Buffer | undefined => {
    const entry = read(key);
    return entry?.type === 'string' ? entry.value : undefined;
  };

  function setString([key, value, ...options]: Buffer[]): Buffer {
    const flags = options.map((option) => text(option).toUpperCase());
    if (!key || !value) return failure("ERR wrong number of arguments for 'set' command");
    const exists = read(text(key)) !== undefined;
    if ((flags.includes('NX') && exists) || (flags.includes('XX') && !exists))
      return bulk(undefined);
    const lifetimeMs = lifetimeIn(flags);
    entries.set(text(key), { type: 'string', value, expiresAtMs: Date.now() + lifetimeMs });
    return simple('OK');
  }

  function publish(channel: string, message: Buffer): Buffer {
    const listeners = subscribers.get(channel) ?? new Set();
    const push = array([bulk('message'), bulk(bytesOf(channel)), bulk(message)]);
    for (const listener of listeners) listener.write(push);
    return integer(listeners.size);
  }

  function subscribe(socket: Socket, channels: Buffer[], isOn: boolean): Buffer {
    const answers = channels.map((channel) => {
      const listeners = subscribers.get(text(channel)) ?? new Set();
      subscribers.set(text(channel), listeners);
      if (isOn) listeners.add(socket);
      else listeners.delete(socket);
      const count = [...subscribers.values()].filter((all) => all.has(socket)).length;
      return array([bulk(isOn ? 'subscribe' : 'unsubscribe'), bulk(channel), integer(count)]);
    });
    return Buffer.concat(answers);
  }

  function run(socket: Socket, name: string, args: Buffer[]): Buffer {
    const [first = Buffer.alloc(0), ...rest] = args;
    const key = text(first);
    switch (name) {
      case 'PING':
        return simple('PONG');
      case 'SUBSCRIBE':
      case 'UNSUBSCRIBE':
        return subscribe(socket, args, name === 'SUBSCRIBE');
      case 'PUBLISH':
        return publish(key, rest[0] ?? Buffer.alloc(0));
      case 'SET':
        return setString(args);
      case 'GET':
        return bulk(stringAt(key));
      case 'DEL':
        return integer(args.filter((each) => entries.delete(text(each))).length);
      case 'HSET': {
        const fields = hash(key);
        const before = fields.size;
        for (let i = 0; i + 1 < rest.length; i += 2) {
          fields.set(text(rest[i] as Buffer), rest[i + 1] as Buffer);
        }
        return integer(fields.size - before);
      }
      case 'HGET':
        return bulk(hash(key).get(text(rest[0] ?? Buffer.alloc(0))));
      case 'HMGET':
        return array(rest.map((field) => bulk(hash(key).get(text(field)))));
      case 'HVALS':
        return array([...hash(key).values()].map(bulk));
      case 'HKEYS':
        return array([...hash(key).keys()].map((field) => bulk(bytesOf(field))));
      case 'HGETALL':
        return array(
          [...hash(key)].flatMap(([field, value]) => [bulk(bytesOf(field)), bulk(value)]),
        );
      case 'HDEL':
        return integer(rest.filter((field) => hash(key).delete(text(field))).length);
      case 'SADD': {
        const members = set(key);
        const before = members.size;
        for (const member of rest) members.add(text(member));
        return integer(members.size - before);
      }
      case 'SREM':
        return integer(rest.filter((member) => set(key).delete(text(member))).length);
      case 'SMEMBERS':
        return array([...set(key)].map((member) => bulk(bytesOf(member))));
      // The one script of the server: delete a lock if its token is still the caller's.
      case 'EVALSHA':
        return failure('NOSCRIPT No matching script. Please use EVAL.');
      case 'EVAL': {
        const [, lock, token] = rest;
        if (!lock || !token || !stringAt(text(lock))?.equals(token)) return integer(0);
        entries.delete(text(lock));
        return integer(1);
      }
      default:
        return failure(`ERR unknown command '${name}'`);
    }
  }

  const port = await listen(server);
  return {
    address: `127.0.0.1:${port}`,
    port,
    clear: () => entries.clear(),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function lifetimeIn(flags: string[]): number {
  for (const [option, unitMs] of [
    ['EX', 1_000],
    ['PX', 1],
  ] as const) {
    const at = flags.indexOf(option);
    if (at >= 0) return Number(flags[at + 1]) * unitMs;
  }
  return Number.POSITIVE_INFINITY;
}
