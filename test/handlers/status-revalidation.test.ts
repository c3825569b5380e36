/** A status that has not changed is a 304, and one that has never is. */
import { beforeEach, expect, it } from 'vitest';
import { type TestClub, worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
// LiveKit's events have whole seconds; the answer never has a time in the future.
const service = await world.boot({ now: () => new Date(Date.now() + 2_000) });
let club: TestClub;
beforeEach(async () => {
  await world.sendWebhooksTo(service);
  club = await world.createClub();
});

const status = (etag?: string, who = club.member) =>
  service.call('status', who, {
    ...club,
    ...(etag !== undefined && { headers: { 'if-none-match': etag } }),
  });
async function etagOf() {
  const { status: code, headers } = await status();
  expect(code).toBe(200);
  return String(headers['etag']);
}

it('An answer may be kept by the browser of the caller, who asks about it each time', async () => {
  expect((await status()).headers).toMatchObject({
    'cache-control': 'private, no-cache',
    vary: 'Authorization, Origin',
    etag: expect.stringMatching(/^W\/"[\w-]{22}"$/),
  });
});

it.each(['that has none', 'that had one'])(
  'An idle club %s is the same at another time',
  async (past) => {
    if (past === 'that had one') {
      for (const step of ['start', 'end'] as const) await service.call(step, club.owner, club);
    }
    const etag = await etagOf();
    expect(await status(etag)).toMatchObject({ status: 304, body: '', headers: { etag } });
  },
);

it('The ETag of an active meeting stays the same until a person joins or leaves, or it ends', async () => {
  const { body } = await service.call('start', club.owner, club);
  await world.standIn.webhooks.settled();
  let etag = await etagOf();
  const changes = [
    () => world.standIn.join(body.roomName, { identity: club.member.userId }),
    () => world.standIn.join(body.roomName, { identity: club.owner.userId }),
    () => service.call('end', club.owner, club),
  ];
  for (const change of changes) {
    expect((await status(etag)).status).toBe(304);
    await change();
    await world.standIn.webhooks.settled();
    const next = await status(etag);
    expect(next.status).toBe(200);
    etag = String(next.headers['etag']);
  }
});

it.each([
  ['among others', (etag: string) => `"other", ${etag}`, 304],
  ['as a strong one', (etag: string) => etag.replace('W/', ''), 304],
  ['by a star', () => '*', 304],
  ['of another state', () => 'W/"n4bQgYhMfWWaL-qgxVrQFa"', 200],
])('A tag that is named %s', async (_, named, expected) => {
  expect((await status(named(await etagOf()))).status).toBe(expected);
});

it('A tag opens nothing: it is looked at after the authorization', async () => {
  const etag = await etagOf();
  const outsider = (await world.createClub()).member;
  expect((await status(etag, outsider)).body).toMatchObject({ code: 'NOT_A_MEMBER' });
});
