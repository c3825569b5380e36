import { useLingui } from '@lingui/react';
import type { UserManager } from 'oidc-client-ts';
import { lazy, Suspense, useEffect } from 'react';
import { I18nProvider as AriaI18nProvider } from 'react-aria-components/I18nProvider';
import { AuthProvider, useAuth } from 'react-oidc-context';
import { LoginFailed, Welcome } from './auth/screens.tsx';
import { returnPath } from './auth/session.ts';
import type { Config } from './config.ts';
import { ConfigProvider } from './config-context.ts';
import { Announcer } from './ui/announcer.tsx';
import { Splash } from './ui/splash.tsx';

const loadPages = () => import('./pages.tsx');
const Pages = lazy(() => loadPages().then((part) => ({ default: part.Pages })));

export interface AppProps {
  config: Config;
  users: UserManager;
}

export function App({ config, users }: AppProps) {
  const { i18n } = useLingui();
  return (
    <ConfigProvider value={config}>
      <AriaI18nProvider locale={i18n.locale}>
        <AuthProvider
          userManager={users}
          onSigninCallback={(user) => history.replaceState(null, '', returnPath(user?.state))}
        >
          <Entrance config={config} users={users} />
        </AuthProvider>
        <Announcer />
      </AriaI18nProvider>
    </ConfigProvider>
  );
}

/** Chooses the pages by login. A user with an expired token still counts: the API decides, and a meeting goes on. */
function Entrance(props: AppProps) {
  const { isLoading, activeNavigator, user, error } = useAuth();
  // Loads the pages in the background, so that they are there after the login.
  useEffect(() => void loadPages(), []);
  if (user) {
    return (
      <Suspense fallback={<Splash />}>
        <Pages {...props} user={user} />
      </Suspense>
    );
  }
  if (isLoading || activeNavigator === 'signinRedirect') return <Splash />;
  return error ? <LoginFailed /> : <Welcome />;
}
