/** Pictures of the tables: pairs of bars, ours and the plain way's, as SVG that reads in light and dark. */

export interface Chart {
  /** Of the file, docs/benchmarks/<name>.svg. */
  name: string;
  title: string;
  unit: string;
  pairs: { label: string; ours: number; plain: number }[];
}

const WIDTH = 720;
const LABEL_WIDTH = 190;
const BAR_HEIGHT = 14;
const PAIR_HEIGHT = 46;
const TOP = 64;
/** For the figure behind the longest bar. */
const FIGURE_WIDTH = 130;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 15px; }
  .ours { fill: #0b6e4f; } .plain { fill: #9aa4ad; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .ours { fill: #3fb98b; } .plain { fill: #6e7781; }
  }`;

export function chartSvg({ title, unit, pairs }: Chart): string {
  const longest = Math.max(...pairs.flatMap(({ ours, plain }) => [ours, plain]));
  const scale = (WIDTH - LABEL_WIDTH - FIGURE_WIDTH) / longest;
  const bar = (y: number, way: 'ours' | 'plain', value: number, figure: string) =>
    [
      `<rect class="${way}" x="${LABEL_WIDTH}" y="${y}" width="${Math.max(1, value * scale).toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
      `<text x="${(LABEL_WIDTH + value * scale + 6).toFixed(1)}" y="${y + 12}">${figure}</text>`,
    ].join('');
  const rows = pairs.map(({ label, ours, plain }, index) => {
    const y = TOP + index * PAIR_HEIGHT;
    const share = `${shown(ours)} ${unit} (${(ours / plain).toFixed(2)}×)`;
    return [
      `<text x="0" y="${y + 20}">${escaped(label)}</text>`,
      bar(y, 'ours', ours, share),
      bar(y + BAR_HEIGHT + 3, 'plain', plain, `${shown(plain)} ${unit}`),
    ].join('');
  });
  const height = TOP + pairs.length * PAIR_HEIGHT;
  const legend = ['ours', 'plain'].map(
    (way, index) =>
      `<rect class="${way}" x="${LABEL_WIDTH + index * 90}" y="34" width="12" height="12" rx="2"/><text x="${LABEL_WIDTH + 18 + index * 90}" y="45">${way}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}\n</style>`,
    `<text class="title" x="0" y="18">${escaped(title)}</text>`,
    ...legend,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

const shown = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0));

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
