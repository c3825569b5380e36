import { expect, test } from 'vitest';
import { chartSvg } from './charts.ts';

const chart = chartSvg({
  name: 'x',
  title: 'Joins & starts <p50>',
  unit: 'ms',
  pairs: [
    { label: 'token', ours: 2, plain: 4 },
    { label: 'start', ours: 8, plain: 4 },
  ],
});

test('a bar is as long as its figure, by the longest of all', () => {
  const widths = [...chart.matchAll(/class="(?:ours|plain)" x="190" y="(\d+)" width="([\d.]+)"/g)]
    .filter(([, y]) => Number(y) > 60)
    .map(([, , width]) => Number(width));
  expect(widths).toEqual([100, 200, 400, 200]);
});

test('each pair says its figures and the share', () => {
  for (const text of ['2.00 ms (0.50×)', '4.00 ms', '8.00 ms (2.00×)']) {
    expect(chart).toContain(`>${text}<`);
  }
});

test('text of a title is text', () => {
  expect(chart).toContain('Joins &amp; starts &lt;p50>');
});
