import { Trans, useLingui } from '@lingui/react/macro';
import { useIsMuted, useIsSpeaking } from '@livekit/components-react';
import { type Participant, Track } from 'livekit-client';
import {
  EllipsisVertical,
  Hand,
  Mic,
  MicOff,
  MonitorX,
  Phone,
  ShieldCheck,
  ShieldOff,
  UserMinus,
  UserX,
  VideoOff,
} from 'lucide-react';
import { useState } from 'react';
import { useParticipantList } from '../api/queries.ts';
import { type Role, RoleBadge } from '../clubs/role-badge.tsx';
import { useFormat } from '../i18n/format.ts';
import { Trouble } from '../outcomes/trouble.tsx';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu.tsx';
import { raisedHands } from './hands.ts';
import { isGuest, nameOf, usePeople, useRoles } from './people.ts';
import { type Moderation, type Person, useModeration } from './use-moderation.ts';

/** Everybody in the meeting: raised hands first and in order, then by name. */
export function PeoplePanel({ clubId, ownRole }: { clubId: string; ownRole: Role | undefined }) {
  const { t } = useLingui();
  const { compareNames } = useFormat();
  const people = usePeople();
  const roleOf = useRoles(clubId);
  const moderation = useModeration(clubId);
  const isModerator = ownRole === 'owner' || ownRole === 'moderator';
  const hands = raisedHands(people, Date.now());
  const rank = new Map(hands.map(({ identity }, index) => [identity, index]));
  const others = people
    .filter(({ identity }) => !rank.has(identity))
    .sort((a, b) => Number(b.isLocal) - Number(a.isLocal) || compareNames(nameOf(a), nameOf(b)));
  const raised = hands.flatMap(({ identity }) =>
    people.filter((each) => each.identity === identity),
  );
  const row = (participant: Participant) => (
    <PersonRow
      key={participant.identity}
      participant={participant}
      role={roleOf(participant.identity)}
      ownRole={ownRole}
      moderation={moderation}
    />
  );
  return (
    <div className="people">
      {isModerator && (
        <Button icon={MicOff} onPress={moderation.muteAll} className="people__mute-all">
          {t`Mute everybody`}
        </Button>
      )}
      {raised.length > 0 && (
        <section aria-labelledby="hands">
          <h3 id="hands" className="people__heading">
            <Trans>Raised hands</Trans>
          </h3>
          <ol>{raised.map(row)}</ol>
        </section>
      )}
      <section aria-labelledby="present">
        <h3 id="present" className="people__heading">
          <Trans>In the meeting</Trans>
        </h3>
        <ul>{others.map(row)}</ul>
      </section>
      {isModerator && <Barred clubId={clubId} moderation={moderation} />}
    </div>
  );
}

function PersonRow({
  participant,
  role,
  ownRole,
  moderation,
}: {
  participant: Participant;
  role: Role | undefined;
  ownRole: Role | undefined;
  moderation: Moderation;
}) {
  const { t } = useLingui();
  const isSilent = useIsMuted({ participant, source: Track.Source.Microphone });
  const isSpeaking = useIsSpeaking(participant);
  const name = nameOf(participant);
  const isHandUp = raisedHands([participant], Date.now()).length > 0;
  // Nobody moderates the owner or themselves.
  const canModerate =
    (ownRole === 'owner' || ownRole === 'moderator') && !participant.isLocal && role !== 'owner';
  return (
    <li className="person" data-speaking={isSpeaking || undefined}>
      <Avatar id={participant.identity} name={name} />
      <span className="person__name">
        {name}
        {participant.isLocal && (
          <span className="soft">
            {' '}
            <Trans>(you)</Trans>
          </span>
        )}
      </span>
      <RoleBadge role={role} />
      {isGuest(participant) && (
        <span className="badge">
          <Phone size={14} aria-hidden="true" />
          <Trans>Guest</Trans>
        </span>
      )}
      {isHandUp && (
        <>
          <Hand size={18} aria-hidden="true" className="tile__hand" />
          <span className="visually-hidden">{t`hand raised`}</span>
        </>
      )}
      {isSilent ? <MicOff size={18} aria-hidden="true" /> : <Mic size={18} aria-hidden="true" />}
      <span className="visually-hidden">{isSilent ? t`microphone off` : t`microphone on`}</span>
      {canModerate && (
        <PersonMenu
          person={{ id: isGuest(participant) ? participant.sid : participant.identity, name }}
          participant={participant}
          role={role}
          isOwner={ownRole === 'owner'}
          moderation={moderation}
        />
      )}
    </li>
  );
}

function PersonMenu({
  person,
  participant,
  role,
  isOwner,
  moderation,
}: {
  person: Person;
  participant: Participant;
  role: Role | undefined;
  isOwner: boolean;
  moderation: Moderation;
}) {
  const { t } = useLingui();
  const [isAsking, setAsking] = useState(false);
  const { name } = person;
  const sends = (source: Track.Source) => {
    const publication = participant.getTrackPublication(source);
    return publication !== undefined && !publication.isMuted;
  };
  return (
    <>
      <Menu
        label={t`Moderate ${name}`}
        trigger={
          <Button look="quiet" className="button--icon" aria-label={t`Moderate ${name}`}>
            <EllipsisVertical size={20} aria-hidden="true" />
          </Button>
        }
      >
        <MenuItem
          icon={MicOff}
          isDisabled={!sends(Track.Source.Microphone)}
          onAction={() => moderation.mute(person, 'microphone')}
        >
          {t`Mute`}
        </MenuItem>
        <MenuItem
          icon={VideoOff}
          isDisabled={!sends(Track.Source.Camera)}
          onAction={() => moderation.mute(person, 'camera')}
        >
          {t`Stop camera`}
        </MenuItem>
        <MenuItem
          icon={MonitorX}
          isDisabled={!sends(Track.Source.ScreenShare)}
          onAction={() => moderation.mute(person, 'screen')}
        >
          {t`Stop screen`}
        </MenuItem>
        {isOwner && !isGuest(participant) && (
          <MenuItem
            icon={role === 'moderator' ? ShieldOff : ShieldCheck}
            onAction={() =>
              moderation.setRole(person, role === 'moderator' ? 'member' : 'moderator')
            }
          >
            {role === 'moderator' ? t`Make member` : t`Make moderator`}
          </MenuItem>
        )}
        <MenuSeparator />
        <MenuItem tone="danger" icon={UserMinus} onAction={() => setAsking(true)}>
          {t`Remove …`}
        </MenuItem>
      </Menu>
      <Dialog
        role="alertdialog"
        title={t`Remove ${name} from the meeting?`}
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        actions={
          <>
            <Button onPress={() => setAsking(false)}>{t`Cancel`}</Button>
            <Button
              icon={UserMinus}
              onPress={() => {
                setAsking(false);
                moderation.remove(person, false);
              }}
            >
              {t`Remove`}
            </Button>
            {!isGuest(participant) && (
              <Button
                look="danger"
                icon={UserX}
                onPress={() => {
                  setAsking(false);
                  moderation.remove(person, true);
                }}
              >
                {t`Remove and keep out`}
              </Button>
            )}
          </>
        }
      >
        <p>
          {isGuest(participant) ? (
            <Trans>A guest can call again at once.</Trans>
          ) : (
            <Trans>
              A removed person can rejoin at once. A person who is kept out can rejoin when a
              moderator lets them back in, or at the next meeting.
            </Trans>
          )}
        </p>
      </Dialog>
    </>
  );
}

/** Who is kept out of this meeting. */
function Barred({ clubId, moderation }: { clubId: string; moderation: Moderation }) {
  const { t } = useLingui();
  const { data, error, refetch } = useParticipantList(clubId, { isEnabled: true });
  const barred = data?.barred ?? [];
  if (error) return <Trouble error={error} onRetry={refetch} />;
  if (barred.length === 0) return null;
  return (
    <section aria-labelledby="barred">
      <h3 id="barred" className="people__heading">
        <Trans>Kept out</Trans>
      </h3>
      <ul>
        {barred.map(({ userId, name }) => {
          const shown = name ?? t`Unnamed member`;
          return (
            <li key={userId} className="person">
              <Avatar id={userId} name={shown} />
              <span className="person__name">{shown}</span>
              <Button
                onPress={() => moderation.readmit({ id: userId, name: shown })}
                aria-label={t`Let back in: ${shown}`}
              >
                {t`Let back in`}
              </Button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
