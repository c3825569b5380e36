/** Recording: who starts it, who sees and hears it, who agrees to it, and what is played afterwards. */
import { mock } from 'node:test';
import type { Locator, Page, Route } from '@playwright/test';
import {
  type Club,
  displayNameOf,
  enterMeeting,
  expect,
  type Person,
  test,
  tileOf,
  type World,
} from './fixtures.ts';
import { inspect, type Look } from './inspect.ts';
import { expectFrames, expectSilence, expectSound } from './media.ts';
import { LOCALES, wordsOf } from './words.ts';

/** The meeting is dark in both themes. */
const DARK: Look = { themes: ['dark'] };
/** Colours do not depend on the language. */
const LOOKS: Record<string, Look> = { es: DARK };
const IS_RECORDED = 'This meeting is being recorded.';

/** What was said to screen readers, one after the other. */
const saidTo = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { said: string[] }).said);

/** How many tones the page has made. */
const tonesOf = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { tones: number }).tones);

/** Counts tones, and keeps what the live region says. */
const listen = ({ page }: Person) =>
  page.addInitScript(() => {
    const heard = Object.assign(globalThis, { tones: 0, said: [] as string[] });
    const { start } = OscillatorNode.prototype;
    OscillatorNode.prototype.start = function (...args) {
      heard.tones += 1;
      return start.apply(this, args);
    };
    new MutationObserver(() => {
      const text = document.querySelector('[role=status][aria-live]')?.textContent;
      if (text && heard.said.at(-1) !== text) heard.said.push(text);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });

const bannerOf = ({ page, words }: Person) =>
  page.locator('.recorded').getByText(words(IS_RECORDED));

/** By the bar; the question before it is answered as it stands. */
async function record({ page, words }: Person): Promise<void> {
  await page.getByRole('button', { name: words('Record the meeting') }).click();
  const started = page.waitForResponse((response) => response.url().endsWith('/recording/start'));
  await page.getByRole('button', { name: words('Start recording') }).click();
  expect((await started).status()).toBe(200);
}

/** Requests that wait until they are released. */
async function hold({ page }: Person, url: string) {
  const held: Route[] = [];
  await page.route(url, (route) => {
    held.push(route);
  });
  return {
    async release() {
      await page.unroute(url);
      // The page may have given one up.
      await Promise.allSettled(held.map((route) => route.continue()));
    },
  };
}

async function stop({ page, words }: Person): Promise<void> {
  await page
    .locator('.recorded')
    .getByRole('button', { name: words('Stop') })
    .click();
  await page
    .getByRole('alertdialog')
    .getByRole('button', { name: words('Stop') })
    .click();
}

async function lookBack({ page }: Person, { clubId }: Club, world: World): Promise<void> {
  await page.goto(`${world.url}/clubs/${clubId}`);
  await page.locator('.history__row').first().click();
  await page.locator('.recording').first().waitFor();
}

/** Notes the second at which the next address that it is given begins to play. */
const noteResumption = (audio: Locator) =>
  audio.evaluate((media: HTMLAudioElement) => {
    delete media.dataset['resumedAt'];
    const note = () => {
      media.dataset['resumedAt'] = String(media.currentTime);
    };
    const listen = () => media.addEventListener('playing', note, { once: true });
    media.addEventListener('loadedmetadata', listen, { once: true });
  });
const expectResumption = async (audio: Locator, second: number) => {
  const resumedAt = () => audio.getAttribute('data-resumed-at').then(Number);
  await expect.poll(resumedAt).toBeGreaterThan(second - 0.05);
};

const timeOf = (page: Page) =>
  page.locator('audio').evaluate((media: HTMLAudioElement) => media.currentTime);

test('everybody sees and hears a recording at once; it is played, also after a long pause, and deleted', async ({
  world,
  join,
}) => {
  const club = await world.newClub('cleo');
  const api = await world.apiOf(club.owner);
  const olga = await join(club.owner);
  const cleo = await join(club.members[0]);
  await listen(cleo);
  await api.start(club.clubId);
  await enterMeeting(olga, club, world);
  await enterMeeting(cleo, club, world);
  await expectFrames(tileOf(cleo, olga));

  await test.step('the other person sees the notice, and hears the announcement and the chime', async () => {
    // LiveKit reports it at once: a page that waits for its next poll shows it up to ten seconds too late.
    const status = await hold(cleo, '**/status');
    await record(olga);
    await expect(bannerOf(cleo)).toBeVisible();
    await status.release();
    await expect.poll(() => saidTo(cleo.page)).toContain(IS_RECORDED);
    await expect.poll(() => tonesOf(cleo.page)).toBe(2);
    await expect(bannerOf(olga)).toBeVisible();
    await expect(cleo.page.locator('.recorded').getByRole('button')).toHaveCount(0);
    await expect(cleo.page.getByRole('button', { name: 'Record the meeting' })).toHaveCount(0);
  });

  await test.step('a person who joins now sees the notice in the lobby, and is not asked', async () => {
    await cleo.page.getByRole('button', { name: 'Leave' }).click();
    await cleo.page.getByRole('button', { name: 'Join again' }).click();
    const lobby = cleo.page.getByRole('region', { name: 'The recording' });
    await expect(lobby).toContainText(IS_RECORDED);
    await expect(lobby.getByRole('checkbox')).toHaveCount(0);
    await cleo.page.getByRole('button', { name: 'Join now' }).click();
    await expect(bannerOf(cleo)).toBeVisible();
  });

  await test.step('its end is shown, announced and heard; the moderator sees that it is saved', async () => {
    await stop(olga);
    await expect(cleo.page.locator('.recorded')).toHaveCount(0);
    await expect.poll(() => saidTo(cleo.page)).toContain('The recording has ended.');
    await expect.poll(() => tonesOf(cleo.page)).toBe(6);
    await expect(olga.page.getByText('The recording is saved.').last()).toBeVisible();
    await expect(olga.page.getByRole('button', { name: 'Record the meeting' })).toBeEnabled();
  });

  await test.step('no recorder: it is said, and offered again', async () => {
    await olga.page.route('**/recording/start', (route) =>
      route.fulfill({
        status: 503,
        headers: { 'access-control-allow-origin': '*' },
        json: { error: 'No recorder', code: 'RECORDING_UNAVAILABLE', requestId: '1' },
      }),
    );
    await olga.page.getByRole('button', { name: 'Record the meeting' }).click();
    await olga.page.getByRole('button', { name: 'Start recording' }).click();
    await expect(olga.page.getByRole('alert')).toContainText('No recorder is free.');
    await olga.page.unroute('**/recording/start');
    await olga.page.getByRole('button', { name: 'Try again' }).click();
    await expect(bannerOf(olga)).toBeVisible();
    await expect(olga.page.getByRole('dialog')).toHaveCount(0);
  });

  await test.step('a recording ends with its meeting', async () => {
    await api.end(club.clubId);
    await expect(cleo.page.getByRole('heading', { name: 'The meeting is over' })).toBeVisible();
  });

  await test.step('a member sees what there is, and that only moderators play it', async () => {
    await lookBack(cleo, club, world);
    await expect(cleo.page.locator('.recording')).toHaveCount(2);
    await expect(cleo.page.getByText('In this club, only moderators can play')).toBeVisible();
    await expect(cleo.page.locator('.recording').getByRole('button')).toHaveCount(0);
  });

  await lookBack(olga, club, world);
  const first = olga.page.locator('.recording').first();
  const audio = olga.page.locator('audio');
  const addresses: { url: string; expiresAt: string }[] = [];
  olga.page.on('response', async (response) => {
    if (response.url().endsWith('/download') && response.ok()) {
      addresses.push(await response.json());
    }
  });
  await test.step('a moderator plays it', async () => {
    await expect(first).toContainText(`Recorded by ${displayNameOf(olga.username)}.`);
    await first.getByRole('button', { name: 'Play' }).click();
    // Slowly, also from a new address: the recording is of a few seconds.
    await audio.evaluate((media: HTMLAudioElement) => {
      media.defaultPlaybackRate = 0.1;
      media.playbackRate = 0.1;
    });
    await expect.poll(() => timeOf(olga.page)).toBeGreaterThan(0.2);
  });

  await test.step('a player that is paused for longer than its address lives goes on at the same second', async () => {
    await audio.evaluate((media: HTMLAudioElement) => media.pause());
    const pausedAt = await timeOf(olga.page);
    const [address] = addresses;
    if (!address) throw new Error('No address was asked for');
    // The clocks of the bucket and of the browser; the API signs the next address by its own.
    const late = new Date(Date.parse(address.expiresAt) + 100);
    mock.timers.enable({ apis: ['Date'], now: late });
    try {
      await olga.page.clock.setFixedTime(late);
      expect((await fetch(address.url)).status).toBe(403);
      await noteResumption(audio);
      await audio.evaluate((media: HTMLAudioElement) => media.play());
      await expect.poll(() => addresses.length).toBe(2);
      await expect(audio).toHaveAttribute('src', addresses[1]?.url ?? '');
      await expectResumption(audio, pausedAt);
      await test.step('also when the bucket refuses what the browser asks for', async () => {
        const before = await timeOf(olga.page);
        await noteResumption(audio);
        await audio.evaluate((media: HTMLAudioElement) => {
          media.src += '&of=another';
        });
        await expect.poll(() => addresses.length).toBe(3);
        await expectResumption(audio, before);
      });
    } finally {
      mock.timers.reset();
    }
  });

  await test.step('it is downloaded under a name that says what it is', async () => {
    const download = olga.page.waitForEvent('download');
    await first.getByRole('button', { name: 'Download' }).click();
    expect((await download).suggestedFilename()).toMatch(
      new RegExp(`^${club.name} \\d{4}-\\d\\d-\\d\\d \\d\\d\\.\\d\\d\\.ogg$`),
    );
  });

  await test.step('it is deleted after a question', async () => {
    await first.getByRole('button', { name: 'Delete' }).click();
    await olga.page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await expect(olga.page.locator('.recording')).toHaveCount(1);
    await expect(olga.page.getByText('The recording is deleted.').last()).toBeVisible();
  });
});

for (const language of LOCALES) {
  test(`a club that requires consent, and every screen of a recording, in ${language}`, async ({
    world,
    join,
  }) => {
    test.setTimeout(420_000);
    const words = await wordsOf(language);
    const options = { locale: language, reducedMotion: 'reduce' } as const;
    const club = await world.newClubWith(
      { recordingConsent: 'required', recordingAccess: 'members' },
      'cleo',
      'dan',
    );
    const api = await world.apiOf(club.owner);
    const olga = await join(club.owner, options);
    const cleo = await join(club.members[0], options);
    const dan = await join(club.members[1], options);
    const see = ({ page }: Person, name: string, look = LOOKS[language]) =>
      inspect(page, `recording-${name}-${language}`, look);
    await api.start(club.clubId);
    await enterMeeting(olga, club, world);
    await enterMeeting(cleo, club, world);
    await dan.page.goto(`${world.url}/clubs/${club.clubId}/meet`);
    await dan.page.getByRole('button', { name: words('Join now') }).waitFor();

    await test.step('the question before the start', async () => {
      await olga.page.getByRole('button', { name: words('Record the meeting') }).click();
      await olga.page.getByRole('dialog').waitFor();
      await see(olga, 'start', DARK);
      await olga.page.keyboard.press('Escape');
    });

    await test.step('a participant is asked, and is not heard until they agree', async () => {
      await expectSound(olga.page);
      await record(olga);
      const question = cleo.page.getByRole('alertdialog', {
        name: words('Do you agree to be recorded?'),
      });
      await expect(question).toBeVisible();
      await expectSilence(olga.page);
      await cleo.page.keyboard.press('Escape');
      await see(cleo, 'consent', DARK);
      await question.getByRole('button', { name: words('I agree') }).click();
      await expect(question).toHaveCount(0);
      await expectSound(olga.page);
      await expect(bannerOf(cleo)).toBeVisible();
      // The moderator who started it has agreed by that.
      await expect(olga.page.getByRole('alertdialog')).toHaveCount(0);
      await see(olga, 'on', DARK);
    });

    await test.step('a person in the lobby agrees, or does not get in', async () => {
      const lobby = dan.page.getByRole('region', { name: words('The recording') });
      const consent = lobby.getByRole('checkbox');
      await expect(consent).toBeVisible();
      await dan.page.getByRole('button', { name: words('Join now') }).click();
      await expect(lobby.getByRole('alert')).toBeVisible();
      await see(dan, 'lobby');
      await lobby.getByText(words('I agree to be recorded in this meeting.')).click();
      await expect(consent).toBeChecked();
      await dan.page.getByRole('button', { name: words('Join now') }).click();
      await expect(bannerOf(dan)).toBeVisible();
      await expect(dan.page.getByRole('alertdialog')).toHaveCount(0);
      await dan.page.getByRole('button', { name: words('Leave') }).click();
    });

    await test.step('a lobby that does not know of the recording leads to the question', async () => {
      await stop(olga);
      await expect(olga.page.getByText(words('The recording is being saved'))).toHaveCount(0);
      await api.end(club.clubId);
      await api.start(club.clubId);
      await enterMeeting(olga, club, world);
      await enterMeeting(cleo, club, world);
      await dan.page.goto(`${world.url}/clubs/${club.clubId}/meet`);
      await dan.page.getByRole('button', { name: words('Join now') }).waitFor();
      await dan.page.route('**/status', (route) => route.abort('internetdisconnected'));
      await record(olga);
      await dan.page.getByRole('button', { name: words('Join now') }).click();
      const question = dan.page.getByRole('alertdialog');
      await question.getByRole('button', { name: words('Do not join') }).click();
      await dan.page.getByRole('button', { name: words('Join now') }).click();
      await see(dan, 'consent-to-join');
      await dan.page.unroute('**/status');
      await question.getByRole('button', { name: words('I agree') }).click();
      await expect(bannerOf(dan)).toBeVisible();
      await expect(question).toHaveCount(0);
    });

    await test.step('a participant who does not agree leaves', async () => {
      const question = cleo.page.getByRole('alertdialog');
      await question.getByRole('button', { name: words('Leave') }).click();
      await expect(
        cleo.page.getByRole('heading', { name: words('You left the meeting') }),
      ).toBeVisible();
    });

    await test.step('its end, and looking back', async () => {
      await stop(olga);
      await api.end(club.clubId);
      await dan.page.goto(`${world.url}/clubs/${club.clubId}`);
      await dan.page.locator('.history__recordings').first().waitFor();
      await see(dan, 'history');
      await lookBack(olga, club, world);
      await olga.page.getByRole('button', { name: words('Play') }).click();
      await expect.poll(() => timeOf(olga.page)).toBeGreaterThan(0.2);
      await see(olga, 'player');
      await olga.page.getByRole('button', { name: words('Delete') }).click();
      await olga.page.getByRole('alertdialog').waitFor();
      await see(olga, 'delete');
    });
  });
}
