import { Trans, useLingui } from '@lingui/react/macro';
import { useId } from 'react';
import { Tick } from '../ui/choice.tsx';
import { Audience } from './record-dialog.tsx';
import './recording.css';

/** The notice before joining a meeting that is recorded, with the consent where the club requires it. */
export function LobbyRecording({
  clubId,
  mustConsent,
  hasConsent,
  onConsent,
  isConsentMissing,
}: {
  clubId: string;
  mustConsent: boolean;
  hasConsent: boolean;
  onConsent: (hasConsent: boolean) => void;
  isConsentMissing: boolean;
}) {
  const { t } = useLingui();
  const missingId = useId();
  return (
    <section className="lobby-recording" aria-label={t`The recording`}>
      <p className="lobby-recording__title">
        <span className="recorded__dot" aria-hidden="true" />
        <Trans>This meeting is being recorded.</Trans>
      </p>
      <p className="small">
        <Audience clubId={clubId} />
      </p>
      {mustConsent && (
        <>
          <Tick
            isOn={hasConsent}
            onTurn={onConsent}
            isInvalid={isConsentMissing}
            describedBy={isConsentMissing ? missingId : undefined}
          >
            <Trans>I agree to be recorded in this meeting.</Trans>
          </Tick>
          {isConsentMissing && (
            <p id={missingId} role="alert" className="field__error">
              <Trans>
                Your club asks everybody to agree. Without it you can join when the recording is
                over.
              </Trans>
            </p>
          )}
        </>
      )}
    </section>
  );
}
