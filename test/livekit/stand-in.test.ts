import { setTimeout as delay } from 'node:timers/promises';
import { ParticipantInfo_State } from '@livekit/protocol';
import { RoomServiceClient, WebhookReceiver } from 'livekit-server-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  JoinRefused,
  type StandIn,
  type StandInClients,
  type StandInOptions,
  standInClients,
  startStandIn,
} from '../../local/livekit/stand-in.ts';
import { eventually } from '../harness/eventually.ts';
import { serveHttp } from '../harness/http-server.ts';
import { API_KEY, API_SECRET } from '../harness/livekit-events.ts';
import { joinToken } from './livekits.ts';

let standIn: StandIn;
let rooms: RoomServiceClient;

async function start(options: Partial<StandInOptions> = {}): Promise<void> {
  standIn = await startStandIn({ apiKeys: { [API_KEY]: API_SECRET }, ...options });
  rooms = new RoomServiceClient(standIn.url, API_KEY, API_SECRET, { requestTimeout: 1 });
}

afterEach(() => standIn.close());

describe('the stand-in says that it is one', () => {
  beforeEach(() => start());

  it('at its root, with the way to a real server', async () => {
    const response = await fetch(standIn.url);
    expect(await response.text()).toMatch(/stand-in[\s\S]*npm run livekit:install/);
  });

  it('in a header of every answer, refusals included', async () => {
    for (const path of ['/', '/nowhere', '/rtc/validate', '/twirp/livekit.RoomService/ListRooms']) {
      const response = await fetch(standIn.url + path);
      expect(response.headers.get('x-livekit-stand-in')).toBe('true');
      await response.body?.cancel();
    }
  });

  it('to a client that wants to join', async () => {
    await rooms.createRoom({ name: 'r' });
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = new WebSocket(`${standIn.wsUrl}/rtc?access_token=${await joinToken('r')}`);
    socket.onopen = () => resolve('open');
    socket.onerror = () => resolve('refused');
    expect(await promise).toBe('refused');
  });

  it('where it cannot do what the real one can', async () => {
    const send = rooms.sendData('r', new Uint8Array([1]), 0, {});
    await expect(send).rejects.toMatchObject({ status: 501, code: 'unimplemented' });
  });
});

describe('the control', () => {
  beforeEach(() => start());

  it('puts people into rooms and takes them out', async () => {
    const { sid } = await rooms.createRoom({ name: 'r', maxParticipants: 9, metadata: 'm' });
    const joined = await standIn.join('r', {
      identity: 'alice',
      name: 'Alice',
      kind: 'AGENT',
      state: 'JOINED',
      tracks: [{ source: 'CAMERA' }],
    });
    expect(await standIn.rooms()).toEqual([
      {
        name: 'r',
        sid,
        metadata: 'm',
        maxParticipants: 9,
        emptyTimeoutSeconds: 600,
        departureTimeoutSeconds: 60,
        participants: [{ sid: joined.sid, identity: 'alice', kind: 'AGENT' }],
      },
    ]);
    expect(await rooms.listParticipants('r')).toMatchObject([
      { name: 'Alice', state: ParticipantInfo_State.JOINED },
    ]);
    expect(joined.trackSids).toEqual([expect.stringMatching(/^TR_/)]);
    await standIn.leave('r', joined.sid, 'CONNECTION_TIMEOUT');
    expect(await rooms.listParticipants('r')).toEqual([]);
    expect(await standIn.departures()).toEqual([
      { roomName: 'r', sid: joined.sid, identity: 'alice', reason: 'CONNECTION_TIMEOUT' },
    ]);
    await expect(standIn.join('none', { identity: 'a' })).rejects.toBeInstanceOf(JoinRefused);
  });

  it('finishes a room as its timer would', async () => {
    await rooms.createRoom({ name: 'r' });
    await standIn.join('r', { identity: 'alice' });
    await standIn.finishRoom('r');
    expect(await rooms.listRooms(['r'])).toEqual([]);
    expect(await standIn.departures()).toMatchObject([{ reason: 'ROOM_CLOSED' }]);
    await expect(standIn.finishRoom('r')).rejects.toThrow(/no room r/);
  });

  it.each<[string, () => StandInClients]>([
    ['in its own process', () => standIn],
    ['over HTTP', () => standInClients(standIn.wsUrl)],
  ])('%s joins by token as a client would, leaves, and says why not', async (_, clientsOf) => {
    const clients = clientsOf();
    await expect(clients.joinWithToken(await joinToken('r'))).rejects.toMatchObject({
      name: 'JoinRefused',
      status: 404,
      message: 'requested room does not exist',
    });
    await rooms.createRoom({ name: 'r' });
    const joined = await clients.joinWithToken(await joinToken('r', { identity: 'bob' }));
    expect(joined).toMatchObject({ roomName: 'r', identity: 'bob' });
    await clients.leave('r', joined.sid);
    expect(await clients.departures()).toMatchObject([
      { sid: joined.sid, reason: 'CLIENT_INITIATED' },
    ]);
    await expect(clients.leave('r', joined.sid)).rejects.toThrow(/no participant with sid/);
  });
});

describe('the control over HTTP', () => {
  beforeEach(() => start());

  const post = (operation: string, body: string, type = 'application/json') =>
    fetch(`${standIn.url}/stand-in/${operation}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });

  it('refuses what it does not understand, and says what is wrong', async () => {
    const misspelt = await post('leave', '{"roomName":"r","sib":"PA_a"}');
    expect(misspelt.status).toBe(400);
    expect(await misspelt.text()).toMatch(/sib/);
    expect((await post('open-room', '{}')).status).toBe(404);
    expect((await post('departures', '{')).status).toBe(400);
  });

  it('takes nothing that a web page can send unasked', async () => {
    expect((await post('departures', '{}', 'text/plain')).status).toBe(400);
  });
});

describe('numParticipants of a Room', () => {
  it('is right at once where a test wants that', async () => {
    await start({ countLagMs: 0 });
    await rooms.createRoom({ name: 'r' });
    const { sid } = await standIn.join('r', { identity: 'alice' });
    expect((await rooms.listRooms())[0]?.numParticipants).toBe(1);
    await standIn.leave('r', sid);
    expect((await rooms.listRooms())[0]?.numParticipants).toBe(0);
  });
});

describe('webhooks', () => {
  let receiver: Awaited<ReturnType<typeof serveHttp>>;
  let arrived: { event: string; id: string }[];
  /** What the receiver answers next; 200 when there is nothing left. */
  let answers: number[];

  beforeEach(async () => {
    arrived = [];
    answers = [];
    const verifier = new WebhookReceiver(API_KEY, API_SECRET);
    receiver = await serveHttp(
      async ({ body, headers }) => {
        const { event, id } = await verifier.receive(body, headers.authorization);
        arrived.push({ event, id });
        return { status: answers.shift() ?? 200 };
      },
      () => undefined,
    );
    const webhook = { urls: [receiver.url], apiKey: API_KEY };
    await start({ webhook, webhookRetryDelaysMs: [10, 20] });
  });
  afterEach(() => receiver.close());

  /** room_started, participant_joined, participant_left, room_finished. */
  async function meet(): Promise<string[]> {
    await rooms.createRoom({ name: 'r' });
    const { sid } = await standIn.join('r', { identity: 'alice' });
    await standIn.leave('r', sid);
    await rooms.deleteRoom('r');
    await standIn.webhooks.settled();
    return arrived.map(({ event }) => event);
  }
  const MEETING = ['room_started', 'participant_joined', 'participant_left', 'room_finished'];

  it('come in order, signed', async () => {
    expect(await meet()).toEqual(MEETING);
    const deliveries = await standIn.webhooks.deliveries();
    expect(deliveries.map(({ outcome }) => outcome)).toEqual(Array(4).fill('delivered'));
  });

  it('report a connection that never became active as aborted', async () => {
    await rooms.createRoom({ name: 'r' });
    const { sid } = await standIn.join('r', { identity: 'alice', state: 'JOINED' });
    await standIn.leave('r', sid);
    await standIn.webhooks.settled();
    const events = arrived.map(({ event }) => event);
    expect(events).toEqual(['room_started', 'participant_connection_aborted']);
  });

  it.each([500, 503, 429])('are sent again after a %i, the same event', async (status) => {
    answers = [status, status];
    await rooms.createRoom({ name: 'r' });
    await standIn.webhooks.settled();
    expect(arrived).toHaveLength(3);
    expect(new Set(arrived.map(({ id }) => id)).size).toBe(1);
    const [delivery] = await standIn.webhooks.deliveries();
    expect(delivery).toMatchObject({ attempts: 3, outcome: 'delivered' });
  });

  it.each([
    [400, 1],
    [401, 1],
    [500, 3],
  ])(
    'are given up after a %i and %i attempts, and the next one comes',
    async (status, attempts) => {
      answers = Array(attempts).fill(status);
      expect((await meet()).slice(attempts)).toEqual(MEETING.slice(1));
      const [delivery] = await standIn.webhooks.deliveries();
      expect(delivery).toMatchObject({ attempts, outcome: 'failed' });
    },
  );

  it('are given up when the port is closed', async () => {
    await receiver.close();
    await rooms.createRoom({ name: 'r' });
    await standIn.webhooks.settled();
    expect(await standIn.webhooks.deliveries()).toMatchObject([{ attempts: 3, outcome: 'failed' }]);
  });

  it('are not waited for at the end', async () => {
    await standIn.close();
    const webhook = { urls: [receiver.url], apiKey: API_KEY };
    await start({ webhook, webhookRetryDelaysMs: [60_000] });
    answers = [500];
    await rooms.createRoom({ name: 'r' });
    await eventually(async () => arrived[0], 'not sent');
    const settled = standIn.webhooks.settled();
    await standIn.close();
    await Promise.race([settled, delay(1_000).then(() => expect.unreachable('still waiting'))]);
    expect(arrived).toHaveLength(1);
  });

  it('need a key that the stand-in has', async () => {
    const options = {
      apiKeys: { [API_KEY]: API_SECRET },
      webhook: { urls: [receiver.url], apiKey: 'another' },
    };
    await expect(startStandIn(options)).rejects.toThrow(/another is none of/);
  });
});
