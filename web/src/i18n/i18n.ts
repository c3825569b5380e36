import { i18n } from '@lingui/core';

export const LOCALES = { en: 'English', es: 'Español' } as const;
export type Locale = keyof typeof LOCALES;

const STORED = 'language';
const isLocale = (value: string | null | undefined): value is Locale =>
  value !== null && value !== undefined && Object.hasOwn(LOCALES, value);

/** What was chosen here before, else the first of the browser's languages that there is. */
function preferredLocale(): Locale {
  const stored = localStorage.getItem(STORED);
  if (isLocale(stored)) return stored;
  return navigator.languages.map((tag) => tag.slice(0, 2)).find(isLocale) ?? 'en';
}

const catalogues: Record<Locale, () => Promise<{ messages: Record<string, string> }>> = {
  en: () => import('../locales/en.po'),
  es: () => import('../locales/es.po'),
};

async function activate(locale: Locale): Promise<void> {
  const { messages } = await catalogues[locale]();
  i18n.loadAndActivate({ locale, messages });
  document.documentElement.lang = locale;
}

export const startI18n = (): Promise<void> => activate(preferredLocale());

export function chooseLocale(locale: Locale): Promise<void> {
  localStorage.setItem(STORED, locale);
  return activate(locale);
}
