/** A stack for all tests of a worker, and people with a browser each. */
import {
  type BrowserContext,
  type BrowserContextOptions,
  test as base,
  type Page,
} from '@playwright/test';
import { RoomServiceClient } from 'livekit-server-sdk';
import { apiClient } from '../../../local/client.ts';
import { type ClubWithMembers, createClub } from '../../../local/demo-data.ts';
import { createUser, issuerOf, logIn } from '../../../local/identity.ts';
import { findLiveKitServer, startLiveKitServer } from '../../../local/livekit/server.ts';
import { freePort, startStack } from '../../../local/stack.ts';
import type { StackDescription } from '../../../local/stack-file.ts';
import { webConfig } from '../../../local/web.ts';
import { freePeople } from '../../harness/people.ts';
import { openDoor } from './door.ts';
import { serveSite } from './site.ts';
import { type Witness, witness } from './witness.ts';
import { type Words, wordsOf } from './words.ts';

export { expect } from '@playwright/test';

/** A meeting of three is full. */
const MOST_PEOPLE = 3;
const PASSWORD = 'Reading-Club-1';
const SESSION_SECONDS = 3_600;

/** A person with a browser of their own. */
export interface Person {
  username: string;
  userId: string;
  page: Page;
  context: BrowserContext;
  /** The page's words, in the person's language. */
  words: Words;
  /** What the console said that it should not have; by the end of the test there is nothing. */
  complaints: string[];
}

export interface Club<Members extends Account[] = Account[]> {
  clubId: string;
  name: string;
  owner: Account;
  members: Members;
}

export interface Account {
  username: string;
  userId: string;
}

export interface World {
  stack: StackDescription;
  url: string;
  /** As the page knows it: behind the door. */
  apiUrl: string;
  rooms: RoomServiceClient;
  /** The door of the API: shut, the API is gone. */
  api: { shut(): Promise<void>; open(): Promise<void> };
  killLiveKit(): Promise<void>;
  /** The same LiveKit on the same port, which has forgotten everything. */
  reviveLiveKit(): Promise<void>;
  newAccount(name: string): Promise<Account>;
  /** A club of its own for each test: an owner, and members by these names. */
  newClub<const Names extends string[]>(
    ...names: Names
  ): Promise<Club<{ -readonly [Index in keyof Names]: Account }>>;
  /** The same with rules of its own. */
  newClubWith<const Names extends string[]>(
    rules: Pick<ClubWithMembers, 'recordingConsent' | 'recordingAccess'>,
    ...names: Names
  ): Promise<Club<{ -readonly [Index in keyof Names]: Account }>>;
  /** What the page keeps of a login, which the pool's own page takes seconds for. */
  sessionOf(account: Account): Promise<StoredSession>;
  /** The API as this person sees it, past the page. */
  apiOf(account: Account): Promise<ReturnType<typeof apiClient>>;
}

/** An entry of `sessionStorage`. */
interface StoredSession {
  key: string;
  value: string;
}

/** What the browser or LiveKit's client says without anything being wrong. */
const EXPECTED_COMPLAINTS = [
  // The API's own answers, which the page shows.
  /Failed to load resource: the server responded with a status of (401|403|404|409|503)/,
  /Failed to load resource: net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INTERNET_DISCONNECTED)/,
  // LiveKit's client, when a participant is gone before their track arrives.
  /Tried to add a track for a participant, that's not present/,
  // LiveKit's client, when its server ends the connection.
  /[Dd]ata ?[Cc]hannel|WebSocket|websocket|signal|peer connection|createOffer|Element not part of the array/,
  /could not|disconnect|reconnect|Abort|ConnectionError/i,
];

export const test = base.extend<
  {
    /** Opens the page for a person who is not logged in. */
    visit: (
      account: Account,
      options?: BrowserContextOptions,
      session?: StoredSession,
    ) => Promise<Person>;
    /** Opens the page for a person who has logged in. */
    join: (account: Account, options?: BrowserContextOptions) => Promise<Person>;
    /** A club of Olga, Cleo and these others, with the first two in its meeting. */
    meet: <const Names extends string[]>(
      ...others: Names
    ) => Promise<{
      club: Club<[Account, ...{ -readonly [Index in keyof Names]: Account }]>;
      olga: Person;
      cleo: Person;
    }>;
  },
  { world: World }
>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads what a fixture needs from its pattern.
    async ({}, use) => {
      const stack = await startStack({
        ports: 'free',
        env: { ...process.env, LIVEKIT: 'server' },
        params: { roomMaxParticipants: `${MOST_PEOPLE}` },
      });
      const { description } = stack;
      const { hostname, port, pathname } = new URL(description.apiUrl);
      const door = await openDoor({ host: hostname, port: Number(port) });
      const { livekit, cognito, dynamodb } = description;
      const apiUrl = `http://127.0.0.1:${door.port}${pathname}`;
      const media = new URL(livekit.wsUrl);
      const site = await serveSite({
        port: Number(new URL(description.webUrl).port),
        config: webConfig(apiUrl, cognito, livekit.kind),
        origins: {
          api: new URL(apiUrl).origin,
          identity: cognito.endpoint,
          livekit: [`ws://${media.host}`, `http://${media.host}`],
          recordings: description.s3.endpoint,
        },
      });
      let revived: Awaited<ReturnType<typeof startLiveKitServer>> | undefined;
      let accounts = 0;
      const newAccount = async (name: string): Promise<Account> => {
        accounts += 1;
        const username = `${name}-${accounts}`;
        return { username, userId: await createUser(cognito, { username, password: PASSWORD }) };
      };
      const newClubWith: World['newClubWith'] = async (rules, ...names) => {
        const owner = await newAccount('olga');
        const members = (await Promise.all(names.map(newAccount))) as {
          -readonly [Index in keyof typeof names]: Account;
        };
        const clubId = `club-${owner.username}`;
        const name = `Readers of ${owner.username}`;
        await createClub(dynamodb, {
          clubId,
          name,
          ...rules,
          moderatorId: owner.userId,
          members: [owner, ...members].map(({ userId, username }) => ({
            userId,
            role: userId === owner.userId ? 'moderator' : 'member',
            displayName: displayNameOf(username),
          })),
        });
        return { clubId, name, owner, members };
      };
      await use({
        stack: description,
        url: description.webUrl,
        apiUrl,
        rooms: new RoomServiceClient(livekit.wsUrl, livekit.apiKey, livekit.apiSecret),
        api: door,
        async killLiveKit() {
          if (revived) await revived.kill();
          else if (stack.livekit.pid) process.kill(stack.livekit.pid, 'SIGKILL');
        },
        async reviveLiveKit() {
          revived = await startLiveKitServer({
            binary: findLiveKitServer() ?? '',
            apiKeys: { [livekit.apiKey]: livekit.apiSecret },
            ports: { http: Number(media.port), udp: await freePort() },
            redisAddress: stack.livekit.redisAddress,
            webhook: {
              urls: [new URL('/api/livekit/webhook', description.apiUrl).href],
              apiKey: livekit.apiKey,
            },
          });
        },
        newAccount,
        newClub: (...names) => newClubWith({}, ...names),
        newClubWith,
        async sessionOf({ username, userId }) {
          const { accessToken, refreshToken } = await logIn(cognito, username, PASSWORD);
          return {
            key: `oidc.user:${issuerOf(cognito)}:${cognito.clientId}`,
            value: JSON.stringify({
              access_token: accessToken,
              refresh_token: refreshToken,
              token_type: 'Bearer',
              scope: 'openid',
              profile: { sub: userId },
              expires_at: Math.floor(Date.now() / 1000) + SESSION_SECONDS,
            }),
          };
        },
        async apiOf({ username }) {
          const { accessToken } = await logIn(cognito, username, PASSWORD);
          return apiClient(description.apiUrl, accessToken);
        },
      });
      await site.stop();
      await door.shut();
      await revived?.stop();
      await freePeople();
      await stack.stop();
    },
    { scope: 'worker', timeout: 180_000 },
  ],

  visit: async ({ browser, world, contextOptions }, use, testInfo) => {
    const people: Person[] = [];
    const witnesses: Witness[] = [];
    await use(async (account, options = {}, session) => {
      const context = await browser.newContext({ ...contextOptions, ...options });
      if (session) await context.addInitScript(storeOnce, { ...session, origin: world.url });
      const page = await context.newPage();
      witnesses.push(witness(account.username, page, world.apiUrl));
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        const text = message.text();
        if (message.type() !== 'error') return;
        if (!EXPECTED_COMPLAINTS.some((expected) => expected.test(text))) complaints.push(text);
      });
      const words = await wordsOf((options.locale ?? contextOptions.locale ?? 'en').slice(0, 2));
      const person = { ...account, context, page, complaints, words };
      people.push(person);
      await page.goto(world.url);
      return person;
    });
    if (testInfo.status !== testInfo.expectedStatus) {
      for (const each of witnesses) await each.report(testInfo);
    }
    const complaints = people.flatMap((person) => person.complaints);
    await Promise.all(people.map(({ context }) => context.close()));
    base.expect(complaints).toEqual([]);
  },

  join: async ({ visit, world }, use) => {
    await use(async (account, options) => {
      const person = await visit(account, options, await world.sessionOf(account));
      await accountButton(person).waitFor();
      return person;
    });
  },

  meet: async ({ world, join }, use) => {
    await use(async (...others) => {
      const club = await world.newClub('cleo', ...others);
      const olga = await join(club.owner);
      const cleo = await join(club.members[0]);
      await (await world.apiOf(club.owner)).start(club.clubId);
      await enterMeeting(olga, club, world);
      await enterMeeting(cleo, club, world);
      return { club, olga, cleo };
    });
  },
});

export const displayNameOf = (username: string): string =>
  username.charAt(0).toUpperCase() + username.slice(1);

/** By the pool's own page, as a person does. */
export async function logInOn({ page, words, username }: Person): Promise<void> {
  await page.getByRole('button', { name: words('Log in') }).click();
  await answerLogin(page, username);
  await accountButton({ page, words, username }).waitFor();
}

const accountButton = ({ page, words, username }: Pick<Person, 'page' | 'words' | 'username'>) =>
  page.getByRole('button', { name: words('Account of {name}', { name: username }) });

/** In the page, before its scripts: not again after a logout. */
function storeOnce({ key, value, origin }: StoredSession & { origin: string }): void {
  if (location.origin !== origin || sessionStorage.getItem('stored')) return;
  sessionStorage.setItem('stored', 'yes');
  sessionStorage.setItem(key, value);
}

/** The pool's page: its words are not ours. */
export async function answerLogin(page: Page, username: string): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** From wherever they are to the meeting of the club. */
export async function enterMeeting(
  { page, words }: Person,
  { clubId }: Club,
  world: World,
): Promise<void> {
  await page.goto(`${world.url}/clubs/${clubId}/meet`);
  await page.getByRole('button', { name: words('Join now') }).click();
  await page.getByRole('toolbar', { name: words('Meeting controls') }).waitFor();
}

/** The picture of another participant, as this person sees it. */
export const tileOf = ({ page }: Person, { userId }: Account) =>
  page.locator(`.tile[data-identity="${userId}"]`).first();

/** Chooses from a participant's menu in the people panel, which stays open. */
export async function chooseFor(moderator: Person, name: string, action: string): Promise<void> {
  const people = moderator.page.getByRole('button', { name: /^People/ });
  if ((await people.getAttribute('aria-pressed')) !== 'true') await people.click();
  await moderator.page.getByRole('button', { name: `Moderate ${name}` }).click();
  await moderator.page.getByRole('menuitem', { name: action }).click();
}
