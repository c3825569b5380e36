import { Plural, Trans, useLingui } from '@lingui/react/macro';
import { BookOpen, ChevronRight, Video } from 'lucide-react';
import { Link } from 'wouter';
import type { ClubList } from '../../../lib/contract/answers.ts';
import { useClubs } from '../api/queries.ts';
import { useFormat } from '../i18n/format.ts';
import { Trouble } from '../outcomes/trouble.tsx';
import { Avatar } from '../ui/avatar.tsx';
import { LinkButton } from '../ui/button.tsx';
import { Page } from '../ui/page.tsx';
import { RoleBadge } from './role-badge.tsx';
import './clubs.css';

type Club = ClubList['clubs'][number];
type Meeting = NonNullable<Club['meeting']>;

/** What is on now comes first. */
export function Clubs() {
  const { t } = useLingui();
  const { compareNames } = useFormat();
  const { data, error, isPending, refetch } = useClubs();
  const clubs = data?.toSorted((a, b) => compareNames(a.name, b.name)) ?? [];
  const on = clubs.filter(({ meeting }) => meeting);
  return (
    <Page title={t`Your clubs`}>
      {error && <Trouble error={error} onRetry={refetch} />}
      {isPending && !error && <Skeleton />}
      {data && clubs.length === 0 && <NoClubs />}
      {on.length > 0 && (
        <section className="section" aria-labelledby="on-now">
          <h2 id="on-now">
            <Trans>On now</Trans>
          </h2>
          <ul className="clubs__on">
            {on.map(
              (club) =>
                club.meeting && <OnNow key={club.clubId} {...club} meeting={club.meeting} />,
            )}
          </ul>
        </section>
      )}
      {clubs.length > 0 && (
        <section className="section" aria-labelledby="all-clubs">
          <h2 id="all-clubs" className={on.length > 0 ? undefined : 'visually-hidden'}>
            <Trans>All clubs</Trans>
          </h2>
          <ul className="clubs__all">
            {clubs.map((club) => (
              <ClubRow key={club.clubId} {...club} />
            ))}
          </ul>
        </section>
      )}
    </Page>
  );
}

function OnNow({ clubId, name, meeting }: Club & { meeting: Meeting }) {
  return (
    <li className="card clubs__meeting">
      <div className="clubs__meeting-text">
        <span className="badge badge--live">
          <Trans>On now</Trans>
        </span>
        <h3>
          <Link href={`/clubs/${clubId}`} className="clubs__name">
            {name}
          </Link>
        </h3>
        <p className="soft">
          <Attendance {...meeting} />
        </p>
      </div>
      <LinkButton to={`/clubs/${clubId}/meet`} look="primary" icon={Video}>
        <Trans>
          Join<span className="visually-hidden"> {name}</span>
        </Trans>
      </LinkButton>
    </li>
  );
}

/** How many are there, as far as it is known, and since when. */
function Attendance({ startedAt, participantCount }: Meeting) {
  const { time } = useFormat();
  const since = time(startedAt);
  if (participantCount === null) return <Trans>Since {since}</Trans>;
  if (participantCount === 0) return <Trans>Since {since}, nobody is there right now</Trans>;
  return (
    <Trans>
      Since {since}, <Plural value={participantCount} one="# person" other="# people" />
    </Trans>
  );
}

function ClubRow({ clubId, name, role, meeting }: Club) {
  return (
    <li>
      <Link href={`/clubs/${clubId}`} className="card clubs__row">
        <Avatar id={clubId} name={name} />
        <span className="clubs__row-name">{name}</span>
        <span className="clubs__badges">
          {meeting && (
            <span className="badge badge--live">
              <Trans>On now</Trans>
            </span>
          )}
          <RoleBadge role={role} />
        </span>
        <ChevronRight size={20} aria-hidden="true" className="soft" />
      </Link>
    </li>
  );
}

const NoClubs = () => (
  <div className="empty">
    <BookOpen size={40} aria-hidden="true" />
    <h2>
      <Trans>No clubs yet</Trans>
    </h2>
    <p>
      <Trans>
        Ask the people who run your club to add you. The club then appears here by itself.
      </Trans>
    </p>
  </div>
);

function Skeleton() {
  const { t } = useLingui();
  return (
    <div className="section" role="status" aria-label={t`Loading your clubs …`}>
      <div className="skeleton clubs__skeleton" />
      <div className="skeleton clubs__skeleton" />
    </div>
  );
}
