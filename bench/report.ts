import type { Chart } from './charts.ts';

export interface Table {
  title: string;
  head: string[];
  rows: string[][];
}

/** What the service promises about a figure, and whether this run kept it. */
export interface Aim {
  aim: string;
  measured: string;
  met: boolean;
}

export interface Report {
  tables: Table[];
  aims: Aim[];
  charts?: Chart[];
}

/** As Markdown that also reads well in a terminal: the first column is text, the others figures. */
export function tableText({ title, head, rows }: Table): string {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, 3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[]) =>
    `| ${widths
      .map((width, column) => {
        const cell = cells[column] ?? '';
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(' | ')} |`;
  const rule = `|${widths
    .map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`))
    .join('|')}|`;
  return [`**${title}**`, '', line(head), rule, ...rows.map(line)].join('\n');
}

export const aimsTable = (aims: Aim[]): Table => ({
  title: 'Aims',
  head: ['aim', 'measured', 'met'],
  rows: aims.map(({ aim, measured, met }) => [aim, measured, met ? 'yes' : '**no**']),
});

export const ms = (value: number): string =>
  value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);

/** Ours as a share of theirs: under 1 is less. */
export const ratio = (ours: number, theirs: number): string => `${(ours / theirs).toFixed(2)}×`;

export const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} KB`;
