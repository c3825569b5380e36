import { RoomContext } from '@livekit/components-react';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Room, RoomEvent } from 'livekit-client';
import { act } from 'react';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { JoinToken, MeetingStatus } from '../../../lib/contract/answers.ts';
import type { Api } from '../api/client.ts';
import { ApiProvider, keys } from '../api/queries.ts';
import { mountHook } from '../testing.tsx';
import { Announcer } from '../ui/announcer.tsx';
import { type NoticeState, noticeOf, type RecordingOn, useRecordingNotice } from './notice.ts';

const notice = (
  state: RecordingOn['state'] | undefined,
  { hasRecorder = false, isOver = false } = {},
): NoticeState | undefined =>
  noticeOf({ hasRecorder, isOver, recording: state ? { state } : null });

describe('a meeting is shown as recorded', () => {
  test('as soon as its recorder is in the room, before the record is read', () => {
    expect(notice(undefined, { hasRecorder: true })).toBe('on');
    expect(notice('starting', { hasRecorder: true })).toBe('on');
  });

  test('as soon as the record says so, before LiveKit does', () => {
    expect(notice('starting')).toBe('starting');
    expect(notice('active')).toBe('on');
  });

  test('until its recorder is gone, when it is being stopped', () => {
    expect(notice('stopping', { hasRecorder: true })).toBe('stopping');
    expect(notice('stopping')).toBe('saving');
  });

  test('not by the recorder of one that the record has as over', () => {
    expect(notice(undefined, { hasRecorder: true, isOver: true })).toBeUndefined();
  });

  test('not when neither says so', () => {
    expect(notice(undefined)).toBeUndefined();
  });
});

const TOKEN = { meetingId: 'M1', recording: null } as JoinToken;
const ON: RecordingOn = {
  recordingId: 'R1',
  state: 'active',
  startedAt: '2026-11-26T10:00:00.000Z',
};
const LONGER_THAN_A_RECORDER_LINGERS_MS = 31_000;

async function setUp({ token = TOKEN, cached }: { token?: JoinToken; cached?: object } = {}) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const client = new QueryClient();
  const answer: Pick<MeetingStatus, 'meetingId' | 'recording' | 'mustConsent'> = {
    meetingId: 'M1',
    recording: null,
    mustConsent: false,
  };
  const status = vi.fn(async () => ({ ...answer, pollAfterSeconds: 5 }));
  if (cached) client.setQueryData(keys.status('c1'), cached);
  const room = new Room();
  const { result } = await mountHook(
    () => useRecordingNotice('c1', token),
    (probe) => (
      <QueryClientProvider client={client}>
        <ApiProvider value={{ status } as unknown as Api}>
          <RoomContext.Provider value={room}>{probe}</RoomContext.Provider>
          <Announcer />
        </ApiProvider>
      </QueryClientProvider>
    ),
  );
  const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
  return {
    status,
    result,
    pass,
    said: () => document.querySelector('[role=status]')?.textContent?.trim(),
    /** LiveKit says whether a recorder is in the room. */
    async tell(hasRecorder: boolean) {
      vi.spyOn(room, 'isRecording', 'get').mockReturnValue(hasRecorder);
      await act(async () => room.emit(RoomEvent.RecordingStatusChanged, hasRecorder));
      await pass(1);
    },
    /** The record says so, and it is read. */
    async write(change: Partial<typeof answer>) {
      Object.assign(answer, change);
      await pass(6_000);
    },
  };
}

test('what LiveKit says is shown and said before the record is read, and a reason to read it', async () => {
  const { status, result, tell, said, pass } = await setUp();
  await pass(1);
  const before = status.mock.calls.length;
  status.mockReturnValueOnce(new Promise(() => undefined));
  await tell(true);
  expect(result.current.state).toBe('on');
  expect(said()).toBe('This meeting is being recorded.');
  expect(status).toHaveBeenCalledTimes(before + 1);
});

test('a recording that comes with the token is shown at once, whatever was read before', async () => {
  const cached = { meetingId: 'M1', recording: null, mustConsent: false };
  const { result } = await setUp({ token: { ...TOKEN, recording: ON }, cached });
  expect(result.current).toMatchObject({ state: 'on', recordingId: 'R1' });
});

test('a status that was read before joining does not ask again for a consent that the token request gave', async () => {
  const cached = { meetingId: 'M1', recording: ON, mustConsent: true };
  const { result } = await setUp({ token: { ...TOKEN, recording: ON }, cached });
  expect(result.current.mustConsent).toBe(false);
});

test('the end by the record is the end, although the recorder stays in the room for a while', async () => {
  const { result, tell, write, said } = await setUp();
  await write({ recording: ON });
  await tell(true);
  await write({ recording: null });
  expect(result.current.state).toBeUndefined();
  expect(said()).toBe('The recording has ended.');
  await tell(false);
  expect(result.current.state).toBeUndefined();
});

test('a recorder that goes on after it is shown again', async () => {
  const { result, tell, write, pass } = await setUp();
  await write({ recording: ON });
  await tell(true);
  await write({ recording: null });
  await pass(LONGER_THAN_A_RECORDER_LINGERS_MS);
  expect(result.current.state).toBe('on');
});

test('the next recording is shown, although the recorder of the last one is in the room', async () => {
  const { result, tell, write } = await setUp();
  await write({ recording: ON });
  await tell(true);
  await write({ recording: null });
  await write({ recording: { ...ON, recordingId: 'R2', state: 'starting' } });
  expect(result.current).toMatchObject({ state: 'on', recordingId: 'R2' });
});

test('a recording that does not start is said', async () => {
  const { result, write, said } = await setUp();
  await write({ recording: { ...ON, state: 'starting', startedAt: null } });
  expect(result.current.state).toBe('starting');
  expect(said()).toBe('A recording is starting.');
  await write({ recording: null });
  expect(said()).toBe('The recording did not start.');
});

test('a meeting that is not the one of the token says nothing of this one', async () => {
  const { result, write } = await setUp();
  await write({ meetingId: 'M2', recording: ON, mustConsent: true });
  expect(result.current).toMatchObject({ state: undefined, mustConsent: false });
});
