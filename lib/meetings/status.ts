import type { MeetingStatus } from '../contract/answers.ts';
import { requireMember } from './access.ts';
import type { MediaServer } from './media.ts';
import type { Caller, Club, Meeting } from './model.ts';
import type { ClubRepository } from './ports.ts';
import { lacksConsent } from './recording/consent.ts';
import { recordingOn } from './recording/notice.ts';
import type { RecordingRepository } from './recording/ports.ts';

export interface StatusDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember'>;
  recordings: Pick<RecordingRepository, 'hasConsent'>;
  media: Pick<MediaServer, 'getRoomStatus'>;
  now: () => Date;
  limits: { maxDurationSeconds: number };
}

/**
 * How often a client asks for the status, in seconds: often enough to see a meeting begin within ten
 * seconds, and less often where each answer costs two calls to LiveKit.
 */
const POLL_SECONDS = { record: 8, events: 5, query: 15 } as const;

/**
 * Returns whether the club's meeting is on and how many people are in it. Asks LiveKit only while a
 * meeting is on for whose room no event has arrived.
 *
 * @throws ClubNotFound, NotAMember
 */
export async function getMeetingStatus(
  deps: StatusDeps,
  { caller, clubId }: { caller: Caller; clubId: string },
): Promise<MeetingStatus> {
  const club = requireMember(await deps.clubs.getClubAndMember(clubId, caller.userId), caller);

  const { meeting } = club;
  const lastMeeting = club.lastMeeting ?? null;
  if (!meeting) {
    return {
      ...IDLE,
      lastMeeting,
      observedAt: deps.now().toISOString(),
      observedBy: 'record',
      pollAfterSeconds: POLL_SECONDS.record,
    };
  }

  const { hasRoom, participantCount, ...observed } =
    fromEvents(club, meeting, deps.now()) ?? (await fromLiveKit(deps, meeting.roomName));
  const { maxDurationSeconds } = deps.limits;
  return {
    state: participantCount > 0 ? 'live' : 'waiting',
    isActive: participantCount > 0,
    participantCount,
    startedAt: meeting.startedAt,
    roomName: hasRoom ? meeting.roomName : null,
    meetingId: meeting.meetingId,
    maxParticipants: meeting.maxParticipants,
    endsAtLatest: new Date(Date.parse(meeting.startedAt) + maxDurationSeconds * 1000).toISOString(),
    recording: recordingOn(club),
    mustConsent: await lacksConsent(deps, club, caller),
    lastMeeting,
    ...observed,
    pollAfterSeconds: POLL_SECONDS[observed.observedBy],
  };
}

interface Observation
  extends Pick<MeetingStatus, 'participantCount' | 'observedAt' | 'observedBy'> {
  hasRoom: boolean;
}

/** How many people are in the meeting that is on, by LiveKit's events; undefined when they do not say. */
export function presentCount({ presence, presentSids }: Club): number | undefined {
  if (!presence?.isComplete) return undefined;
  return presence.isFinished ? 0 : (presentSids?.size ?? 0);
}

function fromEvents(club: Club, { startedAt }: Meeting, now: Date): Observation | undefined {
  const { presence } = club;
  const participantCount = presentCount(club);
  if (!presence || participantCount === undefined) return undefined;
  return {
    hasRoom: !presence.isFinished,
    participantCount,
    observedAt: within(presence.observedAt, startedAt, now.toISOString()),
    observedBy: 'events',
  };
}

/** LiveKit's clock is not ours: what it reports is neither before the meeting nor yet to come. */
function within(at: string, from: string, to: string): string {
  if (at < from) return from;
  return at > to ? to : at;
}

async function fromLiveKit({ media, now }: StatusDeps, roomName: string): Promise<Observation> {
  const { exists, participantCount } = await media.getRoomStatus(roomName);
  return {
    hasRoom: exists,
    participantCount,
    observedAt: now().toISOString(),
    observedBy: 'query',
  };
}

const IDLE = {
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
} as const;
