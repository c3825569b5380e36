import type { Muted, MutedEverybody } from '../../contract/answers.ts';
import { MediaUnavailable, ParticipantNotFound } from '../../errors.ts';
import { requireActiveMeeting } from '../access.ts';
import { type Attendee, isPerson } from '../attendees.ts';
import type { Participant, Track } from '../media.ts';
import { type Caller, type Club, isModerator, type Meeting, type MutableSource } from '../model.ts';
import {
  attendeesIn,
  idsOf,
  logAction,
  type ModerationDeps,
  membersAmong,
  targetOf,
} from './target.ts';

const SOURCES: Record<MutableSource, Track['source'][]> = {
  microphone: ['microphone'],
  camera: ['camera'],
  screen: ['screen_share', 'screen_share_audio'],
};

/** Which tracks: one, or all of a source; by default all that there are. */
export interface TrackChoice {
  source?: MutableSource | undefined;
  trackSid?: string | undefined;
}

/**
 * Mutes one participant on the server; unmuting is up to them. `userId` can be a guest's participant sid.
 * @throws NotAModerator, MeetingNotActive, MemberNotFound, ParticipantNotFound,
 *   NotAllowed for the club's own moderator
 */
export async function muteParticipant(
  deps: ModerationDeps,
  {
    caller,
    clubId,
    userId,
    ...choice
  }: { caller: Caller; clubId: string; userId: string } & TrackChoice,
): Promise<Muted> {
  const target = await targetOf(deps, { caller, clubId, userId }, 'mute people');
  const found = (await attendeesIn(deps, target.meeting)).find(target.isTarget);
  if (!found) throw new ParticipantNotFound('This person');
  if (choice.trackSid !== undefined && !found.tracks.some((track) => isChosen(track, choice))) {
    throw new ParticipantNotFound('This track');
  }
  const { muted, failure } = await mute(deps, target, caller, audibleOf([found], choice));
  if (!failure) return { success: true, muted };
  // LiveKit answers `unavailable` for a participant who has just left.
  if (!(failure instanceof MediaUnavailable)) throw failure;
  const isIn = (await attendeesIn(deps, target.meeting)).some(target.isTarget);
  throw isIn ? failure : new ParticipantNotFound('This person');
}

/**
 * How many tracks one request mutes at most, and how many at once: each is a call, and LiveKit Cloud
 * allows a project 1,000 a minute.
 */
const TRACKS_A_REQUEST = 200;
const TRACKS_AT_ONCE = 10;
/** No track is begun after that: a call may take 8 s on LiveKit Cloud, of the 11.5 s for the answer. */
const MUTING_MS = 2_500;

/**
 * Mutes everybody but moderators, as many tracks as one request can. The same request, repeated, mutes the
 * others, since a muted track is skipped.
 *
 * @throws NotAModerator, MeetingNotActive
 * @throws MediaUnavailable when nothing could be muted
 */
export async function muteEverybody(
  deps: ModerationDeps,
  { caller, clubId, source }: { caller: Caller; clubId: string } & Pick<TrackChoice, 'source'>,
): Promise<MutedEverybody> {
  const read = await deps.clubs.getClubAndMember(clubId, caller.userId);
  const { club, meeting } = requireActiveMeeting(read, caller, 'mute people');
  const attendees = await attendeesIn(deps, meeting);
  const isModeratorOfClub = await moderatorsAmong(deps, club, attendees.filter(isPerson));
  const others = attendees.filter(
    (attendee) =>
      !isPerson(attendee) ||
      // The caller was a moderator when this was decided, and may not be any more.
      (attendee.identity !== caller.userId && !isModeratorOfClub(attendee.identity)),
  );
  const audible = audibleOf(others, { source });
  const { muted, failure } = await mute(deps, { clubId, meeting }, caller, audible);
  if (failure && !(failure instanceof MediaUnavailable)) throw failure;
  const isIn = failure ? await presenceOf(deps, meeting) : () => true;
  const done = new Set(muted.map(({ trackSid }) => trackSid));
  const left = audible.filter(({ attendee, trackSid }) => !done.has(trackSid) && isIn(attendee));
  if (failure && left.length > 0 && muted.length === 0) throw failure;
  return { success: left.length === 0, muted, left: left.length };
}

/** Who is still in the meeting, after LiveKit failed; everybody, as long as it fails. */
async function presenceOf(
  deps: Pick<ModerationDeps, 'media'>,
  meeting: Meeting,
): Promise<(attendee: Attendee) => boolean> {
  try {
    const sids = new Set((await attendeesIn(deps, meeting)).map(({ sid }) => sid));
    return ({ sid }) => sids.has(sid);
  } catch (error) {
    if (error instanceof MediaUnavailable) return () => true;
    throw error;
  }
}

const isChosen = (track: Track, { source, trackSid }: TrackChoice): boolean =>
  (trackSid === undefined || track.sid === trackSid) &&
  (source === undefined || SOURCES[source].includes(track.source));

interface Audible {
  attendee: Attendee;
  trackSid: string;
}

const audibleOf = (attendees: Attendee[], choice: TrackChoice): Audible[] =>
  attendees.flatMap((attendee) =>
    attendee.tracks
      .filter((track) => !track.muted && isChosen(track, choice))
      .map(({ sid: trackSid }) => ({ attendee, trackSid })),
  );

/** Mutes what one request may. `failure`: why a track was not muted, if LiveKit was asked to. */
async function mute(
  deps: ModerationDeps,
  { clubId, meeting }: { clubId: string; meeting: Meeting },
  caller: Caller,
  audible: Audible[],
): Promise<{ muted: Muted['muted']; failure: unknown }> {
  const done = new Set<Audible>();
  let failure: unknown;
  const waiting = audible.slice(0, TRACKS_A_REQUEST);
  const giveUpAt = deps.now().getTime() + MUTING_MS;
  const muteInTurn = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { attendee, trackSid } = next;
      try {
        await deps.media.muteTrack(meeting.roomName, attendee.identity, trackSid);
        done.add(next);
      } catch (error) {
        failure ??= error;
        if (error instanceof MediaUnavailable && error.isRateLimit) waiting.length = 0;
      }
      if (deps.now().getTime() > giveUpAt) waiting.length = 0;
    }
  };
  await Promise.all(Array.from({ length: TRACKS_AT_ONCE }, muteInTurn));

  const muted = audible.filter((track) => done.has(track));
  for (const attendee of new Set(muted.map((track) => track.attendee))) {
    logAction(deps, { action: 'mute', caller, ...idsOf(attendee), clubId, meeting });
  }
  return {
    muted: muted.map(({ attendee, trackSid }) => ({ ...idsOf(attendee), trackSid })),
    failure,
  };
}

async function moderatorsAmong(
  { clubs }: Pick<ModerationDeps, 'clubs'>,
  club: Club,
  people: Participant[],
): Promise<(userId: string) => boolean> {
  const members = await membersAmong(
    { clubs },
    club,
    people.map(({ identity }) => identity),
  );
  return (userId) => isModerator(club, members.get(userId), userId);
}
