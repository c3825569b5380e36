/** What a browser gets of it, and may do there. */
import { readFile } from 'node:fs/promises';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startReference } from '../../local/reference.ts';

describe('The page of the API', () => {
  const apiUrl = 'http://127.0.0.1:3456/api/reading-clubs/meeting';
  let reference: Awaited<ReturnType<typeof startReference>>;
  beforeAll(async () => {
    reference = await startReference({ port: await getPort({ host: '127.0.0.1' }), apiUrl });
  });
  afterAll(() => reference.stop());

  it('loads every file from its own server', async () => {
    const page = await (await fetch(reference.url)).text();
    const script = await (await fetch(`${reference.url}/page.js`)).text();
    const needed = [
      ...page.matchAll(/(?:src|href)="([^"]+)"/g),
      ...script.matchAll(/url: '(.+)'/g),
    ];
    expect(needed.map(([, path]) => path)).toContain('openapi.json');
    for (const [, path] of needed) {
      const answer = await fetch(`${reference.url}/${path}`);
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
      expect((await answer.bytes()).length).toBeGreaterThan(0);
    }
  });

  it('may call only the API of the stack', async () => {
    const { headers } = await fetch(reference.url);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy.match(/https?:[^ ;]+/g)).toEqual(['http://127.0.0.1:3456']);
  });

  it('shows docs/openapi.json, about the API of the stack', async () => {
    const text = await readFile(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
    expect(await (await fetch(`${reference.url}/openapi.json`)).json()).toEqual({
      ...JSON.parse(text),
      servers: [{ url: 'http://127.0.0.1:3456' }],
    });
  });

  it.each(['/nothing', '/../package.json'])('has nothing else: %s', async (path) => {
    expect((await fetch(reference.url + path)).status).toBe(404);
  });
});
