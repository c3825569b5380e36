/** Every way to be out of a meeting: what happened, and what can be done. */
import { Plural, Trans, useLingui } from '@lingui/react/macro';
import {
  BookX,
  CircleAlert,
  Clock,
  DoorOpen,
  Flag,
  History,
  Lock,
  type LucideIcon,
  MonitorSmartphone,
  Play,
  RotateCw,
  Users,
  UserX,
} from 'lucide-react';
import type { ReactNode } from 'react';
import { useClub, useMeeting } from '../api/queries.ts';
import { SessionOver } from '../auth/screens.tsx';
import { useClubAction } from '../club/club-action.ts';
import { useFormat } from '../i18n/format.ts';
import type { Exit } from '../meeting/joining.ts';
import { Button, LinkButton } from '../ui/button.tsx';
import { Screen } from '../ui/screen.tsx';

interface OutScreenProps {
  clubId: string;
  exit: Exit;
  onRejoin: () => void;
}

export function OutScreen({ clubId, exit, onRejoin }: OutScreenProps) {
  const { t } = useLingui();
  const toClub = <LinkButton to={`/clubs/${clubId}`}>{t`To the club`}</LinkButton>;
  const again = (word: string) => (
    <Button look="primary" icon={RotateCw} onPress={onRejoin}>
      {word}
    </Button>
  );
  const screen = (icon: LucideIcon, title: string, text: ReactNode, actions: ReactNode) => (
    <Screen icon={icon} title={title} actions={actions}>
      {text}
    </Screen>
  );
  switch (exit.kind) {
    case 'over':
      return <Over clubId={clubId} meetingId={exit.meetingId} />;
    case 'session-over':
      return <SessionOver />;
    case 'left':
      return screen(
        DoorOpen,
        t`You left the meeting`,
        <p>
          <Trans>It goes on without you. You may come back as long as it is on.</Trans>
        </p>,
        <>
          {toClub}
          {again(t`Join again`)}
        </>,
      );
    case 'removed':
      return screen(
        UserX,
        t`A moderator removed you from the meeting`,
        <p>
          <Trans>
            If it was a mistake, talk to them. Unless they keep you out, you may join again.
          </Trans>
        </p>,
        <>
          {toClub}
          {again(t`Join again`)}
        </>,
      );
    case 'barred':
      return screen(
        UserX,
        t`You are kept out of this meeting`,
        <p>
          <Trans>
            A moderator can let you back in. The next meeting of the club is open to you again.
          </Trans>
        </p>,
        <>
          {toClub}
          {again(t`Try again`)}
        </>,
      );
    case 'elsewhere':
      return screen(
        MonitorSmartphone,
        t`You joined somewhere else`,
        <p>
          <Trans>
            You are in this meeting in another window or on another device, and only in one at a
            time.
          </Trans>
        </p>,
        <>
          {toClub}
          {again(t`Join here instead`)}
        </>,
      );
    case 'full':
      return screen(
        Users,
        t`The meeting is full`,
        <p>
          <Trans>As soon as somebody leaves there is room for you.</Trans>
        </p>,
        <>
          {toClub}
          {again(t`Try again`)}
        </>,
      );
    case 'not-on':
      return <NotOn clubId={clubId} onStarted={onRejoin} />;
    case 'not-a-member':
      return screen(
        Lock,
        t`You are not a member of this club`,
        <p>
          <Trans>
            Ask the people who run the club to add you. The club then appears in your list.
          </Trans>
        </p>,
        <LinkButton to="/" look="primary">{t`Your clubs`}</LinkButton>,
      );
    case 'no-club':
      return screen(
        BookX,
        t`There is no such club`,
        <p>
          <Trans>It may have been removed.</Trans>
        </p>,
        <LinkButton to="/" look="primary">{t`Your clubs`}</LinkButton>,
      );
    case 'failed':
      return screen(
        CircleAlert,
        t`Joining did not work`,
        <p>
          <Trans>Something went wrong at the service. Try again in a moment.</Trans>
        </p>,
        <>
          {toClub}
          {again(t`Try again`)}
        </>,
      );
  }
}

/** Moderators start one from here. */
function NotOn({ clubId, onStarted }: { clubId: string; onStarted: () => void }) {
  const { t } = useLingui();
  const { data: club } = useClub(clubId);
  const start = useClubAction(clubId, (api) => api.start(clubId), onStarted);
  const canStart = club !== undefined && club.role !== 'member';
  return (
    <Screen
      icon={Clock}
      title={t`No meeting is on`}
      actions={
        <>
          <LinkButton to={`/clubs/${clubId}`} look={canStart ? 'secondary' : 'primary'}>
            {t`To the club`}
          </LinkButton>
          {canStart && (
            <Button
              look="primary"
              icon={Play}
              isPending={start.isPending}
              onPress={() => start.run()}
            >
              {t`Start a meeting`}
            </Button>
          )}
        </>
      }
    >
      <p>
        {canStart ? (
          <Trans>Start one when you are ready: members see it within seconds.</Trans>
        ) : (
          <Trans>The page of the club shows it when a moderator starts one.</Trans>
        )}
      </p>
    </Screen>
  );
}

/** With its length and who was there, as soon as the record has it. */
function Over({ clubId, meetingId }: { clubId: string; meetingId: string }) {
  const { t } = useLingui();
  const { duration, list } = useFormat();
  const { data } = useMeeting(clubId, meetingId);
  const lasted = data ? duration(data.meeting.durationSeconds) : '';
  const names = data?.attendance.map(({ displayName }) => displayName ?? t`Unnamed member`) ?? [];
  return (
    <Screen
      icon={Flag}
      title={t`The meeting is over`}
      actions={
        <>
          <LinkButton to={`/clubs/${clubId}/meetings/${meetingId}`} icon={History}>
            {t`Who was there when`}
          </LinkButton>
          <LinkButton to={`/clubs/${clubId}`} look="primary">{t`To the club`}</LinkButton>
        </>
      }
    >
      {data && (
        <>
          <p>
            <Trans>It lasted {lasted}.</Trans>
          </p>
          {names.length > 0 && (
            <p>
              <Plural value={names.length} one="# person was there:" other="# people were there:" />{' '}
              {list(names)}
            </p>
          )}
        </>
      )}
    </Screen>
  );
}
