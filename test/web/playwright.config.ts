import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const CHROMIUMS = ['/usr/bin/chromium', '/usr/bin/google-chrome'];
const executablePath = process.env['CHROMIUM'] ?? CHROMIUMS.find((path) => existsSync(path));
if (!executablePath) throw new Error('No Chromium: install it, or name it in CHROMIUM');

/** The page as it is deployed, in Debian's Chromium, on a development stack with a real LiveKit server. */
export default defineConfig({
  testDir: './browser',
  projects: [
    { name: 'tests', testMatch: '*.spec.ts' },
    { name: 'pictures', testMatch: '*.pictures.ts' },
  ],
  outputDir: '../../.local/web-tests',
  // One stack, one browser: media takes more than a core.
  workers: 1,
  // A busy machine may take many times what an idle one does.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: Boolean(process.env['CI']),
  // As in vitest.config.ts; reported as flaky.
  retries: process.env['CI'] ? 1 : 0,
  reporter: 'list',
  use: {
    browserName: 'chromium',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    viewport: { width: 1280, height: 800 },
    // No videos: Playwright would download its own ffmpeg for them.
    // A film strip of pages that play video takes a core of its own.
    trace: { mode: 'retain-on-failure', screenshots: false },
    launchOptions: {
      executablePath,
      args: [
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        '--auto-select-desktop-capture-source=Entire screen',
        // Everything is on loopback, and containers are their own sandbox.
        '--no-sandbox',
      ],
    },
  },
});
