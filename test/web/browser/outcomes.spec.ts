/** Every way to be out of a meeting, and back: each leads to a screen that says what happened. */
import type { Page } from '@playwright/test';
import {
  answerLogin,
  chooseFor,
  displayNameOf,
  enterMeeting,
  expect,
  test,
  tileOf,
} from './fixtures.ts';
import { expectFrames } from './media.ts';

const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });
const toolbar = (page: Page) => page.getByRole('toolbar', { name: 'Meeting controls' });

test('removed, kept out, let back in, on a second device, ended: each has its screen and its way back', async ({
  world,
  join,
  meet,
}) => {
  const { club, olga, cleo } = await meet();
  const [cleoAccount] = club.members;
  const name = displayNameOf(cleoAccount.username);
  await expectFrames(tileOf(olga, cleo));

  await test.step('a second device takes the place of the first', async () => {
    const second = await join(cleoAccount);
    await enterMeeting(second, club, world);
    await expect(heading(cleo.page, 'You joined somewhere else')).toBeFocused();
    // It stays out, whatever else its page asks meanwhile.
    await cleo.page.waitForTimeout(6_000);
    await expect(heading(cleo.page, 'You joined somewhere else')).toBeVisible();
    await cleo.page.getByRole('button', { name: 'Join here instead' }).click();
    await cleo.page.getByRole('button', { name: 'Join now' }).click();
    await expect(heading(second.page, 'You joined somewhere else')).toBeVisible();
    await expect(toolbar(cleo.page)).toBeVisible();
    await second.context.close();
  });

  await test.step('who is removed may join again', async () => {
    await chooseFor(olga, name, 'Remove …');
    await olga.page.getByRole('button', { name: 'Remove', exact: true }).click();
    await expect(heading(cleo.page, 'A moderator removed you from the meeting')).toBeFocused();
    await expect(olga.page.getByRole('status')).toContainText(`${name} is out`);
    await cleo.page.getByRole('button', { name: 'Join again' }).click();
    await cleo.page.getByRole('button', { name: 'Join now' }).click();
    await expect(toolbar(cleo.page)).toBeVisible();
  });

  await test.step('who is kept out gets in again when a moderator lets them', async () => {
    await chooseFor(olga, name, 'Remove …');
    await olga.page.getByRole('button', { name: 'Remove and keep out' }).click();
    await expect(heading(cleo.page, 'A moderator removed you from the meeting')).toBeVisible();
    await cleo.page.getByRole('button', { name: 'Join again' }).click();
    await cleo.page.getByRole('button', { name: 'Join now' }).click();
    await expect(heading(cleo.page, 'You are kept out of this meeting')).toBeFocused();
    await olga.page.getByRole('button', { name: `Let back in: ${name}` }).click();
    await expect(olga.page.getByRole('status')).toContainText(`${name} may come back.`);
    await cleo.page.getByRole('button', { name: 'Try again' }).click();
    await cleo.page.getByRole('button', { name: 'Join now' }).click();
    await expect(toolbar(cleo.page)).toBeVisible();
  });

  await test.step('a meeting that is over says how long it was and who was there', async () => {
    await olga.page.getByRole('button', { name: 'Leave' }).click();
    await olga.page.getByRole('button', { name: 'End for all' }).click();
    for (const { page } of [olga, cleo]) {
      await expect(heading(page, 'The meeting is over')).toBeFocused();
      await expect(page.getByText(/^It lasted .+/)).toBeVisible();
      await expect(page.getByText('2 people were there:')).toBeVisible();
    }
    await cleo.page.goto(`${world.url}/clubs/${club.clubId}/meet`);
    await cleo.page.getByRole('button', { name: 'Join now' }).click();
    await expect(heading(cleo.page, 'No meeting is on')).toBeVisible();
  });
});

test('a stranger, an unknown club and an unknown address have their screens', async ({
  world,
  join,
}) => {
  const club = await world.newClub();
  await (await world.apiOf(club.owner)).start(club.clubId);
  const stranger = await join(await world.newAccount('sara'));
  const { page } = stranger;
  await expect(heading(page, 'Your clubs')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'No clubs yet' })).toBeVisible();
  await page.goto(`${world.url}/clubs/${club.clubId}`);
  await expect(heading(page, 'You are not a member of this club')).toBeVisible();
  await page.goto(`${world.url}/clubs/${club.clubId}/meet`);
  await page.getByRole('button', { name: 'Join now' }).click();
  await expect(heading(page, 'You are not a member of this club')).toBeVisible();
  await page.goto(`${world.url}/clubs/no-such-club`);
  await expect(heading(page, 'Nothing here')).toBeVisible();
  await page.goto(`${world.url}/nowhere/at/all`);
  await expect(heading(page, 'There is no such page')).toBeVisible();
});

test('a room that closes between the token and the join is opened by a second token', async ({
  world,
  join,
}) => {
  const club = await world.newClub();
  const olga = await join(club.owner);
  const started = await (await world.apiOf(club.owner)).start(club.clubId);
  const tokens: unknown[] = [];
  await olga.page.route('**/token', async (route) => {
    if (!route.request().url().startsWith(world.apiUrl)) return route.fallback();
    const response = await route.fetch();
    tokens.push(route.request().postDataJSON());
    if (tokens.length === 1) await world.rooms.deleteRoom(started.body.roomName);
    await route.fulfill({ response });
  });
  await enterMeeting(olga, club, world);
  // The API makes sure of a room once in two seconds; until then LiveKit refuses the next token, too.
  expect(tokens.slice(0, 2)).toEqual([
    { readingClubId: club.clubId },
    { readingClubId: club.clubId, roomMissing: true },
  ]);
});

test('the API is killed and comes back: the page says so, waits, and goes on by itself', async ({
  world,
  join,
}) => {
  const club = await world.newClub();
  const olga = await join(club.owner);
  await (await world.apiOf(club.owner)).start(club.clubId);
  await expect(olga.page.getByRole('heading', { name: 'On now' })).toBeVisible();

  await world.api.shut();
  const trouble = olga.page.getByText('The service does not answer.');
  await expect(trouble).toBeVisible();
  await world.api.open();
  await expect(trouble).toBeHidden();

  await olga.page.getByRole('link', { name: /^Join/ }).click();
  await heading(olga.page, 'Ready to join?').waitFor();
  await world.api.shut();
  await olga.page.getByRole('button', { name: 'Join now' }).click();
  await expect(heading(olga.page, 'The service does not answer')).toBeVisible();
  await world.api.open();
  await expect(toolbar(olga.page)).toBeVisible();
});

test('a login that expires in the meeting does not end it, and a new one leads back', async ({
  world,
  meet,
}) => {
  const { olga, cleo } = await meet();
  // The API takes her token no more, and the pool renews none.
  await cleo.page.route(`${world.apiUrl}/**`, (route) =>
    route.request().method() === 'OPTIONS'
      ? route.fallback()
      : route.fulfill({
          status: 401,
          headers: { 'access-control-allow-origin': '*' },
          json: { message: 'Unauthorized' },
        }),
  );
  await cleo.page.route('**/oauth2/token', (route) =>
    route.fulfill({
      status: 400,
      headers: { 'access-control-allow-origin': '*' },
      json: { error: 'invalid_grant' },
    }),
  );
  await expect(cleo.page.getByText('Your session has ended. The meeting goes on;')).toBeVisible();
  await expectFrames(tileOf(cleo, olga));
  await cleo.page.unrouteAll();
  // The pool's refusal; there is no other.
  expect([...new Set(cleo.complaints.splice(0))]).toEqual([
    'Failed to load resource: the server responded with a status of 400 (Bad Request)',
  ]);
  await cleo.page.getByRole('button', { name: 'Log in again' }).click();
  await answerLogin(cleo.page, cleo.username);
  await expect(heading(cleo.page, 'Ready to join?')).toBeVisible();
});

// Last: the LiveKit that comes back has forgotten everything.
test('LiveKit is killed and comes back: people are in again by themselves, with what was on', async ({
  world,
  meet,
}) => {
  const { olga, cleo } = await meet();
  await cleo.page.getByRole('button', { name: 'Microphone' }).click();
  await expectFrames(tileOf(olga, cleo));
  await world.killLiveKit();
  await expect(olga.page.getByText('The connection is interrupted.')).toBeVisible();
  await world.reviveLiveKit();
  await expectFrames(tileOf(olga, cleo));
  await expectFrames(tileOf(cleo, olga));
  for (const [{ page }, isOn] of [
    [olga, true],
    [cleo, false],
  ] as const) {
    const microphone = page.getByRole('button', { name: 'Microphone' });
    await expect(microphone).toHaveAttribute('aria-pressed', String(isOn));
  }
});
