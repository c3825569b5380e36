/** Many requests at once: one conditional write decides, and every answer states its outcome. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing, LIVEKITS, startWorld, type World } from '../harness/world.ts';

const AT_ONCE = 20;
/** So many requests are under way at any moment while starts and ends are interleaved. */
const LANES = 10;
const REQUESTS = 100;

describe.each(LIVEKITS)('On the %s', (kind) => {
  describe.skipIf(isMissing(kind))('with many moderators at once:', () => {
    let world: World;
    beforeAll(async () => {
      world = await startWorld({ kind });
    });
    afterAll(() => world?.close());

    it('twenty starts make one meeting and one room, and one of them set it', async () => {
      const club = await world.createClub();
      const answers = await Promise.all(
        twenty((index) => world.call('start', index % 2 ? club.owner : club.moderator, club)),
      );
      expect(answers.map(({ status }) => status)).toEqual(twenty(() => 200));
      const { meeting } = await world.recordOf(club.clubId);
      for (const { body } of answers) {
        expect(body).toMatchObject({
          meetingId: meeting?.meetingId,
          roomName: meeting?.roomName,
          startedAt: meeting?.startedAt,
        });
      }
      expect(answers.filter(({ body }) => !body.alreadyActive)).toHaveLength(1);
      expect(await world.roomsOf(club.clubId)).toEqual([meeting?.roomName]);
    });

    it('twenty starts from processes of their own do the same', async () => {
      const club = await world.createClub();
      const processes = await Promise.all(twenty(() => world.boot()));
      const answers = await Promise.all(
        processes.map(({ call }) => call('start', club.moderator, club)),
      );
      expect(new Set(answers.map(({ body }) => body.meetingId)).size).toBe(1);
      expect(answers.filter(({ body }) => !body.alreadyActive)).toHaveLength(1);
      await world.expectAgreement(club.clubId);
    });

    it('twenty ends are one end, with one time and one duration', async () => {
      const { meeting, ...club } = await world.startMeeting();
      const answers = await Promise.all(
        twenty((index) => world.call('end', index % 2 ? club.owner : club.moderator, club)),
      );
      expect(answers.map(({ status }) => status)).toEqual(twenty(() => 200));
      const [answered] = answers.map(({ body }) => body);
      expect(answered).toMatchObject({ success: true, meetingId: meeting.meetingId });
      for (const { body } of answers) expect(body).toEqual(answered);
      expect((await world.recordOf(club.clubId)).lastMeeting).toMatchObject({
        meetingId: answered?.meetingId,
        endedAt: answered?.endedAt,
        durationSeconds: answered?.duration,
      });
      expect(await world.roomsOf(club.clubId)).toEqual([]);
    });

    it('a hundred starts and ends interleaved leave a record, rooms and a history that agree', async () => {
      const club = await world.createClub();
      const started = new Map<string, string>();
      const ended = new Map<string, unknown>();
      let next = 0;
      const lane = async () => {
        while (next < REQUESTS) {
          const index = next++;
          const who = index % 2 ? club.owner : club.moderator;
          if (index % 3 !== 0) {
            const { status, body } = await world.call('start', who, club);
            expect([200, 409], body.error).toContain(status);
            if (status === 200) started.set(body.meetingId, body.roomName);
          } else {
            const { status, body } = await world.call('end', who, club);
            expect([200, 409], body.error).toContain(status);
            if (status !== 200) continue;
            const { success: _, ...facts } = body;
            expect(ended.get(facts.meetingId) ?? facts).toEqual(facts);
            ended.set(facts.meetingId, facts);
          }
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));

      await world.expectAgreement(club.clubId);
      expect(new Set(started.values()).size, 'one room name per meeting').toBe(started.size);
      const history = await world.historyOf(club.clubId);
      expect(history.length, 'they did race').toBeGreaterThan(3);
      for (const { meetingId, roomName, endedAt, durationSeconds } of history) {
        const answered = ended.get(meetingId);
        expect(answered).toEqual({ meetingId, roomName, endedAt, duration: durationSeconds });
      }
      expect(history).toHaveLength(ended.size);
    });

    it('a repeated end that names the meeting before does not end the one that is on', async () => {
      const club = await world.createClub();
      const first = await world.call('start', club.moderator, club);
      const { meetingId } = first.body;
      const ended = await world.call('end', club.moderator, { ...club, body: { meetingId } });
      const second = await world.call('start', club.moderator, club);

      const late = await Promise.all(
        twenty(() => world.call('end', club.owner, { ...club, body: { meetingId } })),
      );
      for (const { status, body } of late) {
        expect({ status, body }).toEqual({ status: 200, body: ended.body });
      }
      const { meeting } = await world.recordOf(club.clubId);
      expect(meeting?.meetingId).toBe(second.body.meetingId);
      await world.expectAgreement(club.clubId);
    });

    it('a repeated end finds the meeting before the last in the history', async () => {
      const club = await world.createClub();
      const answered = [];
      for (let round = 0; round < 3; round++) {
        await world.call('start', club.moderator, club);
        answered.push((await world.call('end', club.moderator, club)).body);
      }
      for (const facts of answered) {
        const { meetingId } = facts;
        const again = await world.call('end', club.owner, { ...club, body: { meetingId } });
        expect(again.body).toEqual(facts);
      }
      await world.expectAgreement(club.clubId);
    });
  });
});

const twenty = <T>(each: (index: number) => T): T[] =>
  Array.from({ length: AT_ONCE }, (_, index) => each(index));
