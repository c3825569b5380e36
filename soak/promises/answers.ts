import { granted, type Route } from '../ledger.ts';
import { possibleStandings, type Standing } from '../standings.ts';
import { each, type Promised, told } from './promise.ts';

const NEEDS: Record<Route, Standing[]> = {
  token: ['member', 'moderator'],
  status: ['member', 'moderator'],
  meetings: ['member', 'moderator'],
  meeting: ['member', 'moderator'],
  myClubs: ['none', 'member', 'moderator'],
  members: ['member', 'moderator'],
  start: ['moderator'],
  end: ['moderator'],
  participants: ['moderator'],
  mute: ['moderator'],
  muteAll: ['moderator'],
  remove: ['moderator'],
  readmit: ['moderator'],
  setRole: ['moderator'],
};

/** Who is granted what. */
export const ANSWERS: Promised[] = [
  each(
    'Every answer is one of docs/openapi.json',
    ({ misfits }) => [{ clubId: '', misfits }],
    ({ misfits }) => misfits.join('\n') || undefined,
  ),
  each(
    'Nothing happens that the service does not expect',
    ({ ledger }) => ledger.all(),
    (entry) => (entry.answer?.body.code === 'INTERNAL' ? told(entry) : undefined),
  ),
  each(
    'Nobody is granted what their role does not allow, or refused what it does',
    ({ ledger }) => ledger.all().filter(({ answer }) => answer !== undefined),
    (entry, run) => {
      const person = run.personOf(entry.by);
      if (!person) return undefined;
      const standings = possibleStandings(run.ledger, person, entry);
      const needed = NEEDS[entry.route];
      const isGranted = entry.answer?.status === 200;
      const isRefused = ['NOT_A_MEMBER', 'NOT_A_MODERATOR'].includes(entry.answer?.body.code ?? '');
      const may = standings.filter((standing) => needed.includes(standing));
      if (isGranted && may.length === 0)
        return `granted to ${person.part} (${standings}) ${told(entry)}`;
      return isRefused && may.length === standings.length
        ? `refused to ${person.part} (${standings}) ${told(entry)}`
        : undefined;
    },
  ),
  each(
    'Whoever was removed gets no token until they are let back in',
    ({ ledger }) => granted(ledger.of('token')),
    (entry, { stories, ledger }) => {
      const story = stories.find(({ meetingId }) => meetingId === entry.body.meetingId);
      const removal = granted(ledger.of('remove')).find(
        ({ clubId, userId, body, sentAt, answeredAt }) =>
          clubId === entry.clubId &&
          userId === entry.by &&
          body.isBarred &&
          answeredAt < entry.sentAt &&
          // of this very meeting
          story !== undefined &&
          story.toldOn <= sentAt &&
          answeredAt <= story.endedAt &&
          !ledger
            .of('readmit')
            .some(
              (readmission) =>
                readmission.clubId === clubId &&
                readmission.userId === userId &&
                readmission.sentAt < entry.answeredAt &&
                readmission.overAt > sentAt,
            ),
      );
      return removal && `removed ${told(removal)}; token ${told(entry)}`;
    },
  ),
  each(
    'Nobody is kept out whom nobody removed',
    ({ ledger }) =>
      ledger.of('token').filter(({ answer }) => answer?.body.code === 'REMOVED_FROM_MEETING'),
    (entry, { ledger }) => {
      const removals = [
        ...ledger.of('remove').filter(({ allowRejoin }) => !allowRejoin),
        ...ledger.commands.filter(({ command }) => command === 'remove-member'),
      ];
      const isRemoved = removals.some(
        ({ clubId, userId, sentAt }) =>
          clubId === entry.clubId && userId === entry.by && sentAt < entry.answeredAt,
      );
      return isRemoved ? undefined : told(entry);
    },
  ),
  each(
    'Nobody gets a token for another meeting than their club’s',
    ({ ledger }) => granted(ledger.of('token')),
    (entry, { stories }) =>
      stories.find(({ meetingId }) => meetingId === entry.body.meetingId)?.clubId === entry.clubId
        ? undefined
        : told(entry),
  ),
];
