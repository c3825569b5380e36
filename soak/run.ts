/**
 * `npm run soak`: ten minutes of mixed traffic on the development stack, with faults in every part, and a
 * check that the final state agrees with every answer.
 */
import { randomBytes } from 'node:crypto';
import { parseOptionsOrExit } from '../local/options.ts';
import { bypassProxiesOnLoopback } from '../local/proxies.ts';
import { soak } from './soak.ts';

/** Of each invariant. */
const SHOWN_CASES = 3;

const { values } = parseOptionsOrExit('soak', {
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    verbose: { type: 'boolean', default: false },
  },
});
bypassProxiesOnLoopback();
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error('--minutes must be a number above 0.');
  process.exit(2);
}

const again = `npm run soak -- --minutes ${minutes} --seed ${values.seed}`;
console.log(`Seed ${values.seed}. The same plan again: ${again}`);
const { result, counts, storyOf } = await soak({
  seed: values.seed,
  seconds: minutes * 60,
  onProgress: (sentence) => console.log(sentence),
  onLine: values.verbose ? (line) => console.log(`api | ${line}`) : undefined,
});

console.log('\nWhat happened');
for (const [what, count] of Object.entries(counts))
  console.log(`${`${count}`.padStart(8)}  ${what}`);
console.log('\nWhat was looked at');
for (const [invariant, count] of Object.entries(result.looked)) {
  console.log(`${`${count}`.padStart(8)}  ${invariant}`);
}
for (const [invariant, cases] of Map.groupBy(result.broken, (broken) => broken.invariant)) {
  console.log(`\nBROKEN ${cases.length} times: ${invariant}`);
  for (const { clubId, seen } of cases.slice(0, SHOWN_CASES)) {
    console.log(`  ${clubId}: ${seen}`);
    // Of the club's story what names the same meetings and sessions.
    const ids = seen.match(/[0-9A-HJKMNP-TV-Z]{26}|PA_\w+/g) ?? [];
    for (const line of storyOf(clubId).filter((each) => ids.some((id) => each.includes(id)))) {
      console.log(`  | ${line}`);
    }
  }
}
console.log(
  result.broken.length === 0
    ? '\nEvery invariant held.'
    : `\n${result.broken.length} broken invariants. ${again}`,
);
process.exit(result.broken.length === 0 ? 0 : 1);
