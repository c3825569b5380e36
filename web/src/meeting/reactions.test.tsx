import { RoomContext } from '@livekit/components-react';
import { ParticipantKind, RemoteParticipant, Room, RoomEvent } from 'livekit-client';
import { act } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { mountHook } from '../testing.tsx';
import { Announcer } from '../ui/announcer.tsx';
import { useReactions } from './reactions.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A room of LiveKit's client that is never connected. */
async function inRoom() {
  const room = new Room();
  const person = (identity: string, kind = ParticipantKind.STANDARD) =>
    new RemoteParticipant(
      room.engine.client,
      `PA_${identity}`,
      identity,
      identity,
      '',
      {},
      undefined,
      kind,
    );
  const { result } = await mountHook(useReactions, (probe) => (
    <RoomContext.Provider value={room}>
      {probe}
      <Announcer />
    </RoomContext.Provider>
  ));
  const receive = (from: RemoteParticipant | undefined, text: string, topic = 'reaction') =>
    act(async () => {
      room.emit(RoomEvent.DataReceived, new TextEncoder().encode(text), from, undefined, topic);
    });
  const pass = (ms: number) => act(async () => vi.advanceTimersByTime(ms));
  const shown = () =>
    Object.fromEntries([...result.current.shown].map(([who, { reaction }]) => [who, reaction]));
  const said = () => document.querySelector('[role=status]')?.textContent;
  return { room, result, person, receive, pass, shown, said };
}

test('a reaction is shown for five seconds, and read out', async () => {
  const { person, receive, pass, shown, said } = await inRoom();
  await receive(person('cleo'), 'heart');
  expect(shown()).toEqual({ cleo: 'heart' });
  expect(said()).toBe('cleo: Heart');
  await pass(4_999);
  expect(shown()).toEqual({ cleo: 'heart' });
  await pass(1);
  expect(shown()).toEqual({});
});

test('of one person, what comes within a second is dropped; others are not held up', async () => {
  const { person, receive, pass, shown } = await inRoom();
  const cleo = person('cleo');
  await receive(cleo, 'heart');
  await pass(999);
  await receive(cleo, 'laugh');
  await receive(person('dan'), 'idea');
  expect(shown()).toEqual({ cleo: 'heart', dan: 'idea' });
  await pass(1);
  await receive(cleo, 'laugh');
  expect(shown()).toEqual({ cleo: 'laugh', dan: 'idea' });
  // The five seconds begin anew.
  await pass(4_999);
  expect(shown()).toEqual({ cleo: 'laugh' });
});

test('a person who goes on and on is read out once', async () => {
  const { person, receive, pass, said } = await inRoom();
  const cleo = person('cleo');
  await receive(cleo, 'heart');
  for (let second = 0; second < 10; second += 1) {
    await pass(1_000);
    await receive(cleo, 'laugh');
  }
  expect(said()).toBe('cleo: Heart');
  await pass(5_000);
  await receive(cleo, 'laugh');
  expect(said()).toBe('cleo: Laughter');
});

test.each([
  ['another text', '<img src=x onerror=alert(1)>', 'reaction'],
  ['the name of what every object has', 'constructor', 'reaction'],
  ['a reaction with more behind it', 'heart heart', 'reaction'],
  ['another topic', 'heart', 'lk-chat-topic'],
])('%s is no reaction', async (_, text, topic) => {
  const { person, receive, shown } = await inRoom();
  await receive(person('cleo'), text, topic);
  expect(shown()).toEqual({});
});

test('neither a server nor a recorder reacts', async () => {
  const { person, receive, shown } = await inRoom();
  await receive(undefined, 'heart');
  await receive(person('egress', ParticipantKind.EGRESS), 'heart');
  expect(shown()).toEqual({});
});

test('one’s own is shown at once, and sent no more than once a second', async () => {
  const { room, result, pass, shown } = await inRoom();
  const publish = vi.spyOn(room.localParticipant, 'publishData').mockResolvedValue();
  await act(() => result.current.react('idea'));
  await act(() => result.current.react('heart'));
  expect(Object.values(shown())).toEqual(['idea']);
  await pass(1_000);
  await act(() => result.current.react('heart'));
  const sent = publish.mock.calls.map(([payload, options]) => [
    new TextDecoder().decode(payload),
    options?.topic,
  ]);
  expect(sent).toEqual([
    ['idea', 'reaction'],
    ['heart', 'reaction'],
  ]);
});
