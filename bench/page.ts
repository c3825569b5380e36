import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type Chart, chartSvg } from './charts.ts';

const page = new URL('../docs/benchmarks.md', import.meta.url);
const pictures = new URL('../docs/benchmarks/', import.meta.url);

/** Draws each chart into docs/benchmarks/. */
export async function writeCharts(charts: Chart[]): Promise<void> {
  await mkdir(pictures, { recursive: true });
  await Promise.all(
    charts.map((chart) => writeFile(new URL(`${chart.name}.svg`, pictures), chartSvg(chart))),
  );
}

/** Puts each text between its marks, `<!-- name -->` and `<!-- /name -->`, in docs/benchmarks.md. */
export async function writePage(texts: Record<string, string>): Promise<void> {
  let markdown = await readFile(page, 'utf8');
  for (const [name, text] of Object.entries(texts)) {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [before, rest] = cut(markdown, begin);
    const [, after] = cut(rest, end);
    markdown = `${before}${begin}\n${text}\n${end}${after}`;
  }
  await writeFile(page, markdown);
}

function cut(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  if (index < 0) throw new Error(`docs/benchmarks.md has no ${at}`);
  return [text.slice(0, index), text.slice(index + at.length)];
}
