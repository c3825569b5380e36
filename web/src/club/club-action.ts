/** A change to a club through the API. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Api } from '../api/client.ts';
import { keys, useApi } from '../api/queries.ts';
import { useErrorText } from '../outcomes/error-text.ts';
import { notify } from '../ui/announcer.tsx';

export interface ClubAction<Input> {
  run(input: Input): void;
  isPending: boolean;
}

/**
 * Does it, says what failed, and reads again what is shown of the club.
 *
 * @param onDone runs for each success, also when the part of the page that asked is gone by then: TanStack
 * Query drops the callbacks that `mutate` is given as soon as its component unmounts or calls it again, and
 * a status poll alone replaces the button that started the meeting.
 */
export function useClubAction<Output, Input = void>(
  clubId: string,
  act: (api: Api, input: Input) => Promise<Output>,
  onDone: (answer: Output, input: Input) => void,
): ClubAction<Input> {
  const api = useApi();
  const client = useQueryClient();
  const textOf = useErrorText();
  const { mutate, isPending } = useMutation({
    mutationFn: (input: Input) => act(api, input),
    onSuccess: onDone,
    onError: (error) => notify(textOf(error), 'failure'),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.club(clubId) }),
        client.invalidateQueries({ queryKey: keys.clubs }),
      ]),
  });
  return { run: (input) => mutate(input), isPending };
}
