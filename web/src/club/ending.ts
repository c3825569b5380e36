import { useLingui } from '@lingui/react/macro';
import type { MeetingList } from '../../../lib/contract/answers.ts';

type EndedMeeting = MeetingList['meetings'][number];

/** How a meeting ended, as a sentence. */
export function useHowItEnded(): (meeting: Pick<EndedMeeting, 'reason'>) => string {
  const { t } = useLingui();
  return ({ reason }) => {
    switch (reason) {
      case 'moderator':
        return t`A moderator ended it.`;
      case 'vacant':
        return t`It ended by itself after everybody had left.`;
      case 'max-duration':
        return t`It ended by itself: it had lasted as long as a meeting may.`;
      case 'club-removed':
        return t`It ended because the club was removed.`;
    }
  };
}
