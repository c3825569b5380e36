import { useLingui } from '@lingui/react/macro';
import { useCallback } from 'react';
import { ApiError, SessionEnded, Unreachable } from '../api/errors.ts';

/** What went wrong, in the reader's language: by the code, since the API's own sentences are English. */
export function useErrorText(): (error: unknown) => string {
  const { t } = useLingui();
  return useCallback(
    (error) => {
      if (error instanceof SessionEnded) return t`Your session has ended. Log in again.`;
      if (error instanceof Unreachable) {
        return t`The service does not answer. Check your connection; this page retries by itself.`;
      }
      if (!(error instanceof ApiError)) return t`Something went wrong on this page. Reload it.`;
      switch (error.code) {
        case 'NOT_A_MEMBER':
          return t`You are not a member of this club.`;
        case 'NOT_A_MODERATOR':
          return t`Only moderators of this club can do this.`;
        case 'NOT_ALLOWED':
          return t`This is not allowed, for moderators either.`;
        case 'REMOVED_FROM_MEETING':
          return t`A moderator removed you from this meeting.`;
        case 'CLUB_NOT_FOUND':
          return t`There is no such club.`;
        case 'MEMBER_NOT_FOUND':
          return t`This person is not a member of the club any more.`;
        case 'PARTICIPANT_NOT_FOUND':
          return t`This person is not in the meeting any more.`;
        case 'MEETING_NOT_FOUND':
          return t`There is no such meeting in this club.`;
        case 'MEETING_NOT_ACTIVE':
          return t`No meeting is on any more.`;
        case 'MEETING_FULL':
          return t`The meeting is full.`;
        case 'RECORDING_NOT_FOUND':
          return t`This recording is not there any more.`;
        case 'RECORDING_NOT_ACTIVE':
          return t`The meeting is not being recorded any more.`;
        case 'RECORDING_NOT_FINISHED':
          return t`This recording is not finished yet. Try again in a moment.`;
        case 'RECORDING_UNAVAILABLE':
          return t`Recordings are not available right now. Try again in a moment.`;
        case 'CONSENT_REQUIRED':
          return t`The meeting is being recorded, and the club asks you to agree to it first.`;
        case 'MEDIA_UNAVAILABLE':
          return t`The meeting server does not answer. Try again in a moment.`;
        case 'STORE_UNAVAILABLE':
        case 'IDENTITY_UNAVAILABLE':
        case 'TIMED_OUT':
          return t`The service is not available right now. This page retries by itself.`;
        default:
          return error.status === 429
            ? t`Too many requests at the same time. Try again in a moment.`
            : t`Something went wrong at the service. Try again in a moment.`;
      }
    },
    [t],
  );
}
