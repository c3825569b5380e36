import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { ChevronLeft, Download, Users } from 'lucide-react';
import type { CSSProperties } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components/Tabs';
import { Link } from 'wouter';
import type { MeetingDetails as Details } from '../../../lib/contract/answers.ts';
import { type ApiError, hasCode } from '../api/errors.ts';
import { useApi, useClub, useMeeting } from '../api/queries.ts';
import { useFormat } from '../i18n/format.ts';
import { ClubRefused } from '../outcomes/club-refused.tsx';
import { useErrorText } from '../outcomes/error-text.ts';
import { Trouble } from '../outcomes/trouble.tsx';
import { Recordings } from '../recording/recordings.tsx';
import { notify } from '../ui/announcer.tsx';
import { Button } from '../ui/button.tsx';
import { Page } from '../ui/page.tsx';
import { useHowItEnded } from './ending.ts';
import { barsOf, type Stay, ticksOf } from './timeline.ts';
import './club.css';

type Person = Details['attendance'][number];

/** A meeting that is over: when it was, how it ended, and who was there when. */
export function MeetingDetails({ clubId, meetingId }: { clubId: string; meetingId: string }) {
  const { t } = useLingui();
  const { day } = useFormat();
  const { data: club } = useClub(clubId);
  const { data, error, refetch } = useMeeting(clubId, meetingId);
  if (hasCode(error, 'NOT_A_MEMBER', 'CLUB_NOT_FOUND', 'MEETING_NOT_FOUND', 'INVALID_REQUEST')) {
    return <ClubRefused error={error as ApiError} />;
  }
  return (
    <Page
      title={data ? day(data.meeting.startedAt) : t`A past meeting`}
      above={
        <Link href={`/clubs/${clubId}`} className="page__above">
          <ChevronLeft size={16} aria-hidden="true" />
          {club?.name ?? t`Club`}
        </Link>
      }
    >
      {error && <Trouble error={error} onRetry={refetch} />}
      {data ? (
        <Content clubId={clubId} {...data} />
      ) : (
        !error && <div className="skeleton club__skeleton" />
      )}
    </Page>
  );
}

function Content({ clubId, meeting, attendance }: Details & { clubId: string }) {
  const { t } = useLingui();
  const { timeRange, duration } = useFormat();
  const howItEnded = useHowItEnded();
  return (
    <>
      <dl className="facts">
        <div>
          <dt>{t`Time`}</dt>
          <dd>{timeRange(meeting.startedAt, meeting.endedAt)}</dd>
        </div>
        <div>
          <dt>{t`Length`}</dt>
          <dd>{duration(meeting.durationSeconds)}</dd>
        </div>
        <div>
          <dt>{t`People`}</dt>
          <dd>{meeting.peopleCount}</dd>
        </div>
        {meeting.guestCount > 0 && (
          <div>
            <dt>{t`Guests`}</dt>
            <dd>{meeting.guestCount}</dd>
          </div>
        )}
        <div>
          <dt>{t`End`}</dt>
          <dd>{howItEnded(meeting)}</dd>
        </div>
      </dl>
      <Recordings clubId={clubId} meetingId={meeting.meetingId} />
      {attendance.length === 0 ? (
        <div className="empty">
          <Users size={40} aria-hidden="true" />
          <h2>
            <Trans>No attendance is recorded</Trans>
          </h2>
          <p>
            <Trans>Attendance is kept for 400 days.</Trans>
          </p>
        </div>
      ) : (
        <Tabs className="tabs">
          <div className="attendance__bar">
            <TabList aria-label={t`Who was there`} className="tabs__list attendance__tabs">
              <Tab id="timeline" className="tabs__tab">
                {t`Timeline`}
              </Tab>
              <Tab id="table" className="tabs__tab">
                {t`Table`}
              </Tab>
            </TabList>
            <DownloadCsv clubId={clubId} meetingId={meeting.meetingId} />
          </div>
          <TabPanel id="timeline" className="tabs__panel">
            <Timeline meeting={meeting} attendance={attendance} />
          </TabPanel>
          <TabPanel id="table" className="tabs__panel">
            <AttendanceTable attendance={attendance} />
          </TabPanel>
        </Tabs>
      )}
    </>
  );
}

const at = (variables: Record<`--${string}`, string>) => variables as CSSProperties;

function Timeline({ meeting, attendance }: Details) {
  const { t } = useLingui();
  const { time, duration } = useFormat();
  const nameOf = useNames();
  return (
    <div className="card timeline">
      <div className="timeline__axis" aria-hidden="true">
        <span />
        <div className="timeline__ticks">
          {ticksOf(meeting).map((tick) => (
            <span
              key={tick.instant}
              className="timeline__tick"
              style={at({ '--at': `${tick.at}%` })}
            >
              {time(tick.instant)}
            </span>
          ))}
        </div>
      </div>
      <ul aria-label={t`Who was there when`}>
        {attendance.map((person) => (
          <li key={person.userId} className="timeline__row">
            <span className="timeline__name">{nameOf(person)}</span>
            <div className="timeline__track" aria-hidden="true">
              {barsOf(person.stays, meeting).map((bar) => (
                <span
                  key={`${bar.joinedAt} ${bar.leftAt}`}
                  className={
                    bar.isEstimated ? 'timeline__stay timeline__stay--estimated' : 'timeline__stay'
                  }
                  style={at({ '--from': `${bar.from}%`, '--length': `${bar.length}%` })}
                />
              ))}
            </div>
            <span className="visually-hidden">
              <StaysInWords stays={person.stays} total={duration(person.secondsPresent)} />
            </span>
          </li>
        ))}
      </ul>
      {attendance.some(({ stays }) => stays.some(({ isEstimated }) => isEstimated)) && (
        <p className="soft small timeline__legend">
          <span className="timeline__stay--estimated timeline__sample" aria-hidden="true" />
          <Trans>The end of a striped stay is estimated: nobody saw the person leave.</Trans>
        </p>
      )}
    </div>
  );
}

function StaysInWords({ stays, total }: { stays: Stay[]; total: string }) {
  const { t } = useLingui();
  const { timeRange, list } = useFormat();
  const times = list(
    stays.map(({ joinedAt, leftAt, isEstimated }) => {
      const range = timeRange(joinedAt, leftAt);
      return isEstimated ? t`${range} (end estimated)` : range;
    }),
  );
  return (
    <Trans>
      {times}, {total} in all
    </Trans>
  );
}

function AttendanceTable({ attendance }: Pick<Details, 'attendance'>) {
  const { t } = useLingui();
  const { time, duration } = useFormat();
  const nameOf = useNames();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard.
    <section className="card table-scroll" aria-label={t`Attendance`} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t`Name`}</th>
            <th scope="col">{t`Came`}</th>
            <th scope="col">{t`Left`}</th>
            <th scope="col">{t`Present`}</th>
            <th scope="col">{t`Joined`}</th>
          </tr>
        </thead>
        <tbody>
          {attendance.map((person) => (
            <tr key={person.userId}>
              <th scope="row">{nameOf(person)}</th>
              <td>{time(person.firstJoinedAt)}</td>
              <td>{time(person.lastLeftAt)}</td>
              <td>{duration(person.secondsPresent)}</td>
              <td>
                <Plural value={person.sessions} one="once" other="# times" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function useNames(): (person: Pick<Person, 'displayName'>) => string {
  const { t } = useLingui();
  return ({ displayName }) => displayName ?? t`Unnamed member`;
}

/** By the page itself: a plain link could not carry the access token. */
function DownloadCsv({ clubId, meetingId }: { clubId: string; meetingId: string }) {
  const { t } = useLingui();
  const api = useApi();
  const textOf = useErrorText();
  const download = async () => {
    try {
      const url = URL.createObjectURL(await api.attendanceCsv(clubId, meetingId));
      const link = document.createElement('a');
      link.href = url;
      link.download = `${clubId}-${meetingId}.csv`;
      link.click();
      URL.revokeObjectURL(url);
      notify(t`The table is downloaded.`, 'success');
    } catch (error) {
      notify(textOf(error), 'failure');
    }
  };
  return (
    <Button icon={Download} onPress={() => void download()}>
      {t`Download as CSV`}
    </Button>
  );
}
