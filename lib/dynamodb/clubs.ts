import * as z from 'zod/mini';
import {
  Club,
  EndedMeeting,
  GrantNote,
  type Meeting,
  MeetingId,
  type Member,
  MemberRecord,
  memberOf,
} from '../meetings/model.ts';
import type {
  ClubRef,
  ClubRepository,
  EndCondition,
  FoundClub,
  MeetingRef,
} from '../meetings/ports.ts';
import { type Conditions, together, unchanged } from './expressions.ts';
import {
  ACTIVE_SHARDS,
  activeShardOf,
  CLUB_PREFIX,
  clubKey,
  grantKey,
  MEETING_PREFIX,
  MEMBER_PREFIX,
  meetingKey,
  memberKey,
  removedKey,
} from './keys.ts';
import type { Item, Key, Table } from './table.ts';

/** As many keys as one BatchGetItem takes. */
const BATCH_KEYS = 100;

/** As `isBarred`, in a condition: a person who was removed from the meeting changes nothing in it. */
export const NOT_BARRED = '(moderatorId = :caller OR NOT contains(barredUserIds, :caller))';

/** The clubs and their meetings; items and keys are in docs/decisions.md. */
export function createClubRepository(table: Table): ClubRepository {
  /** In one round trip; the members by user id. */
  const clubAndMembers = async (clubId: string, userIds: string[], others: Key[] = []) => {
    const keys = [...new Set(userIds)].map((userId) => memberKey(clubId, userId));
    const items = await table.getTogether([clubKey(clubId), ...keys, ...others]);
    const { club } = findClubIn(items);
    const members = club ? membersIn(items, club) : [];
    return { club, members: new Map(members.map((member) => [member.userId, member])), items };
  };

  const claim = async (clubId: string, meeting: Meeting, onlyIf: Conditions) => {
    const item = await table.updateIfReturning(clubKey(clubId), {
      ConditionExpression: [
        'attribute_exists(clubId)',
        'attribute_not_exists(meeting)',
        // ULIDs sort by time. A write that was sent again can arrive once more when its meeting is over.
        '(attribute_not_exists(lastMeeting) OR lastMeeting.meetingId < :meetingId)',
        ...onlyIf.conditions,
      ].join(' AND '),
      UpdateExpression:
        'SET meeting = :meeting, activeShard = :shard, activeSince = :since REMOVE presence, presentSids, barredUserIds, barsRevision, recording',
      ...together(onlyIf, {
        ExpressionAttributeValues: {
          ':meeting': meeting,
          ':meetingId': meeting.meetingId,
          ':shard': activeShardOf(clubId),
          ':since': meeting.startedAt,
        },
      }),
    });
    return item && Club.parse(item);
  };

  return {
    async getClubAndMember(clubId, userId) {
      const { club, members, items } = await clubAndMembers(clubId, [userId]);
      const record = items.find(({ sk }) => sk === memberKey(clubId, userId).sk);
      const forgottenAt = record && MemberRecord.parse(record).forgottenAt;
      return { club, member: members.get(userId), forgottenAt };
    },

    async getClubMemberAndGrants(clubId, userId) {
      const key = grantKey(clubId, userId);
      const { club, members, items } = await clubAndMembers(clubId, [userId], [key]);
      const note = items.find(({ sk }) => sk === key.sk);
      return { club, member: members.get(userId), granted: note && GrantNote.parse(note) };
    },

    async getClubAndTwoMembers(clubId, [first, second]) {
      const { club, members } = await clubAndMembers(clubId, [first, second]);
      return { club, members: [members.get(first), members.get(second)] };
    },

    async getMembers(club, userIds) {
      const members: Member[] = [];
      for (const batch of batchesOf(userIds, BATCH_KEYS)) {
        const items = await table.batchGet(batch.map((userId) => memberKey(club.clubId, userId)));
        members.push(...membersIn(items, club));
      }
      return members;
    },

    async listMembers(club, { after, limit }) {
      const { clubId, generation } = club;
      const ofThisClub = unchanged({ generation, removedAt: undefined });
      const items = await table.query({
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        FilterExpression: ofThisClub.conditions.join(' AND '),
        ...together(ofThisClub, {
          ExpressionAttributeValues: {
            ':pk': clubKey(clubId).pk,
            ':from': after === undefined ? MEMBER_PREFIX : justAfter(memberKey(clubId, after).sk),
            ':to': `${MEMBER_PREFIX}~`,
          },
        }),
        limit,
      });
      return membersIn(items, club);
    },

    async listClubIdsOf(userId, { after, limit }) {
      const items = await table.query({
        IndexName: 'clubsOfPerson',
        KeyConditionExpression: 'personId = :userId AND pk > :after',
        ExpressionAttributeValues: {
          ':userId': userId,
          ':after': after === undefined ? CLUB_PREFIX : clubKey(after).pk,
        },
        // A club whose moderator has a member item is there twice.
        limit: 2 * limit,
      });
      return [...new Set(items.map(clubIdOf))].slice(0, limit);
    },

    async getClubsAndMember(clubIds, userId) {
      const found: { club: Club; member: Member | undefined }[] = [];
      for (const batch of batchesOf(clubIds, BATCH_KEYS / 2)) {
        const items = await table.batchGet(
          batch.flatMap((clubId) => [clubKey(clubId), memberKey(clubId, userId)]),
        );
        for (const clubId of batch) {
          const own = items.filter((item) => clubIdOf(item) === clubId);
          const { club } = findClubIn(own);
          if (club) found.push({ club, member: membersIn(own, club)[0] });
        }
      }
      return found;
    },

    changeBar: ({ clubId, meetingId }, { userId, isBarred, seenRevision, revision }) =>
      table.updateIf(clubKey(clubId), {
        ConditionExpression: [
          'meeting.meetingId = :meetingId',
          seenRevision === undefined
            ? 'attribute_not_exists(barsRevision)'
            : 'barsRevision = :seenRevision',
        ].join(' AND '),
        UpdateExpression: `SET barsRevision = :revision ${isBarred ? 'ADD' : 'DELETE'} barredUserIds :userIds`,
        ExpressionAttributeValues: {
          ':meetingId': meetingId,
          ':userIds': new Set([userId]),
          ':revision': revision,
          ...(seenRevision !== undefined && { ':seenRevision': seenRevision }),
        },
      }),

    async getClub(clubId) {
      const item = await table.get(clubKey(clubId));
      return findClubIn(item ? [item] : []).club;
    },

    claimMeeting: ({ clubId, generation, forgetCount }, meeting) =>
      claim(clubId, meeting, unchanged({ generation, forgetCount })),

    claimMeetingAsOwner: (clubId, meeting) =>
      claim(clubId, meeting, {
        // A club that is younger than this start is the next one, in the place of a removed club.
        conditions: ['moderatorId = :owner', 'createdAt <= :since'],
        ExpressionAttributeValues: { ':owner': meeting.startedBy },
      }),

    noteStarted: ({ clubId, forgetCount, lastMeeting }, meetingId, roomEnsuredAt) => {
      const seen = unchanged({ forgetCount });
      return table.updateIf(clubKey(clubId), {
        ConditionExpression: ['meeting.meetingId = :meetingId', ...seen.conditions].join(' AND '),
        UpdateExpression: [
          'SET meeting.roomEnsuredAt = :at',
          ...(lastMeeting ? ['recordedMeetingId = :recorded'] : []),
        ].join(', '),
        ...together(seen, {
          ExpressionAttributeValues: {
            ':meetingId': meetingId,
            ':at': roomEnsuredAt,
            ...(lastMeeting && { ':recorded': lastMeeting.meetingId }),
          },
        }),
      });
    },

    claimRoomCheck: ({ clubId, meetingId }, { at, after }) =>
      table.updateIf(clubKey(clubId), {
        ConditionExpression:
          'meeting.meetingId = :meetingId AND (attribute_not_exists(meeting.roomEnsuredAt) OR meeting.roomEnsuredAt < :after)',
        UpdateExpression: 'SET meeting.roomEnsuredAt = :at',
        ExpressionAttributeValues: { ':meetingId': meetingId, ':at': at, ':after': after },
      }),

    async undoRoomCheck({ clubId, meetingId }, at) {
      await table.updateIf(clubKey(clubId), {
        ConditionExpression: 'meeting.meetingId = :meetingId AND meeting.roomEnsuredAt = :at',
        UpdateExpression: 'REMOVE meeting.roomEnsuredAt',
        ExpressionAttributeValues: { ':meetingId': meetingId, ':at': at },
      });
    },

    concludeMeeting: ({ clubId, forgetCount }, ended, onlyIf) => {
      const seen = unchanged({ forgetCount });
      return table.updateIf(clubKey(clubId), {
        ConditionExpression: [
          // No other club has a meeting of this id.
          'meeting.meetingId = :meetingId',
          ...seen.conditions,
          ...(ended.endedBy === null ? [] : [NOT_BARRED]),
          ...conditionOf(onlyIf),
        ].join(' AND '),
        UpdateExpression:
          'SET lastMeeting = :ended REMOVE meeting, activeShard, activeSince, presence, presentSids, barredUserIds, barsRevision, recording',
        ...together(seen, {
          ExpressionAttributeValues: {
            ':meetingId': ended.meetingId,
            ':ended': ended,
            ...(ended.endedBy !== null && { ':caller': ended.endedBy }),
            ...(onlyIf && { ':vacantSince': onlyIf.vacantSince }),
          },
        }),
      });
    },

    markVacant: (clubId, { meetingId, since }) =>
      table.updateIf(clubKey(clubId), {
        ConditionExpression:
          'meeting.meetingId = :meetingId AND attribute_not_exists(meeting.vacantSince) AND attribute_not_exists(presentSids)',
        UpdateExpression: 'SET meeting.vacantSince = :since',
        ExpressionAttributeValues: { ':meetingId': meetingId, ':since': since },
      }),

    clearVacant: (clubId, meetingId) =>
      table.updateIf(clubKey(clubId), {
        ConditionExpression: 'meeting.meetingId = :meetingId',
        UpdateExpression: 'REMOVE meeting.vacantSince',
        ExpressionAttributeValues: { ':meetingId': meetingId },
      }),

    async recordEndedMeeting({ clubId, generation }, ended) {
      const key = meetingKey(clubId, ended.meetingId);
      const item = { ...key, ...ended, ...(generation !== undefined && { generation }) };
      const isPut = await table.putIf(item, { ConditionExpression: 'attribute_not_exists(pk)' });
      if (isPut || ended.endedBy !== null) return;
      await table.updateIf(key, {
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression: 'SET endedBy = :none',
        ExpressionAttributeValues: { ':none': null },
      });
    },

    removeEndedMeeting: (club, meetingId) => removeEndedMeeting(table, club, meetingId),

    async getEndedMeeting({ clubId, generation }, meetingId) {
      const item = await table.get(meetingKey(clubId, meetingId));
      return item && item['generation'] === generation ? EndedMeeting.parse(item) : undefined;
    },

    async listEndedMeetings({ clubId, generation }, { before, limit }) {
      const ofThisClub = unchanged({ generation });
      const items = await table.query({
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        FilterExpression: ofThisClub.conditions.join(' AND '),
        ...together(ofThisClub, {
          ExpressionAttributeValues: {
            ':pk': clubKey(clubId).pk,
            ':from': MEETING_PREFIX,
            // Up to but not including `before`; `~` sorts after every character of a ULID.
            ':to': before === undefined ? `${MEETING_PREFIX}~` : `${MEETING_PREFIX}${before}`,
          },
        }),
        ScanIndexForward: false,
        limit: limit + (before === undefined ? 0 : 1),
      });
      return items
        .map((item) => EndedMeeting.parse(item))
        .filter(({ meetingId }) => meetingId !== before)
        .slice(0, limit);
    },

    async listActiveClubIds() {
      const shards = await Promise.all(
        ACTIVE_SHARDS.map((shard) =>
          table.query({
            IndexName: 'activeMeetings',
            KeyConditionExpression: 'activeShard = :shard',
            ExpressionAttributeValues: { ':shard': shard },
          }),
        ),
      );
      return shards.flat().map(clubIdOf);
    },

    async *getClubs(clubIds) {
      // A club whose meeting ends while its next one begins can be on two pages of the index, and
      // DynamoDB takes no key twice.
      for (const batch of batchesOf([...new Set(clubIds)], BATCH_KEYS)) {
        const items = await table.batchGet(batch.map(clubKey));
        yield items
          .filter(({ removedAt }) => removedAt === undefined)
          .map((item) => {
            const clubId = clubIdOf(item);
            const { data: club, error } = Club.safeParse(item);
            return club ? { clubId, club } : { clubId, error };
          });
      }
    },

    isOfRemovedClub: async ({ clubId, meetingId }) =>
      (await table.get(removedKey(clubId, meetingId))) !== undefined,

    async filterEnded(meetings) {
      const ended: MeetingRef[] = [];
      for (const batch of batchesOf(meetings, Math.floor(BATCH_KEYS / 3))) {
        const keys = batch.flatMap(({ clubId, meetingId }) => [
          clubKey(clubId),
          meetingKey(clubId, meetingId),
          removedKey(clubId, meetingId),
        ]);
        const unique = new Map(keys.map((key) => [`${key.pk} ${key.sk}`, key]));
        const items = await table.batchGet([...unique.values()]);
        const found = new Set(items.map(({ pk, sk }) => `${pk} ${sk}`));
        const last = new Set(
          items
            .filter(({ sk }) => sk === 'CLUB')
            .map((item) => `${clubIdOf(item)} ${lastMeetingIdOf(item)}`),
        );
        ended.push(
          ...batch.filter(({ clubId, meetingId }) => {
            const rows = [meetingKey(clubId, meetingId), removedKey(clubId, meetingId)];
            return (
              rows.some(({ pk, sk }) => found.has(`${pk} ${sk}`)) ||
              last.has(`${clubId} ${meetingId}`)
            );
          }),
        );
      }
      return ended;
    },
  };
}

/** The club among the items, or when it was removed. */
export function findClubIn(items: Item[]): FoundClub {
  const item = items.find(({ sk }) => sk === 'CLUB');
  const removed = RemovedClub.safeParse(item);
  return removed.success ? removed.data : { club: item && Club.parse(item) };
}

/** What is left of a club that was removed. */
const RemovedClub = z.object({ removedAt: z.string() });

/** Those of the items that are of members of this club. */
const membersIn = (items: Item[], club: ClubRef): Member[] =>
  items
    .filter(({ sk }) => String(sk).startsWith(MEMBER_PREFIX))
    .flatMap((item) => memberOf(club, MemberRecord.parse(item)) ?? []);

/** Deletes the row of a meeting that is over, if it is that club's. */
export async function removeEndedMeeting(
  table: Table,
  { clubId, generation }: ClubRef,
  meetingId: string,
): Promise<void> {
  const ofThatClub = unchanged({ generation });
  await table.removeIf(meetingKey(clubId, meetingId), {
    ConditionExpression: ofThatClub.conditions.join(' AND '),
    ...together(ofThatClub),
  });
}

export const clubIdOf = ({ pk }: Item): string => String(pk).slice(CLUB_PREFIX.length);

/** Sorts after the key and before every other: no key has a control character. */
const justAfter = (sk: string): string => `${sk}\u0000`;

/** No more of the item than this: the rest may be as it must not be. */
const LastMeeting = z.object({ lastMeeting: z.object({ meetingId: MeetingId }) });
const lastMeetingIdOf = (item: Item): string | undefined =>
  LastMeeting.safeParse(item).data?.lastMeeting.meetingId;

const conditionOf = (onlyIf: EndCondition | undefined): string[] =>
  onlyIf ? ['meeting.vacantSince = :vacantSince', 'attribute_not_exists(presentSids)'] : [];

function* batchesOf<T>(items: T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
