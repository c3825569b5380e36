/** Recording, on the stand-in: who may, what is answered, what is kept, who gets it. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { cut, executed, late, loseAnswer, lost, on, unavailable } from '../harness/faults.ts';
import { DAY_MS, type Meeting, MINUTE_MS, stageRecordings } from '../harness/recordings.ts';
import type { Fault } from '../harness/wire.ts';
import type { TestClub } from '../harness/world.ts';

const stage = await stageRecordings();
const { world, service, clubWithMeeting, record, stop, list, claimOf, rowsOf, filesOf } = stage;
const { hasFiles, isActive, isOver, recorderIn, recording, recorded, later } = stage;

describe('A recording', () => {
  it('starts, is shown in every status, stops, and leaves a file', async () => {
    const club = await clubWithMeeting();
    const started = await record(club);
    expect(started).toMatchObject({
      status: 200,
      body: { success: true, recordingId: expect.any(String), state: expect.any(String) },
    });
    const { recordingId } = started.body;
    const { activeSince } = await isActive(club);
    const status = await service.call('status', club.member, club);
    expect(status.body.recording).toEqual({ recordingId, state: 'active', startedAt: activeSince });
    const token = await service.call('token', club.other, club);
    expect(token.body.recording).toEqual({ recordingId, state: 'active', startedAt: activeSince });

    expect(await stop(club)).toMatchObject({
      status: 200,
      body: { success: true, recordingId, state: 'stopping' },
    });
    const [recording] = await isOver(club);
    expect(recording).toMatchObject({
      recordingId,
      state: 'completed',
      audioOnly: true,
      requestedBy: club.moderator.userId,
      bytes: expect.any(Number),
      durationSeconds: expect.any(Number),
    });
    const keptDays =
      (Date.parse(recording?.expiresAt ?? '') - Date.parse(recording?.endedAt ?? '')) / DAY_MS;
    expect(keptDays).toBeCloseTo(30, 4);
    expect(await filesOf(club)).toEqual([
      `recordings/${club.clubId}/${club.meetingId}/${recordingId}.ogg`,
    ]);
    const after = await service.call('status', club.member, club);
    expect(after.body.recording).toBeNull();
    // Nothing is left for the cleanup.
    expect((await rowsOf(club)).map((row) => row['activeShard'])).toEqual([undefined]);
  });

  it('is one, however many are asked for at once', async () => {
    const club = await clubWithMeeting();
    service.wire.forget();
    const answers = await Promise.all(Array.from({ length: 20 }, () => record(club)));
    expect(new Set(answers.map(({ body }) => body.recordingId)).size).toBe(1);
    expect(answers.map(({ status }) => status).filter((status) => status > 202)).toEqual([]);
    const starts = service.wire
      .operations()
      .filter((operation) => operation === 'StartRoomCompositeEgress');
    expect(starts).toHaveLength(1);
    expect(await rowsOf(club)).toHaveLength(1);
    await isActive(club);
    // Once it is known, another start answers with it.
    expect(await record(club)).toMatchObject({
      status: 200,
      body: { recordingId: answers[0]?.body.recordingId, state: 'active' },
    });
    await stop(club);
    await isOver(club);
  });

  it('ends with its meeting, complete', async () => {
    const club = await recording();
    await service.call('end', club.moderator, club);
    expect(await isOver(club)).toMatchObject([{ state: 'completed' }]);
    expect(await filesOf(club)).toHaveLength(1);
    const { body } = await service.call('meetings', club.member, club);
    expect(body.meetings).toMatchObject([{ meetingId: club.meetingId, recordingCount: 1 }]);
  });

  it('is not lost when LiveKit reports its end after the next meeting began', async () => {
    const club = await recording();
    const ends = late('egress_ended', lost);
    const heal = world.wire.set(ends.fault);
    await service.call('end', club.moderator, club);
    await hasFiles(club, 1);
    await world.standIn.webhooks.settled();
    heal();
    await service.call('start', club.moderator, club);
    const next = await service.call('recordingStart', club.moderator, club);
    expect(next.status).toBe(200);
    expect(await ends.arrive()).toHaveLength(1);
    expect(await list(club)).toMatchObject([{ state: 'completed' }]);
    // The claim is the next meeting's.
    expect((await claimOf(club))?.recordingId).toBe(next.body.recordingId);
    await stop(club);
    await eventually(async () => ((await claimOf(club)) ? undefined : true), 'still claimed');
  });

  it('stops before its recorder came', async () => {
    const club = await clubWithMeeting();
    await world.standIn.recorder.set({ startMs: 300 });
    const { body } = await record(club);
    expect((await stop(club)).body).toMatchObject({ recordingId: body.recordingId });
    expect(await isOver(club)).toMatchObject([{ state: 'aborted', bytes: null }]);
    expect(await filesOf(club)).toEqual([]);
  });

  it('answers a repeated stop that names it, and none that does not', async () => {
    const club = await recorded();
    const { clubId, recordingId } = club;
    expect(
      await service.call('recordingStop', club.moderator, { clubId, body: { recordingId } }),
    ).toMatchObject({ status: 200, body: { recordingId, state: 'completed' } });
    expect(await stop(club)).toMatchObject({
      status: 409,
      body: { code: 'RECORDING_NOT_ACTIVE' },
    });
    const other = { recordingId: '01ARZ3NDEKTSV4RRFFQ69G5FAW' };
    expect(
      await service.call('recordingStop', club.moderator, { clubId, body: other }),
    ).toMatchObject({ status: 404, body: { code: 'RECORDING_NOT_FOUND' } });
  });
});

describe('Without a recorder', () => {
  const startsWith = (fault: Fault) =>
    world.boot({ faults: [on('StartRoomCompositeEgress', fault)] });

  it('503 is answered, and the meeting can be recorded again at once', async () => {
    const club = await clubWithMeeting();
    await world.standIn.recorder.set({ isAvailable: false });
    expect(await record(club)).toMatchObject({
      status: 503,
      body: { code: 'RECORDING_UNAVAILABLE' },
    });
    expect(await claimOf(club)).toBeUndefined();
    expect(await list(club)).toMatchObject([{ state: 'failed', bytes: null }]);
    await world.standIn.recorder.set({});
    expect((await record(club)).status).toBe(200);
    await stop(club);
    await isOver(club);
  });

  it('202 is answered where LiveKit says nothing, and the recorder that came is adopted', async () => {
    const club = await clubWithMeeting();
    expect(await record(club, await startsWith(loseAnswer))).toMatchObject({
      status: 202,
      body: { state: 'starting' },
    });
    expect(await isActive(club)).toMatchObject({ egressId: expect.any(String) });
    await stop(club);
    expect(await isOver(club)).toMatchObject([{ state: 'completed' }]);
  });

  it('202 is answered where LiveKit says nothing, and the claim goes when no recorder came', async () => {
    const club = await clubWithMeeting();
    expect((await record(club, await startsWith(cut))).status).toBe(202);
    await service.cleanUp();
    expect((await claimOf(club))?.state).toBe('starting');
    await (await later(2 * MINUTE_MS)).cleanUp();
    expect(await claimOf(club)).toBeUndefined();
    expect(await list(club)).toMatchObject([{ state: 'failed' }]);
  });

  it('a recorder that LiveKit gave up and that comes alive is stopped, and its file is known', async () => {
    const club = await clubWithMeeting();
    await world.sendWebhooksTo(undefined);
    expect((await record(club, await startsWith(executed(unavailable)))).status).toBe(503);
    expect(await claimOf(club)).toBeUndefined();
    await recorderIn(club);
    await service.cleanUp();
    await world.sendWebhooksTo(service);
    await hasFiles(club, 1);
    await service.cleanUp();
    expect(await list(club)).toMatchObject([{ state: 'completed' }]);
  });
});

describe('A recorder that was killed', () => {
  it('is lost within two cleanups, and the meeting can be recorded again', async () => {
    const club = await recording();
    await world.standIn.recorder.kill();
    await service.cleanUp();
    expect((await claimOf(club))?.state).toBe('active');
    await (await later(MINUTE_MS)).cleanUp();
    expect(await claimOf(club)).toBeUndefined();
    expect(await list(club)).toMatchObject([{ state: 'lost', bytes: null }]);
    expect((await record(club)).status).toBe(200);
    await isActive(club);
    await stop(club);
    expect((await isOver(club)).map(({ state }) => state)).toEqual(['lost', 'completed']);
  });

  it('is lost, too, after the end of its meeting', async () => {
    const club = await recording();
    await world.standIn.recorder.kill();
    await service.call('end', club.moderator, club);
    await service.cleanUp();
    expect(await list(club)).toMatchObject([{ state: 'lost' }]);
  });
});

describe('LiveKit that forgot what it records', () => {
  it('is asked to stop it, and the file is known', async () => {
    const club = await recording();
    await world.standIn.recorder.forget();
    await service.cleanUp();
    expect(await isOver(club)).toMatchObject([{ state: 'completed' }]);
  });
});

describe('A bucket that takes nothing', () => {
  it('leaves a failed recording', async () => {
    const club = await clubWithMeeting();
    await world.standIn.recorder.set({ failsUploads: true });
    await record(club);
    await isActive(club);
    await stop(club);
    expect(await isOver(club)).toMatchObject([{ state: 'failed', bytes: null }]);
  });
});

describe('Where LiveKit’s events are lost', () => {
  it('the cleanup follows the recording', async () => {
    const club = await clubWithMeeting();
    await world.sendWebhooksTo(undefined);
    await record(club);
    await recorderIn(club);
    await service.cleanUp();
    expect((await claimOf(club))?.state).toBe('active');
    await stop(club);
    await hasFiles(club, 1);
    await service.cleanUp();
    await world.sendWebhooksTo(service);
    expect(await claimOf(club)).toBeUndefined();
    expect(await list(club)).toMatchObject([{ state: 'completed', bytes: expect.any(Number) }]);
  });

  it('nothing is decided while LiveKit does not answer', async () => {
    const club = await recording();
    const broken = await later(MINUTE_MS, { faults: [on('ListEgress', unavailable)] });
    await expect(broken.cleanUp()).rejects.toThrow();
    expect((await claimOf(club))?.state).toBe('active');
    await stop(club);
    await isOver(club);
  });
});

describe('A LiveKit that does not say what it records', () => {
  it('keeps nothing else from being cleaned up', async () => {
    const club = await recording();
    const over = await clubWithMeeting();
    const keepsRooms = await world.boot({ faults: [on('DeleteRoom', unavailable)] });
    await keepsRooms.call('end', over.moderator, over);
    expect(await world.roomsOf(over.clubId)).toHaveLength(1);
    const listsNothing = await world.boot({ faults: [on('ListEgress', unavailable)] });
    await expect(listsNothing.cleanUp()).rejects.toThrow();
    expect(await world.roomsOf(over.clubId)).toEqual([]);
    await stop(club);
    await isOver(club);
  });
});

describe('A room that everybody left', () => {
  it('is not recorded any longer than two runs after a minute', async () => {
    const club = await recording();
    const { roomName, sid } = club.ann;
    await world.standIn.leave(roomName, sid);
    await world.standIn.webhooks.settled();
    await service.cleanUp();
    expect((await claimOf(club))?.state).toBe('active');
    const report = await (await later(MINUTE_MS)).cleanUp();
    expect(report).toMatchObject({ stoppedVacant: 1, endedVacant: 0 });
    expect(await isOver(club)).toMatchObject([{ state: 'completed' }]);
    expect((await world.meetingOf(club.clubId))?.meetingId).toBe(club.meetingId);
  });
});

describe('The file', () => {
  const address = (club: Meeting & { recordingId: string }, who = club.moderator, by = service) =>
    by.call('recordingDownload', who, club);

  it('is for moderators by default, by an address with a good name', async () => {
    const club = await recorded();
    const { status, body } = await address(club);
    expect(status).toBe(200);
    const response = await fetch(body.url, { headers: { range: 'bytes=0-2' } });
    expect(response.status).toBe(206);
    expect(await response.text()).toBe('The');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="The readers of club-\w+ \d{4}-\d\d-\d\d \d\d\.\d\d\.ogg"/,
    );
    expect(
      await fetch(body.url.replace(/X-Amz-Signature=\w{4}/, 'X-Amz-Signature=0000')),
    ).toMatchObject({
      status: 403,
    });
    for (const who of [club.member, club.outsider]) {
      expect((await address(club, who)).status).toBe(403);
    }
    const away = await recorded();
    expect(await address(club, away.owner)).toMatchObject({
      status: 403,
      body: { code: 'NOT_A_MEMBER' },
    });
    // A moderator elsewhere gets nothing by naming it there, either.
    const { clubId, owner } = away;
    const { meetingId, recordingId } = club;
    expect(
      await service.call('recordingDownload', owner, { clubId, meetingId, recordingId }),
    ).toMatchObject({ status: 404, body: { code: 'RECORDING_NOT_FOUND' } });
  });

  it('is for members where the club says so', async () => {
    const club = await recorded({ recordingAccess: 'members' });
    expect((await address(club, club.member)).status).toBe(200);
    expect((await address(club, club.outsider)).status).toBe(403);
  });

  it('is not available during the recording, or where there is none', async () => {
    const club = await clubWithMeeting();
    const { body } = await record(club);
    await isActive(club);
    const { recordingId } = body;
    const on = { ...club, recordingId };
    expect(await address(on)).toMatchObject({
      status: 409,
      body: { code: 'RECORDING_NOT_FINISHED' },
    });
    const { outcome } = await service.call('recordingDelete', club.moderator, on);
    expect(outcome).toBe('409 RECORDING_NOT_FINISHED');
    await world.standIn.recorder.set({ failsUploads: true });
    await stop(club);
    await isOver(club);
    expect(await address(on)).toMatchObject({ status: 404, body: { code: 'RECORDING_NOT_FOUND' } });
  });

  it('is neither listed nor served once it expired, although it is there', async () => {
    const club = await recorded();
    const { recordingId } = club;
    const before = await later(30 * DAY_MS - 2 * MINUTE_MS);
    expect(await list(club, before)).toMatchObject([{ recordingId }]);
    const after = await later(30 * DAY_MS + MINUTE_MS);
    expect(await list(club, after)).toEqual([]);
    expect(await address(club, club.moderator, after)).toMatchObject({ status: 404 });
    expect(await filesOf(club)).toHaveLength(1);
    expect(await rowsOf(club)).toHaveLength(1);
  });

  it('is deleted for good by moderators, and again', async () => {
    const club = await recorded();
    expect((await service.call('recordingDelete', club.member, club)).status).toBe(403);
    for (const _ of ['once', 'again']) {
      expect(await service.call('recordingDelete', club.moderator, club)).toMatchObject({
        status: 200,
        body: { success: true },
      });
    }
    expect(await filesOf(club)).toEqual([]);
    expect(await list(club)).toEqual([]);
    expect((await address(club)).status).toBe(404);
    const unknown = { ...club, recordingId: '01ARZ3NDEKTSV4RRFFQ69G5FAW' };
    expect((await service.call('recordingDelete', club.moderator, unknown)).status).toBe(404);
  });
});

describe('Consent, where the club requires it', () => {
  const consents = ({ clubId }: TestClub) => world.itemsOf(clubId, 'CONSENT#');
  const token = (club: Meeting, who = club.other, body: object = {}) =>
    service.call('token', who, {
      clubId: club.clubId,
      body: { readingClubId: club.clubId, ...body },
    });

  it('is needed to join while a recording is on, and is kept', async () => {
    const club = await clubWithMeeting({ recordingConsent: 'required' });
    expect((await token(club)).status).toBe(200);
    await record(club);
    expect(await token(club)).toMatchObject({ status: 409, body: { code: 'CONSENT_REQUIRED' } });
    expect((await token(club, club.other, { consent: true })).status).toBe(200);
    expect((await token(club)).status).toBe(200);
    expect((await consents(club)).map(({ userId }) => userId)).toContain(club.other.userId);
    await isActive(club);
    await stop(club);
    await isOver(club);
  });

  it('is asked of every participant', async () => {
    const club = await clubWithMeeting({ recordingConsent: 'required' });
    await token(club);
    const mustConsent = async () =>
      (await service.call('status', club.other, club)).body.mustConsent;
    expect(await mustConsent()).toBe(false);
    await record(club);
    expect(await mustConsent()).toBe(true);
    expect(await service.call('recordingConsent', club.other, club)).toMatchObject({
      status: 200,
      body: { success: true, meetingId: club.meetingId },
    });
    expect(await mustConsent()).toBe(false);
    await isActive(club);
    await stop(club);
    await isOver(club);
  });

  it('goes with the last recording of a meeting', async () => {
    const club = await recorded({ recordingConsent: 'required' });
    await service.call('end', club.moderator, club);
    expect(await consents(club)).toHaveLength(1);
    await service.call('recordingDelete', club.moderator, club);
    expect(await consents(club)).toEqual([]);
  });

  it('is not needed elsewhere', async () => {
    const club = await clubWithMeeting();
    await record(club);
    expect((await token(club)).status).toBe(200);
    expect((await service.call('status', club.other, club)).body.mustConsent).toBe(false);
    await isActive(club);
    await stop(club);
    await isOver(club);
  });
});

describe('The commands of the application', () => {
  it('forget who asked for a recording and who agreed to it', async () => {
    const club = await recorded({ recordingConsent: 'required' });
    const { clubId } = club;
    for (const { userId } of [club.moderator, club.member]) {
      await service.manage({ command: 'forget-user', clubId, userId });
    }
    const everything = JSON.stringify(await world.itemsOf(clubId, 'RECORDING#'));
    expect(everything).not.toContain(club.moderator.userId);
    expect(await world.itemsOf(clubId, 'CONSENT#')).toEqual([]);
    expect(await service.call('recordings', club.other, club)).toMatchObject({
      body: { recordings: [{ requestedBy: null, state: 'completed' }] },
    });
  });

  it('leave nothing of a removed club, also of the recording that is on', async () => {
    const club = await recorded();
    await record(club);
    await isActive(club);
    const { clubId } = club;
    await service.manage({ command: 'remove-club', clubId });
    await hasFiles(club, 2);
    await world.standIn.webhooks.settled();
    await service.cleanUp();
    expect(await filesOf(club)).toEqual([]);
    expect(await world.itemsOf(clubId, 'RECORDING#')).toEqual([]);
    expect(await world.itemsOf(clubId, 'CONSENT#')).toEqual([]);
  });

  it('set a club’s recording rules, and leave those that they do not name', async () => {
    const club = await world.createClub();
    const { clubId, owner } = club;
    const put = (settings: object) =>
      service.manage({
        command: 'put-club',
        clubId,
        name: 'The readers',
        moderatorId: owner.userId,
        ...settings,
      });
    expect(await service.show(clubId)).toMatchObject({
      recordingConsent: 'notice',
      recordingAccess: 'moderators',
    });
    await put({ recordingConsent: 'required', recordingAccess: 'members' });
    await put({});
    expect(await service.show(clubId)).toMatchObject({
      recordingConsent: 'required',
      recordingAccess: 'members',
      recording: null,
    });
    expect(await put({ recordingConsent: 'maybe' })).toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

describe('A caller who is no moderator', () => {
  it.each(['member', 'outsider'] as const)('(%s) neither starts nor stops', async (role) => {
    const club = await clubWithMeeting();
    for (const route of ['recordingStart', 'recordingStop'] as const) {
      expect((await service.call(route, club[role], club)).outcome).toBe('403 NOT_A_MODERATOR');
    }
    expect(await rowsOf(club)).toEqual([]);
  });

  it('sees the list as a member, and not from outside', async () => {
    const club = await recorded();
    expect((await service.call('recordings', club.member, club)).status).toBe(200);
    expect((await service.call('recordings', club.outsider, club)).status).toBe(403);
    expect((await service.call('recordingConsent', club.outsider, club)).status).toBe(403);
    const unknown = { ...club, meetingId: '01ARZ3NDEKTSV4RRFFQ69G5FAV' };
    const { outcome } = await service.call('recordings', club.member, unknown);
    expect(outcome).toBe('404 MEETING_NOT_FOUND');
  });

  it('a moderator who was removed from the meeting does not record it', async () => {
    const club = await clubWithMeeting();
    const { clubId, moderator, owner } = club;
    await service.call('remove', owner, { clubId, userId: moderator.userId });
    expect(await record(club)).toMatchObject({
      status: 403,
      body: { code: 'REMOVED_FROM_MEETING' },
    });
  });

  it('without a meeting nothing is recorded', async () => {
    const club = await world.createClub();
    for (const route of ['recordingStart', 'recordingStop', 'recordingConsent'] as const) {
      const { outcome } = await service.call(route, club.moderator, club);
      expect(outcome).toBe('409 MEETING_NOT_ACTIVE');
    }
  });
});
