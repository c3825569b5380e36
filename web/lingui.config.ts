import { defineConfig } from '@lingui/conf';
import { formatter } from '@lingui/format-po';

/** `npm run web:messages` writes new messages into the catalogues; a build fails while one is untranslated. */
export default defineConfig({
  sourceLocale: 'en',
  locales: ['en', 'es'],
  catalogs: [{ path: '<rootDir>/src/locales/{locale}', include: ['<rootDir>/src'] }],
  // Line numbers would change with every edit.
  format: formatter({ lineNumbers: false }),
});
