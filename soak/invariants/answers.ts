import { granted, type Route } from '../history.ts';
import { type PossibleRole, possibleRoles } from '../possible-roles.ts';
import { each, type Promised, requestOf } from './invariant.ts';

const NEEDS: Record<Route, PossibleRole[]> = {
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
  recordingStart: ['moderator'],
  recordingStop: ['moderator'],
  recordingConsent: ['member', 'moderator'],
  recordings: ['member', 'moderator'],
  recordingDownload: ['moderator'],
  recordingDelete: ['moderator'],
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
    ({ history }) => history.all(),
    (entry) => (entry.answer?.body.code === 'INTERNAL' ? requestOf(entry) : undefined),
  ),
  each(
    'No request is granted that the caller’s role does not allow, or refused that it does',
    ({ history }) => history.all().filter(({ answer }) => answer !== undefined),
    (entry, run) => {
      const person = run.personOf(entry.by);
      if (!person) return undefined;
      const roles = possibleRoles(run.history, person, entry);
      const needed = NEEDS[entry.route];
      const isGranted = entry.answer !== undefined && entry.answer.status < 300;
      const isRefused = ['NOT_A_MEMBER', 'NOT_A_MODERATOR'].includes(entry.answer?.body.code ?? '');
      const may = roles.filter((role) => needed.includes(role));
      if (isGranted && may.length === 0)
        return `granted to ${person.part} (${roles}) ${requestOf(entry)}`;
      return isRefused && may.length === roles.length
        ? `refused to ${person.part} (${roles}) ${requestOf(entry)}`
        : undefined;
    },
  ),
  each(
    'A barred member gets no token until they are readmitted',
    ({ history }) => granted(history.of('token')),
    (entry, { stories, history }) => {
      const story = stories.find(({ meetingId }) => meetingId === entry.body.meetingId);
      const removal = granted(history.of('remove')).find(
        ({ clubId, userId, body, sentAt, answeredAt }) =>
          clubId === entry.clubId &&
          userId === entry.by &&
          body.isBarred &&
          answeredAt < entry.sentAt &&
          // of this very meeting
          story !== undefined &&
          story.seenOn <= sentAt &&
          answeredAt <= story.endedAt &&
          !history
            .of('readmit')
            .some(
              (readmission) =>
                readmission.clubId === clubId &&
                readmission.userId === userId &&
                readmission.sentAt < entry.answeredAt &&
                readmission.overAt > sentAt,
            ),
      );
      return removal && `removed ${requestOf(removal)}; token ${requestOf(entry)}`;
    },
  ),
  each(
    'A member is barred only after a removal',
    ({ history }) =>
      history.of('token').filter(({ answer }) => answer?.body.code === 'REMOVED_FROM_MEETING'),
    (entry, { history }) => {
      const removals = [
        ...history.of('remove').filter(({ allowRejoin }) => !allowRejoin),
        ...history.commands.filter(({ command }) => command === 'remove-member'),
      ];
      const isRemoved = removals.some(
        ({ clubId, userId, sentAt }) =>
          clubId === entry.clubId && userId === entry.by && sentAt < entry.answeredAt,
      );
      return isRemoved ? undefined : requestOf(entry);
    },
  ),
  each(
    'Every token is for a meeting of the caller’s own club',
    ({ history }) => granted(history.of('token')),
    (entry, { stories }) =>
      stories.find(({ meetingId }) => meetingId === entry.body.meetingId)?.clubId === entry.clubId
        ? undefined
        : requestOf(entry),
  ),
];
