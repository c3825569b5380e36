import { beforeAll, describe, expect, test } from 'vitest';
import { nowhere, type Responder, serveHttp } from '../../test/harness/http-server.ts';
import { createRecorder } from './recorder.ts';
import type { LiveKitSettings } from './settings.ts';

const ROOM = 'reading-club-my-club-01JQ3R5T7V9X1Z3B5D7F9H1K3M';
const KEY = 'recordings/my-club/01JQ3R5T7V9X1Z3B5D7F9H1K3M/01JQ3R5T7V9X1Z3B5D7F9H1K3N.mp4';
const EGRESS = { egress_id: 'EG_1', room_name: ROOM, status: 'EGRESS_STARTING' };

const recorderAt = (
  url: string,
  settings: Partial<LiveKitSettings> = {},
  bucket: Parameters<typeof createRecorder>[1] = { bucket: 'files' },
) =>
  createRecorder(
    async () => ({
      wsUrl: url.replace('http', 'ws'),
      apiKey: 'devkey',
      apiSecret: 'a-secret-of-at-least-32-characters',
      ...settings,
    }),
    bucket,
  );

/** A LiveKit that answers so, and what it was asked. */
async function livekitThat(respond: Responder) {
  const { url, requests } = await serveHttp(respond);
  return { url, asked: () => requests.map(({ body }) => JSON.parse(body)) };
}

const start = (url: string, audioOnly = false) =>
  recorderAt(url).start({ roomName: ROOM, key: KEY, audioOnly });

describe('a start', () => {
  test('asks for one file, and for no manifest beside it', async () => {
    const livekit = await livekitThat(() => ({ body: EGRESS }));
    expect(await start(livekit.url)).toEqual({
      outcome: 'started',
      egress: { egressId: 'EG_1', roomName: ROOM, key: '', state: 'starting' },
    });
    await start(livekit.url, true);
    expect(livekit.asked()).toEqual([
      {
        roomName: ROOM,
        audioOnly: false,
        layout: 'grid',
        fileOutputs: [{ fileType: 'MP4', filepath: KEY, disableManifest: true }],
      },
      {
        roomName: ROOM,
        audioOnly: true,
        fileOutputs: [{ fileType: 'OGG', filepath: KEY, disableManifest: true }],
      },
    ]);
  });

  test('says where the file goes, and by whose right, where settings say so', async () => {
    const livekit = await livekitThat(() => ({ body: EGRESS }));
    const recordingUpload = { accessKey: 'AKIA', secret: 'hush', region: 'eu-central-1' };
    const endpoint = 'http://127.0.0.1:9';
    for (const bucket of [{ bucket: 'files' }, { bucket: 'files', endpoint }]) {
      await recorderAt(livekit.url, { recordingUpload }, bucket).start({
        roomName: ROOM,
        key: KEY,
        audioOnly: true,
      });
    }
    expect(livekit.asked().map(({ fileOutputs }) => fileOutputs[0].s3)).toEqual([
      { ...recordingUpload, bucket: 'files' },
      { ...recordingUpload, bucket: 'files', endpoint, forcePathStyle: true },
    ]);
  });

  const refusal = (status: number, code?: string): Responder =>
    code === undefined
      ? () => ({ status, body: '<html>' })
      : () => ({ status, body: { code, msg: 'a fault' } });

  test.each<[string, 'refused' | 'no-room' | 'unknown', Responder]>([
    ['has no recorder', 'refused', refusal(503, 'unavailable')],
    ['does not like the request', 'refused', refusal(400, 'invalid_argument')],
    ['does not know the key', 'refused', refusal(401, 'unauthenticated')],
    ['has no such room', 'no-room', refusal(404, 'not_found')],
    ['fails in the middle', 'unknown', refusal(500, 'unknown')],
    ['gives up waiting', 'unknown', refusal(408, 'deadline_exceeded')],
    ['is behind a gateway that fails', 'unknown', refusal(502)],
    ['drops the connection', 'unknown', () => 'drop'],
    ['answers no JSON', 'unknown', () => ({ body: '<html>' })],
    ['answers something else', 'unknown', () => ({ body: { rooms: [] } })],
    ['answers a list', 'unknown', () => ({ body: [] })],
  ])('of a LiveKit that %s is %s, and is asked for once', async (_, outcome, respond) => {
    const livekit = await livekitThat(respond);
    expect(await start(livekit.url)).toMatchObject({ outcome, cause: expect.anything() });
    expect(livekit.asked()).toHaveLength(1);
  });

  test('of a LiveKit that is not there is refused: nothing was sent', async () => {
    expect(await start(await nowhere())).toMatchObject({ outcome: 'refused' });
  });
});

describe('a stop', () => {
  test.each<[string, number, string]>([
    ['over', 404, 'not_found'],
    ['over', 412, 'failed_precondition'],
    ['unanswered', 408, 'deadline_exceeded'],
    ['unanswered', 503, 'unavailable'],
  ])('is %s for %i %s', async (outcome, status, code) => {
    const livekit = await livekitThat(() => ({ status, body: { code, msg: 'a fault' } }));
    expect(await recorderAt(livekit.url).stop('EG_1')).toBe(outcome);
  });

  test('is stopping otherwise', async () => {
    const livekit = await livekitThat(() => ({ body: EGRESS }));
    expect(await recorderAt(livekit.url).stop('EG_1')).toBe('stopping');
    expect(livekit.asked()).toEqual([{ egressId: 'EG_1' }]);
  });

  test.each<[string, Responder]>([
    ['fails', () => ({ status: 500, body: { code: 'unknown' } })],
    ['is behind a gateway that fails', () => ({ status: 504, body: '<html>' })],
    ['drops the connection', () => 'drop'],
  ])('by a LiveKit that %s is an outage', async (_, respond) => {
    const livekit = await livekitThat(respond);
    await expect(recorderAt(livekit.url).stop('EG_1')).rejects.toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
    });
  });
});

describe('a list', () => {
  const page = (token: string) => ({ items: [EGRESS], next_page_token: { token } });

  test('has all pages', async () => {
    const pages = [page('two'), page('three'), page('')];
    const livekit = await livekitThat(() => ({ body: pages.shift() }));
    expect(await recorderAt(livekit.url).listActive()).toHaveLength(3);
    expect(livekit.asked()).toEqual([
      { active: true },
      { active: true, pageToken: { token: 'two' } },
      { active: true, pageToken: { token: 'three' } },
    ]);
  });

  test('is empty when LiveKit says nothing, as proto3 writes an empty list', async () => {
    const livekit = await livekitThat(() => ({ body: {} }));
    expect(await recorderAt(livekit.url).listOf(ROOM)).toEqual([]);
    expect(livekit.asked()).toEqual([{ roomName: ROOM }]);
  });

  test.each<[string, Responder]>([
    ['has no end', () => ({ body: page('again') })],
    ['is none', () => ({ body: { items: 'all of them' } })],
    ['is refused', () => ({ status: 401, body: { code: 'unauthenticated' } })],
  ])('that %s is an outage, not "none"', async (_, respond) => {
    const livekit = await livekitThat(respond);
    await expect(recorderAt(livekit.url).listActive()).rejects.toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
    });
  });
});

describe('what is listed', () => {
  let listed: Awaited<ReturnType<ReturnType<typeof recorderAt>['listActive']>>;
  const items = [
    // Before there is a result, an output names the file, in either of two fields.
    { egressId: 'EG_1', roomComposite: { fileOutputs: [{ filepath: KEY }] } },
    { egressId: 'EG_2', roomComposite: { file: { filepath: KEY } } },
    // Another application's: tracks, or a stream.
    { egressId: 'EG_3', track: { trackId: 'TR_1' } },
    { egressId: 'EG_4', roomComposite: { streamOutputs: [{ urls: ['rtmp://'] }] } },
    {
      egressId: 'EG_5',
      status: 'EGRESS_LIMIT_REACHED',
      startedAt: '1795648709403641178',
      endedAt: '1795648733235566725',
      fileResults: [
        { filename: KEY, startedAt: '1795648709693448937', duration: '23451388543', size: '1' },
      ],
    },
    { egressId: 'EG_6', status: 'EGRESS_PAUSED' },
  ];
  beforeAll(async () => {
    const { url, close } = await serveHttp(
      () => ({ body: { items } }),
      () => undefined,
    );
    listed = await recorderAt(url).listActive();
    return close;
  });

  test.each([
    ['the file of a room', 'EG_1', { key: KEY, state: 'starting' }],
    ['the file of an older server', 'EG_2', { key: KEY }],
    ['no file of a track', 'EG_3', { key: '' }],
    ['no file of a stream', 'EG_4', { key: '' }],
    ['an unknown state, as one that may record', 'EG_6', { state: 'active' }],
    [
      'one that reached a limit, as complete',
      'EG_5',
      {
        key: KEY,
        state: 'completed',
        startedAt: '2026-11-25T23:18:29.693Z',
        endedAt: '2026-11-25T23:18:53.235Z',
        durationSeconds: 23,
      },
    ],
  ])('has %s', (_, egressId, expected) => {
    expect(listed.find((egress) => egress.egressId === egressId)).toMatchObject(expected);
  });
});
