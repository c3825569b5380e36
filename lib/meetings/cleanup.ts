import { MediaUnavailable, MeetingNotActive } from '../errors.ts';
import { isAttendee, isPerson } from './attendees.ts';
import { tryEndMeeting } from './ending.ts';
import { attendeesJoined, sessionOf, undoIfForgotten } from './livekit-events.ts';
import { type Club, isBarred, type Meeting, type Presence, parseRoomName } from './model.ts';
import type {
  ClubRecord,
  ClubRepository,
  EndCondition,
  Log,
  MediaServer,
  MeetingRef,
  Meter,
  Participant,
  PresenceRepository,
  Room,
} from './ports.ts';
import { ensureRoom, type RoomLimits } from './room.ts';

/**
 * What one meeting may need: a list of its participants for its barred people, making sure of its room,
 * another list, and the room's deletion. Removals of barred people come on top, and stay done.
 */
const CALLS_OF_A_MEETING = 4;

/** One LiveKit call in so many is kept for zombies, so that clubs which need all do not starve them. */
const ZOMBIE_SHARE = 5;

export interface CleanupDeps {
  clubs: Pick<
    ClubRepository,
    | 'listActiveClubIds'
    | 'getClub'
    | 'getClubs'
    | 'getClubAndMember'
    | 'getMembers'
    | 'filterEnded'
    | 'markVacant'
    | 'clearVacant'
    | 'recordEndedMeeting'
    | 'removeEndedMeeting'
    | 'concludeMeeting'
  >;
  presence: Pick<
    PresenceRepository,
    | 'roomStarted'
    | 'roomReopened'
    | 'roomAdopted'
    | 'roomSeen'
    | 'addPresent'
    | 'removePresent'
    | 'sessionStarted'
    | 'estimateEnd'
    | 'reopenSession'
    | 'getSession'
    | 'removeSession'
  >;
  media: Pick<
    MediaServer,
    'listRooms' | 'getParticipants' | 'createRoom' | 'deleteRoom' | 'removeParticipant'
  >;
  now: () => Date;
  log: Log;
  meter: Meter;
  rooms: RoomLimits;
  limits: { maxDurationSeconds: number };
  cleanup: { graceSeconds: number; maxLiveKitCalls: number };
}

/** What a run saw and did. */
export interface CleanupReport {
  /** Meetings that were on. */
  active: number;
  /** Of these, those that nobody was in. */
  vacant: number;
  endedVacant: number;
  endedMaxDuration: number;
  zombiesDeleted: number;
  /** Meetings whose presence differed from what LiveKit said, and is right again. */
  repaired: number;
  /** Meetings and rooms left for the next run: no time, or no LiveKit call, was left for them. */
  postponed: number;
  failed: number;
}

/** Something could not be looked at or put right; the rest was. Thrown, so that the alarm rings. */
export class CleanupIncomplete extends Error {
  override readonly name = 'CleanupIncomplete';
}

/** Not in this run: its calls are used up, or LiveKit asked for less. */
class Postponed extends Error {
  override readonly name = 'Postponed';
}

/**
 * Makes record and rooms agree without anybody asking: ends the meetings that everybody left or that
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
    postponed: 0,
    failed: 0,
  };
  const calls = { left: deps.cleanup.maxLiveKitCalls };
  const kept = Math.floor(calls.left / ZOMBIE_SHARE);
  const run = { ...deps, media: paced(deps.media, calls, kept), report };
  const zombieRun = { ...deps, media: paced(deps.media, calls, 0), report };
  const callsLeft = () => calls.left - kept;
  try {
    await cleanUpAll(run, zombieRun, { hasTime, callsLeft });
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

type Run = CleanupDeps & { report: CleanupReport };

/** What is left of the run's time, and of its calls for meetings. */
interface Budget {
  hasTime: () => boolean;
  callsLeft: () => number;
}

async function cleanUpAll(run: Run, zombieRun: Run, { hasTime, callsLeft }: Budget): Promise<void> {
  const clubIds = shuffled(await run.clubs.listActiveClubIds());
  const listed = await run.media.listRooms().catch((error) => {
    if (error instanceof Postponed) run.report.postponed += clubIds.length;
    throw error;
  });
  const rooms = new Map(listed.map((room) => [room.name, room]));

  const current = new Set<string>();
  for await (const records of run.clubs.getClubs(clubIds)) {
    const attend = ({ clubId, read }: ClubRecord) =>
      attempt(run, { clubId }, async () => {
        const club = read();
        const { meeting } = club;
        if (!meeting) return; // ended since the index said otherwise
        run.report.active += 1;
        current.add(meeting.roomName);
        await attempt(run, { clubId, meetingId: meeting.meetingId }, () =>
          lookAfter(run, club, meeting, rooms.get(meeting.roomName)),
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
  await deleteZombies(
    zombieRun,
    [...rooms.keys()].filter((name) => !current.has(name)),
    hasTime,
  );
}

/**
 * How many meetings get along with so many calls, whatever they need: more of them at once could use
 * all calls up for their first questions, and each run end nothing.
 */
const sideBySide = (callsLeft: number): number => Math.floor(callsLeft / CALLS_OF_A_MEETING);

/** One failure does not stop the others. */
async function attempt(
  { log, report }: Run,
  about: { clubId: string; meetingId?: string },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Postponed) {
      report.postponed += 1;
    } else {
      report.failed += 1;
      log.error('cleanup failed', about, error);
    }
  }
}

async function lookAfter(
  run: Run,
  club: Club,
  meeting: Meeting,
  listed: Room | undefined,
): Promise<void> {
  const { now, limits } = run;
  const age = now().getTime() - Date.parse(meeting.startedAt);
  if (age >= limits.maxDurationSeconds * 1000) {
    await end(run, club, meeting, 'max-duration');
    return;
  }
  await putOut(run, club, meeting, listed);
  try {
    const sight = await repairPresence(run, club, meeting, listed);
    await lookForVacancy(run, club, meeting, listed, sight);
  } catch (error) {
    // Ended in the meantime, by a moderator or by another run.
    if (!(error instanceof MeetingNotActive)) throw error;
  }
}

/** The meeting's room, and what is connected to it. */
interface Sight {
  room: Room;
  inRoom: Participant[];
}

/**
 * A room that is not listed is made sure of before its participants are listed. One that exists after
 * all comes back as it is; about one that does not, LiveKit answers an empty list, an error or
 * `unavailable`, by its version and configuration.
 *
 * @throws MeetingNotActive when the meeting ended in the meantime
 */
async function look(
  run: Run,
  club: Club,
  meeting: Meeting,
  listed: Room | undefined,
): Promise<Sight> {
  const room = listed ?? (await ensureRoom(run, club, meeting));
  return { room, inRoom: await run.media.getParticipants(meeting.roomName) };
}

/** Removes barred people who came in with an old token, in case the event about it was lost. */
async function putOut(
  { media, clubs, now }: Run,
  club: Club,
  { meetingId, roomName }: Meeting,
  listed: Room | undefined,
): Promise<void> {
  if (!club.barredUserIds || !listed) return;
  for (const participant of await media.getParticipants(roomName)) {
    const { identity } = participant;
    if (!isPerson(participant) || !isBarred(club, identity)) continue;
    // They may have been let back in since the club was read.
    const { club: current } = await clubs.getClubAndMember(club.clubId, identity);
    if (current?.meeting?.meetingId !== meetingId || !isBarred(current, identity)) continue;
    await media.removeParticipant(roomName, identity, now());
  }
}

/**
 * Compares presence with the room, where LiveKit's events arrive at all: a meeting that no event was
 * about stays so, and its status is asked for. Returns what it saw in the room if it had to look.
 */
async function repairPresence(
  run: Run,
  club: Club,
  meeting: Meeting,
  listed: Room | undefined,
): Promise<Sight | undefined> {
  const { presence } = club;
  if (!presence) return undefined;
  const sids = club.presentSids ?? new Set<string>();
  const ref = { clubId: club.clubId, meetingId: meeting.meetingId };
  const askedAt = run.now().toISOString();
  if (isRight({ presence, count: sids.size }, listed)) {
    if (sids.size > 0) await run.presence.roomSeen(ref, presence.roomSid, askedAt);
    return undefined;
  }

  // The rooms were listed before the club was read: another one may have replaced the listed room.
  const isKnown = listed?.sid === presence.roomSid;
  const sight = await look(run, club, meeting, isKnown ? listed : undefined);
  await repairRoom(run, club, ref, { presence, sids }, sight, {
    askedAt,
    observedAt: run.now().toISOString(),
  });
  run.report.repaired += 1;
  return sight;
}

/**
 * Makes presence what LiveKit said between `askedAt` and `observedAt`, by single sids: events may
 * change it in the meantime.
 */
async function repairRoom(
  run: Run,
  club: Club,
  ref: MeetingRef,
  known: { presence: Presence; sids: Set<string> },
  { room: { sid, createdAt }, inRoom }: Sight,
  { askedAt, observedAt }: { askedAt: string; observedAt: string },
): Promise<void> {
  const { presence } = run;
  const room = { sid, createdAt, observedAt };
  const attendees = inRoom.filter(isAttendee);
  const isKnown = known.presence.roomSid === sid;
  const sids = isKnown ? known.sids : new Set<string>();
  if (!isKnown) await presence.roomAdopted(ref, room, known.presence);
  else if (known.presence.isFinished && attendees.length > 0)
    await presence.roomReopened(ref, room);

  // Sids that were present before LiveKit was asked, and are not in the room now, are gone.
  const there = new Set(attendees.map((attendee) => attendee.sid));
  const gone = [...sids].filter((each) => !there.has(each));
  await Promise.all(gone.map((each) => presence.estimateEnd(ref, each, observedAt)));
  await presence.removePresent(ref, gone, observedAt);

  const added = attendees.filter((attendee) => !sids.has(attendee.sid));
  if (added.length > 0) {
    const userIds = new Set(added.filter(isPerson).map(({ identity }) => identity));
    const members = await run.clubs.getMembers(club, [...userIds]);
    const memberFor = (attendee: Participant) =>
      members.find(({ userId }) => isPerson(attendee) && userId === attendee.identity);
    const sessions = added.map((attendee) => sessionOf(attendee, room, memberFor(attendee)));
    await attendeesJoined(run, ref, room, sessions, askedAt);
    await Promise.all(
      added.map((attendee) =>
        undoIfForgotten(run, ref, attendee, {
          club,
          forgottenAt: memberFor(attendee)?.forgottenAt,
        }),
      ),
    );
  }
  // Last, so that a repair that broke off is not taken for complete.
  await presence.roomStarted(ref, room);
  if (attendees.length > 0) await presence.roomSeen(ref, sid, askedAt);
}

const isRight = (
  { presence, count }: { presence: NonNullable<Club['presence']>; count: number },
  room: Room | undefined,
): boolean =>
  room
    ? presence.roomSid === room.sid &&
      presence.isComplete &&
      !presence.isFinished &&
      count === room.participantCount
    : presence.isFinished;

/**
 * A room list's count lags, so it only chooses whom to ask about: nothing is ended before the
 * participants were listed, and none were there.
 */
async function lookForVacancy(
  run: Run,
  club: Club,
  meeting: Meeting,
  listed: Room | undefined,
  known: Sight | undefined,
): Promise<void> {
  const { clubs, now, cleanup } = run;
  const { clubId } = club;
  const { meetingId, vacantSince } = meeting;
  const seemsOccupied = known ? known.inRoom.some(isAttendee) : hasCount(listed);
  if (seemsOccupied && !vacantSince) return;

  const isDue =
    vacantSince !== undefined &&
    now().getTime() - Date.parse(vacantSince) >= cleanup.graceSeconds * 1000;
  const sight =
    known ?? (seemsOccupied || isDue ? await look(run, club, meeting, listed) : undefined);
  if (sight?.inRoom.some(isAttendee)) {
    await clubs.clearVacant(clubId, meetingId);
    return;
  }

  run.report.vacant += 1;
  if (!vacantSince) {
    await clubs.markVacant(clubId, { meetingId, since: now().toISOString() });
  } else if (isDue && sight && isTrulyEmpty(sight)) {
    await end(run, club, meeting, 'vacant', { vacantSince });
  }
}

const hasCount = (room: Room | undefined): boolean => (room?.participantCount ?? 0) > 0;

/**
 * An empty list of participants can be a mistake of LiveKit's, so the room's own count must not say
 * otherwise. Where the count lags, the next run ends the meeting.
 */
const isTrulyEmpty = ({ room, inRoom }: Sight): boolean => room.participantCount <= inRoom.length;

const COUNT_OF = { vacant: 'endedVacant', 'max-duration': 'endedMaxDuration' } as const;

async function end(
  run: Run,
  club: Club,
  meeting: Meeting,
  reason: keyof typeof COUNT_OF,
  onlyIf?: EndCondition,
): Promise<void> {
  const ended = await tryEndMeeting(run, club, meeting, { endedBy: null, reason }, onlyIf);
  if (!ended) return;
  run.report[COUNT_OF[reason]] += 1;
  await run.media.deleteRoom(meeting.roomName);
}

/** Rooms of meetings that this table knows to be over. Any other room is somebody else's. */
async function deleteZombies(run: Run, roomNames: string[], hasTime: () => boolean): Promise<void> {
  const candidates = roomNames.flatMap((roomName) => {
    const meeting = parseRoomName(roomName);
    return meeting ? [{ roomName, ...meeting }] : [];
  });
  const zombies = new Set(await run.clubs.filterEnded(candidates));
  for (const { roomName, ...meeting } of candidates.filter((room) => zombies.has(room))) {
    if (!hasTime()) {
      run.report.postponed += 1;
      continue;
    }
    await attempt(run, meeting, async () => {
      await run.media.deleteRoom(roomName);
      run.report.zombiesDeleted += 1;
    });
  }
}

/** The media server while more than `kept` calls are left, and none after it asked for less. */
function paced(
  media: CleanupDeps['media'],
  calls: { left: number },
  kept: number,
): CleanupDeps['media'] {
  const call = async <T>(request: () => Promise<T>): Promise<T> => {
    if (calls.left <= kept) throw new Postponed();
    calls.left -= 1;
    try {
      return await request();
    } catch (error) {
      if (!(error instanceof MediaUnavailable && error.isRateLimit)) throw error;
      calls.left = 0;
      throw new Postponed();
    }
  };
  return {
    listRooms: () => call(() => media.listRooms()),
    getParticipants: (roomName) => call(() => media.getParticipants(roomName)),
    createRoom: (roomName, options) => call(() => media.createRoom(roomName, options)),
    deleteRoom: (roomName) => call(() => media.deleteRoom(roomName)),
    removeParticipant: (roomName, userId, revokeBefore) =>
      call(() => media.removeParticipant(roomName, userId, revokeBefore)),
  };
}

const shuffled = <T>(items: T[]): T[] =>
  items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
