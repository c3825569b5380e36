/** How much script comes over the wire. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from './fixtures.ts';

const KB = 1000;
const FIRST_PAGE_KB = 150;
const MEETING_KB = 300;

test(`the first page is at most ${FIRST_PAGE_KB} KB of script, and the meeting ${MEETING_KB} KB more`, async ({
  world,
  join,
}) => {
  const club = await world.newClub();
  const { page } = await join(club.owner);
  const scripts = new Set<string>();
  page.on('response', (response) => {
    const { origin, pathname } = new URL(response.url());
    if (origin === world.url && pathname.endsWith('.js')) scripts.add(pathname);
  });
  const sizeKb = async () => {
    const files = [...scripts].map((path) =>
      readFile(new URL(`../../../.web${path}`, import.meta.url)),
    );
    return (await Promise.all(files)).reduce((sum, file) => sum + gzipSync(file).length, 0) / KB;
  };
  await page.reload();
  await page.getByRole('link', { name: club.name }).waitFor();
  const first = await sizeKb();
  expect(first).toBeGreaterThan(50);
  expect(first).toBeLessThanOrEqual(FIRST_PAGE_KB);

  await page.goto(`${world.url}/clubs/${club.clubId}/meet`);
  await page.getByRole('heading', { name: 'Ready to join?' }).waitFor();
  const more = (await sizeKb()) - first;
  expect(more).toBeGreaterThan(100);
  expect(more).toBeLessThanOrEqual(MEETING_KB);
  test.info().annotations.push({ type: 'KB', description: `${first} and ${more}` });
});
