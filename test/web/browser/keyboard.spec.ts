/** The main path by keyboard alone. */
import { expect, type Locator, type Page } from '@playwright/test';
import { displayNameOf, logInOn, test } from './fixtures.ts';

const MOST_TABS = 40;

/** Tab by Tab, to something whose focus is seen. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  const isFocused = () => target.evaluate((element) => element === document.activeElement);
  for (let tabs = 0; !(await isFocused()); tabs += 1) {
    if (tabs === MOST_TABS) throw new Error(`${target} is not reached by Tab`);
    await page.keyboard.press('Tab');
  }
  const outline = await target.evaluate((element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle === 'none' ? 0 : Number.parseFloat(outlineWidth);
  });
  expect(outline, `the focus on ${target} is seen`).toBeGreaterThanOrEqual(2);
}

test('log in, start, join, write, leave, end, look back and log out, with no pointer', async ({
  world,
  visit,
}) => {
  const club = await world.newClub();
  const olga = await visit(club.owner);
  const { page } = olga;
  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const use = async (target: Locator, key = 'Enter') => {
    await tabTo(page, target);
    await page.keyboard.press(key);
  };

  await tabTo(page, button('Log in'));
  await logInOn(olga);
  await page.getByRole('link', { name: club.name }).waitFor();

  await test.step('the first Tab offers to skip the header', async () => {
    await page.reload();
    await page.getByRole('link', { name: club.name }).waitFor();
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
    await page.keyboard.press('Enter');
  });
  await use(page.getByRole('link', { name: club.name }));
  await use(button('Start a meeting'));

  await test.step('lobby', async () => {
    const microphone = button('Microphone').first();
    await use(microphone, 'Space');
    await expect(microphone).toHaveAttribute('aria-pressed', 'false');
    await page.keyboard.press('Space');
    await expect(microphone).toHaveAttribute('aria-pressed', 'true');
    await use(button('Join now'));
  });

  const controls = page.getByRole('toolbar', { name: 'Meeting controls' });
  await controls.waitFor();

  await test.step('single keys', async () => {
    const microphone = controls.getByRole('button', { name: 'Microphone' });
    await expect(microphone).toHaveAttribute('aria-pressed', 'true');
    await page.keyboard.press('m');
    await expect(microphone).toHaveAttribute('aria-pressed', 'false');
    await expect(page.getByRole('status')).toContainText('Microphone off');
    await page.keyboard.press('h');
    await expect(controls.getByRole('button', { name: 'Raise your hand' })).toHaveAttribute(
      'aria-pressed',
      'true',
    );
    await page.keyboard.press('r');
    await expect(page.getByRole('menuitem', { name: 'Thumbs up' })).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(page.locator('.tile [data-reaction=heart]')).toBeVisible();
    await page.keyboard.press('p');
    await expect(page.getByRole('complementary', { name: 'People' })).toBeVisible();
    await page.keyboard.press('c');
    await expect(page.getByRole('complementary', { name: 'Chat' })).toBeVisible();
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
    await page.keyboard.press('m');
    await expect(microphone).toHaveAttribute('aria-pressed', 'false');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
  });

  await test.step('a message, in which letters are no commands', async () => {
    await tabTo(page, page.getByLabel('Message to everybody'));
    await page.keyboard.type('much more hope');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('list', { name: 'Messages' })).toContainText('much more hope');
  });

  await test.step('a menu, by arrows', async () => {
    await use(controls.getByRole('button', { name: 'More' }));
    await page.getByRole('menu').waitFor();
    await page.keyboard.press('End');
    await expect(page.getByRole('menuitem', { name: 'Keyboard shortcuts' })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(controls.getByRole('button', { name: 'More' })).toBeFocused();
  });

  await test.step('leave: changed my mind; end for all', async () => {
    await use(controls.getByRole('button', { name: 'Leave' }));
    const dialog = page.getByRole('alertdialog');
    await dialog.waitFor();
    await use(dialog.getByRole('button', { name: 'Cancel' }));
    await expect(dialog).toBeHidden();
    await use(controls.getByRole('button', { name: 'Leave' }));
    await use(dialog.getByRole('button', { name: 'End for all' }));
    await expect(page.getByRole('heading', { name: 'The meeting is over' })).toBeFocused();
  });

  await test.step('look back, and log out', async () => {
    await use(page.getByRole('link', { name: 'Who was there when' }));
    await tabTo(page, page.getByRole('tab', { name: 'Timeline' }));
    await page.keyboard.press('ArrowRight');
    await expect(page.getByRole('rowheader')).toHaveText(displayNameOf(olga.username));
    const account = button(`Account of ${olga.username}`);
    // Tokens are in what ends with the tab, and gone after the logout.
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toMatch(/eyJ|token/);
    const sessionOf = () => page.evaluate(() => JSON.stringify(sessionStorage));
    expect(await sessionOf()).toContain('access_token');
    expect(await sessionOf()).not.toContain('id_token');
    await page.reload();
    await use(account);
    await page.getByRole('menu').waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await expect(button('Log in')).toBeVisible();
    expect(await sessionOf()).not.toContain('token');
  });
});
