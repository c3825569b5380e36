import { useLingui } from '@lingui/react/macro';
import { ChevronDown } from 'lucide-react';
import { useAccount } from '../auth/account.ts';
import { Avatar } from './avatar.tsx';
import { Button } from './button.tsx';

/** Opens the account's menu; without `onPress`, by the menu's own doing. */
export function AccountButton({ onPress }: { onPress?: () => void }) {
  const { t } = useLingui();
  const { userId, name } = useAccount();
  return (
    <Button
      look="quiet"
      className="shell__account"
      aria-haspopup="menu"
      {...(onPress && { onPress })}
    >
      <Avatar id={userId} name={name} size="small" />
      <span className="shell__name" aria-hidden="true">
        {name || t`Account`}
      </span>
      <span className="visually-hidden">{name ? t`Account of ${name}` : t`Account`}</span>
      <ChevronDown size={16} aria-hidden="true" />
    </Button>
  );
}
