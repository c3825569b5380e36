/** What happens without the reader's doing is said to screen readers, and shown as a notice if asked for. */
import { useLingui } from '@lingui/react/macro';
import { CircleAlert, CircleCheck, Info, X } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import './announcer.css';

const NOTICE_MS = 8_000;

export interface Notice {
  id: number;
  /** A failure stays until it is closed. */
  tone: 'info' | 'success' | 'failure';
  text: string;
}

let notices: Notice[] = [];
let spoken = '';
let lastId = 0;
const listeners = new Set<() => void>();

function change(): void {
  for (const listener of listeners) listener();
}
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** To screen readers alone. */
export function announce(text: string): void {
  // The same text twice would not be read twice.
  spoken = spoken === text ? `${text}\u00A0` : text;
  change();
}

/** To everybody. */
export function notify(text: string, tone: Notice['tone'] = 'info'): void {
  lastId += 1;
  notices = [...notices.slice(-2), { id: lastId, tone, text }];
  announce(text);
}

function dismiss(id: number): void {
  notices = notices.filter((notice) => notice.id !== id);
  change();
}

const ICONS = { info: Info, success: CircleCheck, failure: CircleAlert };

export function Announcer() {
  const shown = useSyncExternalStore(subscribe, () => notices);
  const text = useSyncExternalStore(subscribe, () => spoken);
  return (
    <>
      <div className="visually-hidden" role="status" aria-live="polite">
        {text}
      </div>
      {shown.length > 0 && (
        <ul className="notices">
          {shown.map((notice) => (
            <NoticeItem key={notice.id} {...notice} />
          ))}
        </ul>
      )}
    </>
  );
}

function NoticeItem({ id, tone, text }: Notice) {
  const { t } = useLingui();
  useEffect(() => {
    if (tone === 'failure') return;
    const timer = setTimeout(() => dismiss(id), NOTICE_MS);
    return () => clearTimeout(timer);
  }, [id, tone]);
  const Icon = ICONS[tone];
  return (
    <li className={`notice notice--${tone}`}>
      <Icon size={20} aria-hidden="true" />
      <span>{text}</span>
      <AriaButton className="notice__close" aria-label={t`Close`} onPress={() => dismiss(id)}>
        <X size={18} aria-hidden="true" />
      </AriaButton>
    </li>
  );
}
