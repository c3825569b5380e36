import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** The tree in CONTRIBUTING.md, as paths. A line has names, then two spaces or more, then words. */
function pathsOf(markdown: string): string[] {
  const [, tree = ''] = /```\n(functions\/[\s\S]*?)```/.exec(markdown) ?? [];
  const folders: string[] = [];
  return tree
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', names = ''] = /^( *)(\S+(?: \S+)*)/.exec(line) ?? [];
      const level = indent.length / 2;
      const paths = names
        .split(' ')
        .filter((name) => /[/.]/.test(name))
        .map((name) => join(...folders.slice(0, level), name));
      const [first] = paths;
      if (first?.endsWith('/')) folders.splice(level, folders.length, names.split(' ')[0] ?? '');
      return paths;
    });
}

const paths = pathsOf(readFileSync('CONTRIBUTING.md', 'utf8'));

test('the tree in CONTRIBUTING.md names files and folders', () => {
  expect(paths.length).toBeGreaterThan(60);
  expect(paths).toContain('lib/meetings/room.ts');
});

test.each(paths)('%s of CONTRIBUTING.md exists', (path) => {
  expect(globSync(path)).not.toEqual([]);
});
