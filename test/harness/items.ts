/** Items of the table, as the service would have put them. */
import { ulid } from 'ulid';
import { activeShardOf } from '../../lib/dynamodb/keys.ts';
import { type EndedMeeting, type Meeting, roomNameOf } from '../../lib/meetings/model.ts';
import type { User } from './issuer.ts';
import { hours, minutes } from './process.ts';

/** A meeting as `start` would have set it. */
export function newMeeting(clubId: string, meeting: Partial<Meeting> = {}): Meeting {
  const startedAt = meeting.startedAt ?? new Date(Date.now() - minutes(1)).toISOString();
  const meetingId = meeting.meetingId ?? ulid(Date.parse(startedAt));
  return {
    meetingId,
    roomName: roomNameOf(clubId, meetingId),
    startedAt,
    startedBy: 'the-user',
    maxParticipants: 50,
    ...meeting,
  };
}

export const clubItem = (clubId: string, moderatorId: string, on?: Meeting) => ({
  pk: `CLUB#${clubId}`,
  sk: 'CLUB',
  clubId,
  name: `The readers of ${clubId}`,
  moderatorId,
  createdAt: '2026-01-01T00:00:00.000Z',
  ...(on && { meeting: on, activeShard: activeShardOf(clubId), activeSince: on.startedAt }),
});

/** A meeting that is over. */
export function endedMeeting(clubId: string, ended: Partial<EndedMeeting> = {}): EndedMeeting {
  const startedAt = ended.startedAt ?? new Date(Date.now() - hours(2)).toISOString();
  const meetingId = ended.meetingId ?? ulid(Date.parse(startedAt));
  const endedAt = ended.endedAt ?? new Date(Date.parse(startedAt) + hours(1)).toISOString();
  return {
    meetingId,
    roomName: roomNameOf(clubId, meetingId),
    startedAt,
    endedAt,
    durationSeconds: Math.floor((Date.parse(endedAt) - Date.parse(startedAt)) / 1000),
    endedBy: 'the-user',
    reason: 'moderator',
    ...ended,
  };
}

export const endedRow = (clubId: string, ended: EndedMeeting) => ({
  pk: `CLUB#${clubId}`,
  sk: `MEETING#${ended.meetingId}`,
  ...ended,
});

export const memberItem = (
  clubId: string,
  { userId }: User,
  role: string,
  displayName?: string | undefined,
) => ({
  pk: `CLUB#${clubId}`,
  sk: `MEMBER#${userId}`,
  userId,
  role,
  joinedAt: '2026-01-01T00:00:00.000Z',
  ...(displayName && { displayName }),
});
