import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** Excel takes a file without it for one in the machine's own encoding. */
const BYTE_ORDER_MARK = '\uFEFF';

/** What makes a spreadsheet compute a cell: OWASP, "CSV Injection". */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;

/** The caller asks for a table. Without a word, or by `*\/*`, the answer is JSON. */
export const wantsCsv = ({ headers }: APIGatewayProxyEventV2): boolean =>
  (headers['accept'] ?? '')
    .split(',')
    .some((range) => range.split(';')[0]?.trim().toLowerCase() === 'text/csv');

/** A table as RFC 4180 has it; a text that would be a formula begins with an apostrophe. */
export const csv = (rows: (string | number)[][]): APIGatewayProxyStructuredResultV2 => ({
  statusCode: 200,
  headers: { 'content-type': 'text/csv; charset=utf-8', 'cache-control': 'no-store' },
  body: BYTE_ORDER_MARK + rows.map((row) => `${row.map(cell).join(',')}\r\n`).join(''),
});

function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
