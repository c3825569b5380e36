import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Room } from '@livekit/rtc-node';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import {
  findLiveKitServer,
  type LiveKitServer,
  type LiveKitServerOptions,
  startLiveKitServer,
} from '../../local/livekit/server.ts';
import { eventually } from '../harness/eventually.ts';
import { serveHttp } from '../harness/http-server.ts';
import { API_KEY, API_SECRET } from '../harness/livekit-events.ts';
import { isMissing } from '../harness/world.ts';
import { joinToken } from './livekits.ts';

const run = promisify(execFile);

describe('finding a LiveKit server', () => {
  it('finds none where there is none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'livekit-'));
    expect(findLiveKitServer({ PATH: folder, XDG_CACHE_HOME: folder })).toBeUndefined();
    await rm(folder, { recursive: true });
  });

  it('takes no folder of that name for one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'livekit-'));
    await mkdir(join(folder, 'livekit-server'));
    expect(findLiveKitServer({ PATH: folder, XDG_CACHE_HOME: folder })).toBeUndefined();
    await rm(folder, { recursive: true });
  });
});

describe.skipIf(isMissing('server'))('a LiveKit server of our own', { timeout: 20_000 }, () => {
  let server: LiveKitServer | undefined;
  afterEach(async () => {
    await server?.kill();
    server = undefined;
  });

  const start = async (options: Partial<LiveKitServerOptions> = {}) => {
    const binary = findLiveKitServer();
    if (binary === undefined) throw new Error('LIVEKIT=server, but there is none');
    server = await startLiveKitServer({ binary, apiKeys: { [API_KEY]: API_SECRET }, ...options });
    return server;
  };

  it('is usable when it is started', async () => {
    const { wsUrl } = await start();
    expect(wsUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
    await new RoomServiceClient(wsUrl, API_KEY, API_SECRET).createRoom({ name: 'r' });
  });

  it('ends with a participant in a room, and leaves nothing', async () => {
    const { wsUrl, pid, stop, exited } = await start();
    await new RoomServiceClient(wsUrl, API_KEY, API_SECRET).createRoom({ name: 'r' });
    const room = new Room();
    await room.connect(wsUrl, await joinToken('r'), { autoSubscribe: true, dynacast: false });
    await Promise.all([stop(), stop()]);
    await exited;
    expect(await isAlive(pid)).toBe(false);
    await expect(fetch(wsUrl.replace('ws:', 'http:'))).rejects.toThrow('fetch failed');
    await room.disconnect();
  });

  it('says how it ended when it is killed', async () => {
    const { kill, stop } = await start();
    expect(await kill()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await stop()).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('takes free ports when its own are taken', async () => {
    const first = await start();
    const second = await start();
    expect(second.ports.http).not.toBe(first.ports.http);
    expect(second.ports.udp).not.toBe(first.ports.udp);
    await first.stop();
  });

  it('fails with its last words when a given port is taken', async () => {
    const { url } = await serveHttp(() => ({}));
    const http = Number(new URL(url).port);
    await expect(start({ ports: { http, udp: 0 } })).rejects.toThrow(/address already in use/);
  });

  it('fails with its last words when it refuses its configuration', async () => {
    const webhook = { urls: ['http://127.0.0.1:9/'], apiKey: 'a-key-that-it-has-not' };
    const refused = start({ webhook });
    await expect(refused).rejects.toThrow(/ended while it was starting[\s\S]*api_key/);
  });

  it('fails when it is no program at all', async () => {
    await expect(start({ binary: '/nowhere/livekit-server' })).rejects.toThrow(/ENOENT/);
  });

  it('dies with a parent that was killed', async () => {
    const parent = fork(new URL('./server-parent.ts', import.meta.url));
    const [pid] = await once(parent, 'message');
    expect(await isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await eventually(async () => ((await isAlive(pid)) ? undefined : true), 'still alive', 3_000);
  });

  it('leaves no guard behind when it ends first', async () => {
    const { stop, pid } = await start();
    await stop();
    await delay(50);
    const { stdout } = await run('ps', ['-eo', 'args']);
    expect(stdout).not.toContain(`kill -KILL "$0" ${pid}`);
  });
});

/** Not `kill -0`: it also finds a process that has ended and is not reaped yet. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}
