import { Trans, useLingui } from '@lingui/react/macro';
import { BookX, Lock } from 'lucide-react';
import type { ApiError } from '../api/errors.ts';
import { LinkButton } from '../ui/button.tsx';
import { Screen } from '../ui/screen.tsx';

/** A club, or a meeting of it, that is not there or not for this person. */
export function ClubRefused({ error }: { error: ApiError }) {
  const { t } = useLingui();
  const isForbidden = error.code === 'NOT_A_MEMBER';
  return (
    <Screen
      icon={isForbidden ? Lock : BookX}
      title={isForbidden ? t`You are not a member of this club` : t`Nothing here`}
      actions={<LinkButton to="/" look="primary">{t`Your clubs`}</LinkButton>}
    >
      <p>
        {isForbidden ? (
          <Trans>
            Ask the people who run the club to add you. The club then appears in your list.
          </Trans>
        ) : (
          <Trans>There is no such club or meeting. It may have been removed.</Trans>
        )}
      </p>
    </Screen>
  );
}
