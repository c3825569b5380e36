import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createApi } from './client.ts';
import { ApiError, SessionEnded, Unreachable } from './errors.ts';

const fetched = vi.fn<typeof fetch>();
beforeEach(() => void vi.stubGlobal('fetch', fetched.mockReset()));
afterEach(() => void vi.unstubAllGlobals());

const api = (renewed?: string) => {
  const renew = vi.fn(async () => renewed);
  return { ...createApi('https://api.example', { accessToken: async () => 'old', renew }), renew };
};
const answer = (status: number, body: object, headers = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const bearers = () =>
  fetched.mock.calls.map(([, init]) => new Headers(init?.headers).get('authorization'));

test('a request carries the access token, and the answer is the body', async () => {
  fetched.mockResolvedValue(answer(200, { clubs: [] }));
  expect(await api().clubs()).toEqual({ clubs: [] });
  expect(fetched.mock.calls[0]?.[0]).toBe('https://api.example/clubs');
  expect(bearers()).toEqual(['Bearer old']);
});

describe('a token that is refused', () => {
  test('is renewed, and the request repeated', async () => {
    fetched
      .mockResolvedValueOnce(answer(401, {}))
      .mockResolvedValueOnce(answer(200, { clubs: [] }));
    expect(await api('new').clubs()).toEqual({ clubs: [] });
    expect(bearers()).toEqual(['Bearer old', 'Bearer new']);
  });

  test('is the end of the session when there is no new one', async () => {
    fetched.mockResolvedValueOnce(answer(401, {}));
    await expect(api().clubs()).rejects.toBeInstanceOf(SessionEnded);
    expect(fetched).toHaveBeenCalledOnce();
  });

  test('is the end of the session when the new one is refused as well', async () => {
    fetched.mockImplementation(async () => answer(401, {}));
    const { clubs, renew } = api('new');
    await expect(clubs()).rejects.toBeInstanceOf(SessionEnded);
    expect(renew).toHaveBeenCalledOnce();
  });
});

test('a refusal has its code and when to come again', async () => {
  fetched.mockResolvedValue(
    answer(503, { error: 'no', code: 'MEDIA_UNAVAILABLE', requestId: 'r' }, { 'retry-after': '7' }),
  );
  const error = await api()
    .clubs()
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    status: 503,
    code: 'MEDIA_UNAVAILABLE',
    requestId: 'r',
    retryAfterSeconds: 7,
  });
});

test("the gateway's own refusal, which is not JSON, is one without a code", async () => {
  fetched.mockResolvedValue(new Response('<html>', { status: 502 }));
  await expect(api().clubs()).rejects.toMatchObject({ status: 502, code: undefined });
});

test('a request without an answer fails as unreachable, an aborted one with its own reason', async () => {
  fetched.mockRejectedValue(new TypeError('Failed to fetch'));
  await expect(api().clubs()).rejects.toBeInstanceOf(Unreachable);
  const given = new DOMException('Aborted', 'AbortError');
  fetched.mockRejectedValue(given);
  await expect(api().clubs(undefined, AbortSignal.abort(given))).rejects.toBe(given);
});
