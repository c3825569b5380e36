import { createHash } from 'node:crypto';
import type { Key } from './table.ts';

export const CLUB_PREFIX = 'CLUB#';
/** Prefixes that a query can ask for, within one club's partition. */
export const MEMBER_PREFIX = 'MEMBER#';
export const MEETING_PREFIX = 'MEETING#';
export const ATTENDANCE_PREFIX = 'ATTENDANCE#';
export const GRANTS_PREFIX = 'GRANTS#';
export const attendancePrefix = (meetingId: string): string => `${ATTENDANCE_PREFIX}${meetingId}#`;
/** A meeting of a club that was removed. */
export const REMOVED_PREFIX = 'REMOVED#';
export const ROOM_PREFIX = 'ROOM#';
export const roomPrefix = (meetingId: string): string => `${ROOM_PREFIX}${meetingId}#`;

export const RECORDING_PREFIX = 'RECORDING#';
export const recordingPrefix = (meetingId: string): string => `${RECORDING_PREFIX}${meetingId}#`;
export const CONSENT_PREFIX = 'CONSENT#';

const inClub = (clubId: string, sk: string): Key => ({ pk: `${CLUB_PREFIX}${clubId}`, sk });

export const clubKey = (clubId: string): Key => inClub(clubId, 'CLUB');
export const memberKey = (clubId: string, userId: string): Key =>
  inClub(clubId, `${MEMBER_PREFIX}${userId}`);
export const meetingKey = (clubId: string, meetingId: string): Key =>
  inClub(clubId, `${MEETING_PREFIX}${meetingId}`);
export const attendanceKey = (clubId: string, meetingId: string, participantSid: string): Key =>
  inClub(clubId, `${attendancePrefix(meetingId)}${participantSid}`);
export const grantKey = (clubId: string, userId: string): Key =>
  inClub(clubId, `${GRANTS_PREFIX}${userId}`);
export const roomKey = (clubId: string, meetingId: string, roomSid: string): Key =>
  inClub(clubId, `${roomPrefix(meetingId)}${roomSid}`);
export const removedKey = (clubId: string, meetingId: string): Key =>
  inClub(clubId, `${REMOVED_PREFIX}${meetingId}`);

/** Outside of the club's items, all of which a removal may delete. */
export const removalKey = (clubId: string, userId = ''): Key => ({
  pk: `REMOVAL#${clubId}`,
  sk: `REMOVAL#${userId}`,
});

export const recordingKey = ({
  clubId,
  meetingId,
  recordingId,
}: {
  clubId: string;
  meetingId: string;
  recordingId: string;
}): Key => inClub(clubId, `${recordingPrefix(meetingId)}${recordingId}`);
export const consentKey = (clubId: string, meetingId: string, userId: string): Key =>
  inClub(clubId, `${CONSENT_PREFIX}${meetingId}#${userId}`);

/** Outside every club. */
export const probeKey = (probeId: string): Key => ({ pk: `DOCTOR#${probeId}`, sk: 'EVENTS' });

/** Removals that are to be done once more have a shard of the index to themselves. */
export const REMOVALS_SHARD = 'removals';

/** How many partitions of the index the clubs with a meeting on are spread over. */
export const ACTIVE_SHARDS = Array.from({ length: 8 }, (_, shard) => String(shard));

export const activeShardOf = (clubId: string): string =>
  String(createHash('sha256').update(clubId).digest().readUInt8(0) % ACTIVE_SHARDS.length);
