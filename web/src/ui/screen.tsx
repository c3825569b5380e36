import type { LucideIcon } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import './screen.css';

/** Sets the page's title, which a screen reader says first. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} – Reading Club` : 'Reading Club';
  }, [title]);
}

/** A whole page that says one thing and what can be done. The heading takes the focus when it appears. */
export function Screen({
  icon: Icon,
  tone = 'calm',
  title,
  children,
  actions,
}: {
  icon?: LucideIcon;
  tone?: 'calm' | 'alert';
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useTitle(title);
  useEffect(() => heading.current?.focus(), []);
  return (
    <main className="screen">
      {Icon && (
        <span className={`screen__icon screen__icon--${tone}`} aria-hidden="true">
          <Icon size={32} />
        </span>
      )}
      <h1 ref={heading} tabIndex={-1} className="screen__title">
        {title}
      </h1>
      {children && <div className="screen__text">{children}</div>}
      {actions && <div className="screen__actions">{actions}</div>}
    </main>
  );
}
