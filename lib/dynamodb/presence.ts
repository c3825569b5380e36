import { RoomLife, Session } from '../meetings/model.ts';
import type {
  MeetingRef,
  PresenceRepository,
  RoomInstance,
  SessionStart,
} from '../meetings/ports.ts';
import { findClubIn } from './clubs.ts';
import {
  attendanceKey,
  attendancePrefix,
  clubKey,
  meetingKey,
  roomKey,
  roomPrefix,
} from './keys.ts';
import type { Item, Table } from './table.ts';

/** Seconds for which attendance is kept: 400 days. */
const ATTENDANCE_TTL_SECONDS = 400 * 86_400;

/** The meeting is on, and knows of no room of its name that is as new as this one. */
const NEWER_ROOM =
  'meeting.meetingId = :meetingId AND (attribute_not_exists(presence) OR presence.roomCreatedAt < :createdAt)';

/** The meeting is on, this is its newest room, and the room has not finished. */
const LIVING_ROOM =
  'meeting.meetingId = :meetingId AND presence.roomSid = :roomSid AND presence.isFinished = :false';

/** The room empties presence: the meeting is vacant, unless it was so before. */
const EMPTY_ROOM =
  'SET presence = :presence, meeting.vacantSince = if_not_exists(meeting.vacantSince, :observedAt) REMOVE presentSids';

/**
 * Who is in the meetings, and who was.
 *
 * A meeting's rooms are ordered by their creation. The newest that any event was about is the one that
 * presence is about, and a room that finished never comes back. Each write below moves along that
 * order or does nothing, so that any order and any repetition of the events ends in the same state.
 * `roomReopened` and `roomAdopted` alone go back: for the cleanup, which knows what LiveKit has now.
 *
 * A write that takes sids out of presence ends their sessions first, by the session's own item or by that
 * of its room: if it stops in between, no session of an absent participant stays open.
 */
export function createPresenceRepository(table: Table): PresenceRepository {
  const newRoom = (room: RoomInstance, isComplete: boolean, isFinished = false) => ({
    roomSid: room.sid,
    roomCreatedAt: room.createdAt,
    isComplete,
    isFinished,
    observedAt: room.observedAt,
  });

  /** One item a room, of facts that do not depend on the order in which they are written. */
  const noteRoom = async (
    { clubId, meetingId }: MeetingRef,
    roomSid: string,
    facts: Partial<Omit<RoomLife, 'roomSid'>>,
    at: string,
  ): Promise<void> => {
    const names = Object.keys(facts);
    await table.update(roomKey(clubId, meetingId, roomSid), {
      UpdateExpression: `SET roomSid = :roomSid, expiresAt = :expiresAt${names.map((name) => `, ${name} = :${name}`).join('')}`,
      ExpressionAttributeValues: {
        ':roomSid': roomSid,
        ':expiresAt': expiryOf(at),
        ...Object.fromEntries(Object.entries(facts).map(([name, value]) => [`:${name}`, value])),
      },
    });
  };

  /**
   * Deletes the room's item again when its meeting does not belong to the present club: the earlier club
   * was removed while the item was written. For a write to the club that was refused.
   */
  const removeRoomOfGoneClub = async (
    { clubId, meetingId }: MeetingRef,
    roomSid: string,
  ): Promise<void> => {
    const row = meetingKey(clubId, meetingId);
    const items = await table.getTogether([clubKey(clubId), row]);
    const { club } = findClubIn(items);
    const isOfClub =
      club &&
      (club.meeting?.meetingId === meetingId ||
        club.lastMeeting?.meetingId === meetingId ||
        items.some(({ sk, generation }) => sk === row.sk && generation === club.generation));
    if (!isOfClub) await table.remove(roomKey(clubId, meetingId, roomSid));
  };

  const rowsOf = (clubId: string, prefix: string): Promise<Item[]> =>
    table.query({
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': clubKey(clubId).pk, ':prefix': prefix },
    });

  return {
    async roomStarted(meeting, room) {
      const { clubId, meetingId } = meeting;
      await noteRoom(meeting, room.sid, { createdAt: room.createdAt }, room.observedAt);
      const isNewer = await table.updateIf(clubKey(clubId), {
        ConditionExpression: NEWER_ROOM,
        UpdateExpression: EMPTY_ROOM,
        ExpressionAttributeValues: {
          ':meetingId': meetingId,
          ':createdAt': room.createdAt,
          ':presence': newRoom(room, true),
          ':observedAt': room.observedAt,
        },
      });
      if (isNewer) return;
      const isLiving = await table.updateIf(clubKey(clubId), {
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
      if (!isLiving) await removeRoomOfGoneClub(meeting, room.sid);
    },

    async roomFinished(meeting, room, finishedAt) {
      const { clubId, meetingId } = meeting;
      await noteRoom(meeting, room.sid, { finishedAt }, finishedAt);
      const isNewest = await table.updateIf(clubKey(clubId), {
        ConditionExpression:
          'meeting.meetingId = :meetingId AND (attribute_not_exists(presence) OR presence.roomCreatedAt < :createdAt OR presence.roomSid = :roomSid)',
        UpdateExpression: EMPTY_ROOM,
        ExpressionAttributeValues: {
          ':meetingId': meetingId,
          ':createdAt': room.createdAt,
          ':roomSid': room.sid,
          ':presence': newRoom(room, true, true),
          ':observedAt': room.observedAt,
        },
      });
      if (!isNewest) await removeRoomOfGoneClub(meeting, room.sid);
    },

    async roomReopened({ clubId, meetingId }, room) {
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

    async roomAdopted(meeting, room, insteadOf) {
      const { clubId, meetingId } = meeting;
      const { createdAt, observedAt } = room;
      // Its creation may be dated before the other room's signs of life; this sign is by our clock.
      await noteRoom(meeting, room.sid, { createdAt, seenAt: observedAt }, observedAt);
      const isAdopted = await table.updateIf(clubKey(clubId), {
        ConditionExpression: 'meeting.meetingId = :meetingId AND presence.roomSid = :insteadOf',
        UpdateExpression: EMPTY_ROOM,
        ExpressionAttributeValues: {
          ':meetingId': meetingId,
          ':insteadOf': insteadOf.roomSid,
          ':presence': {
            ...newRoom(room, false),
            roomCreatedAt: latest(room.createdAt, insteadOf.roomCreatedAt),
          },
          ':observedAt': room.observedAt,
        },
      });
      if (!isAdopted) await removeRoomOfGoneClub(meeting, room.sid);
    },

    async roomSeen({ clubId, meetingId }, roomSid, at) {
      await table.updateIf(roomKey(clubId, meetingId, roomSid), {
        // The item of a complete presence is gone only if its club was removed.
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression: 'SET seenAt = :seenAt, expiresAt = :expiresAt',
        ExpressionAttributeValues: { ':seenAt': at, ':expiresAt': expiryOf(at) },
      });
    },

    async addPresent({ clubId, meetingId }, room, participantSids) {
      const toLivingRoom = () =>
        table.updateIf(clubKey(clubId), {
          ConditionExpression: LIVING_ROOM,
          UpdateExpression:
            'ADD presentSids :sids SET presence.observedAt = :observedAt REMOVE meeting.vacantSince',
          ExpressionAttributeValues: {
            ':meetingId': meetingId,
            ':roomSid': room.sid,
            ':sids': new Set(participantSids),
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
            ':sids': new Set(participantSids),
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
      await table.update(attendanceKey(clubId, meetingId, session.participantSid), {
        UpdateExpression: SESSION,
        ExpressionAttributeValues: valuesOf(session),
      });
    },

    async sessionEnded({ clubId, meetingId }, session, leftAt) {
      await table.update(attendanceKey(clubId, meetingId, session.participantSid), {
        UpdateExpression: `${SESSION}, leftAt = :leftAt REMOVE isEstimated`,
        ExpressionAttributeValues: { ...valuesOf(session), ':leftAt': leftAt },
      });
    },

    async closeSession({ clubId, meetingId }, participantSid, leftAt) {
      await table.updateIf(attendanceKey(clubId, meetingId, participantSid), {
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression: 'SET leftAt = :leftAt REMOVE isEstimated',
        ExpressionAttributeValues: { ':leftAt': leftAt },
      });
    },

    async estimateEnd({ clubId, meetingId }, participantSid, goneAt) {
      await table.updateIf(attendanceKey(clubId, meetingId, participantSid), {
        ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(leftAt)',
        UpdateExpression: 'SET leftAt = :goneAt, isEstimated = :true',
        ExpressionAttributeValues: { ':goneAt': goneAt, ':true': true },
      });
    },

    async reopenSession({ clubId, meetingId }, participantSid, seenAt) {
      await table.updateIf(attendanceKey(clubId, meetingId, participantSid), {
        ConditionExpression: 'isEstimated = :true AND leftAt < :seenAt',
        UpdateExpression: 'REMOVE leftAt, isEstimated',
        ExpressionAttributeValues: { ':seenAt': seenAt, ':true': true },
      });
    },

    async getSession({ clubId, meetingId }, participantSid) {
      const item = await table.get(attendanceKey(clubId, meetingId, participantSid));
      return item && Session.parse(item);
    },

    removeSession: ({ clubId, meetingId }, participantSid) =>
      table.remove(attendanceKey(clubId, meetingId, participantSid)),

    async listAttendance({ clubId, meetingId }) {
      const [sessions, rooms] = await Promise.all([
        rowsOf(clubId, attendancePrefix(meetingId)),
        rowsOf(clubId, roomPrefix(meetingId)),
      ]);
      return {
        sessions: sessions.map((item) => Session.parse(item)),
        rooms: rooms.map((item) => RoomLife.parse(item)),
      };
    },
  };
}

const SESSION =
  'SET userId = :userId, participantSid = :sid, roomSid = :roomSid, displayName = :displayName, joinedAt = :joinedAt, expiresAt = :expiresAt';

const valuesOf = ({ userId, participantSid, roomSid, displayName, joinedAt }: SessionStart) => ({
  ':userId': userId,
  ':sid': participantSid,
  ':roomSid': roomSid,
  ':displayName': displayName,
  ':joinedAt': joinedAt,
  ':expiresAt': expiryOf(joinedAt),
});

/** In seconds of the epoch, for DynamoDB's TTL. */
const expiryOf = (at: string): number => Math.floor(Date.parse(at) / 1000) + ATTENDANCE_TTL_SECONDS;

const latest = (a: string, b: string): string => (a > b ? a : b);
