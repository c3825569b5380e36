/** All that is behind the login. */
import { QueryClientProvider } from '@tanstack/react-query';
import type { User, UserManager } from 'oidc-client-ts';
import { lazy, Suspense, useMemo, useState } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { createApi } from './api/client.ts';
import { ApiProvider, createQueryClient } from './api/queries.ts';
import type { AppProps } from './app.tsx';
import { type Account, AccountProvider } from './auth/account.ts';
import { SessionOver } from './auth/screens.tsx';
import { personOf, type ReturnState, sessionOf } from './auth/session.ts';
import { Clubs } from './clubs/clubs.tsx';
import type { Config } from './config.ts';
import { NotFound } from './outcomes/not-found.tsx';
import { Shell } from './ui/shell.tsx';
import { Splash } from './ui/splash.tsx';

const Club = lazy(() => import('./club/club.tsx').then((part) => ({ default: part.Club })));
const MeetingDetails = lazy(() =>
  import('./club/meeting-details.tsx').then((part) => ({ default: part.MeetingDetails })),
);
// LiveKit's client is most of the page: it is loaded when a lobby opens.
const Meet = lazy(() => import('./meeting/meet.tsx').then((part) => ({ default: part.Meet })));

export function Pages({ config, users, user }: AppProps & { user: User }) {
  const [isSessionOver, setSessionOver] = useState(false);
  const queries = useMemo(() => createQueryClient(() => setSessionOver(true)), []);
  const api = useMemo(() => createApi(config.apiUrl, sessionOf(users)), [config, users]);
  const account = useMemo(
    (): Account => ({
      ...personOf(user),
      isSessionOver,
      logIn() {
        const state: ReturnState = { returnTo: location.pathname };
        void users.signinRedirect({ state });
      },
      logOut: () => void logOut(config, users),
    }),
    [user, isSessionOver, config, users],
  );
  return (
    <QueryClientProvider client={queries}>
      <ApiProvider value={api}>
        <AccountProvider value={account}>
          <Suspense fallback={<Splash />}>
            <Switch>
              <Route path="/callback">
                <Redirect to="/" replace />
              </Route>
              <Route path="/clubs/:clubId/meet">
                {({ clubId }) => <Meet key={clubId} clubId={clubId} />}
              </Route>
              <Route>
                <Shell>{isSessionOver ? <SessionOver /> : <ClubPages />}</Shell>
              </Route>
            </Switch>
          </Suspense>
        </AccountProvider>
      </ApiProvider>
    </QueryClientProvider>
  );
}

const ClubPages = () => (
  <Suspense fallback={<Splash />}>
    <Switch>
      <Route path="/">
        <Clubs />
      </Route>
      <Route path="/clubs/:clubId">{({ clubId }) => <Club key={clubId} clubId={clubId} />}</Route>
      <Route path="/clubs/:clubId/meetings/:meetingId">
        {(ids) => <MeetingDetails key={ids.meetingId} {...ids} />}
      </Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  </Suspense>
);

/** Here first, so that nothing is left whatever the pool does; then at the pool, where it has a page for it. */
async function logOut({ identity }: Config, users: UserManager): Promise<void> {
  await users.removeUser();
  history.replaceState(null, '', '/');
  const { logoutEndpoint, clientId } = identity;
  if (!logoutEndpoint) return;
  const query = new URLSearchParams({ client_id: clientId, logout_uri: `${location.origin}/` });
  location.assign(`${logoutEndpoint}?${query}`);
}
