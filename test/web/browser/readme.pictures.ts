/** The README's pictures, of the running page: `npm run web:pictures`. */
import { fileURLToPath } from 'node:url';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { BrowserContextOptions } from '@playwright/test';
import { ulid } from 'ulid';
import { documentClient } from '../../../local/dynamodb.ts';
import { enterMeeting, expect, type Person, test, tileOf, type World } from './fixtures.ts';
import { expectFrames } from './media.ts';

const CLUB = { clubId: 'novels', name: 'Novels on Monday' };
const FRAME = { viewport: { width: 1120, height: 680 } } satisfies BrowserContextOptions;
/** 19:00 in the time zone of the browser. */
const LAST_MONDAY = Date.parse('2026-11-23T18:00:00Z');
const WEEK_MS = 7 * 24 * 3_600_000;
const MINUTE_MS = 60_000;
const KEPT_DAYS = 30;

const picture = (name: string) =>
  fileURLToPath(new URL(`../../../docs/pictures/${name}.png`, import.meta.url));

interface Look {
  hue: number;
  hair: string;
}

/** In the page: a drawn person in place of the camera, since the browser's fake one shows a test pattern. */
function drawCamera({ hue, hair }: Look): void {
  navigator.mediaDevices.getUserMedia = async ({ video } = {}) => {
    if (!video) return new AudioContext().createMediaStreamDestination().stream;
    const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
    const context = canvas.getContext('2d');
    if (!context) throw new Error('No canvas');
    const fill = (color: string, draw: () => void) => {
      context.fillStyle = color;
      context.beginPath();
      draw();
      context.fill();
    };
    const paint = () => {
      fill(`oklch(0.82 0.05 ${hue})`, () => context.rect(0, 0, 1280, 720));
      for (let book = 0; book < 26; book += 1) {
        const height = 90 + ((book * 37) % 50);
        const shade = `oklch(${0.5 + ((book * 13) % 30) / 100} 0.09 ${(hue + book * 47) % 360})`;
        const shelf = book < 13 ? 170 : 350;
        const x = (book % 13) * 44 + (book < 13 ? 40 : 700);
        fill(shade, () => context.rect(x, shelf - height, 36, height));
      }
      fill(`oklch(0.6 0.05 ${hue})`, () => {
        context.rect(20, 170, 600, 14);
        context.rect(680, 350, 600, 14);
      });
      fill(`oklch(0.48 0.11 ${hue + 150})`, () => context.ellipse(640, 790, 330, 280, 0, 0, 7));
      fill('oklch(0.72 0.07 55)', () => context.rect(580, 440, 120, 110));
      fill(hair, () => context.ellipse(640, 310, 168, 190, 0, 0, 7));
      fill('oklch(0.78 0.07 60)', () => context.ellipse(640, 340, 138, 168, 0, 0, 7));
      fill(hair, () => context.ellipse(640, 215, 150, 72, 0, 0, 7));
    };
    paint();
    setInterval(paint, 100);
    return canvas.captureStream(10);
  };
}

const LOOKS: Record<string, Look> = {
  ada: { hue: 80, hair: 'oklch(0.36 0.06 50)' },
  ben: { hue: 200, hair: 'oklch(0.28 0.03 280)' },
  cleo: { hue: 330, hair: 'oklch(0.52 0.1 60)' },
};

/** What a season of Mondays leaves in the table. */
async function writeHistory({ stack }: World, people: { userId: string; name: string }[]) {
  const { endpoint, tableName: TableName } = stack.dynamodb;
  const client = documentClient(endpoint);
  const at = (ms: number) => new Date(ms).toISOString();
  const pk = `CLUB#${CLUB.clubId}`;
  const [ada, ben, cleo, dan] = people;
  const stays: [typeof ada, number, number, boolean?][] = [
    [ada, 0, 91],
    [ben, 2, 91],
    [cleo, 4, 38],
    [cleo, 47, 88],
    [dan, 21, 76, true],
  ];
  try {
    for (const [weeksAgo, minutes] of [91, 84, 97, 73].entries()) {
      const start = LAST_MONDAY - weeksAgo * WEEK_MS;
      const meetingId = ulid(start);
      const meeting = {
        meetingId,
        roomName: `reading-club-${CLUB.clubId}-${meetingId}`,
        startedAt: at(start),
        endedAt: at(start + minutes * MINUTE_MS),
        durationSeconds: minutes * 60,
        endedBy: ada?.userId,
        reason: 'moderator',
      };
      await client.send(
        new PutCommand({ TableName, Item: { pk, sk: `MEETING#${meetingId}`, ...meeting } }),
      );
      for (const [index, [person, from, to, isEstimated]] of stays.entries()) {
        const participantSid = `PA_${index}`;
        const Item = {
          pk,
          sk: `ATTENDANCE#${meetingId}#${participantSid}`,
          userId: person?.userId,
          displayName: person?.name,
          participantSid,
          joinedAt: at(start + from * MINUTE_MS),
          leftAt: at(start + to * MINUTE_MS),
          ...(isEstimated && { isEstimated }),
          expiresAt: Math.ceil(Date.now() / 1000) + 86_400,
        };
        await client.send(new PutCommand({ TableName, Item }));
      }
      const recordingId = ulid(start + 3 * MINUTE_MS);
      const recording = {
        meetingId,
        recordingId,
        state: 'completed',
        audioOnly: false,
        requestedAt: at(start + 3 * MINUTE_MS),
        requestedBy: ben?.userId,
        startedAt: at(start + 3 * MINUTE_MS),
        endedAt: at(start + 68 * MINUTE_MS),
        durationSeconds: 65 * 60,
        bytes: 612_400_000,
        isSettled: true,
        expiresAt: Math.ceil(start / 1000) + KEPT_DAYS * 86_400,
      };
      const sk = `RECORDING#${meetingId}#${recordingId}`;
      await client.send(new PutCommand({ TableName, Item: { pk, sk, ...recording } }));
    }
  } finally {
    client.destroy();
  }
}

test('a meeting, and the history', async ({ world, join }) => {
  const accountOf = (name: string) => {
    const user = world.stack.users.find(({ username }) => username === name);
    if (!user) throw new Error(`The demo has no ${name}`);
    return user;
  };
  const people: Person[] = [];
  for (const [name, look] of Object.entries(LOOKS)) {
    const person = await join(accountOf(name), FRAME);
    await person.page.addInitScript(drawCamera, look);
    people.push(person);
  }
  const [ada, ben, cleo] = people;
  if (!(ada && ben && cleo)) throw new Error('Three people meet');

  await (await world.apiOf(ada)).start(CLUB.clubId);
  const club = { ...CLUB, owner: ada, members: [ben, cleo] };
  for (const person of people) await enterMeeting(person, club, world);
  for (const other of [ben, cleo]) await expectFrames(tileOf(ada, other));
  await cleo.page.getByRole('button', { name: 'Raise your hand' }).click();
  for (const [person, text] of [
    [cleo, 'Did the lighthouse surprise you, too?'],
    [ben, 'I had to read page 112 twice.'],
  ] as const) {
    await person.page.getByRole('button', { name: /^Chat/ }).click();
    await person.page.getByLabel('Message to everybody').fill(text);
    await person.page.keyboard.press('Enter');
  }
  await ada.page.getByRole('button', { name: /^Chat, 2/ }).click();
  await ada.page.mouse.move(0, 0);
  await expect(ada.page.getByRole('button', { name: /^Chat, / })).toBeHidden();
  await ada.page.screenshot({ path: picture('meeting'), animations: 'disabled' });
  await ada.page.getByRole('button', { name: 'Leave' }).click();
  await ada.page.getByRole('button', { name: 'End for all' }).click();
  await ada.page.getByRole('heading', { name: 'The meeting is over' }).waitFor();

  await writeHistory(
    world,
    ['ada', 'ben', 'cleo', 'dan'].map((name) => ({
      userId: accountOf(name).userId,
      name: name.charAt(0).toUpperCase() + name.slice(1),
    })),
  );
  await ada.page.goto(`${world.url}/clubs/${CLUB.clubId}`);
  await ada.page.getByRole('link', { name: /23 Nov 2026/ }).click();
  await ada.page.getByRole('list', { name: 'Who was there when' }).waitFor();
  await ada.page.getByRole('region', { name: 'Recordings' }).waitFor();
  await ada.page.setViewportSize({ width: 1120, height: 880 });
  for (const colorScheme of ['light', 'dark'] as const) {
    await ada.page.emulateMedia({ colorScheme });
    await ada.page.screenshot({ path: picture(`history-${colorScheme}`), animations: 'disabled' });
  }
});
