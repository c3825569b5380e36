/** `npm run dev -- --host`: what another machine on the network opens, all of it at one https address. */
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logIn } from '../../local/identity.ts';
import { addressOfThisMachine, createPublicHost } from '../../local/network.ts';
import { type Stack, startStack } from '../../local/stack.ts';

let stack: Stack;
let address: string;
/** The certificate that the page's server shows. */
let ca: string;

beforeAll(async () => {
  address = addressOfThisMachine();
  const { PATH, HOME, XDG_CACHE_HOME, TMPDIR, LIVEKIT } = process.env;
  stack = await startStack({
    ports: 'free',
    env: { PATH, HOME, XDG_CACHE_HOME, TMPDIR, LIVEKIT },
    web: true,
    host: address,
  });
  ca = await certificateOf(stack.description.webUrl);
}, 300_000);
afterAll(() => stack?.stop());

function certificateOf(url: string): Promise<string> {
  const { hostname: host, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      const lines = raw.toString('base64').match(/.{1,64}/g) ?? [];
      resolve(`-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`);
    });
    socket.on('error', reject);
  });
}

/** As a browser that trusts this certificate, and verifies that it is for the address. */
function send(path: string, { method = 'GET', headers = {}, body = '' } = {}) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const url = new URL(path, stack.description.webUrl);
    const outgoing = request(url, { method, headers, ca, agent: false }, (response) => {
      text(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, body: answer }),
        reject,
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('A stack with --host', () => {
  it('has its page at that address over https, and says so', async () => {
    expect(new URL(stack.description.webUrl)).toMatchObject({
      protocol: 'https:',
      hostname: address,
    });
    const { status, body } = await send('/');
    expect(status).toBe(200);
    expect(body).toContain('<div id="root"');
  });

  it('gives the page only that address, so that nothing is blocked as mixed content', async () => {
    const { apiUrl, identity } = JSON.parse((await send('/config.json')).body);
    const { origin } = new URL(stack.description.webUrl);
    for (const url of [apiUrl, identity.authorizationEndpoint, identity.tokenEndpoint]) {
      expect(new URL(url).origin).toBe(origin);
    }
  });

  it('logs people in there', async () => {
    const { webUrl, cognito } = stack.description;
    const query = new URLSearchParams({
      client_id: cognito.clientId,
      redirect_uri: `${webUrl}/callback`,
      response_type: 'code',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
      scope: 'openid',
      state: 's',
    });
    const { status, body } = await send(`/oauth2/authorize?${query}`);
    expect({ status, body }).toMatchObject({ status: 200, body: expect.stringContaining('<form') });
  });

  it('gives out join tokens for that address, and lets them in there', async () => {
    const { cognito, users, webUrl, clubs } = stack.description;
    const user = users.find(({ role }) => role === 'moderator') ?? expect.fail('no moderator');
    const { accessToken } = await logIn(cognito, user.username, user.password);
    const clubId = clubs[0]?.clubId ?? '';
    const { apiUrl } = JSON.parse((await send('/config.json')).body);
    const call = (path: string, body?: object) =>
      send(`${new URL(apiUrl).pathname}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify(body ?? {}),
      });
    expect((await call(`/${clubId}/start`)).status).toBe(200);
    // The room API is reached at that address, too, with a certificate that the functions trust.
    const token = JSON.parse(
      (await call('/token', { readingClubId: clubId, roomMissing: true })).body,
    );
    expect(token.serverUrl).toBe(webUrl.replace('https', 'wss'));
    const validated = await send(`/rtc/validate?access_token=${token.token}`);
    expect(validated).toMatchObject({ status: 200 });
  });

  it('passes signalling on: a connection is upgraded', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const outgoing = request(new URL('/rtc?access_token=none', stack.description.webUrl), {
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        },
        ca,
        agent: false,
      });
      outgoing.on('response', ({ statusCode = 0 }) => resolve(statusCode));
      outgoing.on('upgrade', (_, socket) => {
        socket.destroy();
        resolve(101);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
    // LiveKit's own word for a token that is none.
    expect(status).toBe(401);
  });
});

it('What is no address of a machine is refused in a sentence', async () => {
  await expect(createPublicHost('club.example')).rejects.toThrow(
    '--host needs an IPv4 address of this machine, not "club.example"',
  );
});
