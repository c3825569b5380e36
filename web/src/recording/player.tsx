import { Trans, useLingui } from '@lingui/react/macro';
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import type { RecordingRef } from '../api/client.ts';
import { ApiError, hasCode } from '../api/errors.ts';
import { useApi } from '../api/queries.ts';
import { useErrorText } from '../outcomes/error-text.ts';
import { Button, Spinner } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { type Playback, type PlaybackState, startPlayback } from './playback.ts';

/** Plays at once: the person has just asked for it. */
export function Player({
  recording,
  isAudio,
  label,
  onRefused,
}: {
  recording: RecordingRef;
  isAudio: boolean;
  label: string;
  /** The person may not play it (any more). */
  onRefused: () => void;
}) {
  const { t } = useLingui();
  const api = useApi();
  const textOf = useErrorText();
  const media = useRef<HTMLVideoElement & HTMLAudioElement>(null);
  const playback = useRef<Playback>(undefined);
  const [state, setState] = useState<PlaybackState>({ at: 'loading' });
  const { clubId, meetingId, recordingId } = recording;
  const onState = useEffectEvent((next: PlaybackState) => {
    if (next.at === 'failed' && hasCode(next.error, 'NOT_A_MODERATOR')) onRefused();
    else setState(next);
  });
  useEffect(() => {
    const element = media.current;
    if (!element) return;
    element.focus();
    const started = startPlayback(element, {
      getAddress: () => api.recordingAddress({ clubId, meetingId, recordingId }),
      onState: (next) => onState(next),
    });
    playback.current = started;
    return started.stop;
  }, [api, clubId, meetingId, recordingId]);
  const Media = isAudio ? 'audio' : 'video';
  return (
    <div className="player">
      <Media
        ref={media}
        className={isAudio ? 'player__audio' : 'player__video'}
        aria-label={label}
        controls
        playsInline
      />
      {state.at === 'loading' && (
        <p className="player__state soft small">
          <Spinner />
          <Trans>Loading the recording …</Trans>
        </p>
      )}
      {state.at === 'failed' && (
        <Notice
          tone="failure"
          action={<Button onPress={() => playback.current?.retry()}>{t`Try again`}</Button>}
        >
          {state.error instanceof ApiError ? (
            textOf(state.error)
          ) : (
            <Trans>The recording cannot be played right now.</Trans>
          )}
        </Notice>
      )}
    </div>
  );
}
