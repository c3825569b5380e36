import { RoomContext } from '@livekit/components-react';
import { type LocalTrackPublication, Room, RoomEvent } from 'livekit-client';
import { act, useState } from 'react';
import { expect, test, vi } from 'vitest';
import { mountHook } from '../testing.tsx';
import { isHeldBack, useHold } from './hold.ts';

/** A track of the person's own, as LiveKit publishes it. */
function publicationOf(isMuted: boolean) {
  const publication = {
    isMuted,
    mute: vi.fn(async () => {
      publication.isMuted = true;
    }),
    unmute: vi.fn(async () => {
      publication.isMuted = false;
    }),
  };
  return publication as unknown as LocalTrackPublication & typeof publication;
}

async function setUp(...published: LocalTrackPublication[]) {
  const room = new Room();
  for (const [index, publication] of published.entries()) {
    room.localParticipant.trackPublications.set(`${index}`, publication);
  }
  const { result, unmount } = await mountHook(
    () => {
      const [isHeld, setHeld] = useState(true);
      useHold(isHeld);
      return setHeld;
    },
    (probe) => <RoomContext.Provider value={room}>{probe}</RoomContext.Provider>,
  );
  const publish = (publication: LocalTrackPublication) =>
    act(async () => {
      room.emit(RoomEvent.LocalTrackPublished, publication, room.localParticipant);
    });
  return { publish, unmount, agree: () => act(async () => result.current(false)) };
}

test('a person who has not agreed sends no media, also none that they switch on then', async () => {
  const [microphone, camera] = [publicationOf(false), publicationOf(false)];
  const { publish } = await setUp(microphone);
  expect(microphone.isMuted).toBe(true);
  await publish(camera);
  expect(camera.isMuted).toBe(true);
  expect(isHeldBack(microphone)).toBe(true);
});

test('a person who agrees sends the media that was on, and no other', async () => {
  const [microphone, camera] = [publicationOf(false), publicationOf(true)];
  const { agree, publish } = await setUp(microphone, camera);
  await agree();
  expect(microphone).toMatchObject({ isMuted: false });
  expect(camera.unmute).not.toHaveBeenCalled();
  expect(isHeldBack(microphone)).toBe(false);
  const screen = publicationOf(false);
  await publish(screen);
  expect(screen.mute).not.toHaveBeenCalled();
});

test('a person who leaves without an answer sends no media', async () => {
  const microphone = publicationOf(false);
  const { unmount } = await setUp(microphone);
  await unmount();
  expect(microphone.unmute).not.toHaveBeenCalled();
});
