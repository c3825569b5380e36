/** `npm run web:deploy -- --stage …`: builds the page, and puts it where the stage serves it. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { run } from './web/run.ts';

const configFile = fileURLToPath(new URL('../web/vite.config.ts', import.meta.url));

process.exitCode = await run(process.argv.slice(2), {
  async build() {
    await build({ configFile, configLoader: 'native', logLevel: 'warn' });
    return fileURLToPath(new URL('../.web/', import.meta.url));
  },
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
