import { User, UserManager, WebStorageStateStore } from 'oidc-client-ts';
import type { Session } from '../api/client.ts';
import type { Config } from '../config.ts';
import type { Account } from './account.ts';

/**
 * Keeps everything but the ID token. A renewed ID token of Cognito has another `auth_time`, which
 * oidc-client-ts compares with the one that it kept, and refuses (oidc-client-ts#2107). Nothing here
 * needs the ID token.
 */
class SessionStore extends WebStorageStateStore {
  override async set(key: string, value: string): Promise<void> {
    const user = User.fromStorageString(value);
    delete user.id_token;
    await super.set(key, user.toStorageString());
  }
}

export interface ReturnState {
  returnTo: string;
}

/** The code flow with PKCE. All that it keeps ends with the tab: `sessionStorage`. */
export function createUserManager({ identity }: Config): UserManager {
  const { issuer, clientId, authorizationEndpoint, tokenEndpoint } = identity;
  return new UserManager({
    authority: issuer,
    client_id: clientId,
    redirect_uri: `${location.origin}/callback`,
    scope: 'openid',
    // By hand in both worlds: a pool's discovery is not open to browsers everywhere.
    metadata: {
      issuer,
      authorization_endpoint: authorizationEndpoint,
      token_endpoint: tokenEndpoint,
    },
    loadUserInfo: false,
    automaticSilentRenew: true,
    userStore: new SessionStore({ store: sessionStorage }),
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
  });
}

/** Where to go once logged in: a path of this page, whatever the state says. */
export function returnPath(state: unknown): string {
  const { returnTo } = (state ?? {}) as Partial<ReturnState>;
  return typeof returnTo === 'string' && /^\/(?![/\\])/.test(returnTo) ? returnTo : '/';
}

/**
 * Who has logged in, to show it to themselves; nothing is decided by it. With the scope `openid` alone,
 * Cognito's ID token has every attribute that the app client may read. The `username` of a pool in which
 * people log in by e-mail is their `sub`, which is nobody's name.
 */
export function personOf({
  access_token,
  profile,
}: Pick<User, 'access_token' | 'profile'>): Pick<Account, 'userId' | 'name'> {
  const [, payload = ''] = access_token.split('.');
  const base64 = payload.replace(/-/g, '+').replace(/_/g, '/');
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const claims: { sub?: string; username?: string } = JSON.parse(new TextDecoder().decode(bytes));
  const { sub = '', username = sub } = claims;
  const { name, email } = profile;
  return { userId: sub, name: name || email || (username === sub ? '' : username) };
}

/** The session as the API's client needs it. Requests that are refused at once share one renewal. */
export function sessionOf(users: UserManager): Session {
  let renewal: Promise<string | undefined> | undefined;
  return {
    accessToken: async () => (await users.getUser())?.access_token,
    renew() {
      renewal ??= users
        .signinSilent()
        .then(
          (user) => user?.access_token,
          () => undefined,
        )
        .finally(() => {
          renewal = undefined;
        });
      return renewal;
    },
  };
}
