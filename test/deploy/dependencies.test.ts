/** What this project takes from others: under which licences, and why. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import lock from '../../package-lock.json' with { type: 'json' };

/** Ask for no more than that their notices go along with copies. */
const PERMISSIVE = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
];

/** Under the SIL Open Font License: free to bundle, with its notice, and not to be sold by themselves. */
const FONTS = ['@fontsource-variable/literata'];

/** Besides, for what stays on the machines of developers. */
const FOR_TOOLS = [...PERMISSIVE, 'BlueOak-1.0.0', 'CC0-1.0', 'PSF-2.0', 'Python-2.0', 'Zlib'];

/** Tools under other terms, and why they may stay. */
const EXCEPTIONS = new Map([
  // vitest's, through vite: MPL asks for the sources of changed files, and none is changed.
  ['lightningcss', 'MPL-2.0'],
  // aws-sdk 2's, through cognito-local. It says MIT in the old form, `licenses`, which npm leaves out.
  ['querystring', undefined],
  // The tests' alone: MPL asks for the sources of changed files, and none is changed.
  ['@axe-core/playwright', 'MPL-2.0'],
  ['axe-core', 'MPL-2.0'],
  // Data of browsers, which @babel/core reads: CC-BY asks to name it.
  ['caniuse-lite', 'CC-BY-4.0'],
  // s3rver's. They say MIT in the old form or in their LICENSE file only.
  ['busboy', undefined],
  ['streamsearch', undefined],
  ['humanize-number', undefined],
]);

interface Locked {
  license?: string;
  dev?: boolean;
  devOptional?: boolean;
}

const installed = Object.entries<Locked>(lock.packages)
  .filter(([path]) => path !== '')
  .map(([path, { license, dev, devOptional }]) => ({
    name: path.split('node_modules/').at(-1) ?? path,
    license,
    isTool: dev === true || devOptional === true,
  }));

/** Of an SPDX expression with one kind of operator: no package has a longer one. */
function isAmong(licences: string[], expression = ''): boolean {
  const terms = expression.replace(/[()]/g, '');
  if (terms.includes(' OR ')) return terms.split(' OR ').some((term) => licences.includes(term));
  return terms.split(' AND ').every((term) => licences.includes(term));
}

/** Builds of one package for several platforms have its name first: `lightningcss-linux-x64-gnu`. */
const isException = ({ name, license }: { name: string; license: string | undefined }): boolean =>
  [...EXCEPTIONS].some(
    ([allowed, its]) => (name === allowed || name.startsWith(`${allowed}-`)) && license === its,
  );

describe('the licences', () => {
  test('of what is bundled are permissive', () => {
    const bundled = installed.filter(({ isTool, name }) => !isTool && !FONTS.includes(name));
    expect(bundled.length).toBeGreaterThan(Object.keys(manifest.dependencies).length);
    expect(bundled.filter(({ license }) => !isAmong(PERMISSIVE, license))).toEqual([]);
  });

  test('of the tools are known, and the exceptions named', () => {
    const tools = installed.filter(({ isTool }) => isTool);
    expect(tools.length).toBeGreaterThan(Object.keys(manifest.devDependencies).length);
    const others = tools.filter(({ license }) => !isAmong(FOR_TOOLS, license));
    expect(others.filter((each) => !isException(each))).toEqual([]);
    for (const name of EXCEPTIONS.keys()) expect(others.map((each) => each.name)).toContain(name);
  });

  test.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0-or-later)', true],
    ['(Apache-2.0 AND BSD-3-Clause)', true],
    ['GPL-3.0-only', false],
    ['(MIT AND GPL-3.0-only)', false],
    [undefined, false],
  ])('%s: permissive is %s', (expression, expected) => {
    expect(isAmong(PERMISSIVE, expression)).toBe(expected);
  });
});

describe('docs/dependencies.md', () => {
  test.each([
    ['package.json', ['Bundled', 'The page'], manifest.dependencies],
    ['its tools', ['Tools'], manifest.devDependencies],
  ])('lists exactly what is in %s', async (_, headings, dependencies) => {
    const page = await readFile('docs/dependencies.md', 'utf8');
    const rows = headings.map((heading) => {
      const [, section = ''] = page.split(`\n## ${heading}\n`);
      return section.split('\n## ')[0] ?? '';
    });
    const listed = [...rows.join('\n').matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    );
    expect(listed.toSorted()).toEqual(Object.keys(dependencies).toSorted());
  });
});
