import { useLingui } from '@lingui/react/macro';
import {
  isTrackReference,
  type TrackReferenceOrPlaceholder,
  useConnectionQualityIndicator,
  useIsMuted,
  useIsSpeaking,
  useParticipantAttributes,
  VideoTrack,
} from '@livekit/components-react';
import { ConnectionQuality, Track } from 'livekit-client';
import { Hand, MicOff, Pin, PinOff, SignalLow, WifiOff } from 'lucide-react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { Avatar } from '../ui/avatar.tsx';
import { HAND } from './hands.ts';
import { nameOf } from './people.ts';
import { ReactionSign } from './reaction-menu.tsx';
import { useReactionOf } from './reactions.ts';

/** One picture: a person, or what a person shows. */
export function Tile({
  trackRef,
  isPinned,
  onPin,
}: {
  trackRef: TrackReferenceOrPlaceholder;
  isPinned: boolean;
  onPin: () => void;
}) {
  const { t } = useLingui();
  const { participant, source } = trackRef;
  const isScreen = source === Track.Source.ScreenShare;
  const isSpeaking = useIsSpeaking(participant) && !isScreen;
  const isSilent = useIsMuted({ participant, source: Track.Source.Microphone });
  const { attributes } = useParticipantAttributes({ participant });
  const reaction = useReactionOf(participant);
  const { quality } = useConnectionQualityIndicator({ participant });
  const hasPicture =
    isTrackReference(trackRef) &&
    trackRef.publication.isSubscribed &&
    !trackRef.publication.isMuted;
  const isShown =
    hasPicture ||
    (participant.isLocal && isTrackReference(trackRef) && !trackRef.publication.isMuted);
  const isHandUp = Boolean(attributes?.[HAND]) && !isScreen;
  const name = participant.isLocal ? t`You` : nameOf(participant);
  const label = isScreen ? t`Screen of ${name}` : name;
  const state = [
    ...(isSilent && !isScreen ? [t`microphone off`] : []),
    ...(isHandUp ? [t`hand raised`] : []),
    ...(quality === ConnectionQuality.Poor ? [t`weak connection`] : []),
    ...(quality === ConnectionQuality.Lost ? [t`connection lost`] : []),
  ];
  return (
    <li
      className="tile"
      data-speaking={isSpeaking || undefined}
      data-screen={isScreen || undefined}
      data-mirrored={(participant.isLocal && !isScreen) || undefined}
      data-identity={participant.identity}
    >
      {isShown && isTrackReference(trackRef) ? (
        <VideoTrack trackRef={trackRef} className="tile__video" aria-hidden="true" />
      ) : (
        <div className="tile__off">
          <Avatar id={participant.identity} name={nameOf(participant)} size="large" />
        </div>
      )}
      {reaction && !isScreen && <ReactionSign {...reaction} />}
      <div className="tile__bar">
        {isHandUp && <Hand size={18} aria-hidden="true" className="tile__hand" />}
        {isSilent && !isScreen && <MicOff size={16} aria-hidden="true" />}
        <span className="tile__name">{label}</span>
        {quality === ConnectionQuality.Poor && <SignalLow size={16} aria-hidden="true" />}
        {quality === ConnectionQuality.Lost && <WifiOff size={16} aria-hidden="true" />}
        {state.length > 0 && <span className="visually-hidden">({state.join(', ')})</span>}
      </div>
      <AriaButton
        className="tile__pin"
        aria-label={isPinned ? t`Unpin ${label}` : t`Pin ${label}`}
        onPress={onPin}
      >
        {isPinned ? <PinOff size={18} aria-hidden="true" /> : <Pin size={18} aria-hidden="true" />}
      </AriaButton>
    </li>
  );
}
