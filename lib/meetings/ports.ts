import type {
  Club,
  EndedMeeting,
  GrantNote,
  Meeting,
  Member,
  MemberRecord,
  Presence,
  RoomLife,
  Session,
} from './model.ts';

/** Which meeting of which club. */
export interface MeetingRef {
  clubId: string;
  meetingId: string;
}

/** Which of the clubs that had this id one after another. */
export type ClubRef = Pick<Club, 'clubId' | 'generation'>;

/** A write is made if it is still this club, and no user was forgotten since it was read. */
export type SeenClub = ClubRef & Pick<Club, 'forgetCount'>;

/** Ends a meeting only if no one is present and it is vacant since the very moment that was seen. */
export interface EndCondition {
  vacantSince: string;
}

/** Bars a user from a meeting, or lifts the bar. */
export interface BarChange {
  userId: string;
  isBarred: boolean;
  /** The club's `barsRevision` when it was read. */
  seenRevision: string | undefined;
  /** The next one, which no other change has. */
  revision: string;
}

/** A club of a batch. One whose item is invalid does not fail the others. */
export type ClubRecord =
  | { clubId: string; club: Club; error?: undefined }
  | { clubId: string; club?: undefined; error: Error };

/**
 * The record of clubs and meetings. Every read is consistent. Each method throws
 * `StoreUnavailable` when the outcome cannot be known in time: never "absent" for "not answered".
 */
export interface ClubRepository {
  /** Both in one round trip; `forgottenAt` also of a former member. */
  getClubAndMember(
    clubId: string,
    userId: string,
  ): Promise<{
    club: Club | undefined;
    member: Member | undefined;
    forgottenAt?: string | undefined;
  }>;

  /** And what was last granted to the user, in one round trip. */
  getClubMemberAndGrants(
    clubId: string,
    userId: string,
  ): Promise<{
    club: Club | undefined;
    member: Member | undefined;
    granted: GrantNote | undefined;
  }>;

  getClub(clubId: string): Promise<Club | undefined>;

  /** Two people of one club, in one round trip. */
  getClubAndTwoMembers(
    clubId: string,
    userIds: [string, string],
  ): Promise<{ club: Club | undefined; members: [Member | undefined, Member | undefined] }>;

  /** Those of the users who are members, in any order. */
  getMembers(club: ClubRef, userIds: string[]): Promise<Member[]>;

  /** A page of the members, in the order of their ids; only those after `after`. */
  listMembers(club: ClubRef, page: { after: string | undefined; limit: number }): Promise<Member[]>;

  /**
   * The clubs of which the user was the moderator or a member a moment ago, in the order of their ids;
   * only those after `after`. From an index, which lags: read them before answering.
   */
  listClubIdsOf(
    userId: string,
    page: { after: string | undefined; limit: number },
  ): Promise<string[]>;

  /** Those of the clubs that exist, in the order of the ids, each with the user as its member. */
  getClubsAndMember(
    clubIds: string[],
    userId: string,
  ): Promise<{ club: Club; member: Member | undefined }[]>;

  /** Changes one bar of the meeting, if it is on and its bars are those seen; says whether so. */
  changeBar(meeting: MeetingRef, change: BarChange): Promise<boolean>;

  /**
   * Puts the meeting on, if the club is the one that was seen, has none on and had none since. Returns
   * the club with it; undefined if it did not.
   */
  claimMeeting(club: SeenClub, meeting: Meeting): Promise<Club | undefined>;

  /** As `claimMeeting`, if the person who starts the meeting is the club's own moderator. */
  claimMeetingAsOwner(
    clubId: string,
    meeting: Meeting & { startedBy: string },
  ): Promise<Club | undefined>;

  /**
   * Notes that the room of the meeting was made, and the history row of the last meeting put, if the
   * meeting is still on and no user was forgotten since the club was seen; says whether so.
   */
  noteStarted(
    club: SeenClub & Pick<Club, 'lastMeeting'>,
    meetingId: string,
    roomEnsuredAt: string,
  ): Promise<boolean>;

  /**
   * Notes that the caller makes sure of the meeting's room, if the meeting is on and no other request
   * did since `after`; says whether so. Of many requests at once, one does.
   */
  claimRoomCheck(meeting: MeetingRef, check: { at: string; after: string }): Promise<boolean>;

  /** Takes the note back: the check of that time did not succeed. */
  undoRoomCheck(meeting: MeetingRef, at: string): Promise<void>;

  /**
   * Moves the meeting that is on to `lastMeeting`, if it is still that one, no user was forgotten since
   * the club was seen, and the person who ends it is not barred from it; says whether it did.
   */
  concludeMeeting(club: SeenClub, ended: EndedMeeting, onlyIf?: EndCondition): Promise<boolean>;

  /** Notes since when the meeting is vacant, unless that is known or a participant is present. */
  markVacant(clubId: string, vacancy: { meetingId: string; since: string }): Promise<boolean>;

  /** A participant is coming, or back. */
  clearVacant(clubId: string, meetingId: string): Promise<boolean>;

  /**
   * Puts the history row of an ended meeting: a copy of decided facts, so it can be repeated. Who ended
   * it is never put back into a row where it is null.
   */
  recordEndedMeeting(club: ClubRef, ended: EndedMeeting): Promise<void>;

  /** Deletes the row again, if it is of that club: the club was removed before it was put. */
  removeEndedMeeting(club: ClubRef, meetingId: string): Promise<void>;

  /** The history row of a meeting before the last one. */
  getEndedMeeting(club: ClubRef, meetingId: string): Promise<EndedMeeting | undefined>;

  /** History rows, newest first; only meetings that started before the one named by `before`. */
  listEndedMeetings(
    club: ClubRef,
    page: { before: string | undefined; limit: number },
  ): Promise<EndedMeeting[]>;

  /** Clubs that had a meeting on a moment ago: from an index, which lags. Read them before acting. */
  listActiveClubIds(): Promise<string[]>;

  /** In batches; a club that does not exist is left out. */
  getClubs(clubIds: string[]): AsyncIterable<ClubRecord[]>;

  /** Whether the meeting was one of a club that was removed, while its tokens may still work. */
  isOfRemovedClub(meeting: MeetingRef): Promise<boolean>;

  /** Those of the meetings that this table knows to have ended. */
  filterEnded(meetings: MeetingRef[]): Promise<MeetingRef[]>;
}

/** The grants in moderators' tokens. A note expires some days after its meeting. */
export interface GrantRepository {
  get(clubId: string, userId: string): Promise<GrantNote | undefined>;

  put(clubId: string, note: GrantNote, now: Date): Promise<void>;

  remove(clubId: string, userId: string): Promise<void>;
}

/** The club of an id, or when the last one was removed; neither when there was none for a month. */
export interface FoundClub {
  club?: Club | undefined;
  removedAt?: string | undefined;
}

/** What is written about a person in a club: by the application's commands, and by moderators. */
export interface MemberRepository {
  /** Both in one round trip; the record may be of an earlier club of the id. */
  read(clubId: string, userId: string): Promise<FoundClub & { record: MemberRecord | undefined }>;

  /** Writes the whole record, if it is still the one that was seen; says whether it was. */
  write(clubId: string, seen: MemberRecord | undefined, next: MemberRecord): Promise<boolean>;

  /** Deletes the record, if it is of that club: the club was removed before it was written. */
  removeLeftOver(club: ClubRef, userId: string): Promise<void>;
}

/** That a club was removed, or with `userId` that a person was forgotten in it: to be done once more. */
export interface Removal {
  clubId: string;
  userId?: string | undefined;
  removedAt: string;
  /** What is after that is not forgotten; undefined: nothing is. */
  until?: string | undefined;
}

/** How the application that owns the clubs keeps them up to date. Every call can be repeated. */
export interface ClubAdministration {
  findClub(clubId: string): Promise<FoundClub>;

  /**
   * A page of all clubs that there are, in no order, and of those whose removal is not finished. The next
   * page is the one after `next`; undefined on the last one.
   */
  listClubs(after: string | undefined): Promise<{
    clubs: Pick<Club, 'clubId' | 'name' | 'moderatorId' | 'createdAt'>[];
    unfinished: string[];
    next: string | undefined;
  }>;

  /** Puts a new club in the place of what was found there; says whether it still was. */
  makeClub(found: FoundClub, club: Omit<Club, 'generation'>): Promise<boolean>;

  /** Changes the club if it is still as it was found; says whether it was. */
  changeClub(
    found: Club,
    change: Pick<Club, 'name' | 'moderatorId' | 'putAt' | 'recordingConsent' | 'recordingAccess'>,
  ): Promise<boolean>;

  /** From now on, and for two days, these are known as meetings of a club that was removed. */
  nameRemovedMeetings(clubId: string, meetingIds: string[], now: Date): Promise<void>;

  /** The ids of the meetings that are known so. */
  listRemovedMeetings(clubId: string): Promise<string[]>;

  /**
   * Leaves nothing of the club but when it was removed, if no meeting is on, none ended since, and it is
   * still as it was found; says whether it was. Its other items are {@link removeItemsOfEarlierClubs}'s.
   */
  removeClub(clubId: string, found: FoundClub, removedAt: string): Promise<boolean>;

  /** Notes that all items and rooms of the club that was removed then are deleted. */
  noteEmptied(clubId: string, removedAt: string): Promise<void>;

  /** Called before the first deletion, so that the cleanup repeats the removal even if it stops half-way. */
  noteRemoval(removal: Removal): Promise<void>;

  /** Some of those noted at `before` or earlier: from an index, which lags. */
  listRemovals(before: string, limit: number): Promise<Removal[]>;

  /** It was done once more, unless it was noted again since. */
  dropRemoval(removal: Removal): Promise<void>;

  /** Deletes every item of the id that is not of the club that there is now. */
  removeItemsOfEarlierClubs(clubId: string): Promise<void>;

  /**
   * Takes the user out of the club's attendance and history, as far as it is not after `until`; what
   * happened stays.
   */
  forgetUser(clubId: string, userId: string, until?: string): Promise<void>;
}

/** One room of a meeting's name: a server that lost it, or its timer, may make the next. */
export interface RoomInstance {
  sid: string;
  /** ISO 8601. Orders the rooms of one name. */
  createdAt: string;
  /** ISO 8601. Of the latest that is known of the meeting's rooms: never set back by a late event. */
  observedAt: string;
}

/** What is known of a session from its beginning. */
export type SessionStart = Pick<
  Session,
  'userId' | 'participantSid' | 'displayName' | 'joinedAt'
> & {
  roomSid: string;
};

/**
 * Presence and attendance, from LiveKit's events. Every write can be repeated and come in any order; one
 * that comes too late for its meeting or its room does nothing.
 */
export interface PresenceRepository {
  roomStarted(meeting: MeetingRef, room: RoomInstance): Promise<void>;

  /** LiveKit reports that the room finished. The meeting goes on, vacant. */
  roomFinished(meeting: MeetingRef, room: RoomInstance, finishedAt: string): Promise<void>;

  /** A cleanup found people in the room, which was taken for finished. */
  roomReopened(meeting: MeetingRef, room: RoomInstance): Promise<void>;

  /**
   * LiveKit has this room now, so it takes the place of `insteadOf`, whichever of them was created
   * later by LiveKit's clocks. No participant of it is known yet.
   */
  roomAdopted(meeting: MeetingRef, room: RoomInstance, insteadOf: Presence): Promise<void>;

  /** A cleanup saw that the room, whose start was noted, is there. */
  roomSeen(meeting: MeetingRef, roomSid: string, at: string): Promise<void>;

  /** Also ends the meeting's vacancy. Says whether the room is the meeting's newest. */
  addPresent(meeting: MeetingRef, room: RoomInstance, participantSids: string[]): Promise<boolean>;

  removePresent(meeting: MeetingRef, participantSids: string[], observedAt: string): Promise<void>;

  /** Writes the session; keeps an end that is known. */
  sessionStarted(meeting: MeetingRef, session: SessionStart): Promise<void>;

  /** Writes the session with its end. */
  sessionEnded(meeting: MeetingRef, session: SessionStart, leftAt: string): Promise<void>;

  /** As `sessionEnded`, for a session that is written; writes no other. */
  closeSession(meeting: MeetingRef, participantSid: string, leftAt: string): Promise<void>;

  /** A cleanup found the attendee gone: the end of a session that has none, until LiveKit reports it. */
  estimateEnd(meeting: MeetingRef, participantSid: string, goneAt: string): Promise<void>;

  /** A cleanup found the attendee there: takes back an estimate that is older. */
  reopenSession(meeting: MeetingRef, participantSid: string, seenAt: string): Promise<void>;

  getSession(meeting: MeetingRef, participantSid: string): Promise<Session | undefined>;

  /** Deletes a session of a club that was removed, or a person forgotten, while it was written. */
  removeSession(meeting: MeetingRef, participantSid: string): Promise<void>;

  /** Every session of the meeting, and what is known of the rooms that they were in. */
  listAttendance(meeting: MeetingRef): Promise<{ sessions: Session[]; rooms: RoomLife[] }>;
}

/** Fields of a log line: ids, codes, counts and durations; never a name, a token or an event. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

export interface Log {
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields, error?: unknown): void;
  error(message: string, fields: LogFields, error?: unknown): void;
}

/** Figures of what happened, by route or job and code; never by an id. */
export interface Meter {
  request(request: { route: string; code: string }): void;
  run(job: string, counts: Record<string, number>): void;
}

/**
 * Measures a call to a dependency, and makes none for a request that was given up. `signal` is aborted
 * when that happens during the call; undefined where nothing gives up.
 */
export type Timed = <T>(call: (signal?: AbortSignal) => Promise<T>) => Promise<T>;
