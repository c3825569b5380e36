import { useLingui } from '@lingui/react/macro';
import { ChevronDown } from 'lucide-react';
import { useAccount } from '../auth/account.ts';
import { Avatar } from './avatar.tsx';
import { Button } from './button.tsx';

/** Opens the account's menu; without `onPress`, by the menu's own doing. */
export function AccountButton({ onPress }: { onPress?: () => void }) {
  const { t } = useLingui();
  const { userId, username } = useAccount();
  return (
    <Button
      look="quiet"
      className="shell__account"
      aria-haspopup="menu"
      {...(onPress && { onPress })}
    >
      <Avatar id={userId} name={username} size="small" />
      <span className="shell__username" aria-hidden="true">
        {username}
      </span>
      <span className="visually-hidden">{t`Account of ${username}`}</span>
      <ChevronDown size={16} aria-hidden="true" />
    </Button>
  );
}
