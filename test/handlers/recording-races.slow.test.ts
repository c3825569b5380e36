/**
 * Another request between any two steps of a request about a recording, and a process that dies after any
 * of them. In each case: one recording at most, and after the last cleanup no claim, no recorder, every row
 * closed, and exactly the files of the complete recordings.
 */
import { describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { killedAfter } from '../harness/faults.ts';
import type { Process } from '../harness/process.ts';
import {
  keyOf,
  type Meeting,
  MINUTE_MS,
  type Recorded,
  stageRecordings,
} from '../harness/recordings.ts';
import type { Fault } from '../harness/wire.ts';

const stage = await stageRecordings();
const { world, service, clubWithMeeting, recording, claimOf, rowsOf, filesOf, stop } = stage;
const { hasFiles, sendEgressEvent, later } = stage;

/** Requests and commands that run in between. */
const OTHERS = {
  start: (club: Meeting) => service.call('recordingStart', club.owner, club),
  stop: (club: Meeting) => service.call('recordingStop', club.owner, club),
  end: (club: Meeting) => service.call('end', club.owner, club),
  'end and the next start': async (club: Meeting) => {
    await service.call('end', club.owner, club);
    await service.call('start', club.owner, club);
    await service.call('recordingStart', club.owner, club);
  },
  'cleanup, a minute later': () => inAMinute.cleanUp(),
  'forget-user': ({ clubId, moderator: { userId } }: Meeting) =>
    service.manage({ command: 'forget-user', clubId, userId }),
  'remove-club': ({ clubId }: Meeting) => service.manage({ command: 'remove-club', clubId }),
} satisfies Record<string, (club: Meeting) => Promise<unknown>>;
type Other = keyof typeof OTHERS;

interface Act {
  begin(): Promise<Recorded>;
  /** By a process whose clock is so far ahead. */
  aheadMs?: number;
  act(club: Recorded, by: Process): Promise<unknown>;
}

const start: Act = {
  begin: async () => ({ ...(await clubWithMeeting()), recordingId: 'none' }),
  act: (club, by) => by.call('recordingStart', club.moderator, club),
};

/** A recording that has ended with its file, which no event has reported. */
const endUnreported = async () => {
  const club = await recording();
  await world.sendWebhooksTo(undefined);
  await stop(club);
  await hasFiles(club, 1);
  await world.standIn.webhooks.settled();
  await world.sendWebhooksTo(service);
  return club;
};

const ACTS = {
  start,
  'start without a recorder': {
    async begin() {
      await world.standIn.recorder.set({ isAvailable: false });
      return start.begin();
    },
    act: start.act,
  },
  stop: {
    begin: () => recording(),
    act: (club, by) => by.call('recordingStop', club.moderator, club),
  },
  end: {
    begin: () => recording(),
    act: (club, by) => by.call('end', club.moderator, club),
  },
  'webhook of its end': {
    begin: () => endUnreported(),
    act: (club, by) => sendEgressEvent(club, 'COMPLETE', {}, by),
  },
  'cleanup that finds a killed recorder': {
    async begin() {
      // LiveKit never stops listing those that were killed before.
      await world.standIn.recorder.forget();
      const club = await recording();
      await world.standIn.recorder.kill();
      await service.cleanUp();
      return club;
    },
    aheadMs: MINUTE_MS,
    act: (_, by) => by.cleanUp().catch(() => undefined),
  },
  'cleanup of a recording whose end was not reported': {
    begin: () => endUnreported(),
    act: (_, by) => by.cleanUp().catch(() => undefined),
  },
} satisfies Record<string, Act>;
type ActName = keyof typeof ACTS;

const REST_WITHIN_MS = 20_000;

const inAMinute = await later(MINUTE_MS);
const inThreeMinutes = await later(3 * MINUTE_MS);
/** When nothing can come any more of whatever was given up. */
const inAQuarter = await later(14 * MINUTE_MS);

/** The process that acts. */
const bootFor = ({ aheadMs = 0 }: Act, ...faults: Fault[]) => later(aheadMs, { faults });

/** How many requests it makes, counted at the wire. */
async function stepsOf(act: Act): Promise<string[]> {
  const club = await act.begin();
  const process = await bootFor(act);
  await act.act(club, process);
  const steps = process.wire.operations().slice();
  await cleanUpToTheEnd(club);
  return steps;
}

/** Runs something before the nth request. */
const before = (nth: number, run: () => Promise<unknown>): Fault => {
  let count = 0;
  return async (_, pass) => {
    count += 1;
    if (count === nth) await run();
    return pass();
  };
};

/** Stops every recording, delivers LiveKit's events, and runs the cleanups of a quarter of an hour. */
async function cleanUpToTheEnd(club: Meeting): Promise<void> {
  const { standIn } = world;
  await standIn.recorder.set({});
  await standIn.webhooks.settled();
  if (await claimOf(club)) {
    await inAMinute.cleanUp();
    await inThreeMinutes.cleanUp();
    await standIn.webhooks.settled();
    // What does not record claims nothing for longer than two cleanups, except for its upload.
    const claim = await claimOf(club);
    if (claim && claim.state !== 'stopping') expect(await recordersIn(club)).toBe(1);
    await OTHERS.stop(club);
  }
  await eventually(
    async () => {
      await standIn.webhooks.settled();
      await inThreeMinutes.cleanUp();
      const isOn = (await rowsOf(club)).some(({ state }) =>
        ['starting', 'active', 'stopping'].includes(String(state)),
      );
      return isOn || (await claimOf(club)) ? undefined : true;
    },
    'still on',
    REST_WITHIN_MS,
  );
  await inAQuarter.cleanUp();

  const rows = await rowsOf(club);
  expect(rows.filter((row) => 'activeShard' in row)).toEqual([]);
  const complete = rows.filter(({ state }) => state === 'completed');
  expect((await filesOf(club)).toSorted()).toEqual(
    complete
      .map(({ meetingId, recordingId }) =>
        keyOf({ ...club, meetingId: String(meetingId), recordingId: String(recordingId) }),
      )
      .toSorted(),
  );
  expect(await recordersIn(club)).toBe(0);
  await OTHERS.end(club);
}

/** How many recorders a room of the club has: that with the most of them. */
async function recordersIn({ clubId }: Meeting): Promise<number> {
  const rooms = await world.standIn.rooms();
  const counts = rooms
    .filter(({ name }) => name.startsWith(`reading-club-${clubId}-`))
    .map(({ participants }) => participants.filter(({ kind }) => kind === 'EGRESS').length);
  return Math.max(0, ...counts);
}

const CASES: [ActName, Other][] = [
  ['start', 'start'],
  ['start', 'end'],
  ['start', 'end and the next start'],
  ['start', 'cleanup, a minute later'],
  ['start', 'forget-user'],
  ['start', 'remove-club'],
  ['start without a recorder', 'end'],
  ['stop', 'start'],
  ['stop', 'end and the next start'],
  ['stop', 'remove-club'],
  ['end', 'start'],
  ['end', 'stop'],
  ['webhook of its end', 'cleanup, a minute later'],
  ['webhook of its end', 'end and the next start'],
  ['cleanup that finds a killed recorder', 'end and the next start'],
];

describe.each(CASES)('%s, and between any two steps: %s', (name, other) => {
  it('leaves one recording at most, and nothing half done', { timeout: 240_000 }, async () => {
    const act: Act = ACTS[name];
    const steps = await stepsOf(act);
    expect(steps.length).toBeGreaterThan(2);
    for (const [index, step] of steps.entries()) {
      const club = await act.begin();
      const process = await bootFor(
        act,
        before(index + 1, () => OTHERS[other](club)),
      );
      await act.act(club, process);
      expect(await recordersIn(club), step).toBeLessThanOrEqual(1);
      await cleanUpToTheEnd(club).catch((error) => {
        throw new Error(`before ${step} (${index + 1})`, { cause: error });
      });
      if (other === 'forget-user') {
        expect(JSON.stringify(await rowsOf(club)), step).not.toContain(club.moderator.userId);
      }
      if (other === 'remove-club') expect(await world.leftOf(club.clubId), step).toEqual([]);
    }
  });
});

describe('start, and between any two steps: stop', () => {
  it('is stopped by whichever comes last, without a cleanup', { timeout: 240_000 }, async () => {
    for (const index of (await stepsOf(ACTS.start)).keys()) {
      const club = await ACTS.start.begin();
      let status = 0;
      const fault = before(index + 1, async () => {
        ({ status } = await OTHERS.stop(club));
      });
      await ACTS.start.act(club, await bootFor(ACTS.start, fault));
      if (status < 300) {
        await eventually(async () => ((await claimOf(club)) ? undefined : true), 'still claimed');
      }
      await cleanUpToTheEnd(club);
    }
  });
});

describe.each(Object.keys(ACTS) as ActName[])('%s, killed after any step', (name) => {
  it('leaves what two cleanups put right', { timeout: 240_000 }, async () => {
    const act: Act = ACTS[name];
    for (const [index, step] of (await stepsOf(act)).entries()) {
      const club = await act.begin();
      await act.act(club, await bootFor(act, killedAfter(index + 1)));
      await cleanUpToTheEnd(club).catch((error) => {
        throw new Error(`after ${step} (${index + 1})`, { cause: error });
      });
    }
  });
});
