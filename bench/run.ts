/**
 * `npm run bench`: all sections, or those that are named. With `--write` the tables go to
 * docs/benchmarks.md as well.
 */
import { parseOptionsOrExit } from '../local/options.ts';
import { bypassProxiesOnLoopback } from '../local/proxies.ts';
import { loadAverage, machineTable } from './machine.ts';
import { writeCharts, writePage } from './page.ts';
import { aimsTable, type Report, tableText } from './report.ts';
import { cold } from './sections/cold.ts';
import { load } from './sections/load.ts';
import { network } from './sections/network.ts';
import { polls } from './sections/polls.ts';
import { roundTrips } from './sections/round-trips.ts';
import { routes } from './sections/routes.ts';
import { scale } from './sections/scale.ts';
import { work } from './sections/work.ts';
import { startWorld, type World } from './world.ts';

const SECTIONS: Record<string, (world: World) => Promise<Report>> = {
  routes,
  network,
  work,
  'round-trips': roundTrips,
  cold,
  polls,
  load,
  scale,
};

const { positionals, values } = parseOptionsOrExit('bench', {
  allowPositionals: true,
  options: { write: { type: 'boolean', default: false } },
});
bypassProxiesOnLoopback();
const wanted = positionals.length > 0 ? positionals : Object.keys(SECTIONS);
const unknown = wanted.filter((name) => !(name in SECTIONS));
if (unknown.length > 0) {
  console.error(
    `No such section: ${unknown.join(', ')}. There are: ${Object.keys(SECTIONS).join(', ')}.`,
  );
  process.exit(2);
}

const startedAt = performance.now();
const machine = tableText(machineTable(loadAverage()));
console.log(machine);
const world = await startWorld();
const stop = () => {
  void world.stop().finally(() => process.exit(130));
};
process.once('SIGINT', stop).once('SIGTERM', stop);
try {
  // The machine of a run of some sections is not that of the others' figures.
  const texts: Record<string, string> = positionals.length > 0 ? {} : { machine };
  for (const name of wanted) {
    const report: Report = (await SECTIONS[name]?.(world)) ?? { tables: [], aims: [] };
    const { tables, aims, charts = [] } = report;
    if (values.write) await writeCharts(charts);
    const text = [...tables, ...(aims.length > 0 ? [aimsTable(aims)] : [])]
      .map(tableText)
      .join('\n\n');
    console.log(`\n${text}`);
    texts[name] = text;
  }
  if (values.write) await writePage(texts);
} finally {
  await world.stop();
}
console.log(`\n${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
