import { EndedMeeting, Member, Session } from '../meetings/model.ts';
import type { ClubAdministration } from '../meetings/ports.ts';
import {
  ATTENDANCE_PREFIX,
  clubKey,
  GRANTS_PREFIX,
  grantKey,
  MEETING_PREFIX,
  MEMBER_PREFIX,
  memberKey,
  ROOM_PREFIX,
} from './keys.ts';
import type { Item, Key, Table } from './table.ts';

/** How the application that owns the clubs keeps them up to date; items are in docs/decisions.md. */
export function createClubAdministration(table: Table): ClubAdministration {
  const itemsOf = (clubId: string, prefix: string): Promise<Item[]> =>
    table.query({
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': clubKey(clubId).pk, ':prefix': prefix },
    });

  return {
    async putClub({ clubId, name, moderatorId }, createdAt) {
      await table.update(clubKey(clubId), {
        UpdateExpression:
          'SET clubId = :clubId, #name = :name, moderatorId = :moderatorId, personId = :moderatorId, createdAt = if_not_exists(createdAt, :createdAt)',
        ExpressionAttributeNames: { '#name': 'name' },
        ExpressionAttributeValues: {
          ':clubId': clubId,
          ':name': name,
          ':moderatorId': moderatorId,
          ':createdAt': createdAt,
        },
      });
    },

    async putMember(clubId, { userId, displayName, role }, joinedAt) {
      await table.update(memberKey(clubId, userId), {
        UpdateExpression: [
          'SET userId = :userId, personId = :userId, joinedAt = if_not_exists(joinedAt, :joinedAt)',
          role === undefined
            ? '#role = if_not_exists(#role, :role)'
            : '#role = :role, roleAt = :joinedAt',
          ...(displayName === undefined ? [] : ['displayName = :displayName']),
        ].join(', '),
        ExpressionAttributeNames: { '#role': 'role' },
        ExpressionAttributeValues: {
          ':userId': userId,
          ':joinedAt': joinedAt,
          ':role': role ?? 'member',
          ...(displayName !== undefined && { ':displayName': displayName }),
        },
      });
    },

    setRole: (clubId, userId, role, at) =>
      table.updateIf(memberKey(clubId, userId), {
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression: 'SET #role = :role, roleAt = :at',
        // `role` is a word that DynamoDB reserves.
        ExpressionAttributeNames: { '#role': 'role' },
        ExpressionAttributeValues: { ':role': role, ':at': at },
      }),

    removeMember: (clubId, userId) => table.remove(memberKey(clubId, userId)),

    async listMembers(clubId) {
      const items = await itemsOf(clubId, MEMBER_PREFIX);
      return items.map((item) => Member.parse(item));
    },

    async forgetUser(clubId, userId) {
      await table.remove(grantKey(clubId, userId));
      const sessions = await itemsOf(clubId, ATTENDANCE_PREFIX);
      await table.removeAll(
        sessions.filter((item) => Session.parse(item).userId === userId).map(keyOf),
      );
      const meetings = await itemsOf(clubId, MEETING_PREFIX);
      for (const item of meetings.filter((row) => EndedMeeting.parse(row).endedBy === userId)) {
        await table.updateIf(keyOf(item), {
          ConditionExpression: 'endedBy = :userId',
          UpdateExpression: 'SET endedBy = :nobody',
          ExpressionAttributeValues: { ':userId': userId, ':nobody': null },
        });
      }
      await table.updateIf(clubKey(clubId), {
        ConditionExpression: 'lastMeeting.endedBy = :userId',
        UpdateExpression: 'SET lastMeeting.endedBy = :nobody',
        ExpressionAttributeValues: { ':userId': userId, ':nobody': null },
      });
    },

    async removeItemsOfClub(clubId) {
      // After the members: whoever writes of what follows looks for the member.
      for (const prefix of [
        MEMBER_PREFIX,
        MEETING_PREFIX,
        GRANTS_PREFIX,
        ROOM_PREFIX,
        ATTENDANCE_PREFIX,
      ]) {
        await table.removeAll((await itemsOf(clubId, prefix)).map(keyOf));
      }
    },

    removeIdleClub: (clubId) => table.removeIf(clubKey(clubId), 'attribute_not_exists(meeting)'),
  };
}

const keyOf = ({ pk, sk }: Item): Key => ({ pk: String(pk), sk: String(sk) });
