/** What a new route and a new field of an answer must not forget: the words for people. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { document } from '../harness/openapi.ts';

const BASE = '/api/reading-clubs/meeting';

const routes = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path.replace(BASE, '')}`,
    operation,
  })),
);

/** The names of all fields in a schema, those inside of others as well. */
function fieldsIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { $ref } = schema as { $ref?: string };
  if ($ref) return fieldsIn(document.components.schemas[$ref.split('/').at(-1) ?? '']);
  const { properties } = schema as { properties?: object };
  return [...Object.keys(properties ?? {}), ...Object.values(schema).flatMap(fieldsIn)];
}

describe.each(['README.md', 'docs/api.md'])('%s has a row for', (file) => {
  const text = readFileSync(file, 'utf8');
  test.each(routes)('$name', ({ name }) => {
    expect(text).toContain(`\n| \`${name}\``);
  });
});

test.each(routes)('docs/api.md names each field that $name answers', ({ operation }) => {
  const text = readFileSync('docs/api.md', 'utf8');
  const { schema } = operation.responses['200']?.content?.['application/json'] ?? {};
  const fields = fieldsIn(schema);
  expect(fields).not.toEqual([]);
  expect(fields.filter((field) => !new RegExp(`\\b${field}\\b`).test(text))).toEqual([]);
});

test('README.md names parameters that there are, with their defaults', () => {
  const text = readFileSync('README.md', 'utf8');
  const defaults = readFileSync('deploy/stages/default.yml', 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (?:`(.+)`|(\d+)|none.*?) \|/gm)];
  expect(rows.length).toBeGreaterThan(4);
  for (const [, name, word, number] of rows) {
    const value = defaults.match(new RegExp(`^${name}: (.*)$`, 'm'))?.[1];
    if (word ?? number) expect([name, value]).toEqual([name, word ?? number]);
    else expect([name, value]).toEqual([name, expect.stringMatching(/^(''|!Ref AWS::NoValue)$/)]);
  }
});
