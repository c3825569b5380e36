/** What the documents say of parameters and settings is what there is. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { MEDIA_EVENT_TYPES } from '../../lib/meetings/media.ts';
import { EGRESS_EVENT_TYPES } from '../../lib/meetings/recording/ports.ts';

test('docs/configuration.md explains exactly the parameters that there are', async () => {
  const page = await readFile('docs/configuration.md', 'utf8');
  const rows = [...page.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|[^|]*\|[^|]*\|[^|]*\|$/gm)];
  const explained = rows.flatMap(([, names = '']) => names.match(/\w+/g) ?? []);
  const defaults = parse(await readFile('deploy/stages/default.yml', 'utf8'), {
    logLevel: 'silent',
  });
  expect(explained.toSorted()).toEqual(Object.keys(defaults).toSorted());
});

test('docs/deploy.md has a server of LiveKit send exactly the events that are followed', async () => {
  const page = await readFile('docs/deploy.md', 'utf8');
  const [, settings = ''] = /^ *```yaml\n( +room: .*?)\n *```$/ms.exec(page) ?? [];
  const { room, webhook } = parse(settings);
  expect(room).toEqual({ auto_create: false });
  expect(webhook.filter_params.include_events).toEqual([
    ...MEDIA_EVENT_TYPES,
    ...EGRESS_EVENT_TYPES,
  ]);
});
