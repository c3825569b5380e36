import { useLingui } from '@lingui/react/macro';
import type { MeetingList } from '../../../lib/contract/answers.ts';
import { notify } from '../ui/announcer.tsx';
import { type ClubAction, useClubAction } from './club-action.ts';

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

/** Ends this meeting for everybody. @param onEnded when the meeting server confirms that they are out */
export function useEnd(clubId: string, meetingId: string, onEnded: () => void): ClubAction<void> {
  const { t } = useLingui();
  return useClubAction(
    clubId,
    (api) => api.end(clubId, meetingId),
    ({ success }) =>
      success
        ? onEnded()
        : notify(
            t`The meeting is over, but the meeting server has not confirmed that everybody is out. End it once more in a moment.`,
            'failure',
          ),
  );
}
