/** Publish and subscribe on a Redis, over one connection each. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { command, createParser } from './resp.ts';

type Listener = (message: Buffer) => void;

export interface Bus {
  publish(channel: string, message: Uint8Array): void;
  /** Replaces the channel's listener. Resolves when Redis has confirmed the subscription. */
  subscribe(channel: string, listener: Listener): Promise<void>;
  unsubscribe(channel: string): void;
  /** Settles when a connection was lost, unless it was closed here. */
  lost: Promise<void>;
  close(): void;
}

export async function connectBus(port: number): Promise<Bus> {
  const [publisher, subscriber] = await Promise.all([open(port), open(port)]);
  const listeners = new Map<string, Listener>();
  const confirmations = new Map<string, () => void>();
  const parse = createParser();
  subscriber.on('data', (chunk: Buffer) => {
    for (const value of parse(chunk)) {
      const [kind, channel, message] = Array.isArray(value) ? value : [];
      if (!Buffer.isBuffer(channel)) continue;
      if (String(kind) === 'subscribe') confirmations.get(String(channel))?.();
      if (String(kind) === 'message' && Buffer.isBuffer(message)) {
        listeners.get(String(channel))?.(message);
      }
    }
  });
  publisher.resume();

  let isClosed = false;
  const lost = new Promise<void>((resolve) => {
    for (const socket of [publisher, subscriber]) {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        if (!isClosed) resolve();
      });
    }
  });

  return {
    publish: (channel, message) => void publisher.write(command('PUBLISH', channel, message)),
    subscribe(channel, listener) {
      listeners.set(channel, listener);
      return new Promise((resolve) => {
        confirmations.set(channel, resolve);
        subscriber.write(command('SUBSCRIBE', channel));
      });
    },
    unsubscribe(channel) {
      listeners.delete(channel);
      subscriber.write(command('UNSUBSCRIBE', channel));
    },
    lost,
    close() {
      isClosed = true;
      publisher.destroy();
      subscriber.destroy();
    },
  };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  return socket;
}
