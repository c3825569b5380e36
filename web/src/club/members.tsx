import { Trans, useLingui } from '@lingui/react/macro';
import { EllipsisVertical, ShieldCheck, ShieldOff } from 'lucide-react';
import { useMembers } from '../api/queries.ts';
import { useAccount } from '../auth/account.ts';
import { type Role, RoleBadge } from '../clubs/role-badge.tsx';
import { useFormat } from '../i18n/format.ts';
import { Trouble } from '../outcomes/trouble.tsx';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { Menu, MenuItem } from '../ui/menu.tsx';
import { useRoleChange } from './role-change.ts';

const RANK: Record<Role, number> = { owner: 0, moderator: 1, member: 2 };

/** The people of the club; its owner gives and takes the moderators' role here. */
export function Members({ clubId, ownRole }: { clubId: string; ownRole: Role | undefined }) {
  const { t } = useLingui();
  const { compareNames } = useFormat();
  const { userId: ownId } = useAccount();
  const { data, error, isPending, refetch } = useMembers(clubId);
  const changeRole = useRoleChange(clubId);
  if (error) return <Trouble error={error} onRetry={refetch} />;
  if (isPending) return <div className="skeleton club__skeleton" />;
  const nameless = t`Unnamed member`;
  const members = data
    .map((member) => ({ ...member, name: member.displayName ?? nameless }))
    .sort((a, b) => RANK[a.role] - RANK[b.role] || compareNames(a.name, b.name));
  return (
    <ul className="members">
      {members.map(({ userId, name, role }) => (
        <li key={userId} className="member">
          <Avatar id={userId} name={name} />
          <span className="member__name">
            {name}
            {userId === ownId && (
              <span className="soft">
                {' '}
                <Trans>(you)</Trans>
              </span>
            )}
          </span>
          <RoleBadge role={role} />
          {ownRole === 'owner' && role !== 'owner' && (
            <Menu
              label={t`Role of ${name}`}
              trigger={
                <Button look="quiet" className="button--icon" aria-label={t`Role of ${name}`}>
                  <EllipsisVertical size={20} aria-hidden="true" />
                </Button>
              }
            >
              {role === 'member' ? (
                <MenuItem
                  icon={ShieldCheck}
                  onAction={() => changeRole({ userId, name, role: 'moderator' })}
                >
                  {t`Make moderator`}
                </MenuItem>
              ) : (
                <MenuItem
                  icon={ShieldOff}
                  onAction={() => changeRole({ userId, name, role: 'member' })}
                >
                  {t`Make member`}
                </MenuItem>
              )}
            </Menu>
          )}
        </li>
      ))}
    </ul>
  );
}
