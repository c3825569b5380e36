/**
 * What each route answers with 200: the one place for each answer's shape. The rules and clients import
 * the types (only types, so no bundle holds a schema); the OpenAPI document is made from the schemas.
 */
import * as z from 'zod/mini';
import {
  ClubId,
  EndedMeeting as EndedMeetingRecord,
  MeetingId,
  RecordingAccess,
  RecordingConsent,
  RecordingId,
  Role,
  TrackSid,
  UserId,
} from '../meetings/model.ts';

const described = <S extends z.ZodMiniType>(schema: S, description: string): S =>
  schema.check(z.describe(description));

/** A component of the OpenAPI document. */
const named = <S extends z.ZodMiniType>(id: string, schema: S, description?: string): S =>
  schema.check(z.meta({ id, ...(description !== undefined && { description }) }));

const seconds = () => z.int().check(z.gte(0));
const count = () => z.int().check(z.gte(0));
/** ISO 8601 in UTC. */
const instant = () => z.iso.datetime();

const success = z.literal(true);
const userId = described(UserId, 'The `sub` in the access tokens of the person.');
const clubId = described(ClubId, 'As the application that owns the clubs named it.');
const meetingId = described(MeetingId, 'A ULID: meetings sort by the time at which they started.');
const roomName = described(
  z.string(),
  'The name of the room at LiveKit: each meeting has one of its own, never used again.',
);
const startedAt = described(instant(), 'When the meeting started.');

const endedMeeting = {
  meetingId,
  roomName,
  startedAt,
  endedAt: described(instant(), 'When the meeting ended.'),
  durationSeconds: described(seconds(), 'Whole seconds.'),
  endedBy: described(
    z.nullable(UserId),
    'The moderator who ended it; null for the other reasons, and once forgotten.',
  ),
  reason: described(
    z.enum(EndedMeetingRecord.shape.reason.def.entries),
    [
      '`moderator`: a moderator ended it.',
      '`vacant`: everybody had left it.',
      '`max-duration`: it had lasted as long as a meeting may.',
      '`club-removed`: its club was removed.',
    ].join(' '),
  ),
};

const EndedMeeting = named(
  'EndedMeeting',
  z.strictObject(endedMeeting),
  'A meeting that is over. Nothing of it changes again.',
);

const ClubRole = described(
  z.enum(['owner', ...Role.options]),
  "`owner`: the club's own moderator (`moderatorId`). By the record of the club.",
);

export type ClubList = z.infer<typeof ClubList>;
export const ClubList = named(
  'ClubList',
  z.strictObject({
    clubs: described(
      z.array(
        named(
          'OwnClub',
          z.strictObject({
            clubId,
            name: z.string(),
            role: ClubRole,
            recordingConsent: described(
              z.enum(RecordingConsent.def.entries),
              '`required`: people who are recorded have to agree. `notice`: they have to see it.',
            ),
            recordingAccess: described(
              z.enum(RecordingAccess.def.entries),
              'Who may play and download recordings.',
            ),
            meeting: described(
              z.nullable(
                z.strictObject({
                  meetingId,
                  startedAt,
                  participantCount: described(
                    z.nullable(count()),
                    "How many people are in the meeting, by LiveKit's events; null when they do not say. Ask for the status then.",
                  ),
                }),
              ),
              'Null unless a meeting is on.',
            ),
          }),
        ),
      ),
      'In the order of their ids. A page can have fewer than asked for, or none, and still have a `cursor`.',
    ),
    cursor: z.exactOptional(
      described(ClubId, 'Where the next page begins. Absent on the last page.'),
    ),
  }),
);

export type MemberList = z.infer<typeof MemberList>;
export const MemberList = named(
  'MemberList',
  z.strictObject({
    members: described(
      z.array(
        named(
          'ClubMember',
          z.strictObject({
            userId,
            displayName: described(z.nullable(z.string()), 'Null when unknown.'),
            role: ClubRole,
          }),
        ),
      ),
      'With the owner, in the order of their user ids.',
    ),
    cursor: z.exactOptional(
      described(UserId, 'Where the next page begins. Absent on the last page.'),
    ),
  }),
);

const recordingId = described(
  RecordingId,
  'A ULID: recordings sort by the time at which they were asked for.',
);

const RecordingOn = named(
  'RecordingOn',
  z.strictObject({
    recordingId,
    state: described(
      z.enum(['starting', 'active', 'stopping']),
      '`starting`: a recorder was asked for, and may record already. `active`: it records. `stopping`: its file is being completed.',
    ),
    startedAt: described(z.nullable(instant()), 'Null until it is known to record.'),
  }),
);

const recordingOn = described(
  z.nullable(RecordingOn),
  'The recording that is on: show it to everybody in the meeting. Null when none is.',
);

export type JoinToken = z.infer<typeof JoinToken>;
export const JoinToken = named(
  'JoinToken',
  z.strictObject({
    token: described(z.string(), 'A LiveKit join token (a JWT), for this person and this room.'),
    serverUrl: described(z.url(), 'The WebSocket URL to connect to with the token.'),
    roomName,
    meetingId,
    participantName: described(z.string(), 'The name that the others in the room see.'),
    isModerator: described(z.boolean(), 'The caller is a moderator of the club.'),
    expiresAt: described(
      instant(),
      'Until when an unused token can be used to join. It never ends a connection.',
    ),
    recording: recordingOn,
  }),
);

export type StartedMeeting = z.infer<typeof StartedMeeting>;
export const StartedMeeting = named(
  'StartedMeeting',
  z.strictObject({
    success,
    meetingId,
    roomName,
    startedAt,
    alreadyActive: described(z.boolean(), 'The meeting is not the one that this request set.'),
  }),
);

export type EndAnswer = z.infer<typeof EndAnswer>;
export const EndAnswer = named(
  'MeetingEnd',
  z.strictObject({
    success: described(
      z.boolean(),
      'False: the meeting is over, but its room is not confirmed gone. The same request tries again.',
    ),
    meetingId,
    roomName,
    endedAt: described(instant(), 'When the meeting ended; the same each time.'),
    duration: described(seconds(), 'Whole seconds from start to end; the same each time.'),
  }),
);

export type MeetingStatus = z.infer<typeof MeetingStatus>;
export const MeetingStatus = named(
  'MeetingStatus',
  z.strictObject({
    state: described(
      z.enum(['idle', 'waiting', 'live']),
      '`idle`: no meeting is on. `waiting`: one is on, without participants. `live`: people are in it.',
    ),
    isActive: described(z.boolean(), 'A participant is in the meeting.'),
    participantCount: described(count(), 'How many people and guests are in the meeting.'),
    startedAt: described(z.nullable(instant()), 'Null unless a meeting is on.'),
    roomName: described(
      z.nullable(z.string()),
      'Null unless a meeting is on and its room exists. The next token makes the room.',
    ),
    meetingId: described(z.nullable(MeetingId), 'Null unless a meeting is on.'),
    maxParticipants: described(
      z.nullable(count()),
      'How many people may be in the meeting at once. Null unless a meeting is on.',
    ),
    endsAtLatest: described(
      z.nullable(instant()),
      'When the meeting is ended at the latest. Null unless a meeting is on.',
    ),
    recording: recordingOn,
    mustConsent: described(
      z.boolean(),
      'The club requires consent to being recorded, a recording is on, and the caller has not consented.',
    ),
    lastMeeting: described(z.nullable(EndedMeeting), 'Null for a club that never had a meeting.'),
    observedAt: described(instant(), 'When what is said here about people was so.'),
    observedBy: described(
      z.enum(['record', 'events', 'query']),
      'Who said so. `events`: LiveKit, by its webhooks. `query`: LiveKit, asked just now. `record`: no meeting is on.',
    ),
    pollAfterSeconds: described(seconds(), 'After how many seconds a client asks again.'),
  }),
);

export type MeetingList = z.infer<typeof MeetingList>;
export const MeetingList = named(
  'MeetingList',
  z.strictObject({
    meetings: described(
      z.array(
        named(
          'ListedMeeting',
          z.strictObject({
            ...endedMeeting,
            recordingCount: described(count(), 'How many recordings of it are kept.'),
          }),
        ),
      ),
      'Newest first.',
    ),
    cursor: z.exactOptional(
      described(MeetingId, 'Where the next page begins. Absent on the last page.'),
    ),
  }),
);

export type Attendance = z.infer<typeof Attendance>;
const Attendance = named(
  'Attendance',
  z.strictObject({
    userId,
    displayName: described(z.nullable(z.string()), 'By the record of the club; null when unknown.'),
    firstJoinedAt: instant(),
    lastLeftAt: described(instant(), 'The end of the meeting for those who stayed until then.'),
    secondsPresent: described(seconds(), 'Whole seconds. Time on two devices at once counts once.'),
    sessions: described(
      count(),
      'How often the person came. Another device or tab counts as well.',
    ),
    stays: described(
      z.array(
        z.strictObject({
          joinedAt: instant(),
          leftAt: described(instant(), 'At the latest the end of the meeting.'),
          isEstimated: described(
            z.boolean(),
            'LiveKit did not report the departure. `leftAt` is the earliest time by which the person is known to have been gone.',
          ),
        }),
      ),
      'Each time that the person came, in that order. Stays on two devices overlap.',
    ),
  }),
);

export type MeetingDetails = z.infer<typeof MeetingDetails>;
export const MeetingDetails = named(
  'MeetingDetails',
  z.strictObject({
    meeting: z.strictObject({
      ...endedMeeting,
      peopleCount: described(count(), 'How many people were there.'),
      guestCount: described(
        count(),
        'How many guests were there, by telephone or from another network. A guest who comes twice counts twice.',
      ),
    }),
    attendance: described(
      z.array(Attendance),
      'In the order in which people came. Kept for 400 days.',
    ),
  }),
);

const Track = named(
  'Track',
  z.strictObject({
    sid: z.string(),
    kind: z.enum(['audio', 'video', 'data']),
    source: z.enum(['microphone', 'camera', 'screen_share', 'screen_share_audio', 'unknown']),
    muted: z.boolean(),
  }),
);

const Participant = named(
  'Participant',
  z.strictObject({
    kind: described(
      z.enum(['standard', 'sip', 'connector']),
      '`standard`: a person of the club. `sip`: a guest by telephone. `connector`: a guest from another network.',
    ),
    participantSid: described(
      z.string(),
      'LiveKit’s id of this participant, until they leave. It addresses a guest.',
    ),
    userId: described(
      z.nullable(UserId),
      'The `sub` in the access tokens of the person; null for a guest.',
    ),
    name: described(z.string(), 'As the others see it: participants can rename themselves.'),
    role: described(
      z.nullable(Role),
      'By the record of the club: nothing that a participant can change. Null for a guest.',
    ),
    joinedAt: instant(),
    tracks: described(z.array(Track), 'What the participant sends to the room.'),
  }),
);

export type ParticipantList = z.infer<typeof ParticipantList>;
export const ParticipantList = named(
  'ParticipantList',
  z.strictObject({
    participants: z.array(Participant),
    barred: described(
      z.array(
        z.strictObject({
          userId,
          name: described(z.nullable(z.string()), 'By the record of the club; null when unknown.'),
        }),
      ),
      'The people of the club who are kept out of the meeting: each can be readmitted.',
    ),
  }),
);

const muted = described(
  z.array(
    z.strictObject({
      userId: described(z.nullable(UserId), 'Null for a guest.'),
      participantSid: z.string(),
      trackSid: TrackSid,
    }),
  ),
  'What was not muted before this request, as far as LiveKit reported it.',
);

export type Muted = z.infer<typeof Muted>;
export const Muted = named('Muted', z.strictObject({ success, muted }));

export type MutedEverybody = z.infer<typeof MutedEverybody>;
export const MutedEverybody = named(
  'MutedEverybody',
  z.strictObject({
    success: described(
      z.boolean(),
      'Nothing is left to be muted. While it is false, the same request goes on.',
    ),
    muted,
    left: described(count(), 'How many tracks are left to be muted.'),
  }),
);

const holdsNow = {
  effective: described(
    z.literal('now'),
    'Nothing that a browser holds works against the decision.',
  ),
};
const holdsLater = {
  effective: described(
    z.literal('after-token-expiry'),
    'This API obeys the decision now. At LiveKit itself, a grant that the browser holds works for a while.',
  ),
  until: described(
    instant(),
    'When a grant that the browser holds by now has expired at the latest.',
  ),
  isRenewed: described(
    z.boolean(),
    'LiveKit renews the grant for as long as the person is in the meeting, longer than `until`. Removing them ends that.',
  ),
};

/** Since when a decision holds, despite the grants that a browser has at LiveKit. */
export type Effect = z.infer<z.ZodMiniObject<typeof holdsNow> | z.ZodMiniObject<typeof holdsLater>>;

const removed = {
  success,
  wasPresent: described(z.boolean(), 'The person was in the meeting.'),
  isBarred: described(z.boolean(), 'The person is kept out until the meeting ends.'),
};

export type Removed = z.infer<typeof Removed>;
export const Removed = named(
  'Removed',
  z.discriminatedUnion('effective', [
    z.strictObject({ ...removed, ...holdsNow }),
    z.strictObject({ ...removed, ...holdsLater }),
  ]),
);

export type Readmitted = z.infer<typeof Readmitted>;
export const Readmitted = named(
  'Readmitted',
  z.strictObject({
    success,
    wasBarred: described(z.boolean(), 'The person had been kept out of the meeting that is on.'),
  }),
);

const roleSet = { success, userId, role: Role };

export type RoleSet = z.infer<typeof RoleSet>;
export const RoleSet = named(
  'RoleSet',
  z.discriminatedUnion('effective', [
    z.strictObject({ ...roleSet, ...holdsNow }),
    z.strictObject({ ...roleSet, ...holdsLater }),
  ]),
);

const everyState = z.enum([
  'starting',
  'active',
  'stopping',
  'completed',
  'failed',
  'aborted',
  'lost',
]);

export type RecordingAnswer = z.infer<typeof RecordingAnswer>;
export const RecordingAnswer = named(
  'RecordingAnswer',
  z.strictObject({
    success,
    recordingId,
    state: described(
      everyState,
      'As in a list of recordings. With 202 it is not known yet whether LiveKit does what was asked: the status says it within two minutes.',
    ),
  }),
);

export type RecordingList = z.infer<typeof RecordingList>;
export const RecordingList = named(
  'RecordingList',
  z.strictObject({
    recordings: described(
      z.array(
        named(
          'Recording',
          z.strictObject({
            recordingId,
            state: described(
              everyState,
              [
                '`starting`, `active`, `stopping`: it is on.',
                '`completed`: there is a file.',
                '`failed`: no recorder came, or its file could not be kept.',
                '`aborted`: it was over before it recorded.',
                '`lost`: its recorder vanished; a file that turns up later makes it `completed`.',
              ].join(' '),
            ),
            audioOnly: z.boolean(),
            requestedBy: described(
              z.nullable(UserId),
              'The moderator who asked for it; null once forgotten.',
            ),
            startedAt: described(
              z.nullable(instant()),
              'Null unless it is known to have recorded.',
            ),
            endedAt: described(z.nullable(instant()), 'Null while it is on.'),
            durationSeconds: described(
              z.nullable(seconds()),
              'By LiveKit, to a second or two; null when LiveKit did not say.',
            ),
            bytes: described(z.nullable(count()), 'Of the file; null when there is none.'),
            expiresAt: described(
              z.nullable(instant()),
              'Until when it is kept. Null while it is on.',
            ),
          }),
        ),
      ),
      'In the order in which they were asked for.',
    ),
  }),
);

export type RecordingDownload = z.infer<typeof RecordingDownload>;
export const RecordingDownload = named(
  'RecordingDownload',
  z.strictObject({
    url: described(
      z.url(),
      'The address of the file. It needs no other credential until it expires. It takes range requests, so a player can use it, too.',
    ),
    expiresAt: described(instant(), 'When the address stops working. Ask for another one then.'),
  }),
);

export type RecordingDeleted = z.infer<typeof RecordingDeleted>;
export const RecordingDeleted = named('RecordingDeleted', z.strictObject({ success }));

export type ConsentAnswer = z.infer<typeof ConsentAnswer>;
export const ConsentAnswer = named('ConsentAnswer', z.strictObject({ success, meetingId }));

export type WebhookAnswer = z.infer<typeof WebhookAnswer>;
export const WebhookAnswer = named(
  'WebhookAnswer',
  z.strictObject({
    result: described(
      z.enum(['followed', 'zombie-deleted', 'postponed', 'ignored']),
      'What became of the event. `zombie-deleted`: the room of an ended meeting was deleted. `postponed`: LiveKit did not delete such a room, or remove a barred person, within 3 s; the cleanup does. `ignored`: it is about nothing that is known here.',
    ),
  }),
);
