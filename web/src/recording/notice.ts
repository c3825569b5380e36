/** Whether the meeting is being recorded: as the recorder in the room and the record say, whichever is first. */
import { useLingui } from '@lingui/react/macro';
import { useIsRecording, useRoomContext } from '@livekit/components-react';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { JoinToken, MeetingStatus } from '../../../lib/contract/answers.ts';
import { keys, useStatus } from '../api/queries.ts';
import { announce } from '../ui/announcer.tsx';
import { chime } from './chime.ts';

export type RecordingOn = NonNullable<MeetingStatus['recording']>;

/** `saving`: nothing is recorded any more, and its file is being completed. */
export type NoticeState = 'starting' | 'on' | 'stopping' | 'saving';

export interface RecordingNotice {
  /** Undefined: nothing is recorded. */
  state: NoticeState | undefined;
  recordingId: string | undefined;
  startedAt: string | undefined;
  /** The club requires consent, and this person has not agreed yet. */
  mustConsent: boolean;
}

/** An Egress that draws with Chrome is in the room for 20 s after its end, measured on server 1.13.5. */
const LINGER_MS = 30_000;

/**
 * @param hasRecorder what LiveKit says, at once: the record follows within seconds. A recorder that this
 * service did not start is shown as well: nobody is recorded without seeing it.
 * @param isOver the record says that a recording ended a moment ago: the recorder that is still in the room
 * is the one of that recording
 */
export function noticeOf({
  hasRecorder,
  recording,
  isOver,
}: {
  hasRecorder: boolean;
  recording: Pick<RecordingOn, 'state'> | null;
  isOver: boolean;
}): NoticeState | undefined {
  switch (recording?.state) {
    case 'active':
      return 'on';
    case 'starting':
      return hasRecorder ? 'on' : 'starting';
    case 'stopping':
      return hasRecorder ? 'stopping' : 'saving';
    case undefined:
      return hasRecorder && !isOver ? 'on' : undefined;
  }
}

export function useRecordingNotice(clubId: string, token: JoinToken): RecordingNotice {
  const client = useQueryClient();
  const hasRecorder = useIsRecording();
  const { data, dataUpdatedAt } = useStatus(clubId);
  const [joinedAt] = useState(() => Date.now());
  // What was read before joining is older than what came with the token.
  const status = dataUpdatedAt > joinedAt && data?.meetingId === token.meetingId ? data : undefined;
  const recording = status ? status.recording : token.recording;
  const recordingId = recording?.recordingId;
  const isOver = useIsOver(recordingId, hasRecorder);
  const state = noticeOf({ hasRecorder, recording, isOver });

  // LiveKit says it before the next poll; the record says which one, and whether consent is asked for.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change is a reason to ask.
  useEffect(() => {
    void client.invalidateQueries({ queryKey: keys.status(clubId) });
  }, [client, clubId, hasRecorder]);

  useSaid(state);
  return {
    state,
    recordingId,
    startedAt: recording?.startedAt ?? undefined,
    mustConsent: status?.mustConsent ?? false,
  };
}

/** Whether the record had a recording a moment ago, and its recorder may still be in the room. */
function useIsOver(recordingId: string | undefined, hasRecorder: boolean): boolean {
  const [seen, setSeen] = useState({ recordingId, isOver: false });
  if (seen.recordingId !== recordingId) {
    setSeen({ recordingId, isOver: recordingId === undefined });
  }
  const { isOver } = seen;
  useEffect(() => {
    if (!isOver) return;
    const forget = () => setSeen((now) => ({ ...now, isOver: false }));
    const timer = setTimeout(forget, hasRecorder ? LINGER_MS : 0);
    return () => clearTimeout(timer);
  }, [isOver, hasRecorder]);
  return isOver;
}

const isRecorded = (state: NoticeState | undefined) => state === 'on' || state === 'stopping';

/** Each change is said to screen readers, and the start and the end are heard. */
function useSaid(state: NoticeState | undefined): void {
  const { t } = useLingui();
  const room = useRoomContext();
  const before = useRef<NoticeState>(undefined);
  useEffect(() => {
    const was = before.current;
    before.current = state;
    if (state === was) return;
    const speaker = room.getActiveDevice('audiooutput');
    if (isRecorded(state)) {
      if (isRecorded(was)) return;
      announce(t`This meeting is being recorded.`);
      chime('start', speaker);
    } else if (isRecorded(was)) {
      announce(t`The recording has ended.`);
      chime('end', speaker);
    } else if (state === 'starting') {
      announce(t`A recording is starting.`);
    } else if (was === 'starting') {
      announce(t`The recording did not start.`);
    }
  }, [state, room, t]);
}
