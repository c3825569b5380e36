/** Nothing of a person is sent before they agree to be recorded. */
import { useRoomContext } from '@livekit/components-react';
import { type LocalTrackPublication, RoomEvent, type TrackPublication } from 'livekit-client';
import { useEffect, useRef } from 'react';

const heldBack = new WeakSet<TrackPublication>();

/** Muted by this page, and not by a person. */
export const isHeldBack = (publication: TrackPublication): boolean => heldBack.has(publication);

/** While `isHeld`, all that this person sends is muted; what was on before is on again after it. */
export function useHold(isHeld: boolean): void {
  const room = useRoomContext();
  const held = useRef(new Set<LocalTrackPublication>());
  useEffect(() => {
    if (!isHeld) {
      for (const publication of held.current) {
        heldBack.delete(publication);
        void publication.unmute();
      }
      held.current.clear();
      return;
    }
    const mute = (publication: LocalTrackPublication) => {
      if (publication.isMuted) return;
      held.current.add(publication);
      heldBack.add(publication);
      void publication.mute();
    };
    for (const publication of room.localParticipant.trackPublications.values()) {
      mute(publication as LocalTrackPublication);
    }
    room.on(RoomEvent.LocalTrackPublished, mute);
    // A person who leaves without an answer sends no media any more: what is held stays held.
    return () => {
      room.off(RoomEvent.LocalTrackPublished, mute);
    };
  }, [room, isHeld]);
}
