import { MeetingNotActive } from '../../errors.ts';
import type { Room } from '../media.ts';
import type { Club, Meeting } from '../model.ts';
import type { ClubRecord } from '../ports.ts';
import type { RecordingRef } from '../recording/model.ts';
import { attempt } from './attempt.ts';
import { Postponed, withCallBudget } from './call-budget.ts';
import { endByCleanup } from './end.ts';
import { removeBarred, repairPresence } from './presence.ts';
import { reconcileRecordings } from './recordings.ts';
import { repeatRemovals } from './removals.ts';
import { deleteStaleRooms } from './stale-rooms.ts';
import { type CleanupDeps, CleanupIncomplete, type CleanupReport, type Run } from './types.ts';
import { endIfVacant } from './vacancy.ts';

/**
 * What one meeting may need: a list of its participants for its barred people, making sure of its room,
 * another list, and the room's deletion. Removals of barred people come on top, and stay done.
 */
const CALLS_OF_A_MEETING = 4;

/** One LiveKit call in so many is kept for zombies, so that clubs which need all do not starve them. */
const STALE_ROOM_SHARE = 5;

/**
 * Makes record and rooms agree: ends the meetings that everybody left or that
 * last too long, deletes rooms of meetings that are over, and puts presence right.
 *
 * Fails closed: what LiveKit or the table does not answer is never taken for "empty" or "gone".
 * Everything is decided by conditional writes, so two runs at once do no harm. Clubs come in another
 * order each time, so what one run postpones does not starve.
 *
 * @param hasTime whether there is time to begin with more clubs, of which a batch goes side by side
 * @throws CleanupIncomplete at the end when anything failed; whatever listing clubs or rooms throws
 */
export async function cleanUp(deps: CleanupDeps, hasTime: () => boolean): Promise<CleanupReport> {
  const report: CleanupReport = {
    active: 0,
    vacant: 0,
    endedVacant: 0,
    endedMaxDuration: 0,
    zombiesDeleted: 0,
    repaired: 0,
    recordings: 0,
    stoppedVacant: 0,
    postponed: 0,
    failed: 0,
  };
  const calls = { left: deps.cleanup.maxLiveKitCalls };
  const reserve = Math.floor(calls.left / STALE_ROOM_SHARE);
  const run = { ...deps, ...withCallBudget(deps, calls, reserve), report };
  const staleRoomRun = { ...deps, ...withCallBudget(deps, calls, 0), report };
  const callsLeft = () => calls.left - reserve;
  try {
    await cleanUpAll(run, staleRoomRun, { hasTime, callsLeft });
  } catch (error) {
    if (!(error instanceof Postponed)) throw error;
  } finally {
    deps.log.info('cleanup', { ...report });
    deps.meter.run('cleanup', { ...report });
  }
  if (report.failed > 0) {
    throw new CleanupIncomplete(`${report.failed} could not be put right: see the log`);
  }
  return report;
}

/** What is left of the run's time, and of its calls for meetings. */
interface Budget {
  hasTime: () => boolean;
  callsLeft: () => number;
}

async function cleanUpAll(
  run: Run,
  staleRoomRun: Run,
  { hasTime, callsLeft }: Budget,
): Promise<void> {
  // LiveKit, which may not answer, is not needed for this.
  await repeatRemovals(run, hasTime);
  const clubIds = shuffled(await run.clubs.listActiveClubIds());
  const listed = await run.media.listRooms().catch((error) => {
    if (error instanceof Postponed) run.report.postponed += clubIds.length;
    throw error;
  });
  const rooms = new Map(listed.map((room) => [room.name, room]));

  const current = new Set<string>();
  const claimed: RecordingRef[] = [];
  for await (const records of run.clubs.getClubs(clubIds)) {
    const attend = ({ clubId, club, error }: ClubRecord) =>
      attempt(run, { clubId }, async () => {
        if (error) throw error;
        const { meeting, recording } = club;
        if (!meeting) return; // ended since the index said otherwise
        run.report.active += 1;
        current.add(meeting.roomName);
        if (recording) {
          const { recordingId } = recording;
          claimed.push({ clubId, meetingId: meeting.meetingId, recordingId });
        }
        await attempt(run, { clubId, meetingId: meeting.meetingId }, () =>
          reconcileMeeting(run, club, meeting, rooms.get(meeting.roomName)),
        );
      });
    for (let rest = records; rest.length > 0; ) {
      if (!hasTime()) {
        run.report.postponed += clubIds.length - run.report.active;
        return;
      }
      const count = sideBySide(callsLeft()) || rest.length;
      await Promise.all(rest.slice(0, count).map(attend));
      rest = rest.slice(count);
    }
  }
  await attempt(run, {}, () => reconcileRecordings(run, claimed, hasTime));
  await deleteStaleRooms(
    staleRoomRun,
    [...rooms.keys()].filter((name) => !current.has(name)),
    hasTime,
  );
}

/**
 * How many meetings so many calls suffice for, at worst: more of them at once could use up all calls with
 * their first questions, and each run would end nothing.
 */
const sideBySide = (callsLeft: number): number => Math.floor(callsLeft / CALLS_OF_A_MEETING);

async function reconcileMeeting(
  run: Run,
  club: Club,
  meeting: Meeting,
  listed: Room | undefined,
): Promise<void> {
  const { now, limits } = run;
  const age = now().getTime() - Date.parse(meeting.startedAt);
  if (age >= limits.maxDurationSeconds * 1000) {
    await endByCleanup(run, club, meeting, 'max-duration');
    return;
  }
  await removeBarred(run, club, meeting, listed);
  try {
    const observation = await repairPresence(run, club, meeting, listed);
    await endIfVacant(run, club, meeting, listed, observation);
  } catch (error) {
    // Ended in the meantime, by a moderator or by another run.
    if (!(error instanceof MeetingNotActive)) throw error;
  }
}

const shuffled = <T>(items: T[]): T[] =>
  items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
