import { describe, expect, test } from 'vitest';
import { LiveKitUrl } from './url.ts';

describe('LiveKit’s URL', () => {
  test.each([
    ['wss://example.livekit.cloud', 'wss://example.livekit.cloud'],
    ['wss://example.livekit.cloud/', 'wss://example.livekit.cloud'],
    ['WSS://Example.LiveKit.cloud', 'wss://example.livekit.cloud'],
    ['wss://livekit.example.org:7443', 'wss://livekit.example.org:7443'],
    ['wss://livekit.example.org:443', 'wss://livekit.example.org'],
    ['wss://192.0.2.1:7880', 'wss://192.0.2.1:7880'],
    ['ws://127.0.0.1:7880', 'ws://127.0.0.1:7880'],
    ['ws://localhost:7880/', 'ws://localhost:7880'],
    ['ws://[::1]:7880', 'ws://[::1]:7880'],
  ])('can be %s', (url, expected) => {
    expect(LiveKitUrl.parse(url)).toBe(expected);
  });

  const URL_RULE = 'must be a WebSocket URL, such as wss://example.livekit.cloud';
  const PATH_RULE = 'must have no path: the room API is at the root of its host';

  test.each([
    ['', URL_RULE],
    ['example.livekit.cloud', URL_RULE],
    ['https://example.livekit.cloud', URL_RULE],
    ['wss://', URL_RULE],
    ['ws', URL_RULE],
    [' wss://example.livekit.cloud', 'must have no spaces'],
    ['wss://example.livekit.cloud\n', 'must have no spaces'],
    ['wss://exam\tple.livekit.cloud', 'must have no spaces'],
    ['wss://example.livekit.cloud/livekit', PATH_RULE],
    ['wss://example.livekit.cloud//', PATH_RULE],
    ['wss://example.livekit.cloud/?region=eu', 'must have no query and no fragment'],
    ['wss://example.livekit.cloud?', 'must have no query and no fragment'],
    ['wss://example.livekit.cloud#room', 'must have no query and no fragment'],
    ['wss://key@example.livekit.cloud', 'must have no user name and no password'],
    ['wss://key:secret@example.livekit.cloud', 'must have no user name and no password'],
    ['ws://example.livekit.cloud', 'must begin with wss:// unless LiveKit is on this machine'],
    ['ws://192.168.1.2:7880', 'must begin with wss:// unless LiveKit is on this machine'],
    ['ws://localhost.example.org', 'must begin with wss:// unless LiveKit is on this machine'],
    [undefined, 'is missing'],
  ])('is refused as %j: it %s', (url, problem) => {
    const { error } = LiveKitUrl.safeParse(url);
    expect(error?.issues.map(({ message }) => message)).toEqual([problem]);
  });
});
