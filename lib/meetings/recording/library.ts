import type { RecordingDownload, RecordingList } from '../../contract/answers.ts';
import {
  MeetingNotFound,
  NotAModerator,
  RecordingNotFinished,
  RecordingNotFound,
} from '../../errors.ts';
import { requireMember, requireModerator } from '../access.ts';
import { findEndedMeeting } from '../ending.ts';
import { type Caller, type Club, isModerator, type Member } from '../model.ts';
import type { ClubRepository } from '../ports.ts';
import {
  fileKeyOf,
  isExpired,
  isOfClub,
  isOpen,
  type Recording,
  type RecordingRef,
  type RecordingState,
} from './model.ts';
import type { FileStore, RecordingRepository } from './ports.ts';

/** For how long an address of a file works. */
const ADDRESS_TTL_SECONDS = 300;

type ListedRecording = Recording & { state: Exclude<RecordingState, 'deleted'> };

/** The recordings that members may see. */
export const isListed = (recording: Recording, now: Date): recording is ListedRecording =>
  recording.state !== 'deleted' && !recording.isDiscarded && !isExpired(recording, now);

export interface RecordingListDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember' | 'getEndedMeeting'>;
  recordings: Pick<RecordingRepository, 'listOf'>;
  now: () => Date;
}

/**
 * The recordings of a meeting that is on or over, in the order in which they were asked for.
 * @throws ClubNotFound, NotAMember, MeetingNotFound
 */
export async function listRecordings(
  { clubs, recordings, now }: RecordingListDeps,
  { caller, clubId, meetingId }: { caller: Caller; clubId: string; meetingId: string },
): Promise<RecordingList> {
  const club = requireMember(await clubs.getClubAndMember(clubId, caller.userId), caller);
  const rows = await recordings.listOf(club, meetingId);
  if (rows.length === 0 && club.meeting?.meetingId !== meetingId) {
    if (!(await findEndedMeeting({ clubs }, club, meetingId))) throw new MeetingNotFound();
  }
  const at = now();
  return { recordings: rows.filter((row) => isListed(row, at)).map(shown) };
}

const shown = (recording: ListedRecording): RecordingList['recordings'][number] => ({
  recordingId: recording.recordingId,
  state: recording.state,
  audioOnly: recording.audioOnly,
  requestedBy: recording.requestedBy,
  startedAt: recording.startedAt ?? null,
  endedAt: recording.endedAt ?? null,
  durationSeconds: recording.durationSeconds ?? null,
  bytes: recording.bytes ?? null,
  expiresAt: isOpen(recording.state) ? null : new Date(recording.expiresAt * 1000).toISOString(),
});

export interface DownloadDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember'>;
  recordings: Pick<RecordingRepository, 'get'>;
  files: Pick<FileStore, 'addressOf'>;
  now: () => Date;
}

/**
 * A URL that plays and downloads the file for five minutes, without any other credential.
 *
 * @throws ClubNotFound, NotAMember
 * @throws NotAModerator for a member, unless the club lets members play recordings
 * @throws RecordingNotFound also for one that expired, or that left no file
 * @throws RecordingNotFinished while it is on
 */
export async function getRecordingAddress(
  { clubs, recordings, files, now }: DownloadDeps,
  { caller, ...ref }: RecordingRef & { caller: Caller },
): Promise<RecordingDownload> {
  const club = requireListener(await clubs.getClubAndMember(ref.clubId, caller.userId), caller);
  const recording = await recordings.get(ref);
  const at = now();
  if (!recording || !isOfClub(recording, club) || !isListed(recording, at)) {
    throw new RecordingNotFound();
  }
  if (isOpen(recording.state)) throw new RecordingNotFinished();
  if (recording.state !== 'completed') throw new RecordingNotFound();
  const key = fileKeyOf(ref, recording);
  const { startedAt = recording.requestedAt } = recording;
  // To the minute, and without a colon, which Windows allows in no name.
  const name = `${club.name} ${startedAt.slice(0, 16).replace('T', ' ').replace(':', '.')}.${extensionOf(key)}`;
  const ttlSeconds = ADDRESS_TTL_SECONDS;
  return {
    url: await files.addressOf(key, { name, ttlSeconds }),
    expiresAt: new Date(at.getTime() + ttlSeconds * 1000).toISOString(),
  };
}

const extensionOf = (key: string): string => key.slice(key.lastIndexOf('.') + 1);

/** @throws ClubNotFound, NotAMember, NotAModerator */
function requireListener(
  read: { club: Club | undefined; member: Member | undefined },
  caller: Caller,
): Club {
  const club = requireMember(read, caller);
  if (club.recordingAccess === 'members') return club;
  if (!isModerator(club, read.member, caller.userId)) {
    throw new NotAModerator('play and download recordings');
  }
  return club;
}

export interface DeleteDeps {
  clubs: Pick<ClubRepository, 'getClubAndMember'>;
  recordings: Pick<RecordingRepository, 'get' | 'listOf' | 'tombstone' | 'removeConsents'>;
  files: Pick<FileStore, 'remove'>;
}

/**
 * Deletes a recording for good: the file first, then what is written about it, and with the last one of
 * a meeting that is over what people consented to. It can be repeated. A file that comes after that is
 * deleted by the cleanup.
 *
 * @throws NotAModerator also for an unknown club
 * @throws RecordingNotFound for one that never was
 * @throws RecordingNotFinished while it is on
 */
export async function deleteRecording(
  { clubs, recordings, files }: DeleteDeps,
  { caller, ...ref }: RecordingRef & { caller: Caller },
): Promise<{ success: true }> {
  const read = await clubs.getClubAndMember(ref.clubId, caller.userId);
  const club = requireModerator(read, caller, 'delete recordings');
  const recording = await recordings.get(ref);
  if (!recording || !isOfClub(recording, club)) throw new RecordingNotFound();
  if (isOpen(recording.state)) throw new RecordingNotFinished();
  await files.remove(fileKeyOf(ref, recording));
  await recordings.tombstone(ref);
  if (club.meeting?.meetingId !== ref.meetingId) {
    const rows = await recordings.listOf(club, ref.meetingId);
    const isLast = rows.every(({ state }) => state === 'deleted');
    if (isLast) await recordings.removeConsents(ref.clubId, ref.meetingId);
  }
  return { success: true };
}
