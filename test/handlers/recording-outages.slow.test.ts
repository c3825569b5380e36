/** A table, a LiveKit or a bucket that fails during a recording, and other requests meanwhile. */
import { describe, expect, it } from 'vitest';
import { answer, cut, edit, justBefore, loseAnswer, on, once } from '../harness/faults.ts';
import { keyOf, MINUTE_MS, stageRecordings } from '../harness/recordings.ts';
import type { TestClub } from '../harness/world.ts';

const stage = await stageRecordings();
const { world, service, clubWithMeeting, record, stop, list, claimOf, rowsOf, filesOf } = stage;
const { recorderIn, sendEgressEvent, isActive, isOver, recording, recorded, later } = stage;

/** Forgets another user, so that the club that the request has read is out of date. */
const forgetsAnotherUser = (club: TestClub) => () =>
  service.manage({
    command: 'forget-user',
    clubId: club.clubId,
    userId: club.other.userId,
  });

describe('A start', () => {
  it('whose room LiveKit does not make records nothing, and lifts its claim', async () => {
    const club = await clubWithMeeting();
    const process = await world.boot({ faults: [on('CreateRoom', cut)] });
    expect(await record(club, process)).toMatchObject({
      status: 503,
      body: { code: 'MEDIA_UNAVAILABLE' },
    });
    expect(process.wire.operations()).not.toContain('StartRoomCompositeEgress');
    expect(await claimOf(club)).toBeUndefined();
    expect(await list(club)).toMatchObject([{ state: 'failed' }]);
  });

  it('whose room goes before the recorder is asked is 503, and may be repeated', async () => {
    const club = await clubWithMeeting();
    const { roomName } = club.ann;
    const goes = justBefore('StartRoomCompositeEgress', () => world.media.deleteRoom(roomName));
    const process = await world.boot({ faults: [goes] });
    expect(await record(club, process)).toMatchObject({
      status: 503,
      body: { code: 'RECORDING_UNAVAILABLE' },
    });
    expect((await record(club)).status).toBe(200);
    await isActive(club);
    await stop(club);
    expect((await isOver(club)).map(({ state }) => state)).toEqual(['failed', 'completed']);
  });

  it('whose claim’s answer is lost knows its own claim', async () => {
    const club = await clubWithMeeting();
    const process = await world.boot({ faults: [once('UpdateItem', loseAnswer)] });
    expect((await record(club, process)).status).toBe(200);
    await isActive(club);
    expect(await rowsOf(club)).toHaveLength(1);
    await stop(club);
    await isOver(club);
  });

  it('decides anew when a user was forgotten meanwhile', async () => {
    const club = await clubWithMeeting();
    const process = await world.boot({
      faults: [justBefore('UpdateItem', forgetsAnotherUser(club))],
    });
    expect((await record(club, process)).status).toBe(200);
    await isActive(club);
    await stop(club);
    await isOver(club);
  });

  it('by a moderator who was barred between read and claim is refused, and claims nothing', async () => {
    const club = await clubWithMeeting();
    const { clubId, moderator, owner } = club;
    const bars = justBefore('UpdateItem', () =>
      service.call('remove', owner, { clubId, userId: moderator.userId }),
    );
    const process = await world.boot({ faults: [bars] });
    expect(await record(club, process)).toMatchObject({
      status: 403,
      body: { code: 'REMOVED_FROM_MEETING' },
    });
    expect(await claimOf(club)).toBeUndefined();
    expect(await rowsOf(club)).toEqual([]);
  });

  it('of a club that keeps being changed is 503, and claims nothing', async () => {
    const club = await clubWithMeeting();
    const change = forgetsAnotherUser(club);
    const process = await world.boot({
      faults: [1, 2, 3].map((nth) => justBefore('UpdateItem', change, nth)),
    });
    expect(await record(club, process)).toMatchObject({
      status: 503,
      body: { code: 'STORE_UNAVAILABLE' },
    });
    expect(await claimOf(club)).toBeUndefined();
  });

  it('that LiveKit answers with a recording that has failed already is 202, and ends', async () => {
    const club = await clubWithMeeting();
    const failed = edit((egress) => ({ ...egress, status: 'EGRESS_FAILED' }));
    const process = await world.boot({ faults: [on('StartRoomCompositeEgress', failed)] });
    expect(await record(club, process)).toMatchObject({
      status: 202,
      body: { state: 'starting' },
    });
    await isActive(club);
    await stop(club);
    await isOver(club);
  });

  it('that dies between claim and row claims the meeting for two minutes', async () => {
    const club = await clubWithMeeting();
    const process = await world.boot({ faults: [on('PutItem', cut)] });
    expect((await record(club, process)).status).toBe(503);
    expect(await rowsOf(club)).toEqual([]);
    await (await later(MINUTE_MS)).cleanUp();
    expect((await claimOf(club))?.state).toBe('starting');
    await (await later(2 * MINUTE_MS)).cleanUp();
    expect(await claimOf(club)).toBeUndefined();
  });
});

describe('A stop', () => {
  it('that LiveKit does not answer is 202, and the cleanup completes it', async () => {
    const club = await recording();
    const process = await world.boot({ faults: [on('StopEgress', cut)] });
    expect(await stop(club, process)).toMatchObject({ status: 202, body: { state: 'stopping' } });
    expect((await claimOf(club))?.state).toBe('stopping');
    const { body } = await service.call('status', club.member, club);
    expect(body.recording).toMatchObject({ state: 'stopping' });
    await service.cleanUp();
    expect(await isOver(club)).toMatchObject([{ state: 'completed' }]);
  });

  it('of a start that LiveKit did not answer is done once LiveKit reports the recording', async () => {
    const club = await clubWithMeeting();
    const isReported = Promise.withResolvers<void>();
    await world.sendWebhooksTo({
      async post(event) {
        await isReported.promise;
        return service.post(event);
      },
    });
    const process = await world.boot({
      faults: [once('StartRoomCompositeEgress', loseAnswer)],
    });
    expect((await record(club, process)).status).toBe(202);
    expect((await stop(club)).status).toBe(202);
    await recorderIn(club);
    isReported.resolve();
    expect(await isOver(club)).toMatchObject([{ state: 'completed' }]);
  });

  it('of a start that is on its way is 202, and the start stops it', async () => {
    const club = await clubWithMeeting();
    const answers: unknown[] = [];
    const stops = justBefore('StartRoomCompositeEgress', async () =>
      answers.push(await stop(club)),
    );
    const process = await world.boot({ faults: [stops] });
    expect(await record(club, process)).toMatchObject({
      status: 200,
      body: { state: 'stopping' },
    });
    expect(answers).toMatchObject([{ status: 202, body: { state: 'stopping' } }]);
    await isOver(club);
  });

  it('that names the recording before stops none of the one that is on', async () => {
    const club = await recorded();
    const { clubId, recordingId } = club;
    const { body } = await record(club);
    await isActive(club);
    expect(
      await service.call('recordingStop', club.moderator, { clubId, body: { recordingId } }),
    ).toMatchObject({ status: 200, body: { recordingId, state: 'completed' } });
    expect(await claimOf(club)).toMatchObject({ recordingId: body.recordingId, state: 'active' });
    await stop(club);
    await isOver(club);
  });

  it('whose table does not answer is 503, and may be repeated', async () => {
    const club = await recording();
    const process = await world.boot({ faults: [on('UpdateItem', cut)] });
    expect(await stop(club, process)).toMatchObject({
      status: 503,
      body: { code: 'STORE_UNAVAILABLE' },
    });
    expect((await claimOf(club))?.state).toBe('active');
    expect((await stop(club)).status).toBe(200);
    await isOver(club);
  });
});

describe('A cleanup', () => {
  it('asks for the room’s recordings before it takes one for gone', async () => {
    const club = await recording();
    const lacks = edit(() => ({ items: [] }));
    const process = await world.boot({ faults: [once('ListEgress', lacks)] });
    await process.cleanUp();
    expect((await claimOf(club))?.state).toBe('active');
    await stop(club);
    expect(await isOver(club)).toMatchObject([{ state: 'completed' }]);
  });

  it.each([
    ['DynamoDB', 'BatchGetItem'],
    ['LiveKit’s list of participants', 'ListParticipants'],
    ['LiveKit’s list of recordings', 'ListEgress'],
  ])('decides nothing while %s does not answer', async (_, operation) => {
    const club = await recording();
    await world.standIn.recorder.kill();
    await service.cleanUp();
    const faults = [on(operation, cut)];
    await expect((await later(MINUTE_MS, { faults })).cleanUp()).rejects.toThrow();
    expect((await claimOf(club))?.state).toBe('active');
    expect((await list(club))[0]?.state).toBe('active');
    await (await later(MINUTE_MS)).cleanUp();
    expect(await list(club)).toMatchObject([{ state: 'lost' }]);
  });

  it('that dies between the row and the claim leaves the claim to the next', async () => {
    const club = await recording();
    await world.sendWebhooksTo(undefined);
    await world.standIn.recorder.end('crashed');
    // The row is closed, and then the claim is to be lifted.
    const dies = on('UpdateItem', (request, pass) =>
      String(request.body).includes('"REMOVE recording"') ? cut(request, pass) : pass(),
    );
    const process = await world.boot({ faults: [dies] });
    await expect(process.cleanUp()).rejects.toThrow();
    expect((await list(club))[0]?.state).toBe('failed');
    expect(await claimOf(club)).toBeDefined();
    await service.cleanUp();
    expect(await claimOf(club)).toBeUndefined();
  });
});

describe('A file', () => {
  it('that S3 does not delete stays listed, and the deletion may be repeated', async () => {
    const club = await recorded();
    const refuses = on('DeleteObject', answer(403, '<Error><Code>AccessDenied</Code></Error>'));
    const process = await world.boot({ faults: [refuses] });
    const { outcome } = await process.call('recordingDelete', club.moderator, club);
    expect(outcome).toBe('503 RECORDING_UNAVAILABLE');
    expect(await list(club)).toHaveLength(1);
    expect((await service.call('recordingDelete', club.moderator, club)).status).toBe(200);
    expect(await filesOf(club)).toEqual([]);
  });

  it('stays deleted when LiveKit reports its end later', async () => {
    const club = await recorded();
    await service.call('recordingDelete', club.moderator, club);
    expect(await sendEgressEvent(club, 'COMPLETE')).toMatchObject({ body: { result: 'ignored' } });
    expect(await list(club)).toEqual([]);
  });

  it('is kept by the clock of the record, when the recorder’s is wrong', async () => {
    const club = await recording();
    const { requestedAt = '' } = (await claimOf(club)) ?? {};
    const nanoseconds = (at: string) => `${Date.parse(at)}000000`;
    await world.standIn.recorder.set({ failsUploads: true });
    await sendEgressEvent(club, 'FAILED', { endedAt: nanoseconds('2001-01-01T00:00:00.000Z') });
    expect(await list(club)).toMatchObject([{ state: 'failed', endedAt: requestedAt }]);
    const next = await clubWithMeeting();
    const { body } = await record(next);
    await isActive(next);
    await sendEgressEvent({ ...next, recordingId: body.recordingId }, 'FAILED', {
      endedAt: nanoseconds('2099-01-01T00:00:00.000Z'),
    });
    const [row] = await list(next);
    expect(Date.parse(row?.endedAt ?? '')).toBeLessThanOrEqual(Date.now());
    for (const each of [club, next]) await service.call('end', each.owner, each);
  });
});

describe('The list of recordings', () => {
  it('is empty for a meeting without a recording, while it is active and after it', async () => {
    const club = await clubWithMeeting();
    expect(await list(club)).toEqual([]);
    await service.call('end', club.moderator, club);
    expect(await list(club)).toEqual([]);
  });
});

describe('Consent', () => {
  const consents = ({ clubId }: TestClub) => world.itemsOf(clubId, 'CONSENT#');
  const consent = (club: TestClub, by = service) => by.call('recordingConsent', club.other, club);

  it('stays until the last recording of its meeting is deleted', async () => {
    const club = await recorded({ recordingConsent: 'required' });
    await record(club);
    await isActive(club);
    await stop(club);
    await isOver(club);
    await service.call('end', club.moderator, club);
    await service.call('recordingDelete', club.moderator, club);
    expect(await consents(club)).toHaveLength(1);
  });

  it.each([
    ['the person is forgotten', 'forget-user'],
    ['the club is removed', 'remove-club'],
  ] as const)('that is put while %s is not kept', async (_, command) => {
    const club = await clubWithMeeting({ recordingConsent: 'required' });
    const { clubId, other } = club;
    const meanwhile = justBefore('PutItem', () =>
      service.manage({
        command,
        clubId,
        ...(command === 'forget-user' && { userId: other.userId }),
      }),
    );
    await consent(club, await world.boot({ faults: [meanwhile] }));
    expect((await consents(club)).map(({ userId }) => userId)).not.toContain(other.userId);
  });

  it('is refused to a member who was removed from the meeting, and without a meeting', async () => {
    const club = await clubWithMeeting();
    const { clubId, owner, other } = club;
    await service.call('remove', owner, { clubId, userId: other.userId });
    expect(await consent(club)).toMatchObject({ body: { code: 'REMOVED_FROM_MEETING' } });
    await service.call('end', owner, club);
    expect(await consent(club)).toMatchObject({ body: { code: 'MEETING_NOT_ACTIVE' } });
  });
});

describe('Twenty starts at once, and as many stops and an end', () => {
  it('leave one recording, and its file', async () => {
    const club = await clubWithMeeting();
    const starts = Array.from({ length: 20 }, () => record(club));
    const others = [
      ...Array.from({ length: 10 }, () => stop(club)),
      service.call('end', club.owner, club),
    ];
    for (const { status } of await Promise.all(starts)) expect([200, 202, 409]).toContain(status);
    await Promise.all(others);
    await world.standIn.webhooks.settled();
    await (await later(3 * MINUTE_MS)).cleanUp();
    await isOver(club);
    const complete = (await list(club)).filter(({ state }) => state === 'completed');
    expect(await filesOf(club)).toEqual(
      complete.map(({ recordingId }) => keyOf({ ...club, recordingId })),
    );
  });
});
