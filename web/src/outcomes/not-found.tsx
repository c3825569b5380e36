import { useLingui } from '@lingui/react/macro';
import { BookX } from 'lucide-react';
import { LinkButton } from '../ui/button.tsx';
import { Screen } from '../ui/screen.tsx';

/** No page has this address. */
export function NotFound() {
  const { t } = useLingui();
  return (
    <Screen
      icon={BookX}
      title={t`There is no such page`}
      actions={<LinkButton to="/" look="primary">{t`Your clubs`}</LinkButton>}
    />
  );
}
