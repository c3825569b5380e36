/**
 * What each route answers with 200, as clients see it. `answers.test.ts` holds each of these against the
 * type that its use case returns: the compiler refuses the one without the other.
 */
import * as z from 'zod';
import { describe as about } from 'zod/mini';
import {
  EndedMeeting as EndedMeetingRecord,
  MeetingId,
  Role,
  TrackSid,
  UserId,
} from '../lib/meetings/model.ts';

const seconds = () => z.int().min(0);
const count = () => z.int().min(0);
/** ISO 8601 in UTC. */
const instant = () => z.iso.datetime();

const success = z.literal(true);
const userId = UserId.check(about('The `sub` in the access tokens of the person.'));
const meetingId = MeetingId.check(
  about('A ULID: meetings sort by the time at which they started.'),
);
const roomName = z
  .string()
  .describe('The name of the room at LiveKit: each meeting has one of its own, never used again.');
const startedAt = instant().describe('When the meeting started.');

const EndedMeeting = z
  .strictObject({
    meetingId,
    roomName,
    startedAt,
    endedAt: instant().describe('When the meeting ended.'),
    durationSeconds: seconds().describe('Whole seconds.'),
    endedBy: z
      .nullable(UserId)
      .describe('The moderator who ended it; null for the other reasons, and once forgotten.'),
    reason: z
      .enum(EndedMeetingRecord.shape.reason.def.entries)
      .describe(
        [
          '`moderator`: a moderator ended it.',
          '`vacant`: everybody had left it.',
          '`max-duration`: it had lasted as long as a meeting may.',
          '`club-removed`: its club was removed.',
        ].join(' '),
      ),
  })
  .meta({
    id: 'EndedMeeting',
    description: 'A meeting that is over. Nothing of it changes again.',
  });

export const JoinToken = z
  .strictObject({
    token: z.string().describe('A LiveKit join token (a JWT), for this person and this room.'),
    serverUrl: z.url().describe('The WebSocket URL to connect to with the token.'),
    roomName,
    meetingId,
    participantName: z.string().describe('The name that the others in the room see.'),
    isModerator: z.boolean().describe('The caller is a moderator of the club.'),
    expiresAt: instant().describe(
      'Until when an unused token can be used to join. It never ends a connection.',
    ),
  })
  .meta({ id: 'JoinToken' });

export const StartedMeeting = z
  .strictObject({
    success,
    meetingId,
    roomName,
    startedAt,
    alreadyActive: z.boolean().describe('The meeting is not the one that this request set.'),
  })
  .meta({ id: 'StartedMeeting' });

export const EndAnswer = z
  .strictObject({
    success: z
      .boolean()
      .describe(
        'False: the meeting is over, but its room is not confirmed gone. The same request tries again.',
      ),
    meetingId,
    roomName,
    endedAt: instant().describe('When the meeting ended; the same each time.'),
    duration: seconds().describe('Whole seconds from start to end; the same each time.'),
  })
  .meta({ id: 'MeetingEnd' });

export const MeetingStatus = z
  .strictObject({
    state: z
      .enum(['idle', 'waiting', 'live'])
      .describe(
        '`idle`: no meeting is on. `waiting`: one is on, nobody is in it. `live`: people are in it.',
      ),
    isActive: z.boolean().describe('Somebody is in the meeting.'),
    participantCount: count().describe('How many people are in the meeting.'),
    startedAt: z.nullable(instant()).describe('Null unless a meeting is on.'),
    roomName: z
      .nullable(z.string())
      .describe('Null unless a meeting is on and its room exists. The next token makes the room.'),
    meetingId: z.nullable(MeetingId).describe('Null unless a meeting is on.'),
    maxParticipants: z
      .nullable(count())
      .describe('How many people may be in the meeting at once. Null unless a meeting is on.'),
    endsAtLatest: z
      .nullable(instant())
      .describe('When the meeting is ended at the latest. Null unless a meeting is on.'),
    lastMeeting: z.nullable(EndedMeeting).describe('Null for a club that never had a meeting.'),
    observedAt: instant().describe('When what is said here about people was so.'),
    observedBy: z
      .enum(['record', 'events', 'query'])
      .describe(
        'Who said so. `events`: LiveKit, by its webhooks. `query`: LiveKit, asked just now. `record`: no meeting is on.',
      ),
  })
  .meta({ id: 'MeetingStatus' });

export const MeetingList = z
  .strictObject({
    meetings: z.array(EndedMeeting).describe('Newest first.'),
    cursor: z.exactOptional(
      MeetingId.check(about('Where the next page begins. Absent on the last page.')),
    ),
  })
  .meta({ id: 'MeetingList' });

const Attendance = z
  .strictObject({
    userId,
    displayName: z.nullable(z.string()).describe('By the record of the club; null when unknown.'),
    firstJoinedAt: instant(),
    lastLeftAt: instant().describe('The end of the meeting for those who stayed until then.'),
    secondsPresent: seconds().describe('Whole seconds. Time on two devices at once counts once.'),
    sessions: count().describe('How often the person came. Another device or tab counts as well.'),
  })
  .meta({ id: 'Attendance' });

export const MeetingDetails = z
  .strictObject({
    meeting: EndedMeeting.extend({ peopleCount: count().describe('How many people were there.') }),
    attendance: z
      .array(Attendance)
      .describe('In the order in which people came. Kept for 400 days.'),
  })
  .meta({ id: 'MeetingDetails' });

const Track = z
  .strictObject({
    sid: z.string(),
    kind: z.enum(['audio', 'video', 'data']),
    source: z.enum(['microphone', 'camera', 'screen_share', 'screen_share_audio', 'unknown']),
    muted: z.boolean(),
  })
  .meta({ id: 'Track' });

const Participant = z
  .strictObject({
    userId: z.string().describe('The `sub` in the access tokens of the person.'),
    name: z.string().describe('As the others see it: participants can rename themselves.'),
    role: Role.check(about('By the record of the club: nothing that a participant can change.')),
    joinedAt: instant(),
    tracks: z.array(Track).describe('What the person sends to the room.'),
  })
  .meta({ id: 'Participant' });

export const ParticipantList = z
  .strictObject({ participants: z.array(Participant) })
  .meta({ id: 'ParticipantList' });

export const Muted = z
  .strictObject({
    success,
    muted: z
      .array(z.strictObject({ userId: z.string(), trackSid: TrackSid }))
      .describe('What was not muted before this request, as far as LiveKit told it.'),
  })
  .meta({ id: 'Muted' });

const holdsNow = z
  .literal('now')
  .describe('Nothing that a browser holds works against the decision.');
const holdsLater = {
  effective: z
    .literal('after-token-expiry')
    .describe(
      'This API obeys the decision now. At LiveKit itself, a grant that the browser holds works for a while.',
    ),
  until: instant().describe(
    'When a grant that the browser holds by now has expired at the latest.',
  ),
  isRenewed: z
    .boolean()
    .describe(
      'LiveKit renews the grant for as long as the person stays in the meeting, longer than `until`. Removing them ends that.',
    ),
};

const removed = {
  success,
  wasPresent: z.boolean().describe('The person was in the meeting.'),
  isBarred: z.boolean().describe('The person is kept out until the meeting ends.'),
};

export const Removed = z
  .discriminatedUnion('effective', [
    z.strictObject({ ...removed, effective: holdsNow }),
    z.strictObject({ ...removed, ...holdsLater }),
  ])
  .meta({ id: 'Removed' });

export const Readmitted = z
  .strictObject({
    success,
    wasBarred: z.boolean().describe('The person had been kept out of the meeting that is on.'),
  })
  .meta({ id: 'Readmitted' });

const roleSet = { success, userId, role: Role };

export const RoleSet = z
  .discriminatedUnion('effective', [
    z.strictObject({ ...roleSet, effective: holdsNow }),
    z.strictObject({ ...roleSet, ...holdsLater }),
  ])
  .meta({ id: 'RoleSet' });

export const WebhookAnswer = z
  .strictObject({
    result: z
      .enum(['followed', 'zombie-deleted', 'ignored'])
      .describe(
        'What became of the event. `zombie-deleted`: the room of an ended meeting was deleted. `ignored`: it is about nothing that is known here.',
      ),
  })
  .meta({ id: 'WebhookAnswer' });
