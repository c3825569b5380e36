import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { ChevronLeft, CircleDot, Play, Square, Video } from 'lucide-react';
import { useState } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components/Tabs';
import { Link, useLocation } from 'wouter';
import type { MeetingStatus } from '../../../lib/contract/answers.ts';
import { type ApiError, hasCode } from '../api/errors.ts';
import { useClub, useStatus } from '../api/queries.ts';
import { RoleBadge } from '../clubs/role-badge.tsx';
import { useConfig } from '../config-context.ts';
import { useFormat } from '../i18n/format.ts';
import { ClubRefused } from '../outcomes/club-refused.tsx';
import { Trouble } from '../outcomes/trouble.tsx';
import { notify } from '../ui/announcer.tsx';
import { Button, LinkButton } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Notice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { useClubAction } from './club-action.ts';
import { useEnd } from './ending.ts';
import { History } from './history.tsx';
import { Members } from './members.tsx';
import './club.css';

/** The meeting that is on or not, the meetings that were, and the people. */
export function Club({ clubId }: { clubId: string }) {
  const { t } = useLingui();
  const { data: club } = useClub(clubId);
  const { data: status, error, refetch } = useStatus(clubId);
  if (hasCode(error, 'NOT_A_MEMBER', 'CLUB_NOT_FOUND', 'INVALID_REQUEST')) {
    return <ClubRefused error={error as ApiError} />;
  }
  const isModerator = club !== undefined && club.role !== 'member';
  return (
    <Page
      title={club?.name ?? t`Club`}
      above={
        <Link href="/" className="page__above">
          <ChevronLeft size={16} aria-hidden="true" />
          <Trans>Your clubs</Trans>
        </Link>
      }
      aside={<RoleBadge role={club?.role} />}
    >
      {error && <Trouble error={error} onRetry={refetch} />}
      {status ? (
        <MeetingCard clubId={clubId} status={status} isModerator={isModerator} />
      ) : (
        !error && <div className="skeleton club__skeleton" />
      )}
      <Tabs className="tabs">
        <TabList aria-label={t`The club`} className="tabs__list">
          <Tab id="history" className="tabs__tab">
            {t`Past meetings`}
          </Tab>
          <Tab id="members" className="tabs__tab">
            {t`Members`}
          </Tab>
        </TabList>
        <TabPanel id="history" className="tabs__panel">
          <History clubId={clubId} lastMeetingId={status?.lastMeeting?.meetingId} />
        </TabPanel>
        <TabPanel id="members" className="tabs__panel">
          <Members clubId={clubId} ownRole={club?.role} />
        </TabPanel>
      </Tabs>
    </Page>
  );
}

function MeetingCard({
  clubId,
  status,
  isModerator,
}: {
  clubId: string;
  status: MeetingStatus;
  isModerator: boolean;
}) {
  const { livekit } = useConfig();
  return (
    <section className="card club__meeting" aria-labelledby="meeting-now">
      {status.meetingId !== null ? (
        <MeetingOn clubId={clubId} status={status} isModerator={isModerator} />
      ) : (
        <NoMeeting clubId={clubId} status={status} isModerator={isModerator} />
      )}
      {livekit === 'stand-in' && (
        <Notice tone="warning">
          <Trans>
            This stack runs with a stand-in for LiveKit: meetings can be started and ended, but
            nobody can join one.
          </Trans>
        </Notice>
      )}
    </section>
  );
}

interface CardProps {
  clubId: string;
  status: MeetingStatus;
  isModerator: boolean;
}

function MeetingOn({ clubId, status, isModerator }: CardProps) {
  const { t } = useLingui();
  const { time } = useFormat();
  const { participantCount, startedAt, meetingId, recording } = status;
  const since = startedAt ? time(startedAt) : '';
  return (
    <>
      <div className="club__meeting-text">
        <p className="club__badges">
          <span className="badge badge--live">
            <Trans>On now</Trans>
          </span>
          {recording && (
            <span className="badge">
              <CircleDot size={14} aria-hidden="true" />
              <Trans>Being recorded</Trans>
            </span>
          )}
        </p>
        <h2 id="meeting-now">
          {participantCount > 0 ? (
            <Plural
              value={participantCount}
              one="# person is in the meeting"
              other="# people are in the meeting"
            />
          ) : (
            <Trans>Nobody is in the meeting right now</Trans>
          )}
        </h2>
        <p className="soft">
          <Trans>It began at {since}.</Trans>
        </p>
      </div>
      <div className="club__meeting-actions">
        <LinkButton to={`/clubs/${clubId}/meet`} look="primary" icon={Video}>
          {t`Join`}
        </LinkButton>
        {isModerator && meetingId && <EndForAll clubId={clubId} meetingId={meetingId} />}
      </div>
    </>
  );
}

function NoMeeting({ clubId, status, isModerator }: CardProps) {
  const { t } = useLingui();
  const { shortDay, duration } = useFormat();
  const [, navigate] = useLocation();
  const start = useClubAction(
    clubId,
    (api) => api.start(clubId),
    () => navigate(`/clubs/${clubId}/meet`),
  );
  const { lastMeeting } = status;
  const lastDay = lastMeeting ? shortDay(lastMeeting.startedAt) : '';
  const lasted = lastMeeting ? duration(lastMeeting.durationSeconds) : '';
  return (
    <>
      <div className="club__meeting-text">
        <h2 id="meeting-now">
          <Trans>No meeting is on</Trans>
        </h2>
        <p className="soft">
          {isModerator ? (
            <Trans>Start one when you are ready: members see it within seconds.</Trans>
          ) : (
            <Trans>This page shows it by itself when a moderator starts one.</Trans>
          )}
        </p>
        {lastMeeting && (
          <p className="soft small">
            <Trans>
              The last one was on {lastDay} and lasted {lasted}.
            </Trans>
          </p>
        )}
      </div>
      {isModerator && (
        <div className="club__meeting-actions">
          <Button
            look="primary"
            icon={Play}
            isPending={start.isPending}
            onPress={() => start.run()}
          >
            {t`Start a meeting`}
          </Button>
        </div>
      )}
    </>
  );
}

/** Asks first: everybody is put out. */
function EndForAll({ clubId, meetingId }: { clubId: string; meetingId: string }) {
  const { t } = useLingui();
  const [isAsking, setAsking] = useState(false);
  const end = useEnd(clubId, meetingId, () => notify(t`The meeting is over.`, 'success'));
  return (
    <>
      <Button icon={Square} isPending={end.isPending} onPress={() => setAsking(true)}>
        {t`End for all`}
      </Button>
      <Dialog
        role="alertdialog"
        title={t`End the meeting for everybody?`}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        actions={
          <>
            <Button onPress={() => setAsking(false)}>{t`Cancel`}</Button>
            <Button
              look="danger"
              autoFocus
              onPress={() => {
                setAsking(false);
                end.run();
              }}
            >
              {t`End for all`}
            </Button>
          </>
        }
      >
        <p>
          <Trans>This disconnects everybody at once. The history is kept.</Trans>
        </p>
      </Dialog>
    </>
  );
}
