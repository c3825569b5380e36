/**
 * The expected state, in memory: which meeting is active in which club, how each one ended by the answers
 * to callers, who is a member and who is barred. `accept` checks an outcome against it and updates it;
 * `agree` compares it with the table's items.
 */
import { expect } from 'vitest';
import type { WebhookAnswer } from '../../lib/contract/answers.ts';
import { activeShardOf } from '../../lib/dynamodb/keys.ts';
import type { Item } from '../../lib/dynamodb/table.ts';
import type { MediaEvent } from '../../lib/meetings/media.ts';
import {
  Club,
  EndedMeeting,
  parseRoomName,
  type Role,
  roomNameOf,
  Session,
} from '../../lib/meetings/model.ts';
import type { Managing, Outcome, UseCase } from './calls.ts';
import { GRACE_MS, MAX_DURATION_MS, MAX_PARTICIPANTS, type World } from './service.ts';

/** A vacancy that is younger than this is not taken away by a token. */
const HARMLESS_VACANCY_MS = 60_000;

interface MeetingOn {
  meetingId: string;
  roomName: string;
  startedAt: string;
  barred: Set<string>;
  /** The time of its start, or of the latest request for a token or repeated start. */
  wantedAt: number;
  /** When a start or a token request last made sure of its room. */
  checkedAt?: number;
  /** When a cleanup found it vacant, with no request for it and no event since. */
  quietSince: number | undefined;
}

/** `endedAt` is unknown until an answer states it. No later answer may differ. */
type Ended = Omit<EndedMeeting, 'endedAt' | 'durationSeconds'> & { endedAt: string | undefined };

interface ClubTruth {
  clubId: string;
  name: string;
  moderatorId: string;
  members: Map<string, Role>;
  meeting?: MeetingOn | undefined;
  /** Oldest first. */
  ended: Ended[];
  forgotten: Set<string>;
}

export interface Truth {
  clubs: Map<string, ClubTruth>;
  /** Who was given a token for which room. */
  tokens: { userId: string; roomName: string }[];
  /** Participant sids for which `participant_left` was delivered. */
  reportedLeft: Set<string>;
  /**
   * Of people who were barred and no members when `participant_joined` was delivered: they are not counted
   * until LiveKit removes them from the room.
   */
  uncounted: Set<string>;
  /** By club id: the meetings of removed clubs whose tokens may still have worked then. */
  removed: Map<string, Set<string>>;
}

export const nothing = (): Truth => ({
  clubs: new Map(),
  tokens: [],
  reportedLeft: new Set(),
  uncounted: new Set(),
  removed: new Map(),
});

/** A participant joined or left, or an event was delivered: the next cleanup starts its observation again. */
export function stir(truth: Truth): void {
  for (const { meeting } of truth.clubs.values()) if (meeting) meeting.quietSince = undefined;
}

/** What the table holds, by club. */
export type Items = Map<string, Item[]>;

const clubItem = (items: Item[]): Club | undefined => {
  const item = items.find(({ sk }) => sk === 'CLUB');
  return item && Club.parse(item);
};

const factsOf = ({ endedAt = '', ...ended }: Ended): EndedMeeting => ({
  ...ended,
  endedAt,
  durationSeconds: Math.floor((Date.parse(endedAt) - Date.parse(ended.startedAt)) / 1000),
});

function conclude(club: ClubTruth, how: Pick<Ended, 'endedBy' | 'reason' | 'endedAt'>): void {
  if (!club.meeting) return;
  const { meetingId, roomName, startedAt } = club.meeting;
  club.ended.push({ meetingId, roomName, startedAt, ...how });
  club.meeting = undefined;
}

function begin(club: ClubTruth, issued: { meetingId: string; startedAt: string } | undefined) {
  if (!issued) throw new Error('no start made anything up');
  const { meetingId, startedAt } = issued;
  expect(club.ended.map((ended) => ended.meetingId)).not.toContain(meetingId);
  club.meeting = {
    meetingId,
    startedAt,
    roomName: roomNameOf(club.clubId, meetingId),
    barred: new Set(),
    wantedAt: Date.parse(startedAt),
    quietSince: undefined,
  };
  return club.meeting;
}

/** A use case that was called, and what it answered. */
export interface Happened {
  call: UseCase;
  /** The meeting that the call named. */
  meetingId: string | undefined;
  outcome: Outcome;
  /** Whether it made a call to LiveKit. */
  isLiveKitAsked: boolean;
}

/** Moves the truth on. @throws an assertion error when the outcome is not what the truth says */
export function accept(
  truth: Truth,
  { call, meetingId, outcome, isLiveKitAsked }: Happened,
  world: World,
): void {
  const expected =
    call.does === 'manage'
      ? manage(truth, call.command, world)
      : answerTo(truth, { call, meetingId, answer: outcome.answer, isLiveKitAsked }, world);
  expect(outcome).toMatchObject(
    typeof expected === 'string' ? { code: expected } : { answer: expected },
  );
}

const OF_MEMBERS = ['token', 'status', 'history', 'meeting'];

/**
 * The answer, or the code of the error. What the truth cannot know is taken from the real answer: a
 * new meeting's id, and when a meeting ended.
 */
function answerTo(
  truth: Truth,
  {
    call,
    meetingId: named,
    answer,
    isLiveKitAsked,
  }: {
    call: Exclude<UseCase, { does: 'manage' }>;
    meetingId: string | undefined;
    answer: Outcome['answer'];
    isLiveKitAsked: boolean;
  },
  { rooms, issued, clock }: World,
): object | string {
  const { caller, does } = call;
  if ((does === 'remove' || does === 'readmit') && call.userId === caller) return 'NOT_ALLOWED';
  const club = truth.clubs.get(call.clubId);
  const isModerator = club?.moderatorId === caller || club?.members.get(caller) === 'moderator';
  if (OF_MEMBERS.includes(does)) {
    if (!club) return 'CLUB_NOT_FOUND';
    if (!isModerator && !club.members.has(caller)) return 'NOT_A_MEMBER';
  }
  if (!club || (!isModerator && !OF_MEMBERS.includes(does))) return 'NOT_A_MODERATOR';

  const { meeting } = club;
  const isBarred = caller !== club.moderatorId && meeting?.barred.has(caller);
  const people = meeting ? rooms.peopleIn(meeting.roomName) : [];
  switch (does) {
    case 'start': {
      if (isBarred) return 'REMOVED_FROM_MEETING';
      if (meeting) {
        meeting.wantedAt = clock();
        meeting.quietSince = undefined;
      }
      const on =
        meeting ??
        begin(
          club,
          issued.find(({ meetingId }) => meetingId === answer?.meetingId) ?? issued.at(-1),
        );
      if (rooms.isDown) return 'MEDIA_UNAVAILABLE';
      on.checkedAt = clock();
      const { meetingId, roomName, startedAt } = on;
      return {
        success: true,
        meetingId,
        roomName,
        startedAt,
        alreadyActive: meeting !== undefined,
      };
    }
    case 'end': {
      const wanted = named ?? meeting?.meetingId ?? club.ended.at(-1)?.meetingId;
      if (wanted === meeting?.meetingId) {
        if (isBarred) return 'REMOVED_FROM_MEETING';
        conclude(club, { endedBy: caller, reason: 'moderator', endedAt: answer?.endedAt });
      }
      const ended = club.ended.find(({ meetingId }) => meetingId === wanted);
      if (!ended) return 'MEETING_NOT_ACTIVE';
      const { meetingId, roomName, endedAt, durationSeconds: duration } = factsOf(ended);
      return { success: !rooms.isDown, meetingId, roomName, endedAt, duration };
    }
    case 'token': {
      if (!meeting) return 'MEETING_NOT_ACTIVE';
      if (isBarred) return 'REMOVED_FROM_MEETING';
      meeting.wantedAt = clock();
      meeting.quietSince = undefined;
      if (!isLiveKitAsked) {
        // Nothing but an event, or a check within 30 s, says that the room is there.
        const isReported = rooms.delivered.some(({ room }) => room.name === meeting.roomName);
        if (!isReported) expect(clock() - (meeting.checkedAt ?? 0)).toBeLessThan(30_000);
      } else {
        if (rooms.isDown) return 'MEDIA_UNAVAILABLE';
        meeting.checkedAt = clock();
        const isIn = people.some(({ identity }) => identity === caller);
        if (people.length >= MAX_PARTICIPANTS && !isIn) return 'MEETING_FULL';
      }
      const { meetingId, roomName } = meeting;
      truth.tokens.push({ userId: caller, roomName });
      return { meetingId, roomName, isModerator };
    }
    case 'status': {
      const last = club.ended.at(-1);
      const lastMeeting = last ? factsOf(last) : null;
      if (!meeting) return { state: 'idle', meetingId: null, lastMeeting, observedBy: 'record' };
      if (!answer && rooms.isDown) return 'MEDIA_UNAVAILABLE';
      const { meetingId, startedAt, roomName } = meeting;
      const isQueried = answer?.observedBy === 'query';
      const isSure =
        isQueried ||
        (isReported(roomName, rooms) && !people.some(({ sid }) => truth.uncounted.has(sid)));
      return {
        meetingId,
        startedAt,
        lastMeeting,
        ...(isSure && {
          state: people.length > 0 ? 'live' : 'waiting',
          participantCount: people.length,
          roomName: rooms.exists(roomName) ? roomName : null,
        }),
      };
    }
    case 'history':
      return { meetings: club.ended.map(factsOf).reverse() };
    case 'meeting': {
      const ended = club.ended.find(({ meetingId }) => meetingId === named);
      if (!ended) return 'MEETING_NOT_FOUND';
      return { meeting: { ...factsOf(ended), peopleCount: answer?.attendance?.length } };
    }
    case 'participants':
      if (!meeting) return 'MEETING_NOT_ACTIVE';
      if (isBarred) return 'REMOVED_FROM_MEETING';
      if (rooms.isDown) return 'MEDIA_UNAVAILABLE';
      return {
        participants: people.map(({ identity: userId }) => ({
          userId,
          role: club.moderatorId === userId ? 'moderator' : (club.members.get(userId) ?? 'member'),
        })),
      };
    case 'remove': {
      const { userId, allowRejoin } = call;
      if (!meeting) return 'MEETING_NOT_ACTIVE';
      if (isBarred) return 'REMOVED_FROM_MEETING';
      if (userId === club.moderatorId) return 'NOT_ALLOWED';
      if (!club.members.has(userId)) return 'MEMBER_NOT_FOUND';
      if (!allowRejoin) meeting.barred.add(userId);
      if (rooms.isDown) return 'MEDIA_UNAVAILABLE';
      return { success: true, isBarred: meeting.barred.has(userId), effective: 'now' };
    }
    case 'readmit': {
      const { userId } = call;
      if (!meeting) return 'MEETING_NOT_ACTIVE';
      if (isBarred) return 'REMOVED_FROM_MEETING';
      if (!club.members.has(userId) && userId !== club.moderatorId) return 'MEMBER_NOT_FOUND';
      return { success: true, wasBarred: meeting.barred.delete(userId) };
    }
    case 'role': {
      const { userId, role } = call;
      if (club.moderatorId !== caller || userId === caller) return 'NOT_ALLOWED';
      if (!club.members.has(userId)) return 'MEMBER_NOT_FOUND';
      club.members.set(userId, role);
      return { success: true, userId, role, effective: 'now' };
    }
  }
}

const DONE = { done: true };

/** A start whose answer says that the meeting it made or found ended before its room was made. */
export function acceptVainStart(truth: Truth, clubId: string, { issued }: World): string {
  const club = truth.clubs.get(clubId);
  if (!club) throw new Error('nothing can be started in no club');
  const isNew = ({ meetingId }: { meetingId: string }) =>
    !club.ended.some((ended) => ended.meetingId === meetingId);
  return (club.meeting ?? begin(club, issued.find(isNew))).meetingId;
}

/** The longest that a token of the meeting works, and a day more. */
const TOKENS_WORK_MS = 2 * 86_400_000;
const tokensMayWork = ({ endedAt }: Ended, now: number): boolean =>
  endedAt === undefined || Date.parse(endedAt) >= now - TOKENS_WORK_MS;

/** As `answerTo`, for a command of the application that owns the clubs. */
function manage(truth: Truth, command: Managing, { rooms, clock }: World): object | string {
  const { isDown } = rooms;
  const { clubId } = command;
  const club = truth.clubs.get(clubId);
  if (command.command === 'put-club') {
    const { name, moderatorId } = command;
    const before = club ?? { clubId, members: new Map(), ended: [], forgotten: new Set() };
    before.forgotten.delete(moderatorId);
    truth.clubs.set(clubId, { ...before, name, moderatorId });
    return DONE;
  }
  if (command.command === 'remove-club') {
    const named = truth.removed.get(clubId) ?? new Set();
    if (club) {
      conclude(club, { endedBy: null, reason: 'club-removed', endedAt: undefined });
      for (const ended of club.ended) {
        const isLast = ended === club.ended.at(-1);
        if (isLast || tokensMayWork(ended, clock())) named.add(ended.meetingId);
      }
      truth.clubs.delete(clubId);
      truth.removed.set(clubId, named);
    }
    return isDown && named.size > 0 ? 'MEDIA_UNAVAILABLE' : DONE;
  }
  if (!club) return 'CLUB_NOT_FOUND';
  const { userId } = command;
  switch (command.command) {
    case 'put-member':
      club.members.set(userId, command.role ?? club.members.get(userId) ?? 'member');
      club.forgotten.delete(userId);
      return DONE;
    case 'set-role':
      if (!club.members.has(userId)) return 'MEMBER_NOT_FOUND';
      club.members.set(userId, command.role);
      return DONE;
    case 'remove-member':
    case 'forget-user':
      if (club.moderatorId === userId) return 'NOT_ALLOWED';
      club.meeting?.barred.add(userId);
      club.members.delete(userId);
      if (command.command === 'forget-user') {
        club.forgotten.add(userId);
        for (const ended of club.ended) if (ended.endedBy === userId) ended.endedBy = null;
      }
      return club.meeting && isDown ? 'MEDIA_UNAVAILABLE' : DONE;
  }
}

/** What following an event comes to; the meeting of the room may be over or unknown by now. */
export function expectedOf(
  truth: Truth,
  event: MediaEvent,
  isDown: boolean,
): { answer: { result: WebhookAnswer['result'] } } | { code: string } {
  const answer = (result: WebhookAnswer['result']) => ({ answer: { result } });
  const { clubId = '', meetingId } = parseRoomName(event.room.name) ?? {};
  const club = truth.clubs.get(clubId);
  const isOn = club?.meeting?.meetingId === meetingId;
  const isKnown =
    club?.ended.some((ended) => ended.meetingId === meetingId) ||
    truth.removed.get(clubId)?.has(meetingId ?? '');
  if (!isOn && !isKnown) return answer('ignored');
  const isJoin = event.type === 'participant_joined';
  if (club && isOn) {
    const putsOut =
      isJoin &&
      event.participant.identity !== club.moderatorId &&
      club.meeting?.barred.has(event.participant.identity);
    return answer(putsOut && isDown ? 'postponed' : 'followed');
  }
  if (!isJoin && event.type !== 'room_started') return answer('followed');
  return answer(isDown ? 'postponed' : 'zombie-deleted');
}

/** After an event was followed. */
export function noteDelivery(truth: Truth, event: MediaEvent): void {
  if (event.type === 'participant_left') truth.reportedLeft.add(event.participant.sid);
  stir(truth);
  for (const { meeting, members, moderatorId } of truth.clubs.values()) {
    if (meeting?.roomName !== event.room.name) continue;
    if (event.type === 'participant_joined') {
      const { identity, sid } = event.participant;
      const isOfClub = members.has(identity) || identity === moderatorId;
      if (meeting.barred.has(identity) && !isOfClub) truth.uncounted.add(sid);
    }
    // A late `participant_left` dates the vacancy back, also to before a request for a token.
    meeting.wantedAt = Math.min(meeting.wantedAt, Date.parse(event.at));
  }
}

/** After a cleanup that LiveKit answered: what it had to end, and what it must not. */
export function acceptCleanup(truth: Truth, items: Items, { rooms, clock }: World): void {
  for (const club of truth.clubs.values()) {
    const { meeting } = club;
    if (!meeting) continue;
    const people = rooms.peopleIn(meeting.roomName).length;
    const record = clubItem(items.get(club.clubId) ?? []);
    const isOn = record?.meeting?.meetingId === meeting.meetingId;
    const age = clock() - Date.parse(meeting.startedAt);
    const reason = record?.lastMeeting?.reason;
    const about = `${club.clubId}: on ${isOn}, ${people} people, ${age} ms old`;
    if (age >= MAX_DURATION_MS) expect(isOn, about).toBe(false);
    else if (people > 0) expect(isOn, about).toBe(true);
    else if (meeting.quietSince !== undefined && clock() - meeting.quietSince >= GRACE_MS) {
      expect(isOn, `${about}, empty since a cleanup before the grace`).toBe(false);
    }
    if (isOn) {
      meeting.quietSince = people > 0 ? undefined : (meeting.quietSince ?? clock());
      if (record?.presence) {
        expect(record.presence.isFinished, about).toBe(!rooms.exists(meeting.roomName));
        expect(record.presentSids?.size ?? 0, about).toBe(people);
      }
    } else {
      expect(reason, about).toBe(age >= MAX_DURATION_MS ? 'max-duration' : 'vacant');
      if (reason === 'vacant') {
        const unwanted = clock() - meeting.wantedAt;
        expect(unwanted, about).toBeGreaterThanOrEqual(GRACE_MS - HARMLESS_VACANCY_MS);
      }
      conclude(club, { endedBy: null, reason: reason ?? 'vacant', endedAt: undefined });
    }
  }
  const on = [...truth.clubs.values()].flatMap(({ meeting }) => meeting?.roomName ?? []);
  expect(
    rooms.names().filter((name) => !on.includes(name)),
    'rooms of no meeting',
  ).toEqual([]);
}

/** Whether every event of the room was delivered. */
const isReported = (roomName: string, { lossy, onTheWay }: World['rooms']): boolean =>
  !lossy.has(roomName) && !onTheWay.some(({ room }) => room.name === roomName);

/** @throws an assertion error when the items are not those of the truth; learns when meetings ended */
export function agree(truth: Truth, items: Items, rooms: World['rooms']): void {
  for (const [clubId, itemsOfClub] of items) {
    const club = truth.clubs.get(clubId);
    const item = itemsOfClub.find(({ sk }) => sk === 'CLUB');
    const named = rowsOf(itemsOfClub, 'REMOVED#');
    expect(
      named.map(({ meetingId }) => meetingId),
      'meetings of a removed club',
    ).toEqual([...(truth.removed.get(clubId) ?? [])].sort());
    if (!club) {
      expect(itemsOfClub, `${clubId} is removed`).toEqual(named);
      continue;
    }
    const record = Club.parse(item);
    const { meeting, presence, presentSids = new Set(), lastMeeting } = record;
    expect(record).toMatchObject({ name: club.name, moderatorId: club.moderatorId });

    expect(meeting?.meetingId, `${clubId}: the meeting that is on`).toBe(club.meeting?.meetingId);
    expect([...(record.barredUserIds ?? [])].sort(), 'kept out').toEqual(
      [...(club.meeting?.barred ?? [])].sort(),
    );
    expect({ shard: item?.['activeShard'], since: item?.['activeSince'] }, 'in the index').toEqual(
      meeting ? { shard: activeShardOf(clubId), since: meeting.startedAt } : {},
    );
    if (!meeting) {
      expect({ presence, sids: [...presentSids] }).toEqual({ presence: undefined, sids: [] });
    } else {
      const left = [...presentSids].filter((sid) => truth.reportedLeft.has(sid));
      expect(left, 'present, though participant_left was delivered').toEqual([]);
      if (presence && isReported(meeting.roomName, rooms)) {
        const isCounted = (sid: string) => !truth.uncounted.has(sid);
        const people = rooms.peopleIn(meeting.roomName).map(({ sid }) => sid);
        expect(
          [...presentSids].filter(isCounted).sort(),
          'present, with every event delivered',
        ).toEqual(people.filter(isCounted).sort());
      }
    }

    const rows = rowsOf(itemsOfClub, 'MEETING#').map((row) => EndedMeeting.parse(row));
    const others = rows.filter(({ meetingId }) => meetingId !== lastMeeting?.meetingId);
    const history = [...others, ...(lastMeeting ? [lastMeeting] : [])];
    expect(
      history.map(({ meetingId }) => meetingId),
      'history',
    ).toEqual(club.ended.map(({ meetingId }) => meetingId));
    for (const [index, ended] of club.ended.entries()) {
      ended.endedAt ??= history[index]?.endedAt;
      expect(history[index], 'an ended meeting').toEqual(factsOf(ended));
    }

    const members = rowsOf(itemsOfClub, 'MEMBER#').map(({ userId, role }) => [userId, role]);
    expect(Object.fromEntries(members), 'members').toEqual(Object.fromEntries(club.members));

    for (const row of rowsOf(itemsOfClub, 'ATTENDANCE#')) {
      const { userId, participantSid, leftAt } = Session.parse(row);
      expect(rooms.identities.get(participantSid)).toBe(userId);
      expect(userId !== null && club.forgotten.has(userId), `${userId} was forgotten`).toBe(false);
      if (truth.reportedLeft.has(participantSid)) expect(leftAt, 'left').toBeDefined();
    }
  }
}

const rowsOf = (items: Item[], prefix: string): Item[] =>
  items.filter(({ sk }) => String(sk).startsWith(prefix));
