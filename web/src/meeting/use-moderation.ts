/** What moderators do to others, through the API; each outcome is said, and so is none. */
import { useLingui } from '@lingui/react/macro';
import { useClubAction } from '../api/queries.ts';
import { useRoleChange } from '../club/role-change.ts';
import { useErrorText } from '../outcomes/error-text.ts';
import { notify } from '../ui/announcer.tsx';

type Source = 'microphone' | 'camera' | 'screen';

export interface Person {
  userId: string;
  name: string;
}

export interface Moderation {
  mute(person: Person, source: Source): void;
  muteAll(): void;
  /** `isBarred`: and keep out until the meeting ends. */
  remove(person: Person, isBarred: boolean): void;
  readmit(person: Person): void;
  setRole(person: Person, role: 'member' | 'moderator'): void;
}

export function useModeration(clubId: string): Moderation {
  const { t } = useLingui();
  const textOf = useErrorText();
  const changeRole = useRoleChange(clubId);
  const onError = (error: Error) => notify(textOf(error), 'failure');
  const mute = useClubAction(
    clubId,
    (api, { userId, source }: { userId: string; source: Source }) =>
      api.mute(clubId, userId, source),
  );
  const muteAll = useClubAction(clubId, (api) => api.muteAll(clubId, 'microphone'));
  const remove = useClubAction(
    clubId,
    (api, { userId, allowRejoin }: { userId: string; allowRejoin: boolean }) =>
      api.remove(clubId, userId, allowRejoin),
  );
  const readmit = useClubAction(clubId, (api, userId: string) => api.readmit(clubId, userId));
  return {
    mute: ({ userId, name }, source) =>
      mute.mutate(
        { userId, source },
        {
          onSuccess: ({ muted }) =>
            muted.length > 0
              ? notify(t`${name} is muted. Only they can switch it on again.`, 'success')
              : notify(t`${name} was muted already.`),
          onError,
        },
      ),
    muteAll: () =>
      muteAll.mutate(undefined, {
        onSuccess: ({ muted }) => {
          const people = new Set(muted.map(({ userId }) => userId)).size;
          notify(
            people > 0
              ? t`Everybody but the moderators is muted.`
              : t`Everybody but the moderators was muted already.`,
            'success',
          );
        },
        onError,
      }),
    remove: ({ userId, name }, isBarred) =>
      remove.mutate(
        { userId, allowRejoin: !isBarred },
        {
          onSuccess: (answer) => {
            if (answer.effective === 'after-token-expiry') {
              notify(
                t`${name} is out. Their browser holds a moderator’s token that the meeting server accepts for some minutes more.`,
              );
            } else if (answer.isBarred) {
              notify(t`${name} is out, and kept out until the meeting ends.`, 'success');
            } else {
              notify(t`${name} is out, and may come back.`, 'success');
            }
          },
          onError,
        },
      ),
    readmit: ({ userId, name }) =>
      readmit.mutate(userId, {
        onSuccess: () => notify(t`${name} may come back.`, 'success'),
        onError,
      }),
    setRole: ({ userId, name }, role) => changeRole({ userId, name, role }),
  };
}
