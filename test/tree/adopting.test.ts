/** docs/adopting.md has every command that the clubs function takes, with its fields. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Command } from '../../lib/meetings/club-commands.ts';

const page = readFileSync(new URL('../../docs/adopting.md', import.meta.url), 'utf8');
const rows = new Map(
  [...page.matchAll(/^\| `([\w-]+)` \| (.*?) \|/gm)].map(([, command, fields]) => [
    command,
    fields,
  ]),
);
const OF_ALL = ['command', 'occurredAt', 'onRefusal'];

it.each(
  Command.def.options.map(({ shape }) => [String(shape.command.def.values[0]), shape] as const),
)('the page for adopters lists %s with its fields', (command, shape) => {
  const fields = [...(rows.get(command) ?? '').matchAll(/`(\w+)\??`/g)].map(([, name]) => name);
  const own = Object.keys(shape).filter((name) => !OF_ALL.includes(name));
  expect(fields.filter((name) => !['member', 'moderator'].includes(String(name))).sort()).toEqual(
    own.sort(),
  );
});
