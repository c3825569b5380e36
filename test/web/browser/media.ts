/** Whether media really arrive. */
import { expect, type Locator, type Page } from '@playwright/test';

/** The video of a tile plays: it has a size, and its time goes on. */
export async function expectFrames(tile: Locator): Promise<void> {
  const video = tile.locator('video');
  await expect(video).toBeVisible();
  const framesNow = () =>
    video.evaluate(
      (element: HTMLVideoElement) => element.getVideoPlaybackQuality().totalVideoFrames,
    );
  await expect.poll(framesNow).toBeGreaterThan(0);
  const before = await framesNow();
  await expect.poll(framesNow).toBeGreaterThan(before + 5);
}

/** The loudest sample of what the page plays now, from 0 to 1. */
const loudness = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const streams = [...document.querySelectorAll('audio')]
      .map(({ srcObject }) => srcObject)
      .filter((stream) => stream instanceof MediaStream);
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 2048 });
    for (const stream of streams) context.createMediaStreamSource(stream).connect(analyser);
    let peak = 0;
    const samples = new Float32Array(analyser.fftSize);
    for (let round = 0; round < 30; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      analyser.getFloatTimeDomainData(samples);
      peak = Math.max(peak, ...samples.map(Math.abs));
    }
    await context.close();
    return peak;
  });

const AUDIBLE = 0.01;

export const expectSound = (page: Page) =>
  expect.poll(() => loudness(page)).toBeGreaterThan(AUDIBLE);

export const expectSilence = (page: Page) =>
  expect.poll(() => loudness(page)).toBeLessThan(AUDIBLE);
