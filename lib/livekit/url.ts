import * as z from 'zod/mini';

const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost'];

/** Whether nothing but this machine is meant. */
export const isLoopback = ({ hostname }: URL): boolean => LOOPBACK.includes(hostname);

function problemOf(value: string): string | undefined {
  if (/\s/.test(value)) return 'must have no spaces';
  const url = URL.parse(value);
  if (!url || !['ws:', 'wss:'].includes(url.protocol)) {
    return 'must be a WebSocket URL, such as wss://example.livekit.cloud';
  }
  if (url.username || url.password) return 'must have no user name and no password';
  if (url.pathname !== '/') return 'must have no path: the room API is at the root of its host';
  if (/[?#]/.test(value)) return 'must have no query and no fragment';
  // Tokens go there, of clients and of this service.
  if (url.protocol === 'ws:' && !isLoopback(url)) {
    return 'must begin with wss:// unless LiveKit is on this machine';
  }
  return undefined;
}

/**
 * LiveKit's URL, to which clients connect; its room API is at the same host. Each part is used, or
 * refused with a message that says which. As the result without a slash at its end.
 */
export const LiveKitUrl = z.pipe(
  z.string('is missing').check((check) => {
    const message = problemOf(check.value);
    if (message) check.issues.push({ code: 'custom', message, input: check.value });
  }),
  z.transform((value) => {
    const { protocol, host } = new URL(value);
    return `${protocol}//${host}`;
  }),
);

/** Of the room API, for a WebSocket URL; empty for what is no URL. */
export const originOf = (wsUrl: string): string =>
  URL.parse(wsUrl.replace(/^ws/, 'http'))?.origin ?? '';
