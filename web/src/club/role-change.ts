import { useLingui } from '@lingui/react/macro';
import { useFormat } from '../i18n/format.ts';
import { notify } from '../ui/announcer.tsx';
import { useClubAction } from './club-action.ts';

interface RoleChange {
  userId: string;
  name: string;
  role: 'member' | 'moderator';
}

/** Gives a role, and says what came of it: also when a browser keeps a grant for a while. */
export function useRoleChange(clubId: string): (change: RoleChange) => void {
  const { t } = useLingui();
  const { time } = useFormat();
  const { run } = useClubAction(
    clubId,
    (api, { userId, role }: RoleChange) => api.setRole(clubId, userId, role),
    (answer, { name, role }) => {
      if (role === 'moderator') {
        notify(t`${name} is a moderator now.`, 'success');
      } else if (answer.effective === 'now') {
        notify(t`${name} is a member now.`, 'success');
      } else if (answer.isRenewed) {
        notify(
          t`${name} is a member now. What their browser may do at the meeting server ends when they leave the meeting.`,
        );
      } else {
        const until = time(answer.until);
        notify(
          t`${name} is a member now. What their browser may do at the meeting server ends at ${until}.`,
        );
      }
    },
  );
  return run;
}
