/** Answers as text for a terminal. */
import type { ListedClubs, ShownClub } from '../lib/contract/commands.ts';
import type { CommandResult } from '../lib/meetings/club-commands.ts';
import type { ExactCounts, plannedIn, Removal } from './exact.ts';
import { count, type ImportedCounts } from './import.ts';
import { printable } from './printable.ts';

export function sentenceFor(answer: CommandResult): string {
  if ('members' in answer) return club(answer);
  if ('clubs' in answer) return list(answer);
  if (!answer.stale) return 'Done.';
  return `Done. The record has something newer, which stays: ${answer.stale.join(', ')}.`;
}

const list = ({ clubs, unfinished }: ListedClubs): string =>
  [
    clubs.length === 0
      ? 'No clubs.'
      : table([
          ['CLUB', 'NAME', 'MODERATOR', 'SINCE'],
          ...clubs.map(({ clubId, name, moderatorId, createdAt }) => [
            clubId,
            name,
            moderatorId,
            createdAt,
          ]),
        ]),
    ...(clubs.length > 1 ? ['', count(clubs.length, 'club')] : []),
    ...unfinished.map((clubId) => `Its removal broke off, send remove-club again: ${clubId}`),
  ].join('\n');

function club(shown: ShownClub): string {
  const { clubId, name, moderatorId, createdAt, members, meeting, barredUserIds } = shown;
  const facts: [string, string][] = [
    ['Club', `${clubId} (${name})`],
    ['Moderator', moderatorId],
    ['Since', createdAt],
    [
      'Meeting',
      meeting ? `${meeting.meetingId}, since ${meeting.startedAt} by ${meeting.startedBy}` : 'none',
    ],
    ...(barredUserIds.length > 0
      ? [['Kept out', barredUserIds.join(', ')] satisfies [string, string]]
      : []),
    ['Last meeting', lastMeeting(shown)],
  ];
  const rows = members.map(({ userId, role, displayName, joinedAt }) => [
    userId,
    role,
    displayName ?? '',
    joinedAt,
  ]);
  return [
    table(facts),
    '',
    members.length === 0 ? 'No members.' : table([['USER', 'ROLE', 'NAME', 'JOINED'], ...rows]),
    ...(members.length > 1 ? ['', count(members.length, 'member')] : []),
  ].join('\n');
}

const lastMeeting = ({ lastMeeting: last }: ShownClub): string =>
  last
    ? `${last.meetingId}, ${last.startedAt} to ${last.endedAt} (${last.endedBy ?? last.reason})`
    : 'none';

export const importTable = (counts: ImportedCounts[]): string =>
  table([
    ['CLUB', 'MEMBERS', 'WRITTEN', 'UNCHANGED'],
    ...counts.map(({ clubId, members, written }) => [
      clubId,
      String(members),
      String(written),
      String(members - written),
    ]),
  ]);

const LOSSES: Record<Removal['what'], string> = {
  club: 'the club, its members, history and attendance',
  'rest of a club': 'what is left of a club whose removal broke off',
  owner: 'no longer the owner',
  moderator: 'a moderator, from the club',
  member: 'a member, from the club',
  role: 'no longer a moderator',
  name: 'the name',
};

/** Ends with a line end. */
export function removalsText(removals: Removal[], verb: 'Removes' | 'Would remove'): string {
  if (removals.length === 0) return `${verb} nothing.\n`;
  const rows = removals.map(({ what, clubId, userId = '', name = '' }) => [
    clubId,
    userId,
    name,
    LOSSES[what],
  ]);
  return `${verb}:\n${table([['CLUB', 'USER', 'NAME', 'WHAT'], ...rows])}\n`;
}

export function planText(planned: ReturnType<typeof plannedIn>, removals: Removal[]): string {
  const changed = planned.filter(({ changes }) => changes > 0);
  if (changed.length === 0) return 'The clubs are equal to the file.';
  return [
    removalsText(removals, 'Would remove'),
    table([
      ['CLUB', 'MEMBERS', 'CHANGES'],
      ...changed.map(({ clubId, members, changes }) => [
        clubId,
        members === null ? '' : String(members),
        String(changes),
      ]),
    ]),
    '',
    'Nothing was written: add --yes if that is what you want.',
  ].join('\n');
}

export const exactText = (counts: ExactCounts[]): string =>
  [
    counts.length === 0
      ? 'No clubs.'
      : table([
          ['CLUB', 'MEMBERS', 'CHANGED', 'KEPT', 'REFUSED'],
          ...counts.map(({ clubId, members, changed, kept, refused }) => [
            clubId,
            members === null ? '' : String(members),
            String(changed),
            String(kept),
            String(refused.length),
          ]),
        ]),
    ...(counts.some(({ kept }) => kept > 0)
      ? ['KEPT: the record has something newer than the file.']
      : []),
    ...counts.flatMap(({ clubId, refused }) =>
      refused.map(
        ({ userId, error }) => `Refused: ${[clubId, userId].filter(Boolean).join(' ')}: ${error}`,
      ),
    ),
  ].join('\n');

/** Columns as wide as their widest cell. */
function table(rows: string[][]): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => widthOf(row[column] ?? ''))),
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const widthOf = (text: string): number => [...text].length;
