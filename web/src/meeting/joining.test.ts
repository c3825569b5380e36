import { describe, expect, test, vi } from 'vitest';
import type { JoinToken } from '../../../lib/contract/answers.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import { ApiError, SessionEnded, Unreachable } from '../api/errors.ts';
import { JoinFailed, type Joining, join } from './joining.ts';

const TOKEN: JoinToken = {
  token: 'a.b.c',
  serverUrl: 'wss://livekit.example',
  roomName: 'room',
  meetingId: '01K0000000000000000000000A',
  participantName: 'Ada',
  isModerator: false,
  expiresAt: '2026-11-26T10:00:00.000Z',
  recording: null,
};
const refusal = (status: number, code: ErrorCode, retryAfterSeconds?: number) =>
  new ApiError(status, { error: 'no', code }, retryAfterSeconds);

/** Everything works; a test says what does not. */
const joining = (changes: Pick<Partial<Joining>, 'signal' | 'meetingId' | 'hasConsent'> = {}) => ({
  requestToken: vi.fn<Joining['requestToken']>(async () => TOKEN),
  connect: vi.fn<Joining['connect']>(async () => {}),
  askConsent: vi.fn<Joining['askConsent']>(async () => true),
  wait: vi.fn<Joining['wait']>(async () => {}),
  onTrouble: vi.fn<Joining['onTrouble']>(),
  signal: new AbortController().signal,
  ...changes,
});

test('a join with a token that LiveKit takes is in', async () => {
  const deps = joining();
  expect(await join(deps)).toEqual({ token: TOKEN });
  expect(deps.connect).toHaveBeenCalledExactlyOnceWith(TOKEN);
  expect(deps.onTrouble).not.toHaveBeenCalled();
});

test.each([404, 401])(
  'a join that LiveKit refuses with %i asks for one more token',
  async (status) => {
    const deps = joining();
    deps.connect.mockRejectedValueOnce(new JoinFailed(status));
    expect(await join(deps)).toEqual({ token: TOKEN });
    expect(deps.requestToken.mock.calls).toEqual([
      [{ isRoomMissing: false, hasConsent: false }],
      [{ isRoomMissing: status === 404, hasConsent: false }],
    ]);
    expect(deps.wait).not.toHaveBeenCalled();
  },
);

test('a second token that is refused as well waits before the next', async () => {
  const deps = joining();
  deps.connect
    .mockRejectedValueOnce(new JoinFailed(404))
    .mockRejectedValueOnce(new JoinFailed(404));
  expect(await join(deps)).toEqual({ token: TOKEN });
  expect(deps.requestToken.mock.calls.flat().map((asked) => asked.isRoomMissing)).toEqual([
    false,
    true,
    true,
  ]);
  expect(deps.onTrouble.mock.calls).toEqual([[{ attempt: 1, side: 'livekit', waitMs: 1000 }]]);
});

test('a LiveKit that does not answer is tried again, longer each time', async () => {
  const deps = joining();
  for (let time = 0; time < 3; time += 1)
    deps.connect.mockRejectedValueOnce(new JoinFailed(undefined));
  await join(deps);
  expect(deps.wait.mock.calls.flat()).toEqual([1000, 2000, 4000]);
  expect(deps.onTrouble.mock.calls.map(([{ side }]) => side)).toEqual(Array(3).fill('livekit'));
});

test('an API that does not answer, or answers 503, is tried again when it asks to be', async () => {
  const deps = joining();
  deps.requestToken
    .mockRejectedValueOnce(new Unreachable())
    .mockRejectedValueOnce(refusal(503, 'MEDIA_UNAVAILABLE', 7));
  expect(await join(deps)).toEqual({ token: TOKEN });
  expect(deps.wait.mock.calls.flat()).toEqual([1000, 7000]);
  expect(deps.onTrouble.mock.calls.map(([{ side }]) => side)).toEqual(['api', 'api']);
});

describe('a refusal of the API is a way out', () => {
  test.each<[ErrorCode, number, string]>([
    ['MEETING_FULL', 409, 'full'],
    ['REMOVED_FROM_MEETING', 403, 'barred'],
    ['NOT_A_MEMBER', 403, 'not-a-member'],
    ['CLUB_NOT_FOUND', 404, 'no-club'],
    ['MEETING_NOT_ACTIVE', 409, 'not-on'],
    ['INVALID_REQUEST', 400, 'failed'],
  ])('%s', async (code, status, kind) => {
    const deps = joining();
    deps.requestToken.mockRejectedValueOnce(refusal(status, code));
    expect(await join(deps)).toEqual({ exit: { kind } });
    expect(deps.connect).not.toHaveBeenCalled();
  });

  test('no meeting on any more is the end of the one that the person was in', async () => {
    const deps = joining({ meetingId: 'M1' });
    deps.requestToken.mockRejectedValueOnce(refusal(409, 'MEETING_NOT_ACTIVE'));
    expect(await join(deps)).toEqual({ exit: { kind: 'over', meetingId: 'M1' } });
  });

  test('a session that ended', async () => {
    const deps = joining();
    deps.requestToken.mockRejectedValueOnce(new SessionEnded());
    expect(await join(deps)).toEqual({ exit: { kind: 'session-over' } });
  });

  test('a mistake of the page', async () => {
    const deps = joining();
    deps.requestToken.mockRejectedValueOnce(new TypeError('x is undefined'));
    expect(await join(deps)).toEqual({ exit: { kind: 'failed' } });
  });
});

describe('a meeting that is recorded, in a club that requires consent', () => {
  const consents = ({ requestToken }: ReturnType<typeof joining>) =>
    requestToken.mock.calls.map(([{ hasConsent }]) => hasConsent);

  test('asks for it once, and takes it to every token from then on', async () => {
    const deps = joining();
    deps.requestToken
      .mockRejectedValueOnce(refusal(409, 'CONSENT_REQUIRED'))
      .mockRejectedValueOnce(new Unreachable());
    expect(await join(deps)).toEqual({ token: TOKEN });
    expect(consents(deps)).toEqual([false, true, true]);
    expect(deps.askConsent).toHaveBeenCalledOnce();
    // The question is no failure: nothing waits for it.
    expect(deps.wait).toHaveBeenCalledOnce();
  });

  test('refuses a person who does not agree', async () => {
    const deps = joining();
    deps.requestToken.mockRejectedValueOnce(refusal(409, 'CONSENT_REQUIRED'));
    deps.askConsent.mockResolvedValueOnce(false);
    expect(await join(deps)).toBeUndefined();
    expect(deps.requestToken).toHaveBeenCalledOnce();
    expect(deps.connect).not.toHaveBeenCalled();
  });

  test('does not ask a person who agreed before', async () => {
    const deps = joining({ hasConsent: true });
    expect(await join(deps)).toEqual({ token: TOKEN });
    expect(consents(deps)).toEqual([true]);
    expect(deps.askConsent).not.toHaveBeenCalled();
  });
});

describe('a join that is given up', () => {
  test('while it waits, asks for nothing more', async () => {
    const controller = new AbortController();
    const deps = joining({ signal: controller.signal });
    deps.connect.mockRejectedValue(new JoinFailed(undefined));
    deps.wait.mockImplementation(async () => controller.abort());
    expect(await join(deps)).toBeUndefined();
    expect(deps.requestToken).toHaveBeenCalledTimes(1);
  });

  test('while the token is made, does not connect', async () => {
    const controller = new AbortController();
    const deps = joining({ signal: controller.signal });
    deps.requestToken.mockImplementation(async () => {
      controller.abort();
      return TOKEN;
    });
    expect(await join(deps)).toBeUndefined();
    expect(deps.connect).not.toHaveBeenCalled();
  });
});
