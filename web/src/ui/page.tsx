import { type ReactNode, useEffect, useRef } from 'react';
import { useTitle } from './screen.tsx';
import './page.css';

let pagesShown = 0;

/**
 * A page with its heading. After a step inside the page the heading takes the focus, so that a reader by
 * ear or by keyboard begins at the top; on the first one the browser has it.
 */
export function Page({
  title,
  above,
  aside,
  children,
}: {
  title: string;
  /** Where the page belongs: a link to what is above it. */
  above?: ReactNode;
  /** Beside the title. */
  aside?: ReactNode;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useTitle(title);
  useEffect(() => {
    pagesShown += 1;
    if (pagesShown > 1) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <main className="page">
      <header className="page__header">
        {above}
        <div className="page__heading">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {aside}
        </div>
      </header>
      {children}
    </main>
  );
}
