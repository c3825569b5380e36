/** Every screen in every language: accessible, in both themes, at 320 px, for fingers, with less motion. */
import type { WebSocketRoute } from '@playwright/test';
import { joinAs } from '../../harness/people.ts';
import { displayNameOf, enterMeeting, expect, logInOn, test, tileOf } from './fixtures.ts';
import { inspect, type Look } from './inspect.ts';
import { expectFrames } from './media.ts';
import { LOCALES, wordsOf } from './words.ts';

/** The API's refusals of a join: each has its screen. */
const REFUSALS = [
  ['full', 409, 'MEETING_FULL', 'The meeting is full'],
  ['kept-out', 403, 'REMOVED_FROM_MEETING', 'You are kept out of this meeting'],
  ['not-a-member', 403, 'NOT_A_MEMBER', 'You are not a member of this club'],
  ['no-club', 404, 'CLUB_NOT_FOUND', 'There is no such club'],
  ['failed', 400, 'INVALID_REQUEST', 'Joining did not work'],
] as const;

/** The meeting is dark in both themes. */
const DARK: Look = { themes: ['dark'] };
/** The colours are the same in all languages. */
const LOOKS: Record<string, Look> = { es: DARK };

for (const language of LOCALES) {
  test(`every screen in ${language}`, async ({ world, visit, join }) => {
    test.setTimeout(420_000);
    const words = await wordsOf(language);
    const options = { locale: language, reducedMotion: 'reduce' } as const;
    const club = await world.newClub('cleo');
    const clubUrl = `${world.url}/clubs/${club.clubId}`;
    const see = (name: string, look = LOOKS[language]) =>
      inspect(olga.page, `${name}-${language}`, look);
    const heading = (message: string, page = olga.page) =>
      page.getByRole('heading', { name: words(message), level: 1 });
    const press = (message: string, page = olga.page) =>
      page.getByRole('button', { name: words(message), exact: true }).click();

    const olga = await visit(club.owner, options);
    await test.step('before the login', async () => {
      await expect(heading('Read together, wherever you are.')).toBeVisible();
      expect(await olga.page.locator('html').getAttribute('lang')).toBe(language);
      await see('welcome');
      await olga.page.goto(`${world.url}/callback?error=access_denied&state=none`);
      await expect(heading('You are not logged in')).toBeVisible();
      await see('login-failed');
      await olga.page.goto(world.url);
      await logInOn(olga);
    });

    await test.step('clubs', async () => {
      await expect(heading('Your clubs')).toBeVisible();
      await olga.page.getByRole('link', { name: club.name }).waitFor();
      await see('clubs');
      const { username } = olga;
      await olga.page
        .getByRole('button', { name: words('Account of {name}', { name: username }) })
        .click();
      await olga.page.getByRole('menuitem', { name: words('Log out') }).waitFor();
      await see('account-menu');
      await olga.page.keyboard.press('Escape');
      await world.api.shut();
      await press('Try again');
      await see('trouble');
      await world.api.open();
    });

    await test.step('a club', async () => {
      await olga.page.goto(clubUrl);
      await olga.page.getByRole('heading', { name: words('No meeting is on') }).waitFor();
      await olga.page.getByRole('heading', { name: words('No past meetings') }).waitFor();
      await see('club-new');
      await olga.page.getByRole('tab', { name: words('Members') }).click();
      await olga.page.locator('.member').first().waitFor();
      await see('members');
    });

    await test.step('no meeting', async () => {
      await olga.page.goto(`${clubUrl}/meet`);
      await press('Join now');
      await expect(heading('No meeting is on')).toBeVisible();
      await see('not-on');
      await press('Start a meeting');
      await expect(heading('Ready to join?')).toBeVisible();
    });

    const cleo = await join(club.members[0], options);
    await test.step('a meeting that is on', async () => {
      await olga.page.goto(world.url);
      await olga.page.getByRole('heading', { name: words('On now') }).waitFor();
      await see('clubs-on');
      await olga.page.goto(clubUrl);
      await olga.page.getByRole('link', { name: words('Join') }).waitFor();
      await see('club-on');
      await press('End for all');
      await olga.page.getByRole('alertdialog').waitFor();
      await see('end-dialog');
      await olga.page.keyboard.press('Escape');
    });

    await test.step('the lobby', async () => {
      await olga.page.goto(`${clubUrl}/meet`);
      await expect(heading('Ready to join?')).toBeVisible();
      await olga.page.locator('video').waitFor();
      await see('lobby');
      await cleo.page.addInitScript(() => {
        navigator.mediaDevices.getUserMedia = () =>
          Promise.reject(new DOMException('', 'NotAllowedError'));
      });
      await cleo.page.goto(`${clubUrl}/meet`);
      await cleo.page
        .getByRole('button', { name: words('Join without camera and microphone') })
        .waitFor();
      await inspect(cleo.page, `lobby-denied-${language}`, LOOKS[language]);
    });

    await test.step('the meeting', async () => {
      await cleo.page
        .getByRole('button', { name: words('Join without camera and microphone') })
        .click();
      await enterMeeting(olga, club, world);
      await expectFrames(tileOf(cleo, olga));
      await see('meeting', DARK);
      await press('Raise your hand');
      await olga.page
        .getByRole('button', { name: words('People, {peopleCount}', { peopleCount: 2 }) })
        .click();
      await olga.page.getByRole('region', { name: words('Raised hands') }).waitFor();
      await see('meeting-people', DARK);
      const name = displayNameOf(cleo.username);
      await olga.page.getByRole('button', { name: words('Moderate {name}', { name }) }).click();
      await olga.page.getByRole('menuitem', { name: words('Remove …') }).click();
      await see('meeting-remove', DARK);
      await press('Cancel');
      await press('Chat', cleo.page);
      await cleo.page.getByLabel(words('Message to everybody')).fill('Chapter three? '.repeat(9));
      await cleo.page.keyboard.press('Enter');
      await olga.page
        .getByRole('button', { name: words('Chat, {unread} unread', { unread: 1 }) })
        .click();
      await olga.page.getByRole('list', { name: words('Messages') }).waitFor();
      await see('meeting-chat', DARK);
      await press('More');
      await olga.page.getByRole('menuitem', { name: words('Devices') }).waitFor();
      await see('meeting-menu', DARK);
      await olga.page.getByRole('menuitem', { name: words('Show the speaker large') }).click();
      await olga.page.getByRole('list', { name: words('In focus') }).waitFor();
      await see('meeting-speaker', DARK);
      await press('More');
      await olga.page.getByRole('menuitem', { name: words('Devices') }).click();
      await olga.page.getByRole('dialog').waitFor();
      await see('meeting-devices', DARK);
      await olga.page
        .getByRole('dialog')
        .getByRole('button', { name: words('Close') })
        .click();
      await olga.page.keyboard.press('?');
      await olga.page.getByRole('dialog').waitFor();
      await see('meeting-shortcuts', DARK);
      await olga.page.keyboard.press('Escape');
    });

    await test.step('out of it', async () => {
      await press('Leave', cleo.page);
      await expect(heading('You left the meeting', cleo.page)).toBeVisible();
      await inspect(cleo.page, `left-${language}`, LOOKS[language]);
      await press('Leave');
      await olga.page.getByRole('alertdialog').waitFor();
      await see('leave-dialog', DARK);
      await press('End for all');
      await expect(heading('The meeting is over')).toBeVisible();
      await olga.page.locator('.screen').getByText(displayNameOf(cleo.username)).waitFor();
      await see('over');
    });

    await test.step('looking back', async () => {
      await olga.page.goto(clubUrl);
      await olga.page.getByRole('tab', { name: words('Past meetings') }).waitFor();
      await olga.page.locator('.history__row').waitFor();
      await see('club-history');
      await olga.page.locator('.history__row').click();
      await olga.page.getByRole('list', { name: words('Who was there when') }).waitFor();
      await see('timeline');
      await olga.page.getByRole('tab', { name: words('Table') }).click();
      await olga.page.getByRole('table').waitFor();
      await see('table');
    });

    await test.step('nothing here', async () => {
      await olga.page.goto(`${world.url}/nowhere`);
      await expect(heading('There is no such page')).toBeVisible();
      await see('not-found');
      await olga.page.goto(`${world.url}/clubs/no-such-club`);
      await expect(heading('Nothing here')).toBeVisible();
      await see('club-unknown');
    });
  });

  test(`every way to be out, in ${language}`, async ({ world, join }) => {
    test.setTimeout(420_000);
    const club = await world.newClub('cleo');
    const clubUrl = `${world.url}/clubs/${club.clubId}`;
    const [account] = club.members;
    const cleo = await join(account, { locale: language, reducedMotion: 'reduce' });
    const { page, words } = cleo;
    const see = (name: string, look = LOOKS[language]) =>
      inspect(page, `${name}-${language}`, look);
    const press = (message: string) =>
      page.getByRole('button', { name: words(message), exact: true }).click();
    const joinNow = async () => {
      await page.goto(`${clubUrl}/meet`);
      await press('Join now');
    };
    const seeHeading = async (name: string, message: string) => {
      await expect(page.getByRole('heading', { name: words(message), level: 1 })).toBeVisible();
      await see(name);
    };
    const answer = (status: number, json: object) => ({
      status,
      headers: { 'access-control-allow-origin': '*' },
      json,
    });

    await test.step('a join that is refused', async () => {
      await joinNow();
      await seeHeading('not-on-member', 'No meeting is on');
      await page.goto(clubUrl);
      for (const [name, status, code, message] of REFUSALS) {
        await page.route('**/meeting/token', (route) =>
          route.request().method() === 'OPTIONS'
            ? route.fallback()
            : route.fulfill(answer(status, { error: 'No', code, requestId: '1' })),
        );
        await joinNow();
        await seeHeading(name, message);
        await page.unroute('**/meeting/token');
      }
    });

    const { body: meeting } = await (await world.apiOf(club.owner)).start(club.clubId);
    const toolbar = page.getByRole('toolbar', { name: words('Meeting controls') });
    let livekit: 'up' | 'down' = 'up';
    const sockets: WebSocketRoute[] = [];
    await page.routeWebSocket(/\/rtc/, async (socket) => {
      if (livekit !== 'up') return socket.close();
      socket.connectToServer();
      sockets.push(socket);
    });
    await page.route(/\/rtc\//, (route) => (livekit === 'up' ? route.fallback() : route.abort()));

    await test.step('a join that gets no answer', async () => {
      await page.goto(`${clubUrl}/meet`);
      await page.getByRole('button', { name: words('Join now') }).waitFor();
      await world.api.shut();
      await press('Join now');
      await seeHeading('service-down', 'The service does not answer');
      await world.api.open();
      await toolbar.waitFor();
      livekit = 'down';
      await joinNow();
      await seeHeading('livekit-down', 'The meeting server does not answer');
      livekit = 'up';
      await toolbar.waitFor();
    });

    await test.step('a connection that is interrupted', async () => {
      await expectFrames(tileOf(cleo, account));
      livekit = 'down';
      for (const socket of sockets.splice(0)) await socket.close();
      await page.getByText(words('The connection is interrupted. Reconnecting …')).waitFor();
      await see('interrupted', DARK);
      livekit = 'up';
    });

    await test.step('another device, and a moderator', async () => {
      await enterMeeting(cleo, club, world);
      await expectFrames(tileOf(cleo, account));
      const { token } = (await (await world.apiOf(account)).token(club.clubId)).body;
      const other = await joinAs(world.stack.livekit.wsUrl, token);
      await seeHeading('elsewhere', 'You joined somewhere else');
      await other.leave();
      await enterMeeting(cleo, club, world);
      await world.rooms.removeParticipant(meeting.roomName, account.userId);
      await seeHeading('removed', 'A moderator removed you from the meeting');
    });

    await test.step('a session that is over', async () => {
      await page.route(`${world.apiUrl}/**`, (route) =>
        route.request().method() === 'OPTIONS'
          ? route.fallback()
          : route.fulfill(answer(401, { message: 'Unauthorized' })),
      );
      await page.route('**/oauth2/token', (route) =>
        route.fulfill(answer(400, { error: 'invalid_grant' })),
      );
      await page.goto(clubUrl);
      await seeHeading('session-over', 'Your session has ended');
      await page.unrouteAll();
    });

    await test.step('a page without its configuration, and one on the stand-in', async () => {
      await page.route('**/config.json', (route) => route.fulfill({ status: 404 }));
      await page.goto(clubUrl);
      await seeHeading('no-config', 'The page cannot be loaded');
      await page.unrouteAll();
      await page.route('**/config.json', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ json: { ...(await response.json()), livekit: 'stand-in' } });
      });
      await page.goto(clubUrl);
      const standIn =
        'This stack runs with a stand-in for LiveKit: meetings can be started and ended, but nobody can join one.';
      await page.getByText(words(standIn)).waitFor();
      await see('stand-in');
    });
    // The refusals of LiveKit and of the pool, which the page shows in its own words.
    expect(
      cleo.complaints.splice(0).filter((text) => !/status of 400|ERR_FAILED/.test(text)),
    ).toEqual([]);
  });
}
