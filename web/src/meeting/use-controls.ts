/** The controls of a meeting. Each reports its outcome, also when the browser refuses. */

import { useLingui } from '@lingui/react/macro';
import { useLocalParticipant, useRoomContext } from '@livekit/components-react';
import { type Participant, RoomEvent, Track, type TrackPublication } from 'livekit-client';
import { useEffect, useRef } from 'react';
import { keepPreferences } from '../lobby/preferences.ts';
import { isHeldBack } from '../recording/hold.ts';
import { announce, notify } from '../ui/announcer.tsx';
import { HAND } from './hands.ts';

export interface Controls {
  isMicrophoneOn: boolean;
  isCameraOn: boolean;
  isSharing: boolean;
  isHandUp: boolean;
  toggleMicrophone(): void;
  toggleCamera(): void;
  toggleSharing(): void;
  toggleHand(): void;
}

export function useControls(): Controls {
  const { t } = useLingui();
  const room = useRoomContext();
  const {
    localParticipant,
    isMicrophoneEnabled: isMicrophoneOn,
    isCameraEnabled: isCameraOn,
    isScreenShareEnabled: isSharing,
  } = useLocalParticipant();
  const isHandUp = Boolean(localParticipant.attributes[HAND]);
  const ownMute = useRef(false);

  // A moderator muted this microphone.
  useEffect(() => {
    const onMuted = (publication: TrackPublication, participant: Participant) => {
      const isOwn = participant.isLocal && publication.source === Track.Source.Microphone;
      if (isOwn && !ownMute.current && !isHeldBack(publication)) {
        notify(t`A moderator muted your microphone.`);
      }
    };
    room.on(RoomEvent.TrackMuted, onMuted);
    return () => {
      room.off(RoomEvent.TrackMuted, onMuted);
    };
  }, [room, t]);

  return {
    isMicrophoneOn,
    isCameraOn,
    isSharing,
    isHandUp,
    async toggleMicrophone() {
      ownMute.current = true;
      try {
        await localParticipant.setMicrophoneEnabled(!isMicrophoneOn);
        keepPreferences({ isMicrophoneOn: !isMicrophoneOn });
        announce(isMicrophoneOn ? t`Microphone off` : t`Microphone on`);
      } catch {
        notify(t`The microphone does not start. Check the browser’s permission.`, 'failure');
      } finally {
        ownMute.current = false;
      }
    },
    async toggleCamera() {
      try {
        await localParticipant.setCameraEnabled(!isCameraOn);
        keepPreferences({ isCameraOn: !isCameraOn });
        announce(isCameraOn ? t`Camera off` : t`Camera on`);
      } catch {
        notify(t`The camera does not start. Check the browser’s permission.`, 'failure');
      }
    },
    async toggleSharing() {
      try {
        await localParticipant.setScreenShareEnabled(!isSharing, { audio: true });
        announce(isSharing ? t`You do not share your screen any more` : t`You share your screen`);
      } catch (error) {
        // Who closes the browser's window of choice has changed their mind.
        const isCancelled = error instanceof Error && error.name === 'NotAllowedError';
        if (!isCancelled) notify(t`The screen cannot be shared.`, 'failure');
      }
    },
    async toggleHand() {
      try {
        await localParticipant.setAttributes({ [HAND]: isHandUp ? '' : String(Date.now()) });
        announce(isHandUp ? t`Hand down` : t`Hand raised`);
      } catch {
        notify(t`The hand could not be raised. Try again.`, 'failure');
      }
    },
  };
}
