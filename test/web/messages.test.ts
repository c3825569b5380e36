/** Every word of the page is in the catalogues, in every language. */
import { fileURLToPath } from 'node:url';
import { getCatalogs } from '@lingui/cli/api';
import { getConfig } from '@lingui/conf';
import { beforeAll, describe, expect, test } from 'vitest';

const configPath = fileURLToPath(new URL('../../web/lingui.config.ts', import.meta.url));
const config = getConfig({ configPath });
const LOCALES = ['en', 'es'];

let catalog: Awaited<ReturnType<typeof getCatalogs>>[number];
let inSources: string[];
beforeAll(async () => {
  const [only] = await getCatalogs(config);
  if (!only) throw new Error('lingui.config.ts has no catalogue');
  catalog = only;
  inSources = Object.keys((await catalog.collect()) ?? {}).sort();
});

test('the languages are English and Spanish', () => {
  expect(config.locales).toEqual(LOCALES);
});

describe.each(LOCALES)('the catalogue of %s', (locale) => {
  test('has every message of the page and no other (npm run web:messages writes it)', async () => {
    const messages = (await catalog.read(locale)) ?? {};
    expect(inSources.length).toBeGreaterThan(100);
    expect(Object.keys(messages).sort()).toEqual(inSources);
  });

  test('has each of them translated, with the same placeholders', async () => {
    const messages = Object.values((await catalog.read(locale)) ?? {});
    // Not the words of a plural's branch: `one {once}`.
    const placeholders = (text = '') =>
      [...text.matchAll(/(?<!\b(?:one|other|=\d+) )\{\w+|<\/?\d+\/?>/g)].map(String);
    for (const { message, translation } of messages) {
      expect(translation, message).toBeTruthy();
      expect(new Set(placeholders(translation)), message).toEqual(new Set(placeholders(message)));
    }
  });
});
