/**
 * The routes as a client reads of them, by the names of their functions in serverless.yml. Requests are
 * the schemas that the functions parse with, so importing this takes the environment that they need to
 * start; the errors are those of `lib/errors.ts`, with their sentences.
 */
import * as z from 'zod';
import * as mini from 'zod/mini';
import * as end from '../functions/end.ts';
import * as meeting from '../functions/meeting.ts';
import * as meetings from '../functions/meetings.ts';
import * as members from '../functions/members.ts';
import * as mute from '../functions/mute.ts';
import * as muteAll from '../functions/mute-all.ts';
import * as myClubs from '../functions/my-clubs.ts';
import * as participants from '../functions/participants.ts';
import * as readmit from '../functions/readmit.ts';
import * as recordingConsent from '../functions/recording-consent.ts';
import * as recordingDelete from '../functions/recording-delete.ts';
import * as recordingDownload from '../functions/recording-download.ts';
import * as recordingStart from '../functions/recording-start.ts';
import * as recordingStop from '../functions/recording-stop.ts';
import * as recordings from '../functions/recordings.ts';
import * as remove from '../functions/remove.ts';
import * as role from '../functions/role.ts';
import * as start from '../functions/start.ts';
import * as status from '../functions/status.ts';
import * as token from '../functions/token.ts';
import * as webhook from '../functions/webhook.ts';
import * as answers from '../lib/contract/answers.ts';
import {
  type AppError,
  ClubNotFound,
  ConsentRequired,
  MediaUnavailable,
  MeetingFull,
  MeetingNotActive,
  MeetingNotFound,
  MemberNotFound,
  NotAllowed,
  NotAMember,
  NotAModerator,
  ParticipantNotFound,
  RecordingNotActive,
  RecordingNotFinished,
  RecordingNotFound,
  RecordingUnavailable,
  RemovedFromMeeting,
} from '../lib/errors.ts';
import type { Route } from '../lib/http/handler.ts';
import { FORBIDDEN, MAX_NAME_CHARACTERS, VISIBLE } from '../lib/meetings/model.ts';

export interface Operation {
  /** As the function has it: its name, and its sentence for what went wrong inside. */
  route: Route;
  /** What a generated client calls it. */
  operationId: string;
  tag: keyof typeof TAGS;
  summary: string;
  description: string;
  path?: mini.ZodMiniObject;
  query?: mini.ZodMiniObject;
  /** JSON that the function parses, unless it has another media type. */
  body?: { schema: mini.ZodMiniObject; mediaType?: string; examples: Examples };
  answer: mini.ZodMiniType;
  /** When the same answer comes with 202. */
  accepted?: string;
  examples: Examples;
  /** An example of the table that the route answers to `Accept: text/csv`. */
  csv?: string;
  /** The answer has an `ETag`, and an unchanged one is a 304. */
  isRevalidated?: true;
  /** What this route alone can answer; the others follow from what it takes and who may call it. */
  errors: AppError[];
}

type Examples<Value = unknown> = Record<string, { summary: string; value: Value }>;

export const TAGS = {
  Meetings: 'The meeting that is on: start it, join it, follow it, end it.',
  Clubs: 'The clubs of the caller, and who is in them.',
  History: 'Meetings that are over, and who was there.',
  Recording: 'Recordings: start and stop them, see that one is on, agree to it, get the files.',
  Moderation: 'What moderators see and do. None of it needs a grant at LiveKit itself.',
  LiveKit: 'What LiveKit calls.',
};

/**
 * What a field is about; where no example has it, also how it may look; and what JSON Schema can say of a rule
 * that the field's own schema has as code.
 */
type About =
  | string
  | { description: string; example: string | number }
  | { description: string; rule: { minLength: number; maxLength: number; pattern: string } };

/** Of the paths. */
const PARAMETERS = {
  clubId: { description: 'The reading club.', example: 'novels' },
  meetingId: { description: 'The meeting, a ULID.', example: '01M7JVP1TG6V1K4Q0ZP2R8W9XA' },
  userId: {
    description: 'The person: the `sub` in their access tokens.',
    example: '818b1ace-1546-4e9f-89a0-342ec2325962',
  },
  recordingId: { description: 'The recording, a ULID.', example: '01M7JVZ3C8N5QK2M7T1Y9D4W6R' },
};

/** Where a guest, who has no user id, is addressed as well. */
const PARTICIPANT = {
  ...PARAMETERS,
  userId: {
    ...PARAMETERS.userId,
    description:
      'The person: the `sub` in their access tokens. Or a guest: their `participantSid`.',
  },
};

/** The same schema, with what its fields are about: a field without a word does not compile. */
const described = <Shape extends Record<string, mini.ZodMiniType>>(
  schema: mini.ZodMiniObject<Shape>,
  about: Record<keyof Shape, About>,
): mini.ZodMiniObject =>
  mini.extend(
    schema,
    Object.fromEntries(
      Object.entries(schema.shape).map(([name, field]) => [name, field.check(saying(about[name]))]),
    ),
  );

function saying(about: About | undefined) {
  if (about === undefined) throw new Error('A field without a word');
  if (typeof about === 'string') return mini.meta({ description: about });
  const { description } = about;
  if ('rule' in about) return mini.meta({ description, ...about.rule });
  return mini.meta({ description, param: { description, example: about.example } });
}

/** Something visible between whatever is allowed; what is trimmed may be anything. */
const NAME_PATTERN = `^\\s*[^${FORBIDDEN.source.slice(1)}*${VISIBLE.source}[^${FORBIDDEN.source.slice(1)}*\\s*$`;

/** So that the examples are of the type that the answer has. */
const operation = <Answer extends mini.ZodMiniType>(
  of: Operation & { answer: Answer; examples: Examples<z.infer<Answer>> },
): Operation => of;

const ADA = '9e929ac4-3561-4a86-9fe1-1933393f032f';
const CLEO = '818b1ace-1546-4e9f-89a0-342ec2325962';
const MUTED = [{ userId: CLEO, participantSid: 'PA_Segmx4dNjjW4', trackSid: 'TR_AMmEoCAGs6tWqs' }];
const PREVIOUS = {
  meetingId: '01M7JVP1TG6V1K4Q0ZP2R8W9XA',
  roomName: 'reading-club-novels-01M7JVP1TG6V1K4Q0ZP2R8W9XA',
  startedAt: '2026-11-16T19:00:02.000Z',
  endedAt: '2026-11-16T20:31:44.512Z',
  durationSeconds: 5502,
  endedBy: ADA,
  reason: 'moderator',
} as const;
const VACANT = {
  meetingId: '01M70TZ37G9M4T7J5D3H6B8C2E',
  roomName: 'reading-club-novels-01M70TZ37G9M4T7J5D3H6B8C2E',
  startedAt: '2026-11-09T19:01:10.000Z',
  endedAt: '2026-11-09T20:20:00.204Z',
  durationSeconds: 4730,
  endedBy: null,
  reason: 'vacant',
} as const;
const ON = {
  meetingId: '01M82DWZHWSFNX08NJ1MQ1V3NQ',
  roomName: 'reading-club-novels-01M82DWZHWSFNX08NJ1MQ1V3NQ',
  startedAt: '2026-11-22T20:06:59.900Z',
};
const RECORDING_ID = '01M82E14XG3K7V9Q2B5N8T6C1D';
const RECORDING_ON = {
  recordingId: RECORDING_ID,
  state: 'active',
  startedAt: '2026-11-22T20:08:31.207Z',
} as const;
const RECORDED = {
  recordingId: '01M7JVZ3C8N5QK2M7T1Y9D4W6R',
  state: 'completed',
  audioOnly: true,
  requestedBy: ADA,
  startedAt: '2026-11-16T19:05:10.420Z',
  endedAt: '2026-11-16T20:31:44.630Z',
  durationSeconds: 5194,
  bytes: 31_683_400,
  expiresAt: '2026-12-16T20:31:44.000Z',
} as const;
const NOW = { effective: 'now' } as const;
const LATER = {
  effective: 'after-token-expiry',
  until: '2026-11-22T20:41:12.000Z',
  isRenewed: false,
} as const;

const NOT_ON = new MeetingNotActive('No meeting is on');
const JUST_ENDED = new MeetingNotActive('The meeting has just ended');
const OWN_MODERATOR = new NotAllowed("Nobody moderates the club's own moderator");

/** An object that says that it may have more fields. */
const open = (shape: Record<string, z.ZodType>) =>
  z.looseObject(shape).meta({ additionalProperties: true });

/** As far as it matters here: LiveKit's own. Its signature is verified, its shape is the SDK's. */
const LiveKitEvent = mini
  .looseObject({
    event: z.string().describe('What happened: `room_started`, `participant_joined` and so on.'),
    createdAt: z.exactOptional(z.string().describe('Unix time in seconds, as text.')),
    room: z.exactOptional(open({ name: z.string(), sid: z.string() })),
    participant: z.exactOptional(open({ identity: z.string(), sid: z.string() })),
    egressInfo: z.exactOptional(open({ egressId: z.string(), roomName: z.string() })),
  })
  .check(
    mini.meta({
      id: 'LiveKitEvent',
      description: 'A `livekit.WebhookEvent` as JSON.',
      additionalProperties: true,
    }),
  );

/** By the function's name in serverless.yml. */
export const operations: Record<string, Operation> = {
  token: operation({
    route: token.route,
    operationId: 'createJoinToken',
    tag: 'Meetings',
    summary: 'Get a token to join the meeting that is on',
    description:
      'For members. Ask for it when about to join, then connect to `serverUrl` with `token`. A join that LiveKit answers with 404 needs a new token, asked for with `roomMissing: true`: the room was closed, and the backend does not know yet.',
    body: {
      schema: described(token.Body, {
        readingClubId: PARAMETERS.clubId.description,
        participantName: {
          description:
            "The name that the others see: 1 to 64 characters, trimmed, at least one of them visible, without control characters, overrides of the text's direction or isolates that are left open. By default the first that fits of the member's display name, the user name in the access token (unless it holds an `@`), and the user id.",
          rule: { minLength: 1, maxLength: MAX_NAME_CHARACTERS, pattern: NAME_PATTERN },
        },
        roomMissing:
          'LiveKit answered a join with 404: makes the backend create the room again. Send it once, after such a join.',
        consent:
          'True when the person agrees to be recorded in this meeting. It is kept where the club requires it.',
      }),
      examples: {
        named: {
          summary: 'With a name',
          value: { readingClubId: 'novels', participantName: 'Cleo' },
        },
        default: { summary: 'With the default name', value: { readingClubId: 'novels' } },
        again: {
          summary: 'After a join that LiveKit answered with 404',
          value: { readingClubId: 'novels', roomMissing: true },
        },
        consenting: {
          summary: 'To a meeting that is recorded, in a club that requires consent',
          value: { readingClubId: 'novels', consent: true },
        },
      },
    },
    answer: answers.JoinToken,
    examples: {
      member: {
        summary: 'A member',
        value: {
          token: 'eyJhbGciOiJIUzI1NiJ9.…',
          serverUrl: 'wss://books.livekit.cloud',
          roomName: ON.roomName,
          meetingId: ON.meetingId,
          participantName: 'Cleo',
          isModerator: false,
          expiresAt: '2026-11-22T20:17:00.000Z',
          recording: null,
        },
      },
    },
    errors: [
      new NotAMember(),
      new RemovedFromMeeting(),
      new ClubNotFound(),
      NOT_ON,
      new ConsentRequired(),
      new MeetingFull(50),
      new MediaUnavailable(),
    ],
  }),

  start: operation({
    route: start.route,
    operationId: 'startMeeting',
    tag: 'Meetings',
    summary: 'Start the meeting of a club',
    description:
      'For moderators. While a meeting is on, it makes sure of that one and returns it. A moderator who was removed from that one does not.',
    path: described(start.Path, PARAMETERS),
    answer: answers.StartedMeeting,
    examples: {
      started: { summary: 'Started', value: { success: true, ...ON, alreadyActive: false } },
      repeated: {
        summary: 'It was on already',
        value: { success: true, ...ON, alreadyActive: true },
      },
    },
    errors: [
      new NotAModerator('start meetings'),
      new RemovedFromMeeting(),
      new MeetingNotActive('The meeting ended while it was being started'),
      new MediaUnavailable(),
    ],
  }),

  end: operation({
    route: end.route,
    operationId: 'endMeeting',
    tag: 'Meetings',
    summary: 'End the meeting of a club for good',
    description:
      'For moderators. It can be repeated, with the same answer each time. A repetition names its `meetingId`, so that it cannot end the next meeting.',
    path: described(end.Path, PARAMETERS),
    body: {
      schema: described(end.Body, {
        meetingId: 'Only this meeting. By default the one that is on, else the last one.',
      }),
      examples: {
        any: { summary: 'The meeting that is on', value: {} },
        named: { summary: 'Only this meeting', value: { meetingId: ON.meetingId } },
      },
    },
    answer: answers.EndAnswer,
    examples: {
      ended: {
        summary: 'Ended',
        value: {
          success: true,
          meetingId: ON.meetingId,
          roomName: ON.roomName,
          endedAt: '2026-11-22T21:30:01.262Z',
          duration: 4981,
        },
      },
      roomLeft: {
        summary: 'Ended, but LiveKit did not confirm that the room is gone',
        value: {
          success: false,
          meetingId: ON.meetingId,
          roomName: ON.roomName,
          endedAt: '2026-11-22T21:30:01.262Z',
          duration: 4981,
        },
      },
    },
    errors: [
      new NotAModerator('end meetings'),
      new RemovedFromMeeting(),
      new MeetingNotActive('No such meeting is on'),
    ],
  }),

  status: operation({
    route: status.route,
    operationId: 'getMeetingStatus',
    tag: 'Meetings',
    summary: 'See whether a meeting is on, and how many people are in it',
    description: 'For members.',
    path: described(status.Path, PARAMETERS),
    isRevalidated: true,
    answer: answers.MeetingStatus,
    examples: {
      live: {
        summary: 'People are in the meeting',
        value: {
          state: 'live',
          isActive: true,
          participantCount: 3,
          ...ON,
          maxParticipants: 50,
          endsAtLatest: '2026-11-23T08:06:59.900Z',
          recording: RECORDING_ON,
          mustConsent: false,
          lastMeeting: PREVIOUS,
          observedAt: '2026-11-22T20:09:12.000Z',
          observedBy: 'events',
          pollAfterSeconds: 5,
        },
      },
      waiting: {
        summary: 'An active, vacant meeting whose room is closed',
        value: {
          state: 'waiting',
          isActive: false,
          participantCount: 0,
          ...ON,
          roomName: null,
          maxParticipants: 50,
          endsAtLatest: '2026-11-23T08:06:59.900Z',
          recording: null,
          mustConsent: false,
          lastMeeting: PREVIOUS,
          observedAt: '2026-11-22T20:18:30.117Z',
          observedBy: 'query',
          pollAfterSeconds: 15,
        },
      },
      idle: {
        summary: 'No meeting is on',
        value: {
          state: 'idle',
          isActive: false,
          participantCount: 0,
          startedAt: null,
          roomName: null,
          meetingId: null,
          maxParticipants: null,
          endsAtLatest: null,
          recording: null,
          mustConsent: false,
          lastMeeting: null,
          observedAt: '2026-11-22T20:06:12.480Z',
          observedBy: 'record',
          pollAfterSeconds: 8,
        },
      },
    },
    errors: [new NotAMember(), new ClubNotFound(), new MediaUnavailable()],
  }),

  meetings: operation({
    route: meetings.route,
    operationId: 'listMeetings',
    tag: 'History',
    summary: 'List the meetings of a club that are over',
    description: 'For members.',
    path: described(meetings.Path, PARAMETERS),
    query: described(meetings.Query, {
      limit: { description: 'How many meetings at most.', example: 2 },
      cursor: {
        description: 'Where the page begins: the `cursor` of the page before.',
        example: PREVIOUS.meetingId,
      },
    }),
    answer: answers.MeetingList,
    examples: {
      page: {
        summary: 'A page with more after it',
        value: {
          meetings: [
            { ...PREVIOUS, recordingCount: 1 },
            { ...VACANT, recordingCount: 0 },
          ],
          cursor: VACANT.meetingId,
        },
      },
      last: { summary: 'The last page', value: { meetings: [{ ...PREVIOUS, recordingCount: 1 }] } },
    },
    errors: [new NotAMember(), new ClubNotFound()],
  }),

  meeting: operation({
    route: meeting.route,
    operationId: 'getMeeting',
    tag: 'History',
    summary: 'See a meeting that is over, and who was there',
    description:
      'For members. With `Accept: text/csv` the answer is the attendance as a table (UTF-8 with a byte order mark, RFC 4180). A name that a spreadsheet would compute begins with an apostrophe.',
    path: described(meeting.Path, PARAMETERS),
    answer: answers.MeetingDetails,
    csv: `\uFEFFdisplayName,userId,firstJoinedAt,lastLeftAt,secondsPresent,sessions\r\nCleo,${CLEO},2026-11-16T19:02:40.031Z,2026-11-16T20:31:44.512Z,5301,2\r\n`,
    examples: {
      attended: {
        summary: 'A meeting of one person',
        value: {
          meeting: { ...PREVIOUS, peopleCount: 1, guestCount: 0 },
          attendance: [
            {
              userId: CLEO,
              displayName: 'Cleo',
              firstJoinedAt: '2026-11-16T19:02:40.031Z',
              lastLeftAt: '2026-11-16T20:31:44.512Z',
              secondsPresent: 5301,
              sessions: 2,
              stays: [
                {
                  joinedAt: '2026-11-16T19:02:40.031Z',
                  leftAt: '2026-11-16T19:40:12.999Z',
                  isEstimated: false,
                },
                {
                  joinedAt: '2026-11-16T19:40:56.400Z',
                  leftAt: '2026-11-16T20:31:44.512Z',
                  isEstimated: false,
                },
              ],
            },
          ],
        },
      },
    },
    errors: [new NotAMember(), new ClubNotFound(), new MeetingNotFound()],
  }),

  myClubs: operation({
    route: myClubs.route,
    operationId: 'listClubs',
    tag: 'Clubs',
    summary: 'List the clubs of the caller',
    description:
      'For everybody with an access token: the clubs of which they are a member or the owner.',
    query: described(myClubs.Query, {
      limit: { description: 'How many clubs at most.', example: 50 },
      cursor: {
        description: 'Where the page begins: the `cursor` of the page before.',
        example: 'novels',
      },
    }),
    answer: answers.ClubList,
    examples: {
      clubs: {
        summary: 'A club with a meeting on, and one without',
        value: {
          clubs: [
            {
              clubId: 'novels',
              name: 'Novels on Monday',
              role: 'member',
              recordingConsent: 'required',
              recordingAccess: 'members',
              meeting: { meetingId: ON.meetingId, startedAt: ON.startedAt, participantCount: 3 },
            },
            {
              clubId: 'poems',
              name: 'Poems at Noon',
              role: 'owner',
              recordingConsent: 'notice',
              recordingAccess: 'moderators',
              meeting: null,
            },
          ],
        },
      },
      none: { summary: 'No clubs', value: { clubs: [] } },
    },
    errors: [],
  }),

  members: operation({
    route: members.route,
    operationId: 'listMembers',
    tag: 'Clubs',
    summary: 'List the members of a club',
    description: 'For members.',
    path: described(members.Path, PARAMETERS),
    query: described(members.Query, {
      limit: { description: 'How many members at most.', example: 100 },
      cursor: {
        description: 'Where the page begins: the `cursor` of the page before.',
        example: CLEO,
      },
    }),
    answer: answers.MemberList,
    examples: {
      members: {
        summary: 'The owner and a member',
        value: {
          members: [
            { userId: CLEO, displayName: 'Cleo', role: 'member' },
            { userId: ADA, displayName: 'Ada', role: 'owner' },
          ],
        },
      },
    },
    errors: [new NotAMember(), new ClubNotFound()],
  }),

  participants: operation({
    route: participants.route,
    operationId: 'listParticipants',
    tag: 'Moderation',
    summary: 'List who is in the meeting, people and guests',
    description:
      'For moderators. Guests have no account: they call by telephone or from another network.',
    path: described(participants.Path, PARAMETERS),
    answer: answers.ParticipantList,
    examples: {
      one: {
        summary: 'A person with an unmuted microphone, and a guest by telephone',
        value: {
          participants: [
            {
              kind: 'standard',
              participantSid: 'PA_Segmx4dNjjW4',
              userId: CLEO,
              name: 'Cleo',
              role: 'member',
              joinedAt: '2026-11-22T20:08:01.730Z',
              tracks: [
                { sid: 'TR_AMmEoCAGs6tWqs', kind: 'audio', source: 'microphone', muted: false },
              ],
            },
            {
              kind: 'sip',
              participantSid: 'PA_u3Yc8JzDkZwq',
              userId: null,
              name: 'Phone 0100',
              role: null,
              joinedAt: '2026-11-22T20:09:12.004Z',
              tracks: [],
            },
          ],
          barred: [],
        },
      },
      barred: {
        summary: 'An empty room, and a barred person',
        value: { participants: [], barred: [{ userId: CLEO, name: 'Cleo' }] },
      },
    },
    errors: [
      new NotAModerator('see the participants'),
      new RemovedFromMeeting(),
      NOT_ON,
      new MediaUnavailable(),
    ],
  }),

  muteAll: operation({
    route: muteAll.route,
    operationId: 'muteEverybody',
    tag: 'Moderation',
    summary: 'Mute everybody but moderators',
    description:
      'For moderators. One request mutes up to 200 tracks; while `success` is false, the same request goes on. Nothing unmutes: that is up to each participant.',
    path: described(muteAll.Path, PARAMETERS),
    body: {
      schema: described(muteAll.Body, { source: 'Only this. By default everything.' }),
      examples: {
        all: { summary: 'Everything', value: {} },
        microphones: { summary: 'Microphones', value: { source: 'microphone' } },
      },
    },
    answer: answers.MutedEverybody,
    examples: {
      muted: {
        summary: 'One microphone was on',
        value: { success: true, muted: MUTED, left: 0 },
      },
      more: {
        summary: 'LiveKit asked for fewer calls before all was done',
        value: { success: false, muted: MUTED, left: 31 },
      },
    },
    errors: [
      new NotAModerator('mute people'),
      new RemovedFromMeeting(),
      NOT_ON,
      new MediaUnavailable(),
    ],
  }),

  mute: operation({
    route: mute.route,
    operationId: 'muteParticipant',
    tag: 'Moderation',
    summary: 'Mute a person or a guest',
    description: 'For moderators. Nothing unmutes: that is up to the participant.',
    path: described(mute.Path, PARTICIPANT),
    body: {
      schema: described(mute.Body, {
        source: 'Only this. By default everything.',
        trackSid: 'Only this track.',
      }),
      examples: {
        all: { summary: 'Everything', value: {} },
        track: { summary: 'One track', value: { trackSid: 'TR_AMmEoCAGs6tWqs' } },
      },
    },
    answer: answers.Muted,
    examples: {
      muted: {
        summary: 'The microphone was on',
        value: { success: true, muted: MUTED },
      },
      silent: { summary: 'Everything was muted already', value: { success: true, muted: [] } },
    },
    errors: [
      new NotAModerator('mute people'),
      new RemovedFromMeeting(),
      OWN_MODERATOR,
      new MemberNotFound(),
      new ParticipantNotFound('This person'),
      NOT_ON,
      new MediaUnavailable(),
    ],
  }),

  remove: operation({
    route: remove.route,
    operationId: 'removeParticipant',
    tag: 'Moderation',
    summary: 'Take a person or a guest out of the meeting',
    description:
      'For moderators. Unless `allowRejoin`, the person is kept out until the meeting ends, also when they are not there now. A guest cannot be kept out: they are disconnected, and may call again.',
    path: described(remove.Path, PARTICIPANT),
    body: {
      schema: described(remove.Body, {
        allowRejoin:
          'They may come back; by default they may not. It does not undo an earlier removal.',
      }),
      examples: {
        barred: { summary: 'Out, and kept out', value: {} },
        rejoin: { summary: 'Out, and free to come back', value: { allowRejoin: true } },
      },
    },
    answer: answers.Removed,
    examples: {
      member: {
        summary: 'A member',
        value: { success: true, wasPresent: true, isBarred: true, ...NOW },
      },
      moderator: {
        summary: 'A moderator, whose browser holds a grant at LiveKit',
        value: { success: true, wasPresent: true, isBarred: true, ...LATER },
      },
      guest: {
        summary: 'A guest',
        value: { success: true, wasPresent: true, isBarred: false, ...NOW },
      },
    },
    errors: [
      new NotAModerator('remove people'),
      new RemovedFromMeeting(),
      new NotAllowed('You cannot remove yourself: leave instead'),
      new MemberNotFound(),
      JUST_ENDED,
      new MediaUnavailable(),
    ],
  }),

  readmit: operation({
    route: readmit.route,
    operationId: 'readmitParticipant',
    tag: 'Moderation',
    summary: 'Let a person back in who was removed',
    description:
      'For moderators, but not the person themselves. They may come back at once, with a new token.',
    path: described(readmit.Path, PARAMETERS),
    answer: answers.Readmitted,
    examples: {
      readmitted: { summary: 'Back in', value: { success: true, wasBarred: true } },
      nothing: { summary: 'They were not kept out', value: { success: true, wasBarred: false } },
    },
    errors: [
      new NotAModerator('let people back in'),
      new RemovedFromMeeting(),
      new NotAllowed('Another moderator can let you back in'),
      new MemberNotFound(),
      JUST_ENDED,
    ],
  }),

  role: operation({
    route: role.route,
    operationId: 'setRole',
    tag: 'Moderation',
    summary: 'Make a member a moderator, or take that away',
    description: "For the club's own moderator (`moderatorId`).",
    path: described(role.Path, PARAMETERS),
    body: {
      schema: described(role.Body, { role: 'The new role.' }),
      examples: {
        promote: { summary: 'A moderator from now on', value: { role: 'moderator' } },
        demote: { summary: 'A member from now on', value: { role: 'member' } },
      },
    },
    answer: answers.RoleSet,
    examples: {
      promoted: {
        summary: 'A moderator now',
        value: { success: true, userId: CLEO, role: 'moderator', ...NOW },
      },
      demoted: {
        summary: 'A member now, who is in the meeting with a grant at LiveKit',
        value: { success: true, userId: CLEO, role: 'member', ...LATER, isRenewed: true },
      },
    },
    errors: [
      new NotAModerator('give roles'),
      new NotAllowed("Only the club's own moderator can give roles"),
      new MemberNotFound(),
      new MediaUnavailable(),
    ],
  }),

  recordingStart: operation({
    route: recordingStart.route,
    operationId: 'startRecording',
    tag: 'Recording',
    summary: 'Record the meeting that is on',
    description:
      'For moderators. While a recording is on, it answers with that one. It can take half a minute when no recorder is free: wait for it.',
    path: described(recordingStart.Path, PARAMETERS),
    body: {
      schema: described(recordingStart.Body, {
        audioOnly: 'Only what is said. By default as the service is configured.',
      }),
      examples: {
        default: { summary: 'As configured', value: {} },
        audio: { summary: 'Only what is said', value: { audioOnly: true } },
      },
    },
    answer: answers.RecordingAnswer,
    accepted:
      'It is not known yet whether LiveKit records. The status says it within two minutes: the recording is active, or null.',
    examples: {
      starting: {
        summary: 'A recorder starts',
        value: { success: true, recordingId: RECORDING_ID, state: 'starting' },
      },
    },
    errors: [
      new NotAModerator('record meetings'),
      new RemovedFromMeeting(),
      NOT_ON,
      new RecordingUnavailable(),
      new MediaUnavailable(),
    ],
  }),

  recordingStop: operation({
    route: recordingStop.route,
    operationId: 'stopRecording',
    tag: 'Recording',
    summary: 'Stop the recording that is on',
    description:
      'For moderators. It can be repeated; a repetition names its `recordingId`, so that it cannot stop the next one.',
    path: described(recordingStop.Path, PARAMETERS),
    body: {
      schema: described(recordingStop.Body, {
        recordingId: 'Only this recording. By default the one that is on.',
      }),
      examples: {
        any: { summary: 'The recording that is on', value: {} },
        named: { summary: 'Only this recording', value: { recordingId: RECORDING_ID } },
      },
    },
    answer: answers.RecordingAnswer,
    accepted: 'It is to stop, and LiveKit did not confirm it yet. The cleanup sees to it.',
    examples: {
      stopping: {
        summary: 'It stops; its file comes a moment later',
        value: { success: true, recordingId: RECORDING_ID, state: 'stopping' },
      },
    },
    errors: [
      new NotAModerator('stop recordings'),
      new RemovedFromMeeting(),
      NOT_ON,
      new RecordingNotActive(),
      new RecordingNotFound(),
      new MediaUnavailable(),
    ],
  }),

  recordingConsent: operation({
    route: recordingConsent.route,
    operationId: 'giveRecordingConsent',
    tag: 'Recording',
    summary: 'Agree to be recorded in the meeting that is on',
    description:
      'For members who are in the meeting when a recording starts. A person who joins later agrees in the token request. The consent is kept as long as the recording.',
    path: described(recordingConsent.Path, PARAMETERS),
    answer: answers.ConsentAnswer,
    examples: {
      given: { summary: 'Given', value: { success: true, meetingId: ON.meetingId } },
    },
    errors: [new NotAMember(), new RemovedFromMeeting(), new ClubNotFound(), NOT_ON],
  }),

  recordings: operation({
    route: recordings.route,
    operationId: 'listRecordings',
    tag: 'Recording',
    summary: 'List the recordings of a meeting',
    description: 'For members: of a meeting that is on, or over. Expired ones are left out.',
    path: described(recordings.Path, PARAMETERS),
    answer: answers.RecordingList,
    examples: {
      one: { summary: 'One recording', value: { recordings: [RECORDED] } },
      none: { summary: 'A meeting that was not recorded', value: { recordings: [] } },
    },
    errors: [new NotAMember(), new ClubNotFound(), new MeetingNotFound()],
  }),

  recordingDownload: operation({
    route: recordingDownload.route,
    operationId: 'getRecordingAddress',
    tag: 'Recording',
    summary: 'Get an address from which to play or download a recording',
    description:
      'For moderators; for members, too, where the club lets them. The address needs no other credential until it expires: do not pass it on.',
    path: described(recordingDownload.Path, PARAMETERS),
    answer: answers.RecordingDownload,
    examples: {
      address: {
        summary: 'An address',
        value: {
          url: 'https://recordings.s3.eu-central-1.amazonaws.com/recordings/novels/01M7JVP1TG6V1K4Q0ZP2R8W9XA/01M7JVZ3C8N5QK2M7T1Y9D4W6R.ogg?X-Amz-Signature=0f1e',
          expiresAt: '2026-11-22T20:14:12.480Z',
        },
      },
    },
    errors: [
      new NotAMember(),
      new NotAModerator('play and download recordings'),
      new ClubNotFound(),
      new RecordingNotFound(),
      new RecordingNotFinished(),
    ],
  }),

  recordingDelete: operation({
    route: recordingDelete.route,
    operationId: 'deleteRecording',
    tag: 'Recording',
    summary: 'Delete a recording for good',
    description: 'For moderators. It can be repeated.',
    path: described(recordingDelete.Path, PARAMETERS),
    answer: answers.RecordingDeleted,
    examples: { deleted: { summary: 'Deleted', value: { success: true } } },
    errors: [
      new NotAModerator('delete recordings'),
      new RecordingNotFound(),
      new RecordingNotFinished(),
      new RecordingUnavailable(),
    ],
  }),

  webhook: operation({
    route: webhook.route,
    operationId: 'receiveWebhook',
    tag: 'LiveKit',
    summary: 'Receive a LiveKit webhook',
    description:
      'Only LiveKit calls this. Events may come late, repeated or out of order; what is of no use is answered 200, too. On AWS the path has one part more, which strangers cannot guess: the output WebhookUrl of the stack.',
    body: {
      mediaType: 'application/webhook+json',
      schema: LiveKitEvent,
      examples: {
        joined: {
          summary: 'A participant joined',
          value: {
            event: 'participant_joined',
            id: 'EV_bVq8TdmYWb5n',
            createdAt: '1795378081',
            room: { name: ON.roomName, sid: 'RM_6sSf2MgRb6uT', creationTime: '1795378019' },
            participant: { identity: CLEO, sid: 'PA_dQ7fY3Jb2kLm', joinedAt: '1795378081' },
          },
        },
      },
    },
    answer: answers.WebhookAnswer,
    examples: {
      followed: { summary: 'The event is of a meeting of ours', value: { result: 'followed' } },
      ignored: { summary: 'It is of no use here', value: { result: 'ignored' } },
    },
    errors: [new MediaUnavailable()],
  }),
};
