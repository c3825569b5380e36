import {
  ConnectionState,
  DisconnectReason,
  type LocalTrack,
  type Room,
  RoomEvent,
} from 'livekit-client';
import { act } from 'react';
import { expect, test, vi } from 'vitest';
import type { JoinToken } from '../../../lib/contract/answers.ts';
import type { Api } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import { ApiProvider } from '../api/queries.ts';
import { mountHook } from '../testing.tsx';
import { useMeeting } from './use-meeting.ts';

const TOKEN: JoinToken = {
  token: 'a.b.c',
  serverUrl: 'wss://livekit.example',
  roomName: 'room',
  meetingId: 'M1',
  participantName: 'Ada',
  isModerator: false,
  expiresAt: '2026-11-26T10:00:00.000Z',
  recording: null,
};

/** As much of LiveKit's room as the page touches. */
function fakeRoom() {
  const handlers = new Map<string, Set<(...args: unknown[]) => void>>();
  const room = {
    state: ConnectionState.Disconnected as ConnectionState,
    localParticipant: {
      isMicrophoneEnabled: false,
      isCameraEnabled: false,
      publishTrack: vi.fn(async (_: LocalTrack) => {}),
      setMicrophoneEnabled: vi.fn(async (_: boolean) => {}),
      setCameraEnabled: vi.fn(async (_: boolean) => {}),
    },
    connect: vi.fn(async () => {
      room.state = ConnectionState.Connected;
    }),
    disconnect: vi.fn(async () => {
      room.state = ConnectionState.Disconnected;
    }),
    switchActiveDevice: vi.fn(async () => true),
    on: (event: string, handler: () => void) => {
      handlers.set(event, (handlers.get(event) ?? new Set()).add(handler));
    },
    off: (event: string, handler: () => void) => handlers.get(event)?.delete(handler),
  };
  const emit = (event: string, ...args: unknown[]) =>
    act(async () => {
      for (const handler of handlers.get(event) ?? []) handler(...args);
    });
  /** LiveKit ends the connection. */
  const drop = (reason?: DisconnectReason) => {
    room.state = ConnectionState.Disconnected;
    return emit(RoomEvent.Disconnected, reason);
  };
  return { room, emit, drop };
}

async function setUp() {
  const fake = fakeRoom();
  const token = vi.fn<Api['token']>(async () => TOKEN);
  const api = { token } as unknown as Api;
  const { result, unmount } = await mountHook(
    () => useMeeting('c1', () => fake.room as unknown as Room),
    (probe) => <ApiProvider value={api}>{probe}</ApiProvider>,
  );
  const newTrack = () => ({ stop: vi.fn() }) as unknown as LocalTrack & { stop: () => void };
  const enter = (...tracks: Promise<LocalTrack | undefined>[]) =>
    act(async () => result.current.enter({ name: 'Ada', tracks, speakerId: undefined } as never));
  return { ...fake, token, result, unmount, enter, newTrack };
}

test('who enters is in with what was on, also with what is still starting', async () => {
  const { room, result, enter, newTrack } = await setUp();
  expect(result.current.phase.at).toBe('lobby');
  const starting = Promise.withResolvers<LocalTrack>();
  const [camera, microphone] = [newTrack(), newTrack()];
  await enter(Promise.resolve(camera), starting.promise);
  expect(result.current.phase).toMatchObject({ at: 'in', token: TOKEN });
  expect(room.localParticipant.publishTrack).toHaveBeenCalledExactlyOnceWith(camera);
  await act(async () => starting.resolve(microphone));
  expect(room.localParticipant.publishTrack).toHaveBeenLastCalledWith(microphone);
  expect(camera.stop).not.toHaveBeenCalled();
});

test('who is refused is out, and their camera stops', async () => {
  const { room, token, result, enter, newTrack } = await setUp();
  token.mockRejectedValueOnce(new ApiError(409, { code: 'MEETING_FULL' }, undefined));
  const camera = newTrack();
  await enter(Promise.resolve(camera));
  expect(result.current.phase).toEqual({ at: 'out', exit: { kind: 'full' } });
  expect(room.connect).not.toHaveBeenCalled();
  expect(camera.stop).toHaveBeenCalledOnce();
});

test.each([
  [DisconnectReason.PARTICIPANT_REMOVED, { kind: 'removed' }],
  [DisconnectReason.DUPLICATE_IDENTITY, { kind: 'elsewhere' }],
  [DisconnectReason.ROOM_DELETED, { kind: 'over', meetingId: 'M1' }],
  [DisconnectReason.ROOM_CLOSED, { kind: 'over', meetingId: 'M1' }],
])('who is put out with reason %i stays out', async (reason, exit) => {
  const { room, token, result, enter, drop } = await setUp();
  await enter();
  await drop(reason);
  expect(result.current.phase).toEqual({ at: 'out', exit });
  expect(token).toHaveBeenCalledOnce();
  expect(room.connect).toHaveBeenCalledOnce();
});

test('a lost connection is joined again with a new token, and what was on is on again', async () => {
  const { room, emit, token, result, enter, drop } = await setUp();
  await enter();
  room.localParticipant.isMicrophoneEnabled = true;
  await emit(RoomEvent.LocalTrackPublished);
  room.localParticipant.isMicrophoneEnabled = false;
  await drop();
  expect(result.current.phase).toMatchObject({ at: 'in', rejoining: undefined });
  expect(token).toHaveBeenCalledTimes(2);
  expect(room.localParticipant.setMicrophoneEnabled).toHaveBeenCalledExactlyOnceWith(true);
  expect(room.localParticipant.setCameraEnabled).not.toHaveBeenCalled();
});

test('a connection that was lost while the meeting ended leads to its end', async () => {
  const { token, result, enter, drop } = await setUp();
  await enter();
  token.mockRejectedValueOnce(new ApiError(409, { code: 'MEETING_NOT_ACTIVE' }, undefined));
  await drop();
  expect(result.current.phase).toEqual({ at: 'out', exit: { kind: 'over', meetingId: 'M1' } });
});

test('a person who is asked for consent joins by agreeing, and else returns to the lobby', async () => {
  const { room, token, result, enter, newTrack } = await setUp();
  const refusal = new ApiError(409, { code: 'CONSENT_REQUIRED' }, undefined);
  token.mockRejectedValueOnce(refusal);
  const camera = newTrack();
  await enter(Promise.resolve(camera));
  expect(result.current).toMatchObject({ phase: { at: 'joining' }, isConsentAsked: true });
  await act(async () => result.current.answerConsent(false));
  expect(result.current).toMatchObject({ phase: { at: 'lobby' }, isConsentAsked: false });
  expect(camera.stop).toHaveBeenCalledOnce();

  token.mockRejectedValueOnce(refusal);
  await enter();
  await act(async () => result.current.answerConsent(true));
  expect(result.current).toMatchObject({ phase: { at: 'in' }, isConsentAsked: false });
  expect(token.mock.lastCall?.[2]).toMatchObject({ hasConsent: true });
  expect(room.connect).toHaveBeenCalledOnce();
});

test('a person who reconnects to a meeting that is now recorded is asked; without consent they are out', async () => {
  const { room, token, result, enter, drop } = await setUp();
  await enter();
  token.mockRejectedValueOnce(new ApiError(409, { code: 'CONSENT_REQUIRED' }, undefined));
  await drop();
  expect(result.current).toMatchObject({ phase: { at: 'in' }, isConsentAsked: true });
  await act(async () => result.current.answerConsent(false));
  expect(result.current).toMatchObject({
    phase: { at: 'out', exit: { kind: 'left' } },
    isConsentAsked: false,
  });
  expect(room.connect).toHaveBeenCalledOnce();
});

test('who leaves is out, and the room is left; so it is when the page goes elsewhere', async () => {
  const { room, result, enter, unmount } = await setUp();
  await enter();
  await act(async () => result.current.leave());
  expect(result.current.phase).toEqual({ at: 'out', exit: { kind: 'left' } });
  expect(room.disconnect).toHaveBeenCalledOnce();
  await unmount();
  expect(room.disconnect).toHaveBeenCalledTimes(2);
});
