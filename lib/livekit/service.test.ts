import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { AccessToken, RoomConfiguration, TokenVerifier } from 'livekit-server-sdk';
import { beforeAll, describe, expect, test } from 'vitest';
import { type StandIn, startStandIn } from '../../local/livekit/stand-in.ts';
import { nowhere, type Responder, serveHttp } from '../../test/harness/http-server.ts';
import { MediaUnavailable } from '../errors.ts';
import { LiveKitService } from './service.ts';
import type { LiveKitSettings } from './settings.ts';
import type { TwirpOptions } from './twirp.ts';

const API_KEY = 'devkey';
const API_SECRET = 'a-secret-of-at-least-32-characters';
const ROOM = 'reading-club-my-club-01JQ3R5T7V9X1Z3B5D7F9H1K3M';
const OPTIONS = {
  emptyTimeoutSeconds: 600,
  departureTimeoutSeconds: 1800,
  maxParticipants: 50,
  metadata: { clubId: 'my-club', clubName: 'Bücher 📚' },
};
const TOKEN = { ttlSeconds: 600, roomOptions: OPTIONS };

const serviceAt = (url: string, options?: TwirpOptions) =>
  new LiveKitService(
    async () => ({
      wsUrl: url.replace('http', 'ws'),
      apiKey: API_KEY,
      apiSecret: API_SECRET,
    }),
    options,
  );

/** Each method that asks LiveKit. */
const CALLS: Record<string, (service: LiveKitService) => Promise<unknown>> = {
  createRoom: (service) => service.createRoom(ROOM, OPTIONS),
  getRoom: (service) => service.getRoom(ROOM),
  deleteRoom: (service) => service.deleteRoom(ROOM),
  getParticipants: (service) => service.getParticipants(ROOM),
  removeParticipant: (service) => service.removeParticipant(ROOM, 'ada'),
  listRooms: (service) => service.listRooms(),
  muteTrack: (service) => service.muteTrack(ROOM, 'ada', 'TR_1'),
  getRoomStatus: (service) => service.getRoomStatus(ROOM),
};
const METHODS = Object.entries(CALLS);
/** Each method that is about what is in a room, and what it answers about a missing one. */
const IN_A_ROOM: [string, unknown][] = [
  ['deleteRoom', true],
  ['getParticipants', []],
  ['removeParticipant', false],
  ['muteTrack', undefined],
];

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (answer) => expect.fail(`It was answered: ${inspect(answer)}`),
    (error: unknown) => error,
  );

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('a room', () => {
  let standIn: StandIn;
  let service: LiveKitService;
  beforeAll(async () => {
    standIn = await startStandIn({ apiKeys: { [API_KEY]: API_SECRET }, countLagMs: 0 });
    service = serviceAt(standIn.url);
    return () => standIn.close();
  });

  let sequence = 0;
  const newName = () => `${ROOM}-${++sequence}`;

  test('is created with its limits and returned without any bigint', async () => {
    const name = newName();
    const room = await service.createRoom(name, OPTIONS);
    expect(room).toEqual({
      name,
      sid: expect.stringMatching(/^RM_/),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      participantCount: 0,
      metadata: JSON.stringify(OPTIONS.metadata),
    });
    expect(JSON.parse(JSON.stringify(room))).toEqual(room);
    expect(Math.abs(Date.parse(room.createdAt) - Date.now())).toBeLessThan(5000);
    expect((await standIn.rooms()).find((each) => each.name === name)).toMatchObject({
      maxParticipants: 50,
      emptyTimeoutSeconds: 600,
      departureTimeoutSeconds: 1800,
    });
  });

  test('that exists is returned unchanged when it is created again', async () => {
    const name = newName();
    const first = await service.createRoom(name, OPTIONS);
    expect(await service.createRoom(name, { ...OPTIONS, metadata: {} })).toEqual(first);
  });

  test('is found by its name, and null where there is none', async () => {
    const name = newName();
    expect(await service.getRoom(name)).toBeNull();
    const room = await service.createRoom(name, OPTIONS);
    expect(await service.getRoom(name)).toEqual(room);
  });

  test('is deleted, and deleting it again is true as well', async () => {
    const name = newName();
    await service.createRoom(name, OPTIONS);
    expect(await service.deleteRoom(name)).toBe(true);
    expect(await service.getRoom(name)).toBeNull();
    expect(await service.deleteRoom(name)).toBe(true);
  });

  test('lists connected people and machines, without any bigint', async () => {
    const name = newName();
    await service.createRoom(name, OPTIONS);
    await standIn.join(name, { identity: 'ada', name: 'Ada' });
    await standIn.join(name, { identity: 'joined', state: 'JOINED' });
    await standIn.join(name, { identity: 'recorder', kind: 'EGRESS' });
    await standIn.join(name, { identity: 'agent', kind: 'AGENT' });
    await standIn.join(name, { identity: 'caller', kind: 'SIP' });
    await standIn.join(name, { identity: 'chatter', kind: 'CONNECTOR' });
    await standIn.join(name, { identity: 'still-joining', state: 'JOINING' });
    const participants = await service.getParticipants(name);
    expect(participants.find(({ identity }) => identity === 'ada')).toEqual({
      kind: 'standard',
      identity: 'ada',
      sid: expect.stringMatching(/^PA_/),
      name: 'Ada',
      joinedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      tracks: [],
    });
    expect(Object.fromEntries(participants.map(({ identity, kind }) => [identity, kind]))).toEqual({
      ada: 'standard',
      joined: 'standard',
      recorder: 'other',
      agent: 'other',
      caller: 'sip',
      chatter: 'connector',
    });
    expect(JSON.parse(JSON.stringify(participants))).toEqual(participants);
  });

  test('lists what each person publishes, and mutes a track', async () => {
    const name = newName();
    await service.createRoom(name, OPTIONS);
    const { trackSids } = await standIn.join(name, {
      identity: 'ada',
      tracks: [{ source: 'MICROPHONE' }, { source: 'CAMERA' }, { source: 'SCREEN_SHARE' }],
    });
    const [microphone = '', camera, screen] = trackSids;
    const tracks = [
      { sid: microphone, kind: 'audio', source: 'microphone', muted: false },
      { sid: camera, kind: 'video', source: 'camera', muted: false },
      { sid: screen, kind: 'video', source: 'screen_share', muted: false },
    ];
    expect(await service.getParticipants(name)).toMatchObject([{ tracks }]);
    await service.muteTrack(name, 'ada', microphone);
    const [, ...others] = tracks;
    expect(await service.getParticipants(name)).toMatchObject([
      { tracks: [{ ...tracks[0], muted: true }, ...others] },
    ]);
  });

  test('is listed with all others', async () => {
    const names = [newName(), newName()];
    const rooms = await Promise.all(names.map((name) => service.createRoom(name, OPTIONS)));
    expect(await service.listRooms()).toEqual(expect.arrayContaining(rooms));
  });

  test('that does not exist has no participants', async () => {
    expect(await service.getParticipants(newName())).toEqual([]);
  });

  test('removes a participant: true for one who was there, false otherwise', async () => {
    const name = newName();
    expect(await service.removeParticipant(name, 'ada')).toBe(false);
    await service.createRoom(name, OPTIONS);
    expect(await service.removeParticipant(name, 'ada')).toBe(false);
    await standIn.join(name, { identity: 'ada' });
    expect(await service.removeParticipant(name, 'ada')).toBe(true);
    expect(await service.getParticipants(name)).toEqual([]);
  });

  test('does not list a participant of a kind that this version does not know', async () => {
    const participants = ['STANDARD', 'HOLOGRAM', 99, undefined].map((kind, index) => ({
      sid: `PA_${index}`,
      identity: `participant-${index}`,
      state: 'ACTIVE',
      joined_at_ms: '1795378304238',
      kind,
    }));
    const { url } = await serveHttp(({ path }) => ({
      body: path.endsWith('/ListRooms') ? { rooms: [{ name: ROOM }] } : { participants },
    }));
    const kinds = (await serviceAt(url).getParticipants(ROOM)).map(({ kind }) => kind);
    expect(kinds).toEqual(['standard', 'other', 'other', 'standard']);
    expect(await serviceAt(url).getRoomStatus(ROOM)).toMatchObject({ participantCount: 2 });
  });

  test('has a status that counts people and guests, and no machines', async () => {
    const name = newName();
    expect(await service.getRoomStatus(name)).toEqual({
      exists: false,
      isActive: false,
      participantCount: 0,
    });
    const { createdAt, metadata } = await service.createRoom(name, OPTIONS);
    await standIn.join(name, { identity: 'recorder', kind: 'EGRESS' });
    expect(await service.getRoomStatus(name)).toEqual({
      exists: true,
      isActive: false,
      participantCount: 0,
      creationTime: createdAt,
      metadata,
    });
    await standIn.join(name, { identity: 'ada' });
    await standIn.join(name, { identity: 'sip_+4930', kind: 'SIP' });
    const status = await service.getRoomStatus(name);
    expect(status).toMatchObject({ isActive: true, participantCount: 2 });
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  test('is opened by a token of this service', async () => {
    const name = newName();
    await service.createRoom(name, OPTIONS);
    const { sid } = await standIn.joinWithToken(
      await service.createToken(name, 'Ada', 'ada', {}, TOKEN),
    );
    expect(await service.getParticipants(name)).toMatchObject([{ sid, name: 'Ada' }]);
  });
});

describe('a removal', () => {
  test('revokes the tokens from before the given time, and no later ones', async () => {
    const { url, requests } = await serveHttp(() => ({}));
    await serviceAt(url).removeParticipant(ROOM, 'ada', new Date('2026-08-29T18:00:00.900Z'));
    expect(JSON.parse(requests[0]?.body ?? '')).toMatchObject({
      room: ROOM,
      identity: 'ada',
      revokeTokenTs: String(Date.parse('2026-08-29T18:00:00.000Z') / 1000),
    });
  });

  test('without a moment leaves that to LiveKit', async () => {
    const { url, requests } = await serveHttp(() => ({}));
    await serviceAt(url).removeParticipant(ROOM, 'ada');
    expect(JSON.parse(requests[0]?.body ?? '').revokeTokenTs ?? '0').toBe('0');
  });
});

describe('a join token', () => {
  const service = serviceAt('http://127.0.0.1:9');
  const EVERYBODY = {
    room: ROOM,
    roomJoin: true,
    canPublish: true,
    canSubscribe: true,
    canPublishData: true,
    canUpdateOwnMetadata: true,
  };

  test('is one that LiveKit’s own SDK reads, and makes of the same claims', async () => {
    const { roomConfig, ...ours } = await new TokenVerifier(API_KEY, API_SECRET).verify(
      await service.createToken(ROOM, 'Ada', 'ada', { isModerator: true }, TOKEN),
    );
    const sdk = new AccessToken(API_KEY, API_SECRET, { identity: 'ada', name: 'Ada', ttl: 600 });
    sdk.addGrant({ ...EVERYBODY, roomAdmin: true, roomRecord: false });
    const times = { exp: expect.any(Number), nbf: expect.any(Number) };
    expect(ours).toEqual({ ...claimsOf(await sdk.toJwt()), ...times });
    const { name: _, ...configuration } = RoomConfiguration.fromJsonString(
      JSON.stringify(roomConfig),
    );
    expect(configuration).toMatchObject({
      emptyTimeout: 600,
      departureTimeout: 1800,
      maxParticipants: 50,
      metadata: JSON.stringify(OPTIONS.metadata),
    });
  });

  test('is signed with the secret of the project', async () => {
    const token = await service.createToken(ROOM, 'Ada', 'ada', {}, TOKEN);
    const [head, body, signature] = token.split('.');
    const expected = createHmac('sha256', API_SECRET).update(`${head}.${body}`).digest('base64url');
    expect(signature).toBe(expected);
    expect(claimsOf(token)).toMatchObject({ iss: API_KEY, sub: 'ada', name: 'Ada' });
  });

  test.each([1, 60, 600, 86_400])('works for the %i seconds that were asked for', async (s) => {
    const before = Math.floor(Date.now() / 1000);
    const { exp } = claimsOf(
      await service.createToken(ROOM, 'Ada', 'ada', {}, { ...TOKEN, ttlSeconds: s }),
    );
    expect(exp).toBeGreaterThanOrEqual(before + s);
    expect(exp).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + s);
  });

  test.each([
    ['nothing more', {}, { roomAdmin: false, roomRecord: false }],
    ['to moderate', { isModerator: true }, { roomAdmin: true, roomRecord: false }],
    ['to record', { canRecord: true }, { roomAdmin: false, roomRecord: true }],
    ['both', { isModerator: true, canRecord: true }, { roomAdmin: true, roomRecord: true }],
  ])('for a participant who is allowed %s states every grant', async (_, permissions, granted) => {
    const token = await service.createToken(ROOM, 'Ada', 'ada', permissions, TOKEN);
    expect(claimsOf(token).video).toEqual({ ...EVERYBODY, ...granted });
  });

  test('holds no other grant, though the permissions carry more keys', async () => {
    const permissions = {
      isModerator: false,
      roomAdmin: true,
      roomCreate: true,
      roomList: true,
      ingressAdmin: true,
      hidden: true,
      room: 'another-room',
    };
    const { video, ...claims } = claimsOf(
      await service.createToken(ROOM, 'Ada', 'ada', permissions, TOKEN),
    );
    expect(video).toEqual({ ...EVERYBODY, roomAdmin: false, roomRecord: false });
    expect(Object.keys(claims).toSorted()).toEqual(
      ['exp', 'iss', 'name', 'nbf', 'roomConfig', 'sub'].toSorted(),
    );
  });

  test('carries the limits of the room, for a server that creates it at the join', async () => {
    const { roomConfig } = claimsOf(await service.createToken(ROOM, 'Ada', 'ada', {}, TOKEN));
    expect(roomConfig).toEqual({
      emptyTimeout: 600,
      departureTimeout: 1800,
      maxParticipants: 50,
      metadata: JSON.stringify(OPTIONS.metadata),
    });
  });

  test('keeps a name in any script as it is', async () => {
    const name = 'محمد 👩‍👩‍👧‍👦';
    expect(claimsOf(await service.createToken(ROOM, name, 'ada', {}, TOKEN)).name).toBe(name);
  });

  test('needs no call to LiveKit, and names the URL to connect to', async () => {
    const { url, requests } = await serveHttp(() => ({}));
    await serviceAt(url).createToken(ROOM, 'Ada', 'ada', {}, TOKEN);
    expect(await serviceAt(url).getServerUrl()).toBe(url.replace('http', 'ws'));
    expect(requests).toEqual([]);
  });
});

describe('the project', () => {
  test('is asked for at each call, so that a rotated key is used at once', async () => {
    const { url, requests } = await serveHttp(() => ({}));
    const wsUrl = url.replace('http', 'ws');
    let settings: LiveKitSettings = { wsUrl, apiKey: 'old', apiSecret: API_SECRET };
    const service = new LiveKitService(async () => settings);
    await service.getRoom(ROOM);
    settings = { wsUrl, apiKey: 'new', apiSecret: API_SECRET };
    await service.getRoom(ROOM);
    const keys = requests.map(({ headers }) => claimsOf(headers.authorization ?? '').iss);
    expect(keys).toEqual(['old', 'new']);
    expect(claimsOf(await service.createToken(ROOM, 'Ada', 'ada', {}, TOKEN)).iss).toBe('new');
  });

  test('that cannot be read fails each method, and is no empty room', async () => {
    const service = new LiveKitService(() => Promise.reject(new MediaUnavailable()));
    for (const [, call] of METHODS) {
      expect(await failureOf(call(service))).toBeInstanceOf(MediaUnavailable);
    }
    const token = service.createToken(ROOM, 'Ada', 'ada', {}, TOKEN);
    expect(await failureOf(token)).toBeInstanceOf(MediaUnavailable);
  });
});

describe('a socket that LiveKit closed while it was idle', () => {
  /** Answers the first request of each connection only, as a server does that is done waiting. */
  const closesIdleSockets = (): Responder => {
    const used = new Set<unknown>();
    return ({ socket }) => {
      if (used.has(socket)) return 'drop';
      used.add(socket);
      return {};
    };
  };

  test.each(METHODS)('is noticed by %s, which tries again once', async (_, call) => {
    const { url, requests } = await serveHttp(closesIdleSockets());
    const service = serviceAt(url);
    await service.getRoom(ROOM);
    await delay(10); // only then is its socket idle
    await call(service);
    expect(requests).toHaveLength(3);
  });

  test.each(METHODS)('is an outage for %s when the next one is dead too', async (_, call) => {
    const { url, requests } = await serveHttp(() => 'drop');
    expect(await failureOf(call(serviceAt(url)))).toBeInstanceOf(MediaUnavailable);
    expect(requests).toHaveLength(2);
  });
});

describe('LiveKit that answers', () => {
  const twirp = (status: number, code: string) => ({ status, body: { code, msg: 'a reason' } });
  const text = (status: number, body: string, type = 'text/html') => ({
    status,
    body,
    headers: { 'content-type': type },
  });

  const OUTAGES: [string, ReturnType<Responder>][] = [
    ['500', twirp(500, 'internal')],
    ['503', twirp(503, 'unavailable')],
    ['502 in HTML', text(502, '<html>Bad gateway</html>')],
    ['429', twirp(429, 'resource_exhausted')],
    ['401 for a wrong key', text(401, 'invalid API key: devkey', 'text/plain')],
    ['401 for a missing grant', twirp(401, 'unauthenticated')],
    ['403', twirp(403, 'permission_denied')],
    ['408', text(408, 'Request timeout')],
    ['404 in HTML: it is not LiveKit', text(404, '<html>Not found</html>')],
    ['404 in plain text: it is not LiveKit', text(404, '404 page not found', 'text/plain')],
    ['405 in HTML: it is not LiveKit', text(405, '<html>Not allowed</html>')],
  ];
  const READING = METHODS.filter(([name]) => /^(get|list)/.test(name));

  test.each(OUTAGES)('%s is an outage for every method, asked once', async (_, answer) => {
    const { url, requests } = await serveHttp(() => answer);
    for (const [name, call] of METHODS) {
      const before = requests.length;
      expect(await failureOf(call(serviceAt(url))), name).toBeInstanceOf(MediaUnavailable);
      // About what is in a room, `unavailable` may mean a missing room: the room list says.
      const isUnsure =
        IN_A_ROOM.some(([each]) => each === name) && JSON.stringify(answer).includes('unavailable');
      expect(requests.length - before, name).toBe(isUnsure ? 2 : 1);
    }
  });

  test.each(READING)('200 in HTML is an outage for %s, not an empty answer', async (_, call) => {
    const { url } = await serveHttp(() => text(200, '<html>Welcome</html>'));
    expect(await failureOf(call(serviceAt(url)))).toBeInstanceOf(MediaUnavailable);
  });

  test.each(READING)('200 with JSON of something else is an outage for %s', async (_, call) => {
    const { url } = await serveHttp(() => ({ status: 200, body: 'Welcome' }));
    expect(await failureOf(call(serviceAt(url)))).toBeInstanceOf(MediaUnavailable);
  });

  test.each(READING)('200 in JSON that is not its own is an outage for %s', async (name, call) => {
    for (const body of ['[]', '"OK"', '42', '{"rooms":"none","participants":"none"}']) {
      const { url } = await serveHttp(() => ({ body }));
      expect(await failureOf(call(serviceAt(url))), `${name} ${body}`).toBeInstanceOf(
        MediaUnavailable,
      );
    }
  });

  test('with a redirection to itself is an outage for every method', async () => {
    const { url } = await serveHttp(({ path }) => ({ status: 307, headers: { location: path } }));
    for (const [name, call] of METHODS) {
      expect(await failureOf(call(serviceAt(url))), name).toBeInstanceOf(MediaUnavailable);
    }
  });

  test.each([
    ['400', twirp(400, 'invalid_argument')],
    ['400', twirp(400, 'malformed')],
    ['404 for a route that it does not have', twirp(404, 'bad_route')],
    ['412', twirp(412, 'failed_precondition')],
  ])('%s (%j) is a mistake of this service, no outage', async (_, answer) => {
    const { url } = await serveHttp(() => answer);
    for (const [name, call] of METHODS) {
      const error = await failureOf(call(serviceAt(url)));
      expect(error, name).toBeInstanceOf(Error);
      expect(error, name).not.toBeInstanceOf(MediaUnavailable);
      expect(error, name).toHaveProperty(
        'message',
        `LiveKit answered ${answer.status} ${answer.body.code}`,
      );
    }
  });

  test('404 not_found to a mute is success: a participant who left is silent as well', async () => {
    const { url } = await serveHttp(() => twirp(404, 'not_found'));
    await expect(serviceAt(url).muteTrack(ROOM, 'ada', 'TR_1')).resolves.toBeUndefined();
  });

  test('404 not_found to a deletion is success, and to a removal false', async () => {
    const { url } = await serveHttp(() => twirp(404, 'not_found'));
    expect(await serviceAt(url).deleteRoom(ROOM)).toBe(true);
    expect(await serviceAt(url).removeParticipant(ROOM, 'ada')).toBe(false);
  });

  test('404 not_found to ListParticipants means no room, so an empty list', async () => {
    const { url } = await serveHttp(() => twirp(404, 'not_found'));
    expect(await serviceAt(url).getParticipants(ROOM)).toEqual([]);
  });

  describe.each<[string, Responder]>([
    ['503 unavailable', () => twirp(503, 'unavailable')],
    ['silence', () => new Promise(() => {})],
  ])('%s about a room', (_, silence) => {
    test.each(IN_A_ROOM)('%s: the room list says whether there is none', async (name, absent) => {
      const rooms: object[] = [];
      const { url } = await serveHttp((request) =>
        request.path.endsWith('/ListRooms') ? { body: { rooms } } : silence(request),
      );
      const call = () => CALLS[name]?.(serviceAt(url, { callTimeoutMs: 300 }));
      expect(await call()).toEqual(absent);
      rooms.push({ name: ROOM, sid: 'RM_1' });
      await expect(call()).rejects.toBeInstanceOf(MediaUnavailable);
    });
  });

  test('404 not_found to anything else is not an empty answer', async () => {
    const { url } = await serveHttp(() => twirp(404, 'not_found'));
    const others = METHODS.filter(([name]) =>
      /^(createRoom|getRoom|getRoomStatus|listRooms)$/.test(name),
    );
    for (const [name, call] of others) {
      expect(await failureOf(call(serviceAt(url))), name).toBeInstanceOf(Error);
    }
  });

  test('with the API token in its refusal does not expose it', async () => {
    const sent: string[] = [];
    const { url } = await serveHttp(({ headers }) => {
      const token = headers.authorization?.replace('Bearer ', '') ?? '';
      sent.push(token);
      return text(401, `invalid token: ${token}, error: token is expired`, 'text/plain');
    });
    for (const [, call] of METHODS) {
      expectNoToken(await failureOf(call(serviceAt(url))), sent);
    }
  });

  test.each([400, 404, 500])(
    '%i with the API token in each part of its answer does not expose it',
    async (status) => {
      const sent: string[] = [];
      const { url } = await serveHttp(({ headers }) => {
        const token = headers.authorization?.replace('Bearer ', '') ?? '';
        sent.push(token);
        return { status, body: { code: 'internal', msg: token, meta: { token } } };
      });
      for (const [, call] of METHODS) {
        expectNoToken(await failureOf(call(serviceAt(url))), sent);
      }
    },
  );
});

test('a mistake of this service is no outage of LiveKit', async () => {
  const service = new LiveKitService(async () => ({
    wsUrl: 'ws://127.0.0.1:9',
    apiKey: API_KEY,
    apiSecret: '', // none can be signed with it
  }));
  const error = await failureOf(service.getRoom(ROOM));
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(MediaUnavailable);
});

describe('LiveKit that does not answer', () => {
  test('with a closed port is an outage for every method', async () => {
    const service = serviceAt(await nowhere());
    for (const [name, call] of METHODS) {
      const error = await failureOf(call(service));
      expect(error, name).toBeInstanceOf(MediaUnavailable);
      expectNoToken(error, []);
    }
  });

  test('in 3.5 s is an outage for every method, which looks at most for the room', async () => {
    const { url, requests } = await serveHttp(() => new Promise(() => undefined));
    const startedAt = performance.now();
    const errors = await Promise.all(METHODS.map(([, call]) => failureOf(call(serviceAt(url)))));
    // Timers may be early by a millisecond.
    expect(performance.now() - startedAt).toBeGreaterThan(3_490);
    for (const error of errors) expect(error).toBeInstanceOf(MediaUnavailable);
    expect(requests).toHaveLength(METHODS.length + IN_A_ROOM.length);
  });
});

function expectNoToken(error: unknown, sent: string[]): void {
  const shown = inspect(error, { depth: 9, showHidden: true });
  expect(shown).not.toContain('eyJ');
  for (const token of sent) {
    for (const part of token.split('.')) expect(shown).not.toContain(part);
  }
}
