import { Trans, useLingui } from '@lingui/react/macro';
import { KeyRound, LogIn } from 'lucide-react';
import { useState } from 'react';
import { useAuth } from 'react-oidc-context';
import { Button } from '../ui/button.tsx';
import { LanguageChoice } from '../ui/language-choice.tsx';
import { Logo } from '../ui/logo.tsx';
import { Screen, useTitle } from '../ui/screen.tsx';
import { useAccount } from './account.ts';
import type { ReturnState } from './session.ts';
import './screens.css';

/** The page of a person who is not logged in. */
export function Welcome() {
  useTitle('');
  return (
    <div className="welcome">
      <main className="welcome__main">
        <Logo size={64} />
        <h1 className="welcome__title">
          <Trans>Read together, wherever you are.</Trans>
        </h1>
        <p className="welcome__text">
          <Trans>
            See which of your clubs is meeting, join with a click, and look back at who was there.
          </Trans>
        </p>
        <LogInButton />
      </main>
      <footer className="welcome__footer">
        <LanguageChoice />
      </footer>
    </div>
  );
}

function LogInButton() {
  const { t } = useLingui();
  const { signinRedirect } = useAuth();
  const [isLeaving, setLeaving] = useState(false);
  return (
    <Button
      look="primary"
      icon={LogIn}
      isPending={isLeaving}
      onPress={() => {
        setLeaving(true);
        const isPlace = location.pathname !== '/callback';
        const state: ReturnState = { returnTo: isPlace ? location.pathname : '/' };
        void signinRedirect({ state });
      }}
    >
      {t`Log in`}
    </Button>
  );
}

/** The login page sent the person back without a session. */
export function LoginFailed() {
  const { t } = useLingui();
  return (
    <Screen icon={KeyRound} tone="alert" title={t`You are not logged in`} actions={<LogInButton />}>
      <p>
        <Trans>The login did not finish. Nothing is wrong with your account; try it again.</Trans>
      </p>
    </Screen>
  );
}

/** The session cannot be renewed. After the login the person is back on the same page. */
export function SessionOver() {
  const { t } = useLingui();
  const { logIn } = useAccount();
  return (
    <Screen
      icon={KeyRound}
      title={t`Your session has ended`}
      actions={
        <Button look="primary" icon={LogIn} onPress={logIn}>
          {t`Log in again`}
        </Button>
      }
    >
      <p>
        <Trans>Log in again, and you are back on this page.</Trans>
      </p>
    </Screen>
  );
}
