/** A moderator's actions, through the API. Each outcome is announced, and so is a missing answer. */
import { plural } from '@lingui/core/macro';
import { useLingui } from '@lingui/react/macro';
import { useClubAction } from '../club/club-action.ts';
import { useRoleChange } from '../club/role-change.ts';
import { notify } from '../ui/announcer.tsx';

type Source = 'microphone' | 'camera' | 'screen';

export interface Person {
  /** The user id; of a guest, who has none, the participant sid. */
  id: string;
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
  const changeRole = useRoleChange(clubId);
  const mute = useClubAction(
    clubId,
    (api, { id, source }: Person & { source: Source }) => api.mute(clubId, id, source),
    ({ muted }, { name }) =>
      muted.length > 0
        ? notify(t`${name} is muted. Only they can switch it on again.`, 'success')
        : notify(t`${name} was muted already.`),
  );
  const muteAll = useClubAction(
    clubId,
    (api) => api.muteAll(clubId, 'microphone'),
    ({ success, muted, left }) => {
      if (!success) {
        notify(
          plural(left, {
            one: '# microphone is still on. Mute everybody once more.',
            other: '# microphones are still on. Mute everybody once more.',
          }),
          'failure',
        );
      } else if (muted.length > 0) {
        notify(t`Everybody but the moderators is muted.`, 'success');
      } else {
        notify(t`Everybody but the moderators was muted already.`, 'success');
      }
    },
  );
  const remove = useClubAction(
    clubId,
    (api, { id, isBarred }: Person & { isBarred: boolean }) => api.remove(clubId, id, !isBarred),
    (answer, { name }) => {
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
  );
  const readmit = useClubAction(
    clubId,
    (api, { id }: Person) => api.readmit(clubId, id),
    (_, { name }) => notify(t`${name} may come back.`, 'success'),
  );
  return {
    mute: (person, source) => mute.run({ ...person, source }),
    muteAll: muteAll.run,
    remove: (person, isBarred) => remove.run({ ...person, isBarred }),
    readmit: readmit.run,
    setRole: ({ id, name }, role) => changeRole({ userId: id, name, role }),
  };
}
