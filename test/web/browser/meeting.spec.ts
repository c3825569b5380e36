/** The main path, by two people with real media: log in, start, meet, end, look back. */
import { displayNameOf, expect, logInOn, test, tileOf } from './fixtures.ts';
import { expectFrames, expectSound } from './media.ts';

test('two people log in, meet, see and hear each other, react, write, and look back', async ({
  world,
  visit,
}) => {
  const club = await world.newClub('cleo');
  const olga = await visit(club.owner);
  const cleo = await visit(club.members[0]);
  for (const person of [olga, cleo]) await logInOn(person);

  await olga.page.getByRole('link', { name: club.name }).click();
  await olga.page.getByRole('button', { name: 'Start a meeting' }).click();
  await expect(olga.page.getByRole('heading', { name: 'Ready to join?' })).toBeVisible();
  await expect(olga.page.getByLabel('Your name in the meeting')).toHaveValue(
    displayNameOf(olga.username),
  );
  await olga.page.getByRole('button', { name: 'Join now' }).click();

  // Her page shows it by itself.
  await cleo.page.getByRole('link', { name: /^Join/ }).click();
  await cleo.page.getByRole('button', { name: 'Join now' }).click();

  await expectFrames(tileOf(olga, cleo));
  await expectFrames(tileOf(cleo, olga));
  await expectSound(cleo.page);

  await olga.page.getByRole('button', { name: 'React' }).click();
  await olga.page.getByRole('menuitem', { name: 'Heart' }).click();
  await expect(tileOf(cleo, olga).locator('[data-reaction=heart]')).toBeVisible();
  await expect(cleo.page.getByRole('status')).toContainText(
    `${displayNameOf(olga.username)}: Heart`,
  );

  await cleo.page.getByRole('button', { name: 'Chat' }).click();
  await cleo.page.getByLabel('Message to everybody').fill('<b>Chapter three?</b>');
  await cleo.page.keyboard.press('Enter');
  await olga.page.getByRole('button', { name: 'Chat, 1 unread' }).click();
  await expect(olga.page.getByText('<b>Chapter three?</b>', { exact: true })).toBeVisible();

  await olga.page.getByRole('button', { name: 'Leave' }).click();
  await olga.page.getByRole('button', { name: 'End for all' }).click();
  for (const { page } of [olga, cleo]) {
    await expect(page.getByRole('heading', { name: 'The meeting is over' })).toBeVisible();
    await expect(page.getByText('2 people were there:')).toBeVisible();
  }
  await cleo.page.getByRole('link', { name: 'Who was there when' }).click();
  const timeline = cleo.page.getByRole('list', { name: 'Who was there when' });
  await expect(timeline.getByRole('listitem')).toHaveCount(2);
  await cleo.page.getByRole('tab', { name: 'Table' }).click();
  await expect(
    cleo.page.getByRole('rowheader', { name: displayNameOf(olga.username) }),
  ).toBeVisible();
  const download = cleo.page.waitForEvent('download');
  await cleo.page.getByRole('button', { name: 'Download as CSV' }).click();
  expect((await download).suggestedFilename()).toMatch(/\.csv$/);
});

test('a member sees a meeting appear by itself, and joins with neither camera nor microphone', async ({
  world,
  join,
}) => {
  const club = await world.newClub('cleo');
  const cleo = await join(club.members[0]);
  await expect(cleo.page.getByRole('link', { name: club.name })).toBeVisible();
  await (await world.apiOf(club.owner)).start(club.clubId);
  await expect(cleo.page.getByRole('heading', { name: 'On now' })).toBeVisible();

  await cleo.page.getByRole('link', { name: /^Join/ }).click();
  await cleo.page.getByRole('button', { name: 'Microphone', exact: true }).click();
  await cleo.page.getByRole('button', { name: 'Camera', exact: true }).click();
  await cleo.page.getByRole('button', { name: 'Join without camera and microphone' }).click();
  const controls = cleo.page.getByRole('toolbar', { name: 'Meeting controls' });
  await expect(controls.getByRole('button', { name: 'Microphone' })).toHaveAttribute(
    'aria-pressed',
    'false',
  );
  // What was chosen is remembered.
  await cleo.page.reload();
  await expect(
    cleo.page.getByRole('button', { name: 'Join without camera and microphone' }),
  ).toBeVisible();
});

test('a shared screen fills the stage of the others, their whole screen, and a window of its own', async ({
  meet,
}) => {
  const { olga, cleo } = await meet();
  await cleo.page.getByRole('button', { name: 'Share your screen' }).click();
  const focus = olga.page.getByRole('list', { name: 'In focus' });
  await expect(focus.getByText(`Screen of ${displayNameOf(cleo.username)}`)).toBeVisible();
  await expectFrames(focus.locator('.tile'));

  const more = async (item: string) => {
    await olga.page.getByRole('button', { name: 'More' }).click();
    await olga.page.getByRole('menuitem', { name: item }).click();
  };
  const isWholeScreen = () => olga.page.evaluate(() => document.fullscreenElement !== null);
  await more('Full screen');
  await expect.poll(isWholeScreen).toBe(true);
  await more('Leave full screen');
  await expect.poll(isWholeScreen).toBe(false);

  const inWindow = () =>
    focus.locator('video').evaluate((video) => document.pictureInPictureElement === video);
  await more('Picture in picture');
  await expect.poll(inWindow).toBe(true);
  await more('Picture in picture');
  await expect.poll(inWindow).toBe(false);
});

test('a moderator who starts a meeting gets into its lobby, also when a poll reads that it is on before the answer', async ({
  world,
  join,
}) => {
  const club = await world.newClub();
  const olga = await join(club.owner);
  await olga.page.goto(`${world.url}/clubs/${club.clubId}`);
  // The meeting starts; its answer comes when the card of the meeting that is on has replaced the button.
  await olga.page.route('**/start', async (route) => {
    const response = await route.fetch();
    await olga.page.getByRole('link', { name: 'Join' }).waitFor();
    await route.fulfill({ response });
  });
  await olga.page.getByRole('button', { name: 'Start a meeting' }).click();
  await expect(olga.page.getByRole('heading', { name: 'Ready to join?' })).toBeVisible();
});
