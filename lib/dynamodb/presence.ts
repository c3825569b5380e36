import { Session } from '../meetings/model.ts';
import type { PresenceRepository, RoomIncarnation } from '../meetings/ports.ts';
import { attendanceKey, attendancePrefix, clubKey } from './keys.ts';
import type { Table } from './table.ts';

/** Seconds for which an attendance row is kept: 400 days. */
const ATTENDANCE_TTL_SECONDS = 400 * 86_400;

/** The meeting is on, and knows of no room of its name that is as new as this one. */
const NEWER_ROOM =
  'meeting.meetingId = :meetingId AND (attribute_not_exists(presence) OR presence.roomCreatedAt < :createdAt)';

/** The meeting is on, this is its newest room, and the room has not finished. */
const LIVING_ROOM =
  'meeting.meetingId = :meetingId AND presence.roomSid = :roomSid AND presence.isFinished = :false';

/**
 * Who is in the meetings, and who was.
 *
 * A meeting's rooms are ordered by their creation. The newest that any event told of is the one that
 * presence is about, and a room that finished never comes back. Each write below moves along that
 * order or does nothing, so that any order and any repetition of the events ends in the same state.
 * `roomFound` alone goes back: for the cleanup, which may have missed a room in LiveKit's answers.
 */
export function createPresenceRepository(table: Table): PresenceRepository {
  const newRoom = (room: RoomIncarnation, isComplete: boolean, isFinished = false) => ({
    roomSid: room.sid,
    roomCreatedAt: room.createdAt,
    isComplete,
    isFinished,
    observedAt: room.observedAt,
  });

  return {
    async roomStarted({ clubId, meetingId }, room) {
      const isNewer = await table.updateIf(clubKey(clubId), {
        ConditionExpression: NEWER_ROOM,
        UpdateExpression:
          'SET presence = :presence, meeting.vacantSince = if_not_exists(meeting.vacantSince, :observedAt) REMOVE presentSids',
        ExpressionAttributeValues: {
          ':meetingId': meetingId,
          ':createdAt': room.createdAt,
          ':presence': newRoom(room, true),
          ':observedAt': room.observedAt,
        },
      });
      if (isNewer) return;
      await table.updateIf(clubKey(clubId), {
        ConditionExpression: LIVING_ROOM,
        UpdateExpression: 'SET presence.isComplete = :true, presence.observedAt = :observedAt',
        ExpressionAttributeValues: {
          ':meetingId': meetingId,
          ':roomSid': room.sid,
          ':observedAt': room.observedAt,
          ':true': true,
          ':false': false,
        },
      });
    },

    async roomFinished({ clubId, meetingId }, room) {
      await table.updateIf(clubKey(clubId), {
        ConditionExpression:
          'meeting.meetingId = :meetingId AND (attribute_not_exists(presence) OR presence.roomCreatedAt <= :createdAt)',
        UpdateExpression:
          'SET presence = :presence, meeting.vacantSince = if_not_exists(meeting.vacantSince, :observedAt) REMOVE presentSids',
        ExpressionAttributeValues: {
          ':meetingId': meetingId,
          ':createdAt': room.createdAt,
          ':presence': newRoom(room, true, true),
          ':observedAt': room.observedAt,
        },
      });
    },

    async roomFound({ clubId, meetingId }, room) {
      await table.updateIf(clubKey(clubId), {
        ConditionExpression:
          'meeting.meetingId = :meetingId AND presence.roomSid = :roomSid AND presence.isFinished = :true',
        UpdateExpression: 'SET presence.isFinished = :false, presence.observedAt = :observedAt',
        ExpressionAttributeValues: {
          ':meetingId': meetingId,
          ':roomSid': room.sid,
          ':observedAt': room.observedAt,
          ':true': true,
          ':false': false,
        },
      });
    },

    async addPresent({ clubId, meetingId }, room, participantSid) {
      const toLivingRoom = () =>
        table.updateIf(clubKey(clubId), {
          ConditionExpression: LIVING_ROOM,
          UpdateExpression:
            'ADD presentSids :sids SET presence.observedAt = :observedAt REMOVE meeting.vacantSince',
          ExpressionAttributeValues: {
            ':meetingId': meetingId,
            ':roomSid': room.sid,
            ':sids': new Set([participantSid]),
            ':observedAt': room.observedAt,
            ':false': false,
          },
        });
      const toNewerRoom = () =>
        table.updateIf(clubKey(clubId), {
          ConditionExpression: NEWER_ROOM,
          UpdateExpression:
            'SET presence = :presence, presentSids = :sids REMOVE meeting.vacantSince',
          ExpressionAttributeValues: {
            ':meetingId': meetingId,
            ':createdAt': room.createdAt,
            ':presence': newRoom(room, false),
            ':sids': new Set([participantSid]),
          },
        });
      // Between the first two another event may have brought the room; after that nothing can.
      return (await toLivingRoom()) || (await toNewerRoom()) || (await toLivingRoom());
    },

    async removePresent({ clubId, meetingId }, participantSids, observedAt) {
      if (participantSids.length === 0) return;
      await table.updateIf(clubKey(clubId), {
        ConditionExpression: 'meeting.meetingId = :meetingId AND attribute_exists(presence)',
        UpdateExpression: 'DELETE presentSids :sids SET presence.observedAt = :observedAt',
        ExpressionAttributeValues: {
          ':meetingId': meetingId,
          ':sids': new Set(participantSids),
          ':observedAt': observedAt,
        },
      });
    },

    async sessionStarted({ clubId, meetingId }, session) {
      const item = await table.update(attendanceKey(clubId, meetingId, session.participantSid), {
        UpdateExpression:
          'SET userId = :userId, participantSid = :sid, displayName = :displayName, joinedAt = :joinedAt, expiresAt = :expiresAt',
        ExpressionAttributeValues: valuesOf(session),
      });
      return Session.parse(item);
    },

    async sessionEnded({ clubId, meetingId }, session, leftAt) {
      await table.update(attendanceKey(clubId, meetingId, session.participantSid), {
        UpdateExpression:
          'SET userId = :userId, participantSid = :sid, displayName = :displayName, joinedAt = :joinedAt, expiresAt = :expiresAt, leftAt = :leftAt',
        ExpressionAttributeValues: { ...valuesOf(session), ':leftAt': leftAt },
      });
    },

    async closeSession({ clubId, meetingId }, participantSid, leftAt) {
      await table.updateIf(attendanceKey(clubId, meetingId, participantSid), {
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression: 'SET leftAt = :leftAt',
        ExpressionAttributeValues: { ':leftAt': leftAt },
      });
    },

    async listSessions({ clubId, meetingId }) {
      const items = await table.query({
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: {
          ':pk': clubKey(clubId).pk,
          ':prefix': attendancePrefix(meetingId),
        },
      });
      return items.map((item) => Session.parse(item));
    },
  };
}

const valuesOf = ({ userId, participantSid, displayName, joinedAt }: Session) => ({
  ':userId': userId,
  ':sid': participantSid,
  ':displayName': displayName,
  ':joinedAt': joinedAt,
  ':expiresAt': Math.floor(Date.parse(joinedAt) / 1000) + ATTENDANCE_TTL_SECONDS,
});
