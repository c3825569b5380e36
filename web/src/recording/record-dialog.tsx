import { Trans, useLingui } from '@lingui/react/macro';
import { CircleDot, Square } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { useClub } from '../api/queries.ts';
import { useConfig } from '../config-context.ts';
import { Button } from '../ui/button.tsx';
import { Choices } from '../ui/choice.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Notice } from '../ui/notice.tsx';
import type { RecordingNotice } from './notice.ts';
import {
  type RecordingStart,
  useOutcome,
  useStartRecording,
  useStopRecording,
} from './use-recording.ts';
import './recording.css';

/** For moderators: undefined for others. */
export function useRecordingControl({
  clubId,
  meetingId,
  notice: { state, recordingId },
  isModerator,
}: {
  clubId: string;
  meetingId: string;
  notice: RecordingNotice;
  isModerator: boolean;
}) {
  const [question, ask] = useState<'start' | 'stop'>();
  const onClose = useCallback(() => ask(undefined), []);
  const start = useStartRecording(clubId, onClose);
  const stop = useStopRecording(clubId);
  const isAsking = question === 'start';
  useOutcome({ clubId, meetingId, recordingId, isEnabled: isModerator, isAsking });
  if (!isModerator) return undefined;
  const isOn = state !== undefined && state !== 'saving';
  return {
    isOn,
    isSaving: state === 'saving',
    // A recorder in the room that the record does not know (yet) cannot be stopped by it.
    isDisabled: state === 'saving' || state === 'stopping' || (isOn && !recordingId),
    onPress: () => ask(isOn ? 'stop' : 'start'),
    question,
    onClose,
    start,
    onStop: () => recordingId && stop.run(recordingId),
  };
}

export function RecordingQuestions({
  clubId,
  question,
  onClose,
  start,
  onStop,
}: { clubId: string } & Pick<
  NonNullable<ReturnType<typeof useRecordingControl>>,
  'question' | 'onClose' | 'start' | 'onStop'
>) {
  return (
    <>
      <RecordDialog clubId={clubId} isOpen={question === 'start'} onClose={onClose} start={start} />
      <StopDialog isOpen={question === 'stop'} onClose={onClose} onStop={onStop} />
    </>
  );
}

/** The question before a start: what to record. It says what everybody in the meeting will see and hear. */
function RecordDialog({
  clubId,
  isOpen,
  onClose,
  start,
}: {
  clubId: string;
  isOpen: boolean;
  onClose: () => void;
  start: RecordingStart;
}) {
  const { t } = useLingui();
  const { data: club } = useClub(clubId);
  const { recordingDefault } = useConfig();
  const [chosen, choose] = useState(recordingDefault);
  const { run, isPending, failure, reset } = start;
  // What failed before is no news when the question is asked again.
  useEffect(() => {
    if (isOpen) reset();
  }, [isOpen, reset]);
  return (
    <Dialog
      title={t`Record this meeting?`}
      isOpen={isOpen}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{isPending ? t`Close` : t`Cancel`}</Button>
          <Button
            look="primary"
            icon={CircleDot}
            isPending={isPending}
            onPress={() => run(chosen === 'audio')}
          >
            {failure ? t`Try again` : t`Start recording`}
          </Button>
        </>
      }
    >
      {failure && !isPending && <Notice tone="failure">{failure}</Notice>}
      <Choices
        label={t`What is recorded`}
        options={[
          {
            id: 'video',
            name: t`Sound and picture`,
            meaning: t`Everybody’s voices, cameras and shared screens`,
          },
          { id: 'audio', name: t`Sound only`, meaning: t`Everybody’s voices, in a small file` },
        ]}
        selected={chosen}
        onSelect={choose}
      />
      <ul className="recorded__facts">
        <li>
          <Trans>
            Everybody in the meeting sees and hears that it is recorded, and so does whoever joins.
          </Trans>
        </li>
        {club?.recordingConsent === 'required' && (
          <li>
            <Trans>
              Your club asks for consent: each person agrees or leaves. By starting, you agree.
            </Trans>
          </li>
        )}
        <li>
          <Audience clubId={clubId} />
        </li>
      </ul>
      {isPending && (
        <p role="status">
          <Trans>Looking for a recorder. This takes up to half a minute.</Trans>
        </p>
      )}
    </Dialog>
  );
}

/** Who may play it afterwards. */
export function Audience({ clubId }: { clubId: string }) {
  const { data: club } = useClub(clubId);
  return club?.recordingAccess === 'members' ? (
    <Trans>Afterwards, all members of the club can play it.</Trans>
  ) : (
    <Trans>Afterwards, only moderators of the club can play it.</Trans>
  );
}

function StopDialog({
  isOpen,
  onClose,
  onStop,
}: {
  isOpen: boolean;
  onClose: () => void;
  onStop: () => void;
}) {
  const { t } = useLingui();
  return (
    <Dialog
      role="alertdialog"
      title={t`Stop the recording?`}
      isOpen={isOpen}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t`Go on recording`}</Button>
          <Button
            look="danger"
            icon={Square}
            autoFocus
            onPress={() => {
              onClose();
              onStop();
            }}
          >
            {t`Stop`}
          </Button>
        </>
      }
    >
      <p>
        <Trans>What was recorded is saved. The meeting goes on.</Trans>
      </p>
    </Dialog>
  );
}
