import { describe, expect, test } from 'vitest';
import {
  type Answer,
  nowhere,
  type Received,
  type Responder,
  serveHttp,
} from '../../test/harness/http-server.ts';
import { MediaUnavailable } from '../errors.ts';
import type { Timed } from '../meetings/ports.ts';
import { LiveKitService } from './service.ts';
import type { LiveKitSettings } from './settings.ts';
import type { TwirpOptions } from './twirp.ts';

const HOME = 'https://my-project.livekit.cloud';
const PARIS = 'https://my-project.paris.production.livekit.cloud';
const OHIO = 'https://my-project.ohio.production.livekit.cloud';
const ROOM = 'reading-club-my-club-01JQ3R5T7V9X1Z3B5D7F9H1K3M';

const REGIONS = {
  regions: [
    { region: 'home', url: HOME, distance: '0' },
    { region: 'paris', url: PARIS.replace('https', 'wss'), distance: '400' },
    { region: 'ohio', url: OHIO, distance: '9000' },
  ],
};
const rooms = (name: string): Answer => ({ body: { rooms: [{ name, sid: 'RM_1' }] } });
const outage: Answer = { status: 503, body: { code: 'unavailable', msg: 'a fault' } };
const hanging: Responder = () => new Promise(() => undefined);

/** LiveKit Cloud, whose hosts are servers on loopback: the requests really go over HTTP. */
async function cloudOf(hosts: Record<string, Responder | 'refuses'>) {
  const asked: string[] = [];
  const urls = new Map<string, string>();
  for (const [origin, respond] of Object.entries(hosts)) {
    const url = respond === 'refuses' ? await nowhere() : (await serveHttp(respond)).url;
    urls.set(origin, url);
  }
  const fetchThere: typeof fetch = (input, init) => {
    const { origin, pathname } = new URL(String(input));
    asked.push(`${origin.split('.')[1] === 'livekit' ? 'home' : origin.split('.')[1]}${pathname}`);
    return fetch(`${urls.get(origin) ?? 'http://unknown.invalid'}${pathname}`, init);
  };
  return { asked, fetch: fetchThere };
}

/** Its own region answers so about rooms, and which others there are. */
const home =
  (respond: Responder, regions: Answer = { body: REGIONS }): Responder =>
  (request) =>
    request.path === '/settings/regions' ? regions : respond(request);

const serviceOf = (
  { fetch }: { fetch: typeof globalThis.fetch },
  wsUrl = HOME.replace('https', 'wss'),
  callTimeoutMs = 8_000,
) =>
  serviceWith(
    { wsUrl, apiKey: 'devkey', apiSecret: 'a-secret-of-at-least-32-characters' },
    {
      fetch,
      callTimeoutMs,
    },
  );
const serviceWith = (settings: LiveKitSettings, options: TwirpOptions & { timed?: Timed }) =>
  new LiveKitService(async () => settings, options);

const ASKED_HOME = 'home/twirp/livekit.RoomService/ListRooms';
const ASKED_PARIS = 'paris/twirp/livekit.RoomService/ListRooms';
const ASKED_OHIO = 'ohio/twirp/livekit.RoomService/ListRooms';
const ASKED_REGIONS = 'home/settings/regions';

describe('On LiveKit Cloud, a region that', () => {
  test.each<[string, Responder | 'refuses']>([
    ['answers 500', home(() => ({ status: 500, body: 'a gateway' }))],
    ['answers 503', home(() => outage)],
    ['drops its connections', home(() => 'drop')],
    ['answers something that is no JSON', home(() => ({ body: '<html>' }))],
  ])('%s is left for the next one', async (_, failing) => {
    const cloud = await cloudOf({ [HOME]: failing, [PARIS]: () => rooms(ROOM) });
    expect(await serviceOf(cloud).getRoom(ROOM)).toMatchObject({ name: ROOM });
    expect(cloud.asked.filter((url, index) => url !== cloud.asked[index - 1])).toEqual([
      ASKED_HOME,
      ASKED_REGIONS,
      ASKED_PARIS,
    ]);
  });

  test('does not answer is left for the next one after 3.5 s', async () => {
    const cloud = await cloudOf({ [HOME]: home(hanging), [PARIS]: () => rooms(ROOM) });
    expect(await serviceOf(cloud).getRoom(ROOM)).toMatchObject({ name: ROOM });
    expect(cloud.asked).toEqual([ASKED_HOME, ASKED_REGIONS, ASKED_PARIS]);
  });

  test('fails, and whose successor fails, is left for a third, and no fourth', async () => {
    const cloud = await cloudOf({
      [HOME]: home(() => outage),
      [PARIS]: () => outage,
      [OHIO]: () => outage,
    });
    await expect(serviceOf(cloud).getRoom(ROOM)).rejects.toBeInstanceOf(MediaUnavailable);
    expect(cloud.asked).toEqual([ASKED_HOME, ASKED_REGIONS, ASKED_PARIS, ASKED_OHIO]);
  });

  test('fails is left for the calls that follow, too, until another fails', async () => {
    let paris: Answer = rooms(ROOM);
    const cloud = await cloudOf({ [HOME]: home(() => outage), [PARIS]: () => paris });
    const service = serviceOf(cloud);
    await service.getRoom(ROOM);
    cloud.asked.length = 0;
    await service.getRoom(ROOM);
    expect(cloud.asked).toEqual([ASKED_PARIS]);
    paris = outage;
    cloud.asked.length = 0;
    await expect(service.getRoom(ROOM)).rejects.toBeInstanceOf(MediaUnavailable);
    expect(cloud.asked.slice(0, 3)).toEqual([ASKED_PARIS, ASKED_REGIONS, ASKED_HOME]);
  });

  test.each([400, 401, 404, 429])('answers %i is not left: it answered', async (status) => {
    const answer = { status, body: { code: 'not_found', msg: '' } };
    const cloud = await cloudOf({ [HOME]: home(() => answer), [PARIS]: () => rooms(ROOM) });
    await expect(serviceOf(cloud).getRoom(ROOM)).rejects.toThrow();
    expect(cloud.asked).toEqual([ASKED_HOME]);
  });

  test('is unreachable, with its list of regions, fails the call', async () => {
    const cloud = await cloudOf({ [HOME]: 'refuses', [PARIS]: () => rooms(ROOM) });
    await expect(serviceOf(cloud).getRoom(ROOM)).rejects.toBeInstanceOf(MediaUnavailable);
    expect(cloud.asked).toEqual([ASKED_HOME, ASKED_REGIONS]);
  });

  test('fails is left by the request with the same id, grant and message', async () => {
    const requests: unknown[] = [];
    const note: Responder = ({ headers, body }) => {
      requests.push([headers['x-livekit-request-id'], headers.authorization, body]);
      return outage;
    };
    const cloud = await cloudOf({ [HOME]: home(note), [PARIS]: note });
    await expect(serviceOf(cloud).getRoom(ROOM)).rejects.toThrow();
    expect(requests).toHaveLength(2);
    expect(requests[1]).toEqual(requests[0]);
  });
});

describe('The list of regions', () => {
  test('is kept for as long as its cache-control says', async () => {
    let isUp = true;
    const kept = { body: REGIONS, headers: { 'cache-control': 'public, max-age=300' } };
    const failing: Responder = ({ path }) => {
      if (path === '/settings/regions') return isUp ? kept : 'drop';
      return outage;
    };
    const cloud = await cloudOf({ [HOME]: failing, [PARIS]: () => rooms(ROOM) });
    const service = serviceOf(cloud);
    await service.getRoom(ROOM);
    isUp = false;
    expect(await service.getRoom(ROOM)).toMatchObject({ name: ROOM });
    expect(cloud.asked.filter((url) => url === ASKED_REGIONS)).toHaveLength(1);
  });

  test('that is not kept is the last resort when it cannot be had', async () => {
    let isUp = true;
    const failing: Responder = ({ path }) => {
      if (path === '/settings/regions') return isUp ? { body: REGIONS } : 'drop';
      return outage;
    };
    const cloud = await cloudOf({ [HOME]: failing, [PARIS]: () => rooms(ROOM) });
    const service = serviceOf(cloud);
    await service.getRoom(ROOM);
    isUp = false;
    expect(await service.getRoom(ROOM)).toMatchObject({ name: ROOM });
  });

  test.each([
    ['elsewhere', 'https://livekit.cloud.example'],
    ['elsewhere, in its path', 'https://example.org/.livekit.cloud'],
    ['without TLS', 'http://my-project.paris.production.livekit.cloud'],
    ['nowhere', 'not a URL'],
  ])('sends no token to a region %s', async (_, url) => {
    const regions = { body: { regions: [{ url }] } };
    const cloud = await cloudOf({ [HOME]: home(() => outage, regions) });
    await expect(serviceOf(cloud).getRoom(ROOM)).rejects.toBeInstanceOf(MediaUnavailable);
    expect(cloud.asked).toEqual([ASKED_HOME, ASKED_REGIONS]);
  });

  test('is not asked for on a server of one’s own', async () => {
    const { url, requests } = await serveHttp(() => outage);
    const service = serviceOf({ fetch }, url.replace('http', 'ws'));
    await expect(service.getRoom(ROOM)).rejects.toBeInstanceOf(MediaUnavailable);
    expect(requests.map(({ path }) => path)).toEqual(['/twirp/livekit.RoomService/ListRooms']);
  });
});

test('A call ends at its time-out, whatever region it is at', async () => {
  const cloud = await cloudOf({ [HOME]: home(() => outage), [PARIS]: hanging, [OHIO]: hanging });
  const service = serviceOf(cloud, undefined, 700);
  await expect(service.getRoom(ROOM)).rejects.toBeInstanceOf(MediaUnavailable);
  expect(cloud.asked).toEqual([ASKED_HOME, ASKED_REGIONS, ASKED_PARIS]);
});

describe('A call that was given up', () => {
  const settings = {
    wsUrl: 'ws://unused',
    apiKey: 'devkey',
    apiSecret: 'a-secret-of-32-characters',
  };

  test('ends its request, and makes no other', async () => {
    const arrived = Promise.withResolvers<Received>();
    const { url, requests } = await serveHttp((request) => {
      arrived.resolve(request);
      return new Promise(() => undefined);
    });
    const giveUp = new AbortController();
    const service = serviceWith(
      { ...settings, wsUrl: url.replace('http', 'ws') },
      { timed: (call) => call(giveUp.signal) },
    );
    const call = service.getRoom(ROOM);
    const { socket } = await arrived.promise;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    giveUp.abort();
    await expect(call).rejects.toThrow();
    await closed;
    expect(requests).toHaveLength(1);
  });

  test('is not sent to another region', async () => {
    const giveUp = new AbortController();
    const failing = home(() => {
      giveUp.abort();
      return outage;
    });
    const cloud = await cloudOf({ [HOME]: failing, [PARIS]: () => rooms(ROOM) });
    const service = serviceWith(
      { ...settings, wsUrl: HOME.replace('https', 'wss') },
      { fetch: cloud.fetch, timed: (call) => call(giveUp.signal) },
    );
    await expect(service.getRoom(ROOM)).rejects.toThrow();
    expect(cloud.asked).toEqual([ASKED_HOME]);
  });
});
