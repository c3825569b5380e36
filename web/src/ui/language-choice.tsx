import { useLingui } from '@lingui/react/macro';
import { chooseLocale, LOCALES, type Locale } from '../i18n/i18n.ts';
import { Button } from './button.tsx';

/** Every language by its own name, so that a reader of another language recognizes theirs. */
export function LanguageChoice() {
  const { i18n } = useLingui();
  const locales = Object.entries(LOCALES) as [Locale, string][];
  return locales
    .filter(([locale]) => locale !== i18n.locale)
    .map(([locale, name]) => (
      <Button key={locale} look="quiet" onPress={() => void chooseLocale(locale)}>
        <span lang={locale}>{name}</span>
      </Button>
    ));
}
