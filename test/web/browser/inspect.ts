/** Whether a screen is one for everybody: for assistive technology, small windows, fingers, and in each theme. */
import { mkdir } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

const WCAG_2_2_AA = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const WIDE = { width: 1280, height: 800 };
/** A phone; also 1280 px at a zoom of 400 %. */
const NARROW = { width: 320, height: 640 };
/** Of what is pressed with a finger; 24 px by WCAG 2.5.8, 44 px by the platforms' own rules. */
const TOUCH_PX = 44;
/** Where pictures of what was inspected go, to be looked at: `SCREENS=.local/screens npm run test:web`. */
const pictures = process.env['SCREENS'];
/** The test goes on to the next screen. */
const softly = expect.configure({ soft: true, timeout: 5000 });

export interface Look {
  themes?: readonly ('light' | 'dark')[];
}

/** All that is wrong with it. @param name of the pictures */
export async function inspect(
  page: Page,
  name: string,
  { themes = ['dark', 'light'] }: Look = {},
): Promise<void> {
  for (const [index, colorScheme] of themes.entries()) {
    await page.emulateMedia({ colorScheme });
    await takePicture(page, `${name}-${colorScheme}`);
    // React Aria says there that a button is busy, by the button's id, also when it is gone by then.
    const axe = new AxeBuilder({ page }).exclude('[data-live-announcer]');
    // Colours alone are other ones in another theme.
    if (index === 0) axe.withTags(WCAG_2_2_AA);
    else axe.withRules(['color-contrast']);
    const { violations } = await axe.analyze();
    const found = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
    softly(found, `${name} in ${colorScheme}`).toEqual([]);
  }
  softly(await page.evaluate(movement), `${name} moves, though less motion is asked for`).toEqual(
    [],
  );
  await page.setViewportSize(NARROW);
  await takePicture(page, `${name}-narrow`);
  // A menu that is open finds its new place after the first layout of the new width.
  await softly
    .poll(() => page.evaluate(widerThanWindow), `${name} scrolls sideways at 320 px`)
    .toEqual([]);
  await softly
    .poll(() => page.evaluate(smallTargets, TOUCH_PX), `${name} has targets that a finger misses`)
    .toEqual([]);
  await page.setViewportSize(WIDE);
}

async function takePicture(page: Page, name: string): Promise<void> {
  if (!pictures) return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: `${pictures}/${name}.png` });
}

/** In the page: what moves for longer than one frame. */
const movement = () =>
  document
    .getAnimations()
    .filter((animation) => Number(animation.effect?.getComputedTiming().endTime) > 17)
    .map(({ effect }) => (effect instanceof KeyframeEffect ? effect.target?.outerHTML : 'unknown'));

/** In the page: what sticks out at the right, if the page scrolls sideways. */
const widerThanWindow = () => {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
    .map((element) => `${element.tagName}.${element.className}`);
};

/** In the page: what can be pressed and is smaller than that, unless it is part of a sentence. */
const smallTargets = (least: number) => {
  const sizeOf = (element: Element) => {
    const { width, height } = element.getBoundingClientRect();
    return Math.min(width, height);
  };
  /** For screen readers alone, as is what is in it. */
  const isHidden = (element: Element | null): boolean =>
    element !== null && (sizeOf(element) <= 1 || isHidden(element.parentElement));
  return (
    [...document.querySelectorAll('button, a[href], input, [role=tab], [role=menuitem]')]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }))
      .filter((element) => !element.closest('[inert], [aria-hidden=true]') && !isHidden(element))
      .filter((element) => getComputedStyle(element).display !== 'inline')
      // The link that skips the header is outside of the window until it has the focus.
      .filter((element) => element.getBoundingClientRect().bottom > 0)
      .filter((element) => sizeOf(element) < least - 0.5)
      .map((element) => `${element.outerHTML.slice(0, 160)} is ${sizeOf(element)} px`)
  );
};
