/** Dates, times and durations as the language has them. */
import { useLingui } from '@lingui/react';
import { useMemo } from 'react';

export function useFormat() {
  const { i18n } = useLingui();
  return useMemo(() => {
    const locale = regionalOf(i18n.locale);
    const day = new Intl.DateTimeFormat(locale, { dateStyle: 'full' });
    const shortDay = new Intl.DateTimeFormat(locale, {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
      year: 'numeric',
    });
    const time = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
    const unit = (name: string, value: number) =>
      new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short' }).format(
        value,
      );
    return {
      /** Monday, 16 November 2026 */
      day: (instant: string) => day.format(new Date(instant)),
      /** Mon, 16 Nov 2026 */
      shortDay: (instant: string) => shortDay.format(new Date(instant)),
      /** 19:00 */
      time: (instant: string) => time.format(new Date(instant)),
      /** 19:00–20:31 */
      timeRange: (from: string, to: string) => time.formatRange(new Date(from), new Date(to)),
      /** To the nearest minute, from one minute on: 1 hr 31 min; 42 min; 8 sec */
      duration(seconds: number): string {
        if (seconds < 60) return unit('second', Math.floor(seconds));
        const minutes = Math.round(seconds / 60);
        const parts = [
          ...(minutes >= 60 ? [unit('hour', Math.floor(minutes / 60))] : []),
          ...(minutes % 60 > 0 || minutes < 60 ? [unit('minute', minutes % 60)] : []),
        ];
        return parts.join(' ');
      },
      /** 640 kB; 12.3 MB */
      size(bytes: number): string {
        const [name, value] = bytes < 1e6 ? ['kilobyte', bytes / 1e3] : ['megabyte', bytes / 1e6];
        return new Intl.NumberFormat(locale, {
          style: 'unit',
          unit: name,
          unitDisplay: 'short',
          maximumFractionDigits: value < 100 && name === 'megabyte' ? 1 : 0,
        }).format(value);
      },
      /** Ana, Ben, and Cleo */
      list: (items: string[]) => new Intl.ListFormat(locale, { type: 'conjunction' }).format(items),
      compareNames: new Intl.Collator(locale).compare,
    };
  }, [i18n.locale]);
}

/** The reader's own form of the language: 19:00 in London, 7:00 PM in Boston. */
const regionalOf = (language: string): string =>
  navigator.languages.find((tag) => tag === language || tag.startsWith(`${language}-`)) ?? language;
