import { useLingui } from '@lingui/react/macro';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { Link } from 'wouter';
import { AccountButton } from './account-button.tsx';
import { Logo } from './logo.tsx';
import './shell.css';

const AccountMenu = lazy(() =>
  import('./account-menu.tsx').then((part) => ({ default: part.AccountMenu })),
);

/** Header and page. */
export function Shell({ children }: { children: ReactNode }) {
  const { t } = useLingui();
  return (
    <div className="shell">
      <a className="shell__skip" href="#content">
        {t`Skip to content`}
      </a>
      <header className="shell__header">
        <Link href="/" className="shell__brand" aria-label={t`Reading Club: your clubs`}>
          <Logo />
          <span aria-hidden="true">Reading Club</span>
        </Link>
        <Account />
      </header>
      <div id="content" className="shell__content" tabIndex={-1}>
        {children}
      </div>
    </div>
  );
}

/** Menus are a third of the page's script: this one is loaded when it is first opened. */
function Account() {
  const [isWanted, setWanted] = useState(false);
  const button = <AccountButton onPress={() => setWanted(true)} />;
  return isWanted ? (
    <Suspense fallback={button}>
      <AccountMenu />
    </Suspense>
  ) : (
    button
  );
}
