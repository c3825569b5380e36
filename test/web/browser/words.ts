/** The page's words by its own catalogues: a test reads the page in any language that it has. */

import { fileURLToPath } from 'node:url';
import { getCatalogs } from '@lingui/cli/api';
import { getConfig } from '@lingui/conf';
import { setupI18n } from '@lingui/core';
import { compileMessage } from '@lingui/message-utils/compileMessage';
import { generateMessageId } from '@lingui/message-utils/generateMessageId';

const configPath = fileURLToPath(new URL('../../../web/lingui.config.ts', import.meta.url));
const config = getConfig({ configPath });

/** The languages that there are. */
export const LOCALES: readonly string[] = config.locales;

/** The English message, as the sources have it, in the language. @throws Error for one that is not the page's */
export type Words = (message: string, values?: Record<string, unknown>) => string;

export async function wordsOf(locale: string): Promise<Words> {
  const [catalog] = await getCatalogs(config);
  const read = await catalog?.read(locale);
  if (!read) throw new Error(`The page does not speak ${locale}`);
  const messages = Object.fromEntries(
    Object.entries(read).map(([id, { translation = '' }]) => [id, compileMessage(translation)]),
  );
  const i18n = setupI18n({ locale, messages: { [locale]: messages } });
  return (message, values) => {
    const id = generateMessageId(message);
    if (!(id in messages)) throw new Error(`The catalogue has no message: ${message}`);
    return i18n._(id, values);
  };
}
