import { Trans, useLingui } from '@lingui/react/macro';
import { PhoneOff, Square } from 'lucide-react';
import { useEnd } from '../club/ending.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';

/** Asks a moderator: alone, or the end for everybody? */
export function LeaveDialog({
  clubId,
  meetingId,
  isOpen,
  onClose,
  onLeave,
}: {
  clubId: string;
  meetingId: string;
  isOpen: boolean;
  onClose: () => void;
  onLeave: () => void;
}) {
  const { t } = useLingui();
  // LiveKit says that the room is gone: that leads out of the meeting.
  const end = useEnd(clubId, meetingId, () => undefined);
  return (
    <Dialog
      role="alertdialog"
      title={t`Leave the meeting?`}
      isOpen={isOpen}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t`Cancel`}</Button>
          <Button look="danger" icon={Square} isPending={end.isPending} onPress={() => end.run()}>
            {t`End for all`}
          </Button>
          <Button look="primary" icon={PhoneOff} onPress={onLeave}>
            {t`Leave`}
          </Button>
        </>
      }
    >
      <p>
        <Trans>If you only leave, the meeting goes on without you.</Trans>
      </p>
    </Dialog>
  );
}
