import { describe, expect, test } from 'vitest';
import meetingEvent from '../../events/meeting.json' with { type: 'json' };
import { csv, wantsCsv } from './csv.ts';

const rowsOf = (...rows: (string | number)[][]) => csv(rows).body?.slice(1);

describe('a table', () => {
  test('is UTF-8 text that spreadsheets recognize, and is not stored', () => {
    const { statusCode, headers, body } = csv([['Zoë', 'Ána 📚']]);
    expect(statusCode).toBe(200);
    expect(headers).toEqual({
      'content-type': 'text/csv; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(body).toBe('\uFEFFZoë,Ána 📚\r\n');
  });

  test('quotes what would end a cell or a line', () => {
    expect(rowsOf(['a,b', 'say "hi"', 'plain', 3])).toBe('"a,b","say ""hi""",plain,3\r\n');
    expect(rowsOf(['two\nlines'])).toBe('"two\nlines"\r\n');
  });

  test.each([
    ['=1+1', "'=1+1"],
    ['+49 30', "'+49 30"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['＝1', "'＝1"],
    ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'],
  ])('holds no formula: %j', (text, written) => {
    expect(rowsOf([text])).toBe(`${written}\r\n`);
  });

  test('leaves a negative number a number', () => {
    expect(rowsOf([-1])).toBe('-1\r\n');
  });
});

describe('a caller', () => {
  test.each([
    ['text/csv', true],
    ['TEXT/CSV', true],
    ['text/csv; q=0.9, application/json', true],
    ['application/json, text/csv;header=present', true],
    ['application/json', false],
    ['*/*', false],
    ['text/*', false],
    ['text/csvx', false],
    ['', false],
  ])('who accepts %j gets a table: %s', (accept, expected) => {
    expect(wantsCsv({ ...meetingEvent, headers: { ...meetingEvent.headers, accept } })).toBe(
      expected,
    );
  });

  test('who says nothing gets JSON', () => {
    const { accept: _, ...headers } = meetingEvent.headers;
    expect(wantsCsv({ ...meetingEvent, headers })).toBe(false);
  });
});
