/**
 * Generated stories of meetings, played on a stand-in. LiveKit's events about them arrive in any order,
 * repeated and lost, one after another and at once.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { webhookPost } from '../harness/livekit-events.ts';
import { play, type Sent, type Step, sentOf, steps, truthOf } from '../harness/stories.ts';
import { worldOfFile } from '../harness/world.ts';

const world = await worldOfFile();
const service = await world.boot({ direct: true });
/** Its cleanup ends nothing: what it puts right is looked at. */
const patient = await world.boot({ direct: true, env: { CLEANUP_GRACE_SECONDS: '86400' } });
/** It cannot reach LiveKit. */
const cutOff = await world.boot({ refused: ['media'] });

/** The order of delivery: each number picks one of the events that are not delivered yet, or repeats one. */
const dice = fc.infiniteStream(fc.nat());
const way = fc.constantFrom<'one after another' | 'at once'>('one after another', 'at once');

type Dice = fc.Stream<number>;
const roll = (dice: Dice, sides: number): number => {
  const { value } = dice.next();
  return (value ?? 0) % sides;
};

/** Each one to three times, in any order. */
function shuffledCopies(sent: Sent[], dice: Dice): Sent[] {
  const copies = sent.flatMap((each) => Array<Sent>(1 + roll(dice, 3)).fill(each));
  return copies
    .map((each) => ({ each, order: roll(dice, 1_000_000) }))
    .sort((a, b) => a.order - b.order)
    .map(({ each }) => each);
}

async function send(order: Sent[], how: 'one after another' | 'at once', dice: Dice) {
  const post = async (each: Sent) => {
    const { status, body } = await service.post(webhookPost(each));
    expect({ status, body }, each.event).toMatchObject({ status: 200 });
  };
  if (how === 'one after another') for (const each of order) await post(each);
  else {
    for (let from = 0; from < order.length; ) {
      const size = 1 + roll(dice, 8);
      await Promise.all(order.slice(from, from + size).map(post));
      from += size;
    }
  }
}

/** Takes what the runs before left out of the way: each cleanup would look at it again. */
async function clearAway(): Promise<void> {
  for (const clubId of played.splice(0)) {
    await world.putRecord(clubId, { meeting: undefined, activeShard: undefined });
    for (const name of await world.roomsOf(clubId)) await world.standIn.finishRoom(name);
  }
  await world.standIn.webhooks.settled();
}

const played: string[] = [];

/** `formerOwner`: one of the people is no member any more, and not kept out either. */
async function meetingWith(story: Step[], { formerOwner = false } = {}) {
  await clearAway();
  const { meeting, ...club } = await world.createMeeting();
  played.push(club.clubId);
  const fourth = formerOwner ? club.outsider : club.nameless;
  const people = [club.owner, club.moderator, club.member, fourth];
  const sent = await play(world, meeting.roomName, people, story);
  return { club, meeting, sent };
}

async function attendanceRows(clubId: string, meetingId: string) {
  const rows = await world.sessionsOf(clubId, meetingId);
  return rows.map(({ participantSid: sid, userId, joinedAt, leftAt }) => ({
    sid,
    userId,
    joinedAt,
    leftAt,
  }));
}

const bySid = <T extends { sid: string }>(rows: T[]): T[] =>
  rows.toSorted((a, b) => a.sid.localeCompare(b.sid));

describe('However a meeting’s events are ordered and repeated,', () => {
  it('record, presence and attendance of a meeting that is on are those of the story', async () => {
    await fc.assert(
      fc.asyncProperty(steps, dice, way, async (story, dice, how) => {
        const { club, meeting, sent } = await meetingWith(story, { formerOwner: true });
        const truth = truthOf(sent);
        await send(shuffledCopies(sent, dice), how, dice);

        const record = await world.recordOf(club.clubId);
        expect({
          meetingId: record.meeting?.meetingId,
          isVacant: record.meeting?.vacantSince !== undefined,
          room: record.presence && {
            sid: record.presence.roomSid,
            isFinished: record.presence.isFinished,
          },
          isComplete: record.presence?.isComplete,
          presentSids: [...(record.presentSids ?? [])].sort(),
        }).toEqual({
          meetingId: meeting.meetingId,
          isVacant: truth.room !== undefined && !truth.wasEntered,
          room: truth.room,
          isComplete: truth.room && true,
          presentSids: truth.presentSids.toSorted(),
        });
        const rows = await attendanceRows(club.clubId, meeting.meetingId);
        expect(bySid(rows)).toEqual(bySid(truth.stays));
      }),
      { numRuns: 18 },
    );
  }, 60_000);

  it('a meeting that a moderator ended stays ended, its room gone, the next one untouched', async () => {
    await fc.assert(
      fc.asyncProperty(steps, dice, way, fc.boolean(), async (story, dice, how, next) => {
        const { club, meeting, sent } = await meetingWith(story);
        const before = sent.filter(() => roll(dice, 2) === 0);
        await send(shuffledCopies(before, dice), how, dice);

        const after: Sent[] = [];
        await world.takeWebhooks((post) => after.push(sentOf(post)));
        const { body: ended } = await service.call('end', club.owner, club);
        expect(ended.success).toBe(true);
        await world.standIn.webhooks.settled();
        const all = [...sent, ...after];
        if (next) await service.call('start', club.owner, club);
        const decided = await world.recordOf(club.clubId);

        const late = all.filter((each) => !before.includes(each) || roll(dice, 3) === 0);
        await send(shuffledCopies(late, dice), how, dice);

        expect(await world.recordOf(club.clubId)).toEqual(decided);
        expect(await world.roomsOf(club.clubId)).toEqual(next ? [decided.meeting?.roomName] : []);
        const { stays } = truthOf(all);
        const rows = await attendanceRows(club.clubId, meeting.meetingId);
        expect(bySid(rows)).toEqual(bySid(stays));
        const { body: history } = await service.call('meeting', club.member, {
          clubId: club.clubId,
          meetingId: meeting.meetingId,
        });
        expect(history.attendance.map(({ userId }) => userId).sort()).toEqual(
          [...new Set(stays.map(({ userId }) => userId))].sort(),
        );
      }),
      { numRuns: 10 },
    );
  }, 60_000);
});

describe('Whatever is lost,', () => {
  it('the next cleanup puts record and presence right, and attendance misses at most that', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        dice,
        way,
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        async (story, dice, how, keep, inBetween) => {
          const { club, meeting, sent } = await meetingWith(story, { formerOwner: true });
          const delivered = sent.filter(() => roll(dice, 5) < keep);
          await Promise.all([
            send(shuffledCopies(delivered, dice), how, dice),
            inBetween ? patient.cleanUp() : undefined,
          ]);
          await patient.cleanUp();

          const [room] = await world.standInRoomsOf(club.clubId);
          const people = room?.participants.filter(({ kind }) => kind === 'STANDARD') ?? [];
          const {
            meeting: on,
            presence,
            presentSids = new Set(),
          } = await world.recordOf(club.clubId);
          expect(on?.meetingId).toBe(meeting.meetingId);
          expect(on?.vacantSince !== undefined, 'vacant').toBe(people.length === 0);
          if (presence) {
            expect(presence.isComplete).toBe(true);
            expect(presence.isFinished).toBe(room === undefined);
            if (room) expect(presence.roomSid).toBe(room.sid);
            expect(presentSids.size).toBe(people.length);
          } else {
            expect(presentSids.size).toBe(0);
          }

          const heard = new Set(delivered.map(({ participantSid }) => participantSid));
          const left = new Set(
            delivered
              .filter(({ event }) => event === 'participant_left')
              .map(({ participantSid }) => participantSid),
          );
          const rows = await attendanceRows(club.clubId, meeting.meetingId);
          const { stays } = truthOf(sent);
          for (const stay of stays) {
            const row = rows.find(({ sid }) => sid === stay.sid);
            if (heard.has(stay.sid)) expect(row, 'a session with a delivered event').toBeDefined();
            if (left.has(stay.sid)) expect(row).toEqual(stay);
            if (row) expect(row).toMatchObject({ userId: stay.userId, joinedAt: stay.joinedAt });
          }
          const known = new Set(stays.map(({ sid }) => sid));
          expect(
            rows.filter(({ sid }) => !known.has(sid)),
            'sessions without a person',
          ).toEqual([]);
        },
      ),
      { numRuns: 18 },
    );
  }, 60_000);

  it('a meeting that was ended stays so, and its room is gone after the next cleanup', async () => {
    await fc.assert(
      fc.asyncProperty(steps, dice, way, async (story, dice, how) => {
        const { club, meeting, sent } = await meetingWith(story);
        const { body: ended } = await cutOff.call('end', club.owner, club);
        expect(ended.success).toBe(false);
        const delivered = sent.filter(() => roll(dice, 2) === 0);
        await send(shuffledCopies(delivered, dice), how, dice);
        const decided = await world.recordOf(club.clubId);
        await patient.cleanUp();
        expect(await world.recordOf(club.clubId)).toEqual(decided);
        expect(decided.lastMeeting?.meetingId).toBe(meeting.meetingId);
        expect(await world.roomsOf(club.clubId)).toEqual([]);
      }),
      { numRuns: 6 },
    );
  }, 60_000);
});
