/** LiveKit, the database or the key set fails: what is answered, how soon, and what is left. */
import { describe, expect, it, vi } from 'vitest';
import { FUNCTION_TIMEOUT_MS } from '../harness/context.ts';
import {
  answer,
  breakOff,
  cut,
  internalError,
  lateAnswer,
  on,
  once,
  silence,
  throttling,
  times,
  tooMany,
  twirp,
  unavailable,
  unnamedError,
  unprocessed,
} from '../harness/faults.ts';
import { type BootOptions, later, type Process } from '../harness/process.ts';
import type { Answer, Route } from '../harness/routes.ts';
import type { Fault } from '../harness/wire.ts';
import { type TestClub, worldOfFile } from '../harness/world.ts';

/** Each dependency has 3 s: this is that, and what a busy machine may add. Below the function's 12. */
const SOON_MS = 10_000;

/** Those that every client calls. */
const ROUTES = ['token', 'start', 'end', 'status'] as const;

vi.setConfig({ testTimeout: 60_000 });
const PAGE = '<html><body>Something in between has a bad day</body></html>';

const world = await worldOfFile();

/** A club for each route: one that can be started, and those for the others with a meeting on. */
async function clubFor(route: Route): Promise<TestClub> {
  const club = await world.createClub();
  if (route !== 'start') await world.call('start', club.moderator, club);
  return club;
}

/** A process in this trouble, when each room is in doubt. */
const troubled = (options: BootOptions) => world.boot({ ...later(31_000), ...options });

/** Side by side: for troubles that are a matter of waiting. What goes wrong says on which route. */
async function onEveryRouteAtOnce(check: (route: Route) => Promise<void>): Promise<void> {
  await Promise.all(ROUTES.map((route) => check(route).catch(blame(route))));
}

async function onEveryRoute(check: (route: Route) => Promise<void>): Promise<void> {
  for (const route of ROUTES) await check(route).catch(blame(route));
}

const blame = (route: Route) => (cause: unknown) => {
  throw new Error(`${route}: ${cause}`, { cause });
};

async function heal({ wire }: Process, { refused = [] }: BootOptions): Promise<void> {
  wire.heal();
  await Promise.all(refused.map(wire.accept));
}

function expectUnavailable({ status, headers, body, elapsedMs }: Answer<Route>, code: string) {
  expect({ status, body }).toEqual({
    status: 503,
    body: { error: expect.any(String), code, requestId: expect.any(String) },
  });
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect(elapsedMs).toBeLessThan(SOON_MS);
}

// ---- LiveKit

const onMedia = (fault: Fault): BootOptions => ({ faults: [on({ side: 'media' }, fault)] });

const mediaTroubles: [string, BootOptions][] = [
  ['is down', { refused: ['media'] }],
  ['drops every connection', onMedia(cut)],
  ['does not answer within its time', onMedia(silence)],
  ['does what it is asked and answers too late', onMedia(lateAnswer)],
  ['refuses the key', { env: { LIVEKIT_API_SECRET: 'a-secret-that-was-replaced-a-while-ago' } }],
  ['is overloaded', onMedia(unavailable)],
  ['has too many calls', onMedia(tooMany)],
  ['fails', onMedia(twirp(500, 'internal'))],
  ['is behind something that answers 502 in HTML', onMedia(answer(502, PAGE))],
  ['is behind something that answers 200 in HTML', onMedia(answer(200, PAGE))],
  ['is behind something that knows no such page', onMedia(answer(404, PAGE))],
  ['breaks off its answers', onMedia(breakOff())],
];

describe.concurrent.each(mediaTroubles)('When LiveKit %s,', (_, trouble) => {
  it('a start claims the meeting and says so with 503; the next start makes its room', async () => {
    const club = await clubFor('start');
    const service = await troubled(trouble);
    expectUnavailable(await service.call('start', club.moderator, club), 'MEDIA_UNAVAILABLE');
    const { meeting } = await world.recordOf(club.clubId);
    expect(meeting).toBeDefined();

    await heal(service, trouble);
    const healed = trouble.env ? world : service;
    const { status, body } = await healed.call('start', club.moderator, club);
    expect({ status, meetingId: body.meetingId, alreadyActive: body.alreadyActive }).toEqual({
      status: 200,
      meetingId: meeting?.meetingId,
      alreadyActive: true,
    });
    await world.expectAgreement(club.clubId);
  });

  it('an end is decided and says that the room is not gone; the next end deletes it', async () => {
    const club = await clubFor('end');
    const service = await troubled(trouble);
    const first = await service.call('end', club.moderator, club);
    expect(first).toMatchObject({ status: 200, body: { success: false } });
    expect(first.elapsedMs).toBeLessThan(SOON_MS);
    const { meeting, lastMeeting } = await world.recordOf(club.clubId);
    expect(meeting).toBeUndefined();
    expect(lastMeeting?.endedAt).toBe(first.body.endedAt);

    await heal(service, trouble);
    const healed = trouble.env ? world : service;
    const second = await healed.call('end', club.moderator, club);
    expect(second).toMatchObject({ status: 200, body: { ...first.body, success: true } });
    await world.expectAgreement(club.clubId);
  });

  it.each(['token', 'status'] as const)('a %s is 503, and the meeting goes on', async (route) => {
    const club = await clubFor(route);
    const before = await world.recordOf(club.clubId);
    const service = await troubled(trouble);
    const { clubId } = club;
    expectUnavailable(await service.call(route, club.member, { clubId }), 'MEDIA_UNAVAILABLE');
    // But for the note of a check of the room, which a token takes back.
    const { roomEnsuredAt: _, ...meeting } = before.meeting ?? {};
    expect(await world.recordOf(clubId)).toEqual(
      route === 'token' ? { ...before, meeting } : before,
    );

    await heal(service, trouble);
    const healed = trouble.env ? world : service;
    const { status, body } = await healed.call(route, club.member, { clubId });
    expect({ status, roomName: body.roomName }).toEqual({
      status: 200,
      roomName: before.meeting?.roomName,
    });
    await world.expectAgreement(clubId);
  });

  it('a status while no meeting is on is answered as ever', async () => {
    const club = await world.createClub();
    const service = await troubled(trouble);
    const { status, body } = await service.call('status', club.member, club);
    expect({ status, state: body.state }).toEqual({ status: 200, state: 'idle' });
  });
});

describe.concurrent('When LiveKit closed a connection that was idle,', () => {
  it('every route retries on another one, and succeeds', async () => {
    await onEveryRoute(async (route) => {
      const club = await clubFor(route);
      const service = await troubled(onMedia(times(1, cut)));
      const { clubId } = club;
      const { status, body } = await service.call(route, club.moderator, { clubId });
      expect(status).toBe(200);
      if (route === 'end') expect(body).toMatchObject({ success: true });
      await world.expectAgreement(clubId);
    });
  });
});

// ---- DynamoDB

const onStore = (fault: Fault): BootOptions => ({ faults: [on({ side: 'store' }, fault)] });

/** Retries as a client does after a 503: with many at once on a busy machine, one retry may not suffice. */
async function callUntilItWorks(service: Process, route: Route, club: TestClub): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const { status } = await service.call(route, club.moderator, { clubId: club.clubId });
    if (status !== 503 || attempt === 5) return status;
  }
}

const isClub = (sk: string) => sk === 'CLUB';
const isMember = (sk: string) => sk.startsWith('MEMBER#');
const forAWhile = (count: number, fault: Fault): BootOptions => ({ faults: [times(count, fault)] });

const storeTroubles: [string, BootOptions][] = [
  ['is down', { refused: ['store'] }],
  ['drops every connection', onStore(cut)],
  ['does not answer within its time', onStore(silence)],
  ['is throttling', onStore(throttling)],
  ['fails', onStore(internalError)],
  ['fails without a name for it', onStore(unnamedError)],
  ['is behind something that answers 503 in HTML', onStore(answer(503, PAGE))],
  ['is behind something that answers 200 in HTML', onStore(answer(200, PAGE))],
  ['breaks off its answers', onStore(breakOff())],
  ['leaves every key unprocessed', { faults: [unprocessed()] }],
  ['leaves the club unprocessed', { faults: [unprocessed(isClub)] }],
  ['leaves the member unprocessed', { faults: [unprocessed(isMember)] }],
];

describe.concurrent.each(storeTroubles)('When the database %s for good,', (_, trouble) => {
  it('every route is 503 and nothing has changed; the same calls work later', async () => {
    await onEveryRouteAtOnce(async (route) => {
      const club = await clubFor(route);
      const { clubId } = club;
      const before = [await world.recordOf(clubId), await world.roomsOf(clubId)];
      const service = await troubled(trouble);
      const refused = await service.call(route, club.moderator, { clubId });
      expectUnavailable(refused, 'STORE_UNAVAILABLE');
      expect([await world.recordOf(clubId), await world.roomsOf(clubId)]).toEqual(before);

      await heal(service, trouble);
      expect(await callUntilItWorks(service, route, club)).toBe(200);
      await world.expectAgreement(clubId);
    });
  });
});

/** Made anew for each process: these count. */
const passingTroubles: [string, () => BootOptions][] = [
  ['drops two connections', () => onStore(times(2, cut))],
  ['leaves one request unanswered', () => onStore(times(1, silence))],
  ['throttles twice', () => onStore(times(2, throttling))],
  ['fails twice', () => onStore(times(2, internalError))],
  ['leaves every key unprocessed four times', () => forAWhile(4, unprocessed())],
  ['leaves the club unprocessed once', () => forAWhile(1, unprocessed(isClub))],
  ['leaves the member unprocessed once', () => forAWhile(1, unprocessed(isMember))],
];

describe.concurrent.each(passingTroubles)('When the database %s and recovers,', (_, trouble) => {
  it('every route works, only later', async () => {
    await onEveryRoute(async (route) => {
      const club = await clubFor(route);
      const service = await troubled(trouble());
      const { clubId } = club;
      const { status, elapsedMs } = await service.call(route, club.moderator, { clubId });
      expect(status).toBe(200);
      expect(elapsedMs).toBeLessThan(SOON_MS);
      await world.expectAgreement(clubId);
    });
  });
});

/** All such requests but the first. */
function afterFirst(operation: string, fault: Fault): Fault {
  let count = 0;
  return on(operation, (request, pass) => {
    count += 1;
    return count > 1 ? fault(request, pass) : pass();
  });
}

describe.concurrent('When the database fails in the middle,', () => {
  it.each<[string, Route, BootOptions, 'idle' | 'on']>([
    ['before the claim of', 'start', { faults: [on('UpdateItem', silence)] }, 'idle'],
    ['after the claim of', 'start', { faults: [on('UpdateItem', lateAnswer)] }, 'on'],
    ['at the history row of', 'start', { faults: [on('PutItem', cut)] }, 'on'],
    ['at the note of', 'start', { faults: [afterFirst('UpdateItem', cut)] }, 'on'],
    ['at the history row of', 'end', { faults: [on('PutItem', cut)] }, 'on'],
    ['before the decision of', 'end', { faults: [on('UpdateItem', silence)] }, 'on'],
    ['after the decision of', 'end', { faults: [on('UpdateItem', lateAnswer)] }, 'idle'],
    ['at the check of the room of', 'token', { faults: [on('UpdateItem', cut)] }, 'on'],
    ['at the second look of', 'token', { ...later(3_000), faults: [on('GetItem', cut)] }, 'on'],
  ])(
    '%s a %s, the record says what is so, and the same call completes it',
    async (_, route, trouble, state) => {
      const club = await world.createClub();
      const { clubId } = club;
      await world.call('start', club.moderator, club);
      await world.call('end', club.moderator, club);
      if (route !== 'start') {
        // A start that breaks off before it has put the history row, so that an end has to.
        const { call } = await world.boot({ faults: [on('PutItem', cut)] });
        const { body } = await call('start', club.owner, club);
        expect(body.code).toBe('STORE_UNAVAILABLE');
        for (const name of await world.roomsOf(clubId)) await world.media.deleteRoom(name);
      }
      const body = route === 'token' ? { readingClubId: clubId, roomMissing: true } : undefined;

      const service = await troubled(trouble);
      const refused = await service.call(route, club.owner, { clubId, body });
      expectUnavailable(refused, 'STORE_UNAVAILABLE');
      const record = await world.recordOf(clubId);
      expect(record.meeting ? 'on' : 'idle').toBe(state);

      await heal(service, trouble);
      const { status } = await service.call(route, club.owner, { clubId, body });
      expect(status).toBe(200);
      await world.expectAgreement(clubId);
      if (route !== 'end') return;
      const [last, ...rows] = await world.historyOf(clubId);
      expect(rows).toHaveLength(1);
      if (state === 'idle') expect(last).toEqual(record.lastMeeting);
    },
  );
});

// ---- the key set

const identityTroubles: [string, BootOptions][] = [
  ['cannot be reached', { refused: ['identity'] }],
  ['does not answer', { faults: [on({ side: 'identity' }, silence)] }],
  ['is answered 500', { faults: [on({ side: 'identity' }, answer(500, PAGE))] }],
  ['is answered in HTML', { faults: [on({ side: 'identity' }, answer(200, PAGE))] }],
];

describe.concurrent.each(identityTroubles)(
  'When the key set %s at the cold start,',
  (_, trouble) => {
    it('every route is 503 without a read or a call to LiveKit; the same calls work later', async () => {
      const club = await world.createClub();
      const { clubId } = club;
      const service = await world.boot({ ...trouble, isCold: true });
      for (const route of ROUTES) {
        const refused = await service.call(route, club.moderator, { clubId });
        expectUnavailable(refused, 'IDENTITY_UNAVAILABLE');
      }
      expect(new Set([...service.wire.operations(), 'GetKeys'])).toEqual(new Set(['GetKeys']));

      await heal(service, trouble);
      for (const route of ['start', 'token', 'status', 'end'] as const) {
        const { status } = await service.call(route, club.moderator, { clubId });
        expect(status, route).toBe(200);
      }
    });

    it('what no key set is needed to refuse is still 401', async () => {
      const service = await world.boot({ ...trouble, isCold: true });
      const { status } = await service.call('status', 'Bearer not.a.token');
      expect(status).toBe(401);
    });
  },
);

describe.concurrent('When the key set cannot be reached any more,', () => {
  it('a token of a known key still verifies', async () => {
    const club = await world.createClub();
    const service = await world.boot();
    await service.call('status', club.member, club);
    await service.wire.refuse('identity');
    expect((await service.call('status', club.member, club)).status).toBe(200);
  });
});

// ---- the function's own time

describe.concurrent('When the function’s own time runs out,', () => {
  const REMAINING_MS = 1200;
  const overruns: [Route, string, BootOptions][] = [
    ['start', 'in the database', onStore(silence)],
    ['start', 'in LiveKit', onMedia(silence)],
    ['end', 'in LiveKit', onMedia(silence)],
    ['token', 'in LiveKit', onMedia(lateAnswer)],
    ['status', 'in LiveKit', onMedia(silence)],
  ];

  it.each(overruns)(
    'a %s that hangs %s is 503 before it does; the same call works later',
    async (route, _, trouble) => {
      const club = await clubFor(route);
      const { clubId } = club;
      const service = await troubled(trouble);
      const options = { clubId, remainingMs: REMAINING_MS };
      const cutShort = await service.call(route, club.moderator, options);
      expectUnavailable(cutShort, 'TIMED_OUT');
      expect(cutShort.elapsedMs).toBeLessThan(REMAINING_MS);

      await heal(service, trouble);
      const { status } = await service.call(route, club.moderator, { clubId });
      expect(status).toBe(200);
      await world.expectAgreement(clubId);
    },
  );

  it('at the cold start, the answer comes before the timeout', async () => {
    const club = await world.createClub();
    const trouble = { faults: [on({ side: 'identity' } as const, silence)] };
    const { call } = await world.boot({ ...trouble, isCold: true });
    const cutShort = await call('status', club.member, { ...club, remainingMs: REMAINING_MS });
    expectUnavailable(cutShort, 'TIMED_OUT');
  });

  it('with everything as slow as it may be, a start still ends within it', async () => {
    const club = await world.createClub();
    const slow = (operation: string) => on(operation, times(2, silence));
    const service = await troubled({
      faults: [slow('BatchGetItem'), slow('UpdateItem'), slow('GetItem'), once('CreateRoom', cut)],
    });
    const { status, elapsedMs } = await service.call('start', club.moderator, club);
    expect([200, 503]).toContain(status);
    expect(elapsedMs).toBeLessThan(FUNCTION_TIMEOUT_MS);
    expect((await world.call('start', club.moderator, club)).status).toBe(200);
    await world.expectAgreement(club.clubId);
  });
});
