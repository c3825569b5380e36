/** What happens in the room, said to screen readers. */

import { useLingui } from '@lingui/react/macro';
import { useRoomContext } from '@livekit/components-react';
import { type Participant, RoomEvent } from 'livekit-client';
import { useEffect } from 'react';
import { announce } from '../ui/announcer.tsx';
import { HAND } from './hands.ts';
import { isPerson, nameOf } from './people.ts';

export function useAnnouncements(): void {
  const { t } = useLingui();
  const room = useRoomContext();
  useEffect(() => {
    const onJoined = (participant: Participant) => {
      const name = nameOf(participant);
      if (isPerson(participant)) announce(t`${name} joined`);
    };
    const onLeft = (participant: Participant) => {
      const name = nameOf(participant);
      if (isPerson(participant)) announce(t`${name} left`);
    };
    const onAttributes = (changed: Record<string, string>, participant: Participant) => {
      const name = nameOf(participant);
      if (changed[HAND] && !participant.isLocal) announce(t`${name} raised a hand`);
    };
    room.on(RoomEvent.ParticipantConnected, onJoined);
    room.on(RoomEvent.ParticipantDisconnected, onLeft);
    room.on(RoomEvent.ParticipantAttributesChanged, onAttributes);
    return () => {
      room.off(RoomEvent.ParticipantConnected, onJoined);
      room.off(RoomEvent.ParticipantDisconnected, onLeft);
      room.off(RoomEvent.ParticipantAttributesChanged, onAttributes);
    };
  }, [room, t]);
}
