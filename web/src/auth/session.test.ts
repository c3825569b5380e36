import type { User, UserManager } from 'oidc-client-ts';
import { expect, test, vi } from 'vitest';
import { personOf, returnPath, sessionOf } from './session.ts';

test.each([
  ['/clubs/c1/meet', '/clubs/c1/meet'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['https://evil.example', '/'],
  ['javascript:alert(1)', '/'],
  [undefined, '/'],
  [7, '/'],
])('after the login %o leads to %s', (returnTo, path) => {
  expect(returnPath({ returnTo })).toBe(path);
  expect(returnPath(undefined)).toBe('/');
});

const base64UrlOf = (text: string) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
const tokenOf = (claims: object) => `h.${base64UrlOf(JSON.stringify(claims))}.s`;

test.each([
  ['their name', { name: 'Zoë', email: 'zoe@x.example' }, 'zoe', 'Zoë'],
  ['their address', { email: 'zoe@x.example' }, 's', 'zoe@x.example'],
  ['what they log in with, in any alphabet', {}, 'Zoë ☕ ~~~???', 'Zoë ☕ ~~~???'],
  ['no name where they log in with their id', {}, 's', ''],
  ['no name where the token has none', {}, undefined, ''],
])('a person is shown by %s', (_, profile, username, name) => {
  const user = { access_token: tokenOf({ sub: 's', username }), profile } as unknown as User;
  expect(personOf(user)).toEqual({ userId: 's', name });
});

test('requests that are refused at once share one renewal', async () => {
  const renewal = Promise.withResolvers<{ access_token: string }>();
  const signinSilent = vi.fn(() => renewal.promise);
  const session = sessionOf({ signinSilent } as unknown as UserManager);
  const both = Promise.all([session.renew(), session.renew()]);
  renewal.resolve({ access_token: 'new' });
  expect(await both).toEqual(['new', 'new']);
  expect(signinSilent).toHaveBeenCalledOnce();
  signinSilent.mockRejectedValueOnce(new Error('invalid_grant'));
  expect(await session.renew()).toBeUndefined();
});
