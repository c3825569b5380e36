import { Trans, useLingui } from '@lingui/react/macro';
import { Check, PhoneOff } from 'lucide-react';
import { useClubAction } from '../club/club-action.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Audience } from './record-dialog.tsx';

/** Asks a person who has not agreed to be recorded. It waits for one of two answers. */
export function ConsentDialog({
  clubId,
  isOpen,
  isPending = false,
  isInside,
  onAgree,
  onDecline,
}: {
  clubId: string;
  isOpen: boolean;
  isPending?: boolean;
  isInside: boolean;
  onAgree: () => void;
  onDecline: () => void;
}) {
  const { t } = useLingui();
  return (
    <Dialog
      role="alertdialog"
      title={t`Do you agree to be recorded?`}
      isOpen={isOpen}
      actions={
        <>
          <Button icon={PhoneOff} onPress={onDecline}>
            {isInside ? t`Leave` : t`Do not join`}
          </Button>
          <Button look="primary" icon={Check} isPending={isPending} onPress={onAgree}>
            {t`I agree`}
          </Button>
        </>
      }
    >
      <p>
        <Trans>This meeting is being recorded, and your club asks everybody to agree to it.</Trans>
      </p>
      {isInside && (
        <p>
          <Trans>Until you agree, your microphone, your camera and your screen are off.</Trans>
        </p>
      )}
      <p>
        <Audience clubId={clubId} />
      </p>
    </Dialog>
  );
}

/** For a participant, when a recording starts. */
export function ConsentInside({
  clubId,
  isOpen,
  onLeave,
}: {
  clubId: string;
  isOpen: boolean;
  onLeave: () => void;
}) {
  const consent = useClubAction(
    clubId,
    (api) => api.consent(clubId),
    () => undefined,
  );
  return (
    <ConsentDialog
      clubId={clubId}
      isOpen={isOpen}
      isInside
      isPending={consent.isPending}
      onAgree={() => consent.run()}
      onDecline={onLeave}
    />
  );
}
