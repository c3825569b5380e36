import { Trans, useLingui } from '@lingui/react/macro';
import { PhoneOff, Square } from 'lucide-react';
import { useClubAction } from '../api/queries.ts';
import { useErrorText } from '../outcomes/error-text.ts';
import { notify } from '../ui/announcer.tsx';
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
  const textOf = useErrorText();
  const end = useClubAction(clubId, (api) => api.end(clubId, meetingId));
  return (
    <Dialog
      role="alertdialog"
      title={t`Leave the meeting?`}
      isOpen={isOpen}
      onClose={onClose}
      actions={
        <>
          <Button
            look="danger"
            icon={Square}
            isPending={end.isPending}
            onPress={() =>
              // LiveKit says that the room is gone: that leads out of the meeting.
              end.mutate(undefined, {
                onSuccess: ({ success }) => {
                  if (success) return;
                  notify(
                    t`The meeting is over, but the meeting server has not confirmed that everybody is out. End it once more in a moment.`,
                    'failure',
                  );
                },
                onError: (error) => notify(textOf(error), 'failure'),
              })
            }
          >
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
