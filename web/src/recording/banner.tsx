import { Trans, useLingui } from '@lingui/react/macro';
import { Square } from 'lucide-react';
import { useFormat } from '../i18n/format.ts';
import { Button } from '../ui/button.tsx';
import type { RecordingNotice } from './notice.ts';
import './recording.css';

/** Shown to every participant for as long as any may be recorded. */
export function RecordingBanner({
  notice: { state, startedAt },
  onStop,
}: {
  notice: RecordingNotice;
  /** Of moderators. */
  onStop: (() => void) | undefined;
}) {
  const { t } = useLingui();
  const { time } = useFormat();
  if (state === undefined || state === 'saving') return null;
  const since = startedAt && time(startedAt);
  return (
    <div className="recorded">
      <span className="recorded__dot" aria-hidden="true" />
      <p className="recorded__text">
        {state === 'starting' ? (
          <Trans>A recording is starting.</Trans>
        ) : state === 'stopping' ? (
          <Trans>The recording is being stopped.</Trans>
        ) : (
          <Trans>This meeting is being recorded.</Trans>
        )}{' '}
        {state === 'on' && since && (
          <span className="soft small recorded__since">
            <Trans>Since {since}</Trans>
          </span>
        )}
      </p>
      {onStop && (
        <Button look="quiet" icon={Square} onPress={onStop}>
          {t`Stop`}
        </Button>
      )}
    </div>
  );
}
