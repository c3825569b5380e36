import type { LocalAudioTrack } from 'livekit-client';
import { act } from 'react';
import { describe, expect, test, vi } from 'vitest';
import { mountHook } from '../testing.tsx';
import { problemOf, useDevice } from './use-device.ts';

const newTrack = () => ({ stop: vi.fn() }) as unknown as LocalAudioTrack;
const ON = { isOn: true, deviceId: undefined };

describe('a device of the lobby', () => {
  test('that is handed over while it starts is for the meeting, and goes on', async () => {
    const created = Promise.withResolvers<LocalAudioTrack>();
    const create = vi.fn(() => created.promise);
    const { result, unmount } = await mountHook(() => useDevice(create, ON));
    expect(result.current.isStarting).toBe(true);
    const handedOver = result.current.handOver();
    await unmount();
    const track = newTrack();
    created.resolve(track);
    expect(await handedOver).toBe(track);
    expect(track.stop).not.toHaveBeenCalled();
  });

  test('stops with the lobby unless it was handed over', async () => {
    const track = newTrack();
    const create = async () => track;
    const { result, unmount } = await mountHook(() => useDevice(create, ON));
    expect(result.current.track).toBe(track);
    await unmount();
    expect(track.stop).toHaveBeenCalledOnce();
  });

  test('that starts after the lobby was left stops at once', async () => {
    const created = Promise.withResolvers<LocalAudioTrack>();
    const create = () => created.promise;
    const { unmount } = await mountHook(() => useDevice(create, ON));
    await unmount();
    const track = newTrack();
    await act(async () => created.resolve(track));
    expect(track.stop).toHaveBeenCalledOnce();
  });

  test('that does not start is off, with the reason; handed over, it gives nothing', async () => {
    const denied = Object.assign(new Error('no'), { name: 'NotAllowedError' });
    vi.stubGlobal('navigator', { mediaDevices: {} });
    const create = vi.fn(() => Promise.reject<LocalAudioTrack>(denied));
    const { result } = await mountHook(() => useDevice(create, ON));
    expect(result.current).toMatchObject({ isOn: false, isStarting: false, problem: 'denied' });
    expect(result.current.handOver()).toBeUndefined();
    vi.unstubAllGlobals();
  });

  test('that is off is not asked for, until it is chosen', async () => {
    const create = vi.fn(async () => newTrack());
    const { result } = await mountHook(() => useDevice(create, { ...ON, isOn: false }));
    expect(create).not.toHaveBeenCalled();
    expect(result.current.handOver()).toBeUndefined();
    await act(async () => result.current.choose('front'));
    expect(create).toHaveBeenCalledExactlyOnceWith('front');
    expect(result.current.isOn).toBe(true);
  });
});

describe('what the browser says', () => {
  test.each([
    ['NotAllowedError', 'denied'],
    ['NotFoundError', 'missing'],
    ['OverconstrainedError', 'missing'],
    ['NotReadableError', 'in-use'],
    ['TypeError', 'failed'],
  ])('%s is %s', (name, problem) => {
    vi.stubGlobal('navigator', { mediaDevices: {} });
    expect(problemOf(Object.assign(new Error(), { name }))).toBe(problem);
    vi.unstubAllGlobals();
  });

  test('without https there are no devices at all', () => {
    vi.stubGlobal('navigator', {});
    expect(problemOf(new Error())).toBe('insecure');
    vi.unstubAllGlobals();
  });
});
