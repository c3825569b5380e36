/** The routes of recordings: the cost of each, the callers that it refuses, its parameters, and its log line. */
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { answer, cut, on } from '../harness/faults.ts';
import type { Process } from '../harness/process.ts';
import { type Recorded, stageRecordings } from '../harness/recordings.ts';
import type { CallOptions, Route } from '../harness/routes.ts';

const stage = await stageRecordings();
const { world, service, clubWithMeeting, recording, recorded, record, stop, isActive } = stage;
const { isOver, rowsOf, list, filesOf } = stage;

const ROUTES = [
  'recordingStart',
  'recordingStop',
  'recordingConsent',
  'recordings',
  'recordingDownload',
  'recordingDelete',
] as const satisfies Route[];

/** Without the key set of a cold start, and what the recorder uploads meanwhile. */
const asked = ({ wire }: Process): string[] =>
  wire.operations().filter((name) => name !== 'GetKeys' && name !== 'PutObject');

describe('What it costs', () => {
  /** What a warm process asks for one call. */
  async function costOf(route: Route, club: CallOptions & { moderator: Recorded['moderator'] }) {
    const process = await world.boot();
    await process.call('status', club.moderator, { clubId: 'no-such-club' });
    process.wire.forget();
    const { status } = await process.call(route, club.moderator, club);
    return { status, asked: asked(process) };
  }

  it('to start: claim, row, a look, the room, the recorder, and two notes', async () => {
    const club = await clubWithMeeting();
    expect(await costOf('recordingStart', club)).toEqual({
      status: 200,
      asked: [
        'BatchGetItem',
        'UpdateItem',
        'PutItem',
        'GetItem',
        'CreateRoom',
        // The room is younger than ten seconds.
        'GetItem',
        'StartRoomCompositeEgress',
        'UpdateItem',
        'UpdateItem',
        'GetItem',
      ],
    });
    await isActive(club);
    expect(await costOf('recordingStart', club)).toEqual({ status: 200, asked: ['BatchGetItem'] });
    expect(await costOf('recordingStop', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'UpdateItem', 'StopEgress', 'UpdateItem'],
    });
    await isOver(club);
  });

  it('to agree, list, play and delete', async () => {
    const club = await recorded();
    expect(await costOf('recordingConsent', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'PutItem', 'BatchGetItem'],
    });
    expect(await costOf('recordings', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'Query'],
    });
    expect(await costOf('recordingDownload', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'GetItem'],
    });
    expect(await costOf('recordingDelete', club)).toEqual({
      status: 200,
      asked: ['BatchGetItem', 'GetItem', 'DeleteObject', 'UpdateItem'],
    });
  });

  it('to delete the last one of a meeting that is over: the consents as well', async () => {
    const club = await recorded({ recordingConsent: 'required' });
    await service.call('end', club.moderator, club);
    expect(await costOf('recordingDelete', club)).toEqual({
      status: 200,
      asked: [
        'BatchGetItem',
        'GetItem',
        'DeleteObject',
        'UpdateItem',
        'Query',
        'Query',
        'BatchWriteItem',
      ],
    });
  });
});

describe('A user of another club', () => {
  const MEMBERS_ONLY = ['recordingConsent', 'recordings', 'recordingDownload'];
  let on: Recorded;
  let over: Recorded;
  let home: Recorded;
  beforeAll(async () => {
    [on, over, home] = [await recording(), await recorded(), await recorded()];
  });

  describe.each(['owner', 'moderator', 'member'] as const)('as its %s', (role) => {
    it.each(ROUTES)('is refused %s, and changes nothing', async (route) => {
      for (const club of [on, over]) {
        const before = await rowsOf(club);
        const process = await world.boot();
        expect(await process.call(route, home[role], club)).toMatchObject({
          status: 403,
          body: { code: MEMBERS_ONLY.includes(route) ? 'NOT_A_MEMBER' : 'NOT_A_MODERATOR' },
        });
        expect(asked(process)).toEqual(['BatchGetItem']);
        expect(await rowsOf(club)).toEqual(before);
      }
    });
  });

  it('reaches no recording by its ids from home', async () => {
    const { clubId, owner } = home;
    const { meetingId, recordingId } = over;
    const foreign = { clubId, meetingId, recordingId };
    const { outcome } = await service.call('recordings', owner, foreign);
    expect(outcome).toBe('404 MEETING_NOT_FOUND');
    for (const route of ['recordingDownload', 'recordingDelete'] as const) {
      expect((await service.call(route, owner, foreign)).outcome).toBe('404 RECORDING_NOT_FOUND');
    }
    expect(
      await service.call('recordingStop', owner, { clubId, body: { recordingId } }),
    ).toMatchObject({ status: 404, body: { code: 'RECORDING_NOT_FOUND' } });
    expect(await list(over)).toMatchObject([{ recordingId, state: 'completed' }]);
    expect(await filesOf(over)).toHaveLength(1);
  });

  it('of the same id that was removed before reaches none of its recordings', async () => {
    const club = await recorded();
    const { clubId, owner, moderator } = club;
    await service.manage({ command: 'remove-club', clubId });
    await service.manage({
      command: 'put-club',
      clubId,
      name: 'The next one',
      moderatorId: owner.userId,
    });
    expect(await service.call('recordings', owner, club)).toMatchObject({ status: 404 });
    for (const route of ['recordingDownload', 'recordingDelete'] as const) {
      expect(await service.call(route, owner, club)).toMatchObject({ status: 404 });
    }
    expect(await service.call('recordings', moderator, club)).toMatchObject({ status: 403 });
  });
});

describe('What does not fit is refused, and nothing is written', () => {
  let club: Recorded;
  beforeAll(async () => {
    club = await recorded();
  });
  const ULID = 'must be the id of a';

  it.each<[Route, string, object, string]>([
    ['recordingStart', 'a text for audioOnly', { body: { audioOnly: 'yes' } }, 'audioOnly must be'],
    ['recordingStart', 'an unknown field', { body: { layout: 'grid' } }, 'layout is not known'],
    ['recordingStart', 'a list', { body: [] }, 'body must be a JSON object'],
    ['recordingStop', 'an id that is none', { body: { recordingId: 'x' } }, `recordingId ${ULID}`],
    ['recordingStop', 'an unknown field', { body: { meetingId: 'x' } }, 'meetingId is not known'],
    ['recordings', 'a meeting that is none', { meetingId: 'x#y' }, `meetingId ${ULID}`],
    ['recordingDownload', 'a recording that is none', { recordingId: '..' }, `recordingId ${ULID}`],
    ['recordingDelete', 'a recording that is none', { recordingId: 'a/b' }, `recordingId ${ULID}`],
    ['recordingDelete', 'a club that is none', { clubId: '../x' }, 'clubId must be'],
  ])('%s with %s', async (route, _, change, sentence) => {
    const before = await rowsOf(club);
    const process = await world.boot();
    const { status, body } = await process.call(route, club.moderator, { ...club, ...change });
    expect({ status, code: body.code, error: body.error }).toEqual({
      status: 400,
      code: 'INVALID_REQUEST',
      error: expect.stringContaining(sentence),
    });
    expect(asked(process)).toEqual([]);
    expect(await rowsOf(club)).toEqual(before);
  });
});

describe('The log of a process', () => {
  it('has the ids of recordings, and no name, no token, no address and no secret', async () => {
    const process = await world.boot({
      env: { RECORDING_UPLOAD_SECRET: world.s3.secretAccessKey },
    });
    world.sendWebhooksTo(process);
    const club = await clubWithMeeting({ recordingConsent: 'required' });
    const { body } = await record(club, process);
    const { recordingId } = body;
    await isActive(club);
    await process.call('recordingConsent', club.other, club);
    await stop(club, process);
    await isOver(club);
    const { body: file } = await process.call('recordingDownload', club.moderator, {
      ...club,
      recordingId,
    });
    // And whatever fails.
    process.wire.set(on('DeleteObject', answer(403, '<Error>the signed request</Error>')));
    await process.call('recordingDelete', club.moderator, { ...club, recordingId });
    process.wire.heal();
    process.wire.set(on('StartRoomCompositeEgress', cut));
    await record(club, process);
    process.wire.heal();
    await service.call('end', club.moderator, club);

    const text = inspect(process.lines, { depth: 12, maxStringLength: null });
    expect(text).toContain(recordingId);
    expect(text).toContain('recording closed');
    expect(text).toContain('it is not known whether it records');
    for (const secret of [file.url, 'X-Amz-', 'the signed request', 'The readers of']) {
      expect(text).not.toContain(secret);
    }
    expect(text, 'a token').not.toMatch(/eyJ[\w-]{8,}/);
    expect(text).not.toContain(world.livekit.apiSecret);
  });
});
