/** Answers as text for a terminal. */
import type { ShownClub } from '../lib/contract/commands.ts';
import type { CommandResult } from '../lib/meetings/club-commands.ts';
import { count, type ImportedCounts } from './import.ts';
import { printable } from './printable.ts';

export function sentenceFor(answer: CommandResult): string {
  if ('members' in answer) return club(answer);
  if (!answer.stale) return 'Done.';
  return `Done. The record has something newer, which stays: ${answer.stale.join(', ')}.`;
}

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
