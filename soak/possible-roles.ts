/** The roles that a person may have had in a club when a request of theirs was checked. */
import type { Entry, History } from './history.ts';
import type { Person } from './world.ts';

export type PossibleRole = 'none' | 'member' | 'moderator';

/** One change by the only one who makes such changes, one after the other. */
interface Write {
  value: PossibleRole;
  sentAt: number;
  overAt: number;
  isDone: boolean;
}

/** More than one while a change is under way, or when the outcome of one is unknown. */
export function possibleRoles(history: History, person: Person, entry: Entry): PossibleRole[] {
  if (person.clubId !== entry.clubId) return ['none'];
  switch (person.part) {
    case 'owner':
    case 'moderator':
      return ['moderator'];
    case 'member':
    case 'reader':
      return ['member'];
    case 'climber':
      return possible('member', roleChanges(history, person), entry);
    case 'guest':
      return possible('member', comingsAndGoings(history, person), entry);
  }
}

/** The values that a read may see of what was `initial` before all these writes. */
function possible(
  initial: PossibleRole,
  writes: Write[],
  { sentAt, answeredAt }: Pick<Entry, 'sentAt' | 'answeredAt'>,
): PossibleRole[] {
  let values = new Set<PossibleRole>([initial]);
  for (const write of writes) {
    if (write.sentAt > answeredAt) continue;
    const isCertain = write.isDone && write.overAt < sentAt;
    if (isCertain) {
      const undecided = writes.filter(
        (other) =>
          other !== write &&
          !other.isDone &&
          other.sentAt < write.overAt &&
          other.overAt > write.sentAt,
      );
      values = new Set([write.value, ...undecided.map(({ value }) => value)]);
    } else {
      values.add(write.value);
    }
  }
  return [...values];
}

const roleChanges = (history: History, { clubId, userId }: Person): Write[] =>
  history
    .of('setRole')
    .filter((entry) => entry.clubId === clubId && entry.userId === userId)
    .map(({ role = 'member', sentAt, overAt, answer }) => ({
      ...{ value: role, sentAt, overAt },
      isDone: answer?.status === 200,
    }));

const comingsAndGoings = (history: History, { clubId, userId }: Person): Write[] =>
  history.commands
    .filter((each) => each.command !== 'show' && each.clubId === clubId && each.userId === userId)
    .map(({ command, sentAt, overAt, isDone }) => ({
      ...{ value: command === 'put-member' ? 'member' : 'none', sentAt, overAt },
      isDone,
    }));
