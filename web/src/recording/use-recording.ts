/** What moderators do about a recording, and what came of it. */
import { useLingui } from '@lingui/react/macro';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { hasCode, Unreachable } from '../api/errors.ts';
import { keys, useApi } from '../api/queries.ts';
import { type ClubAction, useClubAction } from '../club/club-action.ts';
import { useErrorText } from '../outcomes/error-text.ts';
import { notify } from '../ui/announcer.tsx';

export interface RecordingStart {
  run(audioOnly: boolean): void;
  isPending: boolean;
  /** Why nothing is recorded, in a sentence. */
  failure: string | undefined;
  reset(): void;
}

/**
 * The moderator who starts a recording agrees to it: the page sends their consent first, so they are not
 * asked again. Not repeated by itself: a start takes up to half a minute, and the person decides.
 *
 * @param onStarted when it is on, or may be
 */
export function useStartRecording(clubId: string, onStarted: () => void): RecordingStart {
  const { t } = useLingui();
  const api = useApi();
  const client = useQueryClient();
  const textOf = useErrorText();
  const { mutate, isPending, error, variables, reset } = useMutation({
    async mutationFn(audioOnly: boolean) {
      await api.consent(clubId);
      return api.startRecording(clubId, audioOnly);
    },
    retry: false,
    onSuccess: onStarted,
    onSettled: () => client.invalidateQueries({ queryKey: keys.status(clubId) }),
  });
  const failureOf = (reason: Error) => {
    if (hasCode(reason, 'RECORDING_UNAVAILABLE')) {
      return variables
        ? t`No recorder is free. Nothing is recorded. Try again in a minute.`
        : t`No recorder is free. Nothing is recorded. Try again in a minute, or record the sound only: that takes a smaller recorder.`;
    }
    if (reason instanceof Unreachable) {
      return t`The service did not answer in time. If a recording starts all the same, everybody sees it here.`;
    }
    return textOf(reason);
  };
  return { run: mutate, isPending, failure: error ? failureOf(error) : undefined, reset };
}

export function useStopRecording(clubId: string): ClubAction<string> {
  const { t } = useLingui();
  return useClubAction(
    clubId,
    (api, recordingId) => api.stopRecording(clubId, recordingId),
    ({ state }) => {
      if (state === 'stopping') notify(t`The recording is being stopped and saved.`);
    },
  );
}

/**
 * Says to moderators what became of a recording, once the record has it.
 * @param isAsking they have a question open that says by itself why a start failed
 */
export function useOutcome({
  clubId,
  meetingId,
  recordingId,
  isEnabled,
  isAsking,
}: {
  clubId: string;
  meetingId: string;
  /** The one that is on. */
  recordingId: string | undefined;
  isEnabled: boolean;
  isAsking: boolean;
}): void {
  const { t } = useLingui();
  const api = useApi();
  const before = useRef(recordingId);
  useEffect(() => {
    const ended = before.current;
    before.current = recordingId;
    if (!isEnabled || ended === undefined || ended === recordingId) return;
    const say = (state: string | undefined) => {
      if (state === 'completed') {
        notify(t`The recording is saved. Find it among the past meetings of the club.`, 'success');
      } else if (state === 'lost') {
        notify(t`The recording is lost: its recorder stopped answering.`, 'failure');
      } else if (state === 'failed' && !isAsking) {
        notify(t`The recording failed. Nothing was saved.`, 'failure');
      } else if (state === 'aborted') {
        notify(t`The recording ended before it had begun. Nothing was saved.`);
      }
    };
    void api.recordings(clubId, meetingId).then(
      ({ recordings }) => say(recordings.find((each) => each.recordingId === ended)?.state),
      // The history has it.
      () => undefined,
    );
  }, [api, clubId, meetingId, recordingId, isEnabled, isAsking, t]);
}
