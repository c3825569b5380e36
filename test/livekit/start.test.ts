import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LiveKit, startLiveKit } from '../../local/livekit/start.ts';
import { isMissing } from '../harness/world.ts';

/** An environment with no LiveKit in it. */
let nowhere: { PATH: string; XDG_CACHE_HOME: string };
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'no-livekit-'));
  nowhere = { PATH: folder, XDG_CACHE_HOME: folder };
});
afterAll(() => rm(nowhere.PATH, { recursive: true }));

const EXTERNAL = {
  LIVEKIT_WS_URL: 'wss://example.livekit.cloud',
  LIVEKIT_API_KEY: 'key',
  LIVEKIT_API_SECRET: 'secret',
};

async function createRoomIn({ wsUrl, apiKey, apiSecret }: LiveKit): Promise<void> {
  await new RoomServiceClient(wsUrl, apiKey, apiSecret).createRoom({ name: 'r' });
}

describe('starting LiveKit', () => {
  it('takes the one of LIVEKIT_WS_URL before any other', async () => {
    const livekit = await startLiveKit({ env: { ...process.env, LIVEKIT: '', ...EXTERNAL } });
    expect(livekit).toMatchObject({
      kind: 'external',
      wsUrl: 'wss://example.livekit.cloud',
      apiKey: 'key',
      apiSecret: 'secret',
    });
    await livekit.stop();
  });

  it('takes the one of LIVEKIT_URL, as LiveKit’s own tools name it', async () => {
    const { LIVEKIT_WS_URL, ...key } = EXTERNAL;
    const livekit = await startLiveKit({
      env: { ...nowhere, ...key, LIVEKIT_URL: LIVEKIT_WS_URL },
    });
    expect(livekit).toMatchObject({ kind: 'external', wsUrl: 'wss://example.livekit.cloud' });
    await livekit.stop();
  });

  it.each([
    [{ LIVEKIT_WS_URL: 'wss://x' }, /^LIVEKIT_API_KEY and LIVEKIT_API_SECRET missing/],
    [{ ...EXTERNAL, LIVEKIT_API_SECRET: '' }, /^LIVEKIT_API_SECRET missing/],
    [{ LIVEKIT_API_KEY: 'k' }, /^LIVEKIT_WS_URL and LIVEKIT_API_SECRET missing/],
    [{ ...EXTERNAL, LIVEKIT_WS_URL: 'https://x' }, /^LIVEKIT_WS_URL must be a WebSocket URL/],
    [{ ...EXTERNAL, LIVEKIT_WS_URL: 'x' }, /WebSocket URL/],
    [
      { ...EXTERNAL, LIVEKIT_WS_URL: '', LIVEKIT_URL: 'wss://x/y' },
      /^LIVEKIT_URL must have no path/,
    ],
    [{ LIVEKIT_URL: 'wss://x' }, /^LIVEKIT_API_KEY and LIVEKIT_API_SECRET missing: LIVEKIT_URL/],
    [{ LIVEKIT: 'docker' }, /LIVEKIT is "docker"/],
  ])('refuses %o', async (settings, message) => {
    await expect(startLiveKit({ env: { ...nowhere, ...settings } })).rejects.toThrow(message);
  });

  it('takes the stand-in where there is nothing else, and says so', async () => {
    const livekit = await startLiveKit({ env: nowhere });
    expect(livekit).toMatchObject({ kind: 'stand-in', apiKey: 'devkey' });
    expect(livekit.apiSecret.length).toBeGreaterThanOrEqual(32);
    expect(livekit.note).toMatch(/stand-in[\s\S]*npm run livekit:install/);
    await createRoomIn(livekit);
    expect(await livekit.standIn?.rooms()).toHaveLength(1);
    await livekit.stop();
    await livekit.exited;
  });

  it('takes the stand-in when forced, even if a server is installed', async () => {
    const env = { ...process.env, ...EXTERNAL, LIVEKIT: 'stand-in' };
    const livekit = await startLiveKit({ env });
    expect(livekit.kind).toBe('stand-in');
    await livekit.stop();
  });

  it('says how to get a server when one is forced and missing', async () => {
    const forced = startLiveKit({ env: { ...nowhere, ...EXTERNAL, LIVEKIT: 'server' } });
    await expect(forced).rejects.toThrow(/npm run livekit:install/);
  });

  it.skipIf(isMissing('server'))('takes a server where there is one', async () => {
    const { PATH, HOME, XDG_CACHE_HOME } = process.env;
    const livekit = await startLiveKit({ env: { PATH, HOME, XDG_CACHE_HOME } });
    expect(livekit).toMatchObject({ kind: 'server', apiKey: 'devkey' });
    expect(livekit.note).toBeUndefined();
    await createRoomIn(livekit);
    await livekit.stop();
    expect(await livekit.exited).toMatch(/^the LiveKit server ended/);
  });
});
