import * as z from 'zod/mini';

/** An optional field of what comes in: `null` means absent. */
export const maybe = <S extends z.ZodMiniType>(schema: S) =>
  z.optional(
    z.pipe(
      z.nullable(schema),
      z.transform((value) => value ?? undefined),
    ),
  );

const ID_RULE = 'must be 1 to 64 letters, digits, "-" or "_"';

/** The one form of every id, so that none can forge a key of the table or a room name. */
const Id = z.string(ID_RULE).check(z.regex(/^[A-Za-z0-9_-]{1,64}$/, ID_RULE));

export const ClubId = Id;
export const UserId = Id;

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const MEETING_ID_RULE = 'must be the id of a meeting (a ULID)';

/** A ULID, so that meetings sort by the time at which they started. */
export const MeetingId = z.string(MEETING_ID_RULE).check(z.regex(ULID, MEETING_ID_RULE));

/**
 * A reader sees something of it. Not of a mark without its letter, nor of what Unicode says to draw as
 * nothing (a Hangul filler is such a letter), nor of the blank Braille pattern, the null notehead, the
 * place of an annotation or an object. What is not assigned yet is an emoji to come: a box, for now.
 */
export const VISIBLE =
  /[^\p{M}\p{Z}\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}\ufff9-\ufffc\p{Noncharacter_Code_Point}]/u;

/**
 * `Cs` are halves of surrogate pairs, `Zl` and `Zp` line ends; the last are embeddings and overrides of the
 * text's direction. The joiners and marks of direction that Persian, Hindi, Hebrew or an emoji needs pass.
 */
export const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e]/u;

/** An isolate (UAX #9) that the name leaves open would turn around the text that follows it. */
function hasBalancedIsolates(name: string): boolean {
  let open = 0;
  for (const [character] of name.matchAll(/[\u2066-\u2069]/g)) {
    open += character === '\u2069' ? -1 : 1;
    if (open < 0) return false;
  }
  return open === 0;
}

/** Counted in code points. */
const nameOf = (maxCharacters: number) => {
  const rule = `must be 1 to ${maxCharacters} characters, at least one of them visible, without control characters or overrides of the text's direction`;
  return z.string(rule).check(
    z.trim(),
    z.refine((name) => [...name].length <= maxCharacters, rule),
    z.refine((name) => VISIBLE.test(name), rule),
    z.refine((name) => !FORBIDDEN.test(name) && hasBalancedIsolates(name), rule),
  );
};

/** 64 code points are at most the 256 bytes that LiveKit allows a name. */
export const MAX_NAME_CHARACTERS = 64;

/** The name that the others in the room see. */
export const ParticipantName = nameOf(MAX_NAME_CHARACTERS);

export const ClubName = nameOf(128);

/** ISO 8601 in UTC, as `Date.toISOString` writes it. */
export const Instant = z.iso.datetime();

const RECORDING_ID_RULE = 'must be the id of a recording (a ULID)';

/** A ULID, so that recordings sort by the time at which they were asked for. */
export const RecordingId = z.string(RECORDING_ID_RULE).check(z.regex(ULID, RECORDING_ID_RULE));

/** A meeting that is on. It exists from the moment its record does, whether or not its room does. */
export const Meeting = z.object({
  meetingId: MeetingId,
  roomName: z.string(),
  startedAt: Instant,
  /** Null once that moderator was forgotten. */
  startedBy: z.nullable(UserId),
  maxParticipants: z.int(),
  /** Since when it is known to be vacant; absent while a person is in it. */
  vacantSince: z.optional(Instant),
  /** When a request last took it upon itself to make sure of the room at LiveKit. */
  roomEnsuredAt: z.optional(Instant),
});
export type Meeting = z.infer<typeof Meeting>;

/** A meeting that is over: decided facts, which never change again. */
export const EndedMeeting = z.object({
  meetingId: MeetingId,
  roomName: z.string(),
  startedAt: Instant,
  endedAt: Instant,
  durationSeconds: z.int(),
  /** The moderator who ended it; null when the cleanup did. */
  endedBy: z.nullable(UserId),
  reason: z.enum(['moderator', 'vacant', 'max-duration', 'club-removed']),
});
export type EndedMeeting = z.infer<typeof EndedMeeting>;

/**
 * What LiveKit reported about the rooms of the meeting that is on: the newest of them that any event was
 * about. The people in it are the club's `presentSids`.
 */
export const Presence = z.object({
  roomSid: z.string(),
  /** Orders the rooms of a meeting: never before the time of the earlier room, even if LiveKit's clocks say so. */
  roomCreatedAt: Instant,
  /** `room_started` arrived, so the set of participants is complete. */
  isComplete: z.boolean(),
  isFinished: z.boolean(),
  observedAt: Instant,
});
export type Presence = z.infer<typeof Presence>;

/** That the meeting is being recorded: at most one recording at a time. It goes with the meeting. */
export const RecordingClaim = z.object({
  recordingId: RecordingId,
  /** `starting` until the recorder is known to record, `stopping` until its file is known. */
  state: z.enum(['starting', 'active', 'stopping']),
  audioOnly: z.boolean(),
  requestedAt: Instant,
  /** Null once that moderator was forgotten. */
  requestedBy: z.nullable(UserId),
  /** LiveKit's id of it, once that is known. */
  egressId: z.optional(z.string()),
  /** Since when the recorder records. */
  activeSince: z.optional(Instant),
});
export type RecordingClaim = z.infer<typeof RecordingClaim>;

/** Whether who is recorded has to say yes, or only has to see it. */
export const RecordingConsent = z.enum(['required', 'notice'], 'must be "required" or "notice"');
export type RecordingConsent = z.infer<typeof RecordingConsent>;

/** Who may play and download recordings. */
export const RecordingAccess = z.enum(
  ['moderators', 'members'],
  'must be "moderators" or "members"',
);
export type RecordingAccess = z.infer<typeof RecordingAccess>;

export const Club = z.object({
  clubId: ClubId,
  name: z.string(),
  moderatorId: UserId,
  createdAt: Instant,
  /** `notice` when absent. */
  recordingConsent: z.optional(RecordingConsent),
  /** `moderators` when absent. */
  recordingAccess: z.optional(RecordingAccess),
  /** Tells clubs apart that had this id one after another; absent in rows that are older than it. */
  generation: z.optional(z.string()),
  /** As of when the name and the moderator are. */
  putAt: z.optional(Instant),
  /** When an earlier club of this id was removed, and with it everybody who was in it. */
  clearedAt: z.optional(Instant),
  /** How many users were forgotten: what was read before the last of them may name one. */
  forgetCount: z.optional(z.int()),
  meeting: z.optional(Meeting),
  presence: z.optional(Presence),
  /** The participant sids of the people in the meeting's room; absent when there are none. */
  presentSids: z.optional(z.set(z.string())),
  /** Who was removed from the meeting that is on, and kept out of it. */
  barredUserIds: z.optional(z.set(UserId)),
  /** Names the last change of the bars; absent while the meeting had none. */
  barsRevision: z.optional(z.string()),
  recording: z.optional(RecordingClaim),
  lastMeeting: z.optional(EndedMeeting),
  /** The meeting whose history row was put last: `lastMeeting`, while the start of the next one did it. */
  recordedMeetingId: z.optional(MeetingId),
});
export type Club = z.infer<typeof Club>;

const PAGE_RULE = 'must be a whole number from 1 to 100';

/** How many meetings a page of the history has; text in a query. */
export const PageLimit = z.coerce
  .number(PAGE_RULE)
  .check(z.int(PAGE_RULE), z.gte(1, PAGE_RULE), z.lte(100, PAGE_RULE));

export const Role = z.enum(['member', 'moderator'], 'must be "member" or "moderator"');
export type Role = z.infer<typeof Role>;

/**
 * What the record has of a person in a club, whether they are a member or were removed. Membership, name
 * and role each have the time as of which they are, so that a change that arrives late or again undoes
 * none that is newer. Rows that are older than these times have none: any change is newer.
 */
export const MemberRecord = z.object({
  userId: UserId,
  /** The club's, when this was written: the person is no member of a later club of the same id. */
  generation: z.optional(z.string()),
  displayName: z.optional(z.string()),
  role: z.optional(Role),
  joinedAt: z.optional(Instant),
  membershipAt: z.optional(Instant),
  nameAt: z.optional(Instant),
  roleAt: z.optional(Instant),
  /** Not a member since then. The record stays for a time, so that an older command does not add the person again. */
  removedAt: z.optional(Instant),
  /** When `forget-user` was last about them. */
  forgottenAt: z.optional(Instant),
});
export type MemberRecord = z.infer<typeof MemberRecord>;

export const Member = z.extend(MemberRecord, { role: Role, joinedAt: Instant });
export type Member = z.infer<typeof Member>;

/** The member of this club; undefined for who was removed, or is left from an earlier club of the id. */
export function memberOf(
  club: Pick<Club, 'generation'>,
  record: MemberRecord | undefined,
): Member | undefined {
  const isMember = record?.removedAt === undefined && record?.generation === club.generation;
  return record && isMember ? Member.parse(record) : undefined;
}

/** What a moderator's token was signed with, in which meeting: LiveKit cannot take it back. */
export const GrantNote = z.object({
  userId: UserId,
  meetingId: MeetingId,
  /** `full`: `roomAdmin` and `roomRecord`; `room`: `roomAdmin`. */
  grants: z.enum(['full', 'room']),
});
export type GrantNote = z.infer<typeof GrantNote>;

/** What can be muted by its kind: `screen` is its picture and its sound. */
export const MutableSource = z.enum(
  ['microphone', 'camera', 'screen'],
  'must be "microphone", "camera" or "screen"',
);
export type MutableSource = z.infer<typeof MutableSource>;

const TRACK_RULE = 'must be the sid of a track';
export const TrackSid = z.string(TRACK_RULE).check(z.regex(/^[\w-]{1,64}$/, TRACK_RULE));

/** LiveKit's id of a participant: a new one each time that they join. */
export const ParticipantSid = z.string().check(z.regex(/^PA_[\w-]{1,61}$/));

/** One attendee's stay in a meeting's room, from joining to leaving. */
export const Session = z.object({
  /** Null for a guest. */
  userId: z.nullable(UserId),
  participantSid: z.string(),
  /** The member's, not the participant's: participants can rename themselves. */
  displayName: z._default(z.nullable(z.string()), null),
  /** The room that it was in; rows of earlier versions do not say. */
  roomSid: z.optional(z.string()),
  joinedAt: Instant,
  leftAt: z.optional(Instant),
  /** LiveKit did not report the departure: `leftAt` is when the cleanup found the attendee gone. */
  isEstimated: z.optional(z.boolean()),
});
export type Session = z.infer<typeof Session>;

/** What is known of the life of one room of a meeting: it bounds the sessions that were in it. */
export const RoomLife = z.object({
  roomSid: z.string(),
  createdAt: z.optional(Instant),
  /** When a cleanup last saw that it was there. */
  seenAt: z.optional(Instant),
  /** When LiveKit said that it finished. */
  finishedAt: z.optional(Instant),
});
export type RoomLife = z.infer<typeof RoomLife>;

/**
 * The person of a verified token: `userId` is the Cognito `sub`. Branded, so that only
 * `lib/cognito` makes one and no use case can be called without verifying first.
 */
export const Caller = z
  .object({ userId: UserId, username: z.string().check(z.minLength(1)) })
  .brand<'Caller'>();
export type Caller = z.infer<typeof Caller>;

/** The person whom the club names (`moderatorId`), with or without a member item, or a member with that role. */
export const isModerator = (club: Club, member: Member | undefined, userId: string): boolean =>
  club.moderatorId === userId || member?.role === 'moderator';

/**
 * A moderator removed the user from the meeting that is on. Never the club's own moderator: a person
 * who becomes that after a removal is not barred any more.
 */
export const isBarred = ({ moderatorId, barredUserIds }: Club, userId: string): boolean =>
  moderatorId !== userId && (barredUserIds?.has(userId) ?? false);

const ROOM_PREFIX = 'reading-club-';

/** One room name per meeting: a name that was used once is never used again. */
export const roomNameOf = (clubId: string, meetingId: string): string =>
  `${ROOM_PREFIX}${clubId}-${meetingId}`;

/** The reverse of {@link roomNameOf}; undefined for a room that cannot be one of ours. */
export function parseRoomName(roomName: string): { clubId: string; meetingId: string } | undefined {
  const match = /^reading-club-([A-Za-z0-9_-]{1,64})-([0-7][0-9A-HJKMNP-TV-Z]{25})$/.exec(roomName);
  const [, clubId, meetingId] = match ?? [];
  return clubId && meetingId ? { clubId, meetingId } : undefined;
}
