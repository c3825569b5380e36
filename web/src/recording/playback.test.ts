import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type PlaybackState, startPlayback } from './playback.ts';

const LIFE_MS = 300_000;

/** As much of a browser's media element as plays a file; the real one is in test/web/browser. */
class Media extends EventTarget {
  readonly HAVE_NOTHING = 0;
  readyState = 0;
  paused = true;
  error: Error | null = null;
  sources: string[] = [];
  /** Whether this source loads. */
  loads: (url: string) => boolean = () => true;
  #time = 0;

  set src(url: string) {
    this.sources.push(url);
    this.#time = 0;
    this.paused = true;
    this.readyState = 0;
    queueMicrotask(() => (this.loads(url) ? this.#loaded() : this.fail()));
  }
  #loaded() {
    this.readyState = 4;
    this.dispatchEvent(new Event('loadedmetadata'));
  }
  fail() {
    this.readyState = 0;
    this.error = new Error('The file does not load');
    this.dispatchEvent(new Event('error'));
  }
  get currentTime() {
    return this.#time;
  }
  set currentTime(seconds: number) {
    this.#time = seconds;
    this.dispatchEvent(new Event('seeking'));
    queueMicrotask(() => this.dispatchEvent(new Event('seeked')));
  }
  /** It plays until then. */
  playTo(seconds: number) {
    this.#time = seconds;
    this.dispatchEvent(new Event('timeupdate'));
  }
  async play() {
    this.paused = false;
    this.dispatchEvent(new Event('play'));
  }
  pause() {
    this.paused = true;
    this.dispatchEvent(new Event('pause'));
  }
  removeAttribute() {}
  load() {}
}

let nowMs: number;
let media: Media;
beforeEach(() => {
  nowMs = Date.parse('2026-11-26T10:00:00Z');
  media = new Media();
});

async function setUp({ aheadMs = 0 } = {}) {
  const states: PlaybackState['at'][] = [];
  const getAddress = vi.fn(async () => ({
    url: `address ${getAddress.mock.calls.length}`,
    expiresAt: new Date(nowMs + LIFE_MS - aheadMs).toISOString(),
  }));
  const playback = startPlayback(media as unknown as HTMLMediaElement, {
    getAddress,
    onState: ({ at }) => states.push(at),
    now: () => nowMs,
  });
  await settled();
  return { playback, getAddress, states };
}

/** All that follows from what was done: nothing of it takes time. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

test('a recording plays as soon as it is loaded', async () => {
  const { states } = await setUp();
  expect(media).toMatchObject({ sources: ['address 1'], paused: false });
  expect(states).toEqual(['loading', 'ready']);
});

describe('a pause', () => {
  test('shorter than an address lives goes on with the same one', async () => {
    await setUp();
    media.playTo(12);
    media.pause();
    nowMs += LIFE_MS / 2;
    await media.play();
    await settled();
    expect(media).toMatchObject({ sources: ['address 1'], currentTime: 12, paused: false });
  });

  test('longer than that goes on at the same second, by a new address', async () => {
    const { states } = await setUp();
    media.playTo(12);
    media.pause();
    nowMs += LIFE_MS + 1;
    await media.play();
    await settled();
    expect(media).toMatchObject({
      sources: ['address 1', 'address 2'],
      currentTime: 12,
      paused: false,
    });
    expect(states.at(-1)).toBe('ready');
  });

  test('stays paused after a seek, at the new place', async () => {
    await setUp();
    media.playTo(12);
    media.pause();
    nowMs += LIFE_MS + 1;
    media.currentTime = 40;
    await settled();
    expect(media).toMatchObject({
      sources: ['address 1', 'address 2'],
      currentTime: 40,
      paused: true,
    });
  });
});

describe('a file that fails', () => {
  test('while it plays goes on at the same second, by a new address', async () => {
    await setUp();
    media.playTo(12);
    media.fail();
    await settled();
    expect(media).toMatchObject({
      sources: ['address 1', 'address 2'],
      currentTime: 12,
      paused: false,
    });
  });

  test('again after it went on gets another one', async () => {
    await setUp();
    for (const second of [12, 24, 36]) {
      media.playTo(second);
      media.fail();
      await settled();
    }
    expect(media).toMatchObject({ currentTime: 36, paused: false });
    expect(media.sources).toHaveLength(4);
  });

  test('by a new address as well is said, and tried again when asked to, where it was', async () => {
    const { playback, states } = await setUp();
    media.playTo(12);
    media.loads = () => false;
    media.fail();
    await settled();
    expect(states.at(-1)).toBe('failed');
    expect(media.sources).toEqual(['address 1', 'address 2']);
    media.loads = () => true;
    playback.retry();
    await settled();
    expect(states.at(-1)).toBe('ready');
    expect(media).toMatchObject({ currentTime: 12, paused: false });
  });

  test('is not asked for without end', async () => {
    await setUp();
    media.fail();
    await settled();
    media.fail();
    await settled();
    expect(media.sources).toHaveLength(2);
  });
});

test('an API that refuses the address is said', async () => {
  const states: PlaybackState[] = [];
  const error = new Error('refused');
  startPlayback(media as unknown as HTMLMediaElement, {
    getAddress: () => Promise.reject(error),
    onState: (state) => states.push(state),
  });
  await settled();
  expect(states.at(-1)).toEqual({ at: 'failed', error });
});

test('a clock that is ahead of the API asks for no address after the other', async () => {
  const { getAddress } = await setUp({ aheadMs: LIFE_MS * 2 });
  media.playTo(12);
  media.pause();
  await media.play();
  media.currentTime = 20;
  await settled();
  expect(getAddress).toHaveBeenCalledOnce();
});

test('a player that is closed while its address comes loads nothing', async () => {
  const address = Promise.withResolvers<{ url: string; expiresAt: string }>();
  const playback = startPlayback(media as unknown as HTMLMediaElement, {
    getAddress: () => address.promise,
    onState: () => undefined,
  });
  playback.stop();
  address.resolve({ url: 'address', expiresAt: '2026-11-26T10:05:00Z' });
  await settled();
  expect(media.sources).toEqual([]);
});
