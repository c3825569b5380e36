import { CircleAlert, Info } from 'lucide-react';
import type { ReactNode } from 'react';
import './notice.css';

/** A line in the page that says something about it. A failure is read out when it appears. */
export function Notice({
  tone = 'info',
  children,
  action,
}: {
  tone?: 'info' | 'failure' | 'warning';
  children: ReactNode;
  action?: ReactNode;
}) {
  const Icon = tone === 'info' ? Info : CircleAlert;
  return (
    <div
      className={`page-notice page-notice--${tone}`}
      role={tone === 'failure' ? 'alert' : undefined}
    >
      <Icon size={20} aria-hidden="true" />
      <div className="page-notice__text">{children}</div>
      {action}
    </div>
  );
}
