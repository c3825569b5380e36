import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, type ReactNode } from 'react';
import { expect, test, vi } from 'vitest';
import type { Api } from '../api/client.ts';
import { ApiProvider, keys } from '../api/queries.ts';
import { mountHook } from '../testing.tsx';
import { useClubAction } from './club-action.ts';

/** TanStack Query notifies its observers by a timer of 0 ms. */
const soon = () => new Promise((resolve) => setTimeout(resolve, 0));

const setUp = () => {
  const client = new QueryClient();
  client.setQueryData(keys.status('c1'), { meetingId: null });
  const within = (probe: ReactNode) => (
    <QueryClientProvider client={client}>
      <ApiProvider value={{} as Api}>{probe}</ApiProvider>
    </QueryClientProvider>
  );
  return { client, within };
};

test('what comes of an action is done, also when the part of the page that asked is gone', async () => {
  const answer = Promise.withResolvers<string>();
  const onDone = vi.fn();
  const { client, within } = setUp();
  const { result, unmount } = await mountHook(
    () => useClubAction('c1', (_, _input: string) => answer.promise, onDone),
    within,
  );
  await act(async () => {
    result.current.run('start');
    await soon();
  });
  expect(result.current.isPending).toBe(true);
  await unmount();
  await act(async () => answer.resolve('started'));
  expect(onDone.mock.lastCall?.slice(0, 2)).toEqual(['started', 'start']);
  expect(client.getQueryState(keys.status('c1'))?.isInvalidated).toBe(true);
});

test('each of two actions that follow at once has its outcome', async () => {
  const onDone = vi.fn();
  const { within } = setUp();
  const { result } = await mountHook(
    () => useClubAction('c1', async (_, name: string) => name, onDone),
    within,
  );
  await act(async () => {
    result.current.run('ada');
    result.current.run('ben');
    await soon();
  });
  expect(onDone.mock.calls.map(([answer]) => answer)).toEqual(['ada', 'ben']);
});
