import { Trans } from '@lingui/react/macro';
import { Crown, ShieldCheck } from 'lucide-react';
import type { ClubList } from '../../../lib/contract/answers.ts';

export type Role = ClubList['clubs'][number]['role'];

/** Members have none: most people are. */
export function RoleBadge({ role }: { role: Role | undefined }) {
  if (role === 'owner') {
    return (
      <span className="badge">
        <Crown size={14} aria-hidden="true" />
        <Trans>Owner</Trans>
      </span>
    );
  }
  if (role === 'moderator') {
    return (
      <span className="badge">
        <ShieldCheck size={14} aria-hidden="true" />
        <Trans>Moderator</Trans>
      </span>
    );
  }
  return null;
}
