import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { serveHttp } from '../harness/http-server.ts';

const module = new URL('../../local/proxies.ts', import.meta.url).href;
const ASK = `
  const { bypassProxiesOnLoopback, noProxyOf } = await import('${module}');
  bypassProxiesOnLoopback();
  const answer = await fetch(process.argv[1]).catch((error) => error.cause);
  const { NO_PROXY, no_proxy } = process.env;
  console.log(JSON.stringify([answer.status ?? answer.code, NO_PROXY, no_proxy, noProxyOf(process.env)]));`;

/** What a process with this environment gets, and the `NO_PROXY` of its children and the user's shell. */
async function asked(url: string, env: NodeJS.ProcessEnv): Promise<unknown[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', ASK, url], { env });
  const [out] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return JSON.parse(out);
}

const PROXY = { HTTP_PROXY: 'http://127.0.0.1:9', NODE_USE_ENV_PROXY: '1' };
const LOOPBACK = '127.0.0.1,localhost,::1';

describe('a proxy in the environment', () => {
  it('does not get what is for loopback', async () => {
    const { url } = await serveHttp(() => ({ status: 204 }));
    expect(await asked(url, PROXY)).toEqual([204, LOOPBACK, LOOPBACK, LOOPBACK]);
  });

  it('gets the rest', async () => {
    const [code] = await asked('http://books.example', PROXY);
    expect(code).toBe('ECONNREFUSED');
  });

  it('keeps the exceptions that are there already', async () => {
    const { url } = await serveHttp(() => ({ status: 204 }));
    const given = { ...PROXY, no_proxy: 'books.example, localhost' };
    const hosts = 'books.example,localhost,127.0.0.1,::1';
    expect(await asked(url, given)).toEqual([204, hosts, hosts, hosts]);
  });

  it('gives the shell no exceptions when there is none', async () => {
    const { url } = await serveHttp(() => ({ status: 204 }));
    expect(await asked(url, {})).toEqual([204, LOOPBACK, LOOPBACK, null]);
  });
});
