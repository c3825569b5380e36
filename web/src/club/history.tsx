import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { BookOpen, ChevronRight, CirclePlay } from 'lucide-react';
import { useEffect } from 'react';
import { Link } from 'wouter';
import { useMeetings } from '../api/queries.ts';
import { useFormat } from '../i18n/format.ts';
import { Trouble } from '../outcomes/trouble.tsx';
import { Button } from '../ui/button.tsx';

/** The meetings that are over, newest first. */
export function History({
  clubId,
  lastMeetingId,
}: {
  clubId: string;
  /** By the status: when it changes, there is one more. */
  lastMeetingId: string | undefined;
}) {
  const { t } = useLingui();
  const { shortDay, timeRange, duration } = useFormat();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useMeetings(clubId);
  const newest = data?.pages[0]?.meetings[0]?.meetingId;
  useEffect(() => {
    if (lastMeetingId && newest && lastMeetingId !== newest) void refetch();
  }, [lastMeetingId, newest, refetch]);

  if (error) return <Trouble error={error} onRetry={refetch} />;
  if (isPending) return <div className="skeleton club__skeleton" />;
  const meetings = data.pages.flatMap((page) => page.meetings);
  if (meetings.length === 0) {
    return (
      <div className="empty">
        <BookOpen size={40} aria-hidden="true" />
        <h2>
          <Trans>No past meetings</Trans>
        </h2>
        <p>
          <Trans>When the first one is over, you see here when it was and who came.</Trans>
        </p>
      </div>
    );
  }
  return (
    <div className="history">
      <ul className="history">
        {meetings.map(({ meetingId, startedAt, endedAt, durationSeconds, recordingCount }) => (
          <li key={meetingId}>
            <Link href={`/clubs/${clubId}/meetings/${meetingId}`} className="card history__row">
              <span className="history__day">{shortDay(startedAt)}</span>
              <span className="soft small history__time">
                {timeRange(startedAt, endedAt)} · {duration(durationSeconds)}
              </span>
              {recordingCount > 0 && (
                <span className="badge history__recordings">
                  <CirclePlay size={14} aria-hidden="true" />
                  <Plural value={recordingCount} one="# recording" other="# recordings" />
                </span>
              )}
              <ChevronRight size={20} aria-hidden="true" className="soft" />
            </Link>
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <Button
          className="history__more"
          isPending={isFetchingNextPage}
          onPress={() => void fetchNextPage()}
        >
          {t`Show earlier meetings`}
        </Button>
      )}
    </div>
  );
}
