/** Who is logged in, as the pages see it. */
import { createContext, useContext } from 'react';

export interface Account {
  /** The `sub`. */
  userId: string;
  /** By the pool: their name, else their e-mail address, else their login name; empty where it has none. */
  name: string;
  /** The API takes their token no more, and it cannot be renewed. */
  isSessionOver: boolean;
  /** To the login page and back to this one. */
  logIn(): void;
  logOut(): void;
}

const AccountContext = createContext<Account | undefined>(undefined);
export const AccountProvider = AccountContext.Provider;

export function useAccount(): Account {
  const account = useContext(AccountContext);
  if (!account) throw new Error('There is no AccountProvider');
  return account;
}
