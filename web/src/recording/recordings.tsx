import { Trans, useLingui } from '@lingui/react/macro';
import { useQuery } from '@tanstack/react-query';
import { AudioLines, Download, Lock, type LucideIcon, Play, Trash2, Video } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { RecordingList } from '../../../lib/contract/answers.ts';
import type { RecordingRef } from '../api/client.ts';
import { hasCode } from '../api/errors.ts';
import { keys, pollEvery, useApi, useClub, useMembers } from '../api/queries.ts';
import { useClubAction } from '../club/club-action.ts';
import { useFormat } from '../i18n/format.ts';
import { useErrorText } from '../outcomes/error-text.ts';
import { Trouble } from '../outcomes/trouble.tsx';
import { notify } from '../ui/announcer.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Player } from './player.tsx';
import './recording.css';

type Recording = RecordingList['recordings'][number];

/** Until a recording that is on, or being saved, is closed. */
const POLL_MS = 4_000;

const isOpen = ({ state }: Recording): boolean =>
  state === 'starting' || state === 'active' || state === 'stopping';

function useRecordings(clubId: string, meetingId: string) {
  const api = useApi();
  return useQuery({
    queryKey: keys.recordings(clubId, meetingId),
    queryFn: ({ signal }) => api.recordings(clubId, meetingId, signal),
    refetchInterval: (query) =>
      query.state.data?.recordings.some(isOpen) ? pollEvery(POLL_MS)(query) : false,
  });
}

/** The recordings of a meeting that is over, with what may be done with them; nothing where there are none. */
export function Recordings({ clubId, meetingId }: { clubId: string; meetingId: string }) {
  const { t } = useLingui();
  const { data, error, refetch } = useRecordings(clubId, meetingId);
  const { data: club } = useClub(clubId);
  // A route refused it: the club's rule or the caller's role has changed a moment ago.
  const [isRefused, setRefused] = useState(false);
  if (error && !data) return <Trouble error={error} onRetry={refetch} />;
  if (!data || data.recordings.length === 0 || !club) return null;
  const isModerator = club.role !== 'member';
  const mayPlay = !isRefused && (isModerator || club.recordingAccess === 'members');
  return (
    <section className="section" aria-labelledby="recordings">
      <h2 id="recordings">{t`Recordings`}</h2>
      {!mayPlay && (
        <p className="recordings__locked soft">
          <Lock size={18} aria-hidden="true" />
          <Trans>In this club, only moderators can play and download recordings.</Trans>
        </p>
      )}
      <ul className="recordings">
        {data.recordings.map((recording) => (
          <Item
            key={recording.recordingId}
            at={{ clubId, meetingId, recordingId: recording.recordingId }}
            recording={recording}
            mayPlay={mayPlay}
            mayDelete={isModerator}
            onRefused={() => setRefused(true)}
          />
        ))}
      </ul>
    </section>
  );
}

function Item({
  at,
  recording,
  mayPlay,
  mayDelete,
  onRefused,
}: {
  at: RecordingRef;
  recording: Recording;
  mayPlay: boolean;
  mayDelete: boolean;
  onRefused: () => void;
}) {
  const { t } = useLingui();
  const { shortDay, time, timeRange, duration, size } = useFormat();
  const nameOf = useNameOf(at.clubId);
  const [isPlaying, setPlaying] = useState(false);
  const { audioOnly, state, startedAt, endedAt, durationSeconds, bytes, expiresAt } = recording;
  const Icon: LucideIcon = audioOnly ? AudioLines : Video;
  const kind = audioOnly ? t`Sound only` : t`Sound and picture`;
  const when = startedAt && (endedAt ? timeRange(startedAt, endedAt) : time(startedAt));
  const label = when ? t`Recording, ${when}` : t`The recording`;
  const facts = [
    kind,
    ...(durationSeconds === null ? [] : [duration(durationSeconds)]),
    ...(bytes === null ? [] : [size(bytes)]),
  ];
  const askedBy = nameOf(recording.requestedBy);
  const until = expiresAt && shortDay(expiresAt);
  const isComplete = state === 'completed';
  return (
    <li className="card recording">
      <Icon size={24} aria-hidden="true" className="recording__icon" />
      <div className="recording__text">
        <h3>{when ?? t`Not recorded`}</h3>
        <p className="soft small">{facts.join(' · ')}</p>
        <p className="soft small">
          {askedBy ? (
            <Trans>Recorded by {askedBy}.</Trans>
          ) : (
            <Trans>Recorded by a moderator.</Trans>
          )}{' '}
          {isComplete && until && <Trans>Kept until {until}.</Trans>}
        </p>
        <StateInWords state={state} />
      </div>
      {(isComplete && mayPlay) || (mayDelete && !isOpen(recording)) ? (
        <div className="recording__actions">
          {isComplete && mayPlay && (
            <>
              {!isPlaying && (
                <Button look="primary" icon={Play} onPress={() => setPlaying(true)}>
                  {t`Play`}
                </Button>
              )}
              <DownloadButton at={at} onRefused={onRefused} />
            </>
          )}
          {mayDelete && !isOpen(recording) && <DeleteButton at={at} label={label} />}
        </div>
      ) : null}
      {isPlaying && mayPlay && (
        <Player recording={at} isAudio={audioOnly} label={label} onRefused={onRefused} />
      )}
    </li>
  );
}

function StateInWords({ state }: Pick<Recording, 'state'>): ReactNode {
  switch (state) {
    case 'completed':
      return null;
    case 'starting':
    case 'active':
      return (
        <p className="badge badge--live">
          <Trans>Recording</Trans>
        </p>
      );
    case 'stopping':
      return (
        <p className="badge">
          <Trans>Being saved …</Trans>
        </p>
      );
    case 'failed':
      return (
        <p className="recording__problem">
          <Trans>It failed: nothing was saved.</Trans>
        </p>
      );
    case 'aborted':
      return (
        <p className="recording__problem">
          <Trans>It ended before it had begun: nothing was saved.</Trans>
        </p>
      );
    case 'lost':
      return (
        <p className="recording__problem">
          <Trans>
            It is lost: the recorder stopped answering. Should its file turn up, it appears here.
          </Trans>
        </p>
      );
  }
}

/** Undefined for a former member. */
function useNameOf(clubId: string): (userId: string | null) => string | undefined {
  const { data: members } = useMembers(clubId);
  return (userId) => members?.find((member) => member.userId === userId)?.displayName ?? undefined;
}

/** The bucket names the file, and says that it is to be kept. */
function DownloadButton({ at, onRefused }: { at: RecordingRef; onRefused: () => void }) {
  const { t } = useLingui();
  const api = useApi();
  const textOf = useErrorText();
  const [isPending, setPending] = useState(false);
  const download = async () => {
    setPending(true);
    try {
      const { url } = await api.recordingAddress(at);
      const link = document.createElement('a');
      link.href = url;
      link.rel = 'noreferrer';
      link.click();
      notify(t`The download starts.`, 'success');
    } catch (error) {
      if (hasCode(error, 'NOT_A_MODERATOR')) onRefused();
      else notify(textOf(error), 'failure');
    } finally {
      setPending(false);
    }
  };
  return (
    <Button icon={Download} isPending={isPending} onPress={() => void download()}>
      {t`Download`}
    </Button>
  );
}

/** Asks first: nothing brings it back. */
function DeleteButton({ at, label }: { at: RecordingRef; label: string }) {
  const { t } = useLingui();
  const [isAsking, setAsking] = useState(false);
  const remove = useClubAction(
    at.clubId,
    (api) => api.deleteRecording(at),
    () => notify(t`The recording is deleted.`, 'success'),
  );
  return (
    <>
      <Button icon={Trash2} isPending={remove.isPending} onPress={() => setAsking(true)}>
        {t`Delete`}
      </Button>
      <Dialog
        role="alertdialog"
        title={t`Delete this recording?`}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        actions={
          <>
            <Button onPress={() => setAsking(false)}>{t`Cancel`}</Button>
            <Button
              look="danger"
              icon={Trash2}
              autoFocus
              onPress={() => {
                setAsking(false);
                remove.run();
              }}
            >
              {t`Delete`}
            </Button>
          </>
        }
      >
        <p>{label}</p>
        <p>
          <Trans>Its file is gone for good, for everybody.</Trans>
        </p>
      </Dialog>
    </>
  );
}
