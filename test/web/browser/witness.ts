/** What a person's browser showed and heard, for the report of a test that failed. */
import type { Page, TestInfo } from '@playwright/test';

const BODY_CHARACTERS = 300;

export interface Witness {
  /** Attaches a picture, and prints the rest: an attachment does not reach the log of a CI run. */
  report(testInfo: TestInfo): Promise<void>;
}

/** Listens to a page. No token gets into it: of answers, the bodies of refusals alone; no request's. */
export function witness(name: string, page: Page, apiUrl: string): Witness {
  const said: string[] = [];
  const note = (line: string) => said.push(`${new Date().toISOString().slice(11, 23)} ${line}`);
  page.on('framenavigated', (frame) => {
    if (frame === page.mainFrame()) note(`at ${new URL(frame.url()).pathname}`);
  });
  page.on('requestfailed', (request) => {
    note(`${request.method()} ${pathOf(request.url())} failed: ${request.failure()?.errorText}`);
  });
  page.on('response', async (response) => {
    const { pathname, search } = new URL(response.url());
    const isApi = response.url().startsWith(apiUrl);
    if (!isApi && response.ok()) return;
    const line = `${response.request().method()} ${pathname}${isApi ? search : ''} ${response.status()}`;
    const body = isApi && !response.ok() ? await response.text().catch(() => '') : '';
    note(`${line} ${body.slice(0, BODY_CHARACTERS)}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') note(`console: ${message.text().replace(/\?\S+/g, '?…')}`);
  });
  return {
    async report(testInfo) {
      const shown = await page
        .locator('body')
        .ariaSnapshot({ timeout: 5_000 })
        .catch((error) => `nothing (${error})`);
      const text = [`${name} at ${pathOf(page.url())} saw:`, shown, ...said, ''].join('\n');
      process.stdout.write(`\n${text}`);
      await testInfo.attach(`${name}.txt`, { body: text, contentType: 'text/plain' });
      const picture = await page.screenshot({ timeout: 5_000 }).catch(() => undefined);
      if (picture)
        await testInfo.attach(`${name}.png`, { body: picture, contentType: 'image/png' });
    },
  };
}

/** Without the query: LiveKit's addresses hold the token. */
const pathOf = (url: string): string => url.replace(/\?.*/s, '');
