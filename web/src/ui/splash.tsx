import { useLingui } from '@lingui/react/macro';
import { Spinner } from './button.tsx';
import './splash.css';

/** While something is on its way. */
export function Splash() {
  const { t } = useLingui();
  return (
    <main className="splash" aria-busy="true">
      <Spinner />
      <span className="visually-hidden">{t`Loading …`}</span>
    </main>
  );
}
