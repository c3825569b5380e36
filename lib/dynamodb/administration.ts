import { randomUUID } from 'node:crypto';
import * as z from 'zod/mini';
import {
  Club,
  ClubId,
  EndedMeeting,
  Instant,
  MeetingId,
  Session,
  UserId,
} from '../meetings/model.ts';
import type { ClubAdministration, FoundClub } from '../meetings/ports.ts';
import { clubIdOf, findClubIn, removeEndedMeeting } from './clubs.ts';
import { assign, together, unchanged } from './expressions.ts';
import {
  ATTENDANCE_PREFIX,
  CONSENT_PREFIX,
  clubKey,
  GRANTS_PREFIX,
  grantKey,
  MEETING_PREFIX,
  MEMBER_PREFIX,
  meetingKey,
  RECORDING_PREFIX,
  REMOVALS_SHARD,
  REMOVED_PREFIX,
  ROOM_PREFIX,
  removalKey,
  removedKey,
} from './keys.ts';
import type { Condition, Item, Key, Table } from './table.ts';

/** Seconds for which it is known that a club was removed: longer than any command is on its way. */
const REMOVED_TTL_SECONDS = 30 * 86_400;

/** Seconds for which the meetings of a removed club are known: longer than their tokens work. */
const REMOVED_MEETING_TTL_SECONDS = 2 * 86_400;

/** Of which some are done: the same few that fail must not hold up the others. */
const LISTED_REMOVALS = 100;

const NotedRemoval = z.object({
  clubId: ClubId,
  userId: z.optional(UserId),
  removedAt: Instant,
  until: z.optional(Instant),
});

const RemovedMeeting = z.object({ meetingId: MeetingId });

/**
 * What the answer of one `list` holds at most, or a little more; and how much is read for it, since a page of
 * DynamoDB (1 MB) can be all attendance.
 */
const LISTED_CLUBS = 1000;
const LISTED_PAGES = 10;

const ListedClub = z.pick(Club, { clubId: true, name: true, moderatorId: true, createdAt: true });

/** Clubs, and what is left of those whose removal is not finished. */
const ALL_CLUBS = {
  FilterExpression: 'sk = :club AND attribute_not_exists(isEmptied)',
  ProjectionExpression: 'pk, clubId, #name, moderatorId, createdAt, removedAt',
  ExpressionAttributeNames: { '#name': 'name' },
  ExpressionAttributeValues: { ':club': 'CLUB' },
};

/** No key has a space. */
const cursorOf = ({ pk, sk }: Key): string => `${pk} ${sk}`;
const keyOfCursor = (cursor: string): Key => {
  const [pk = '', sk = ''] = cursor.split(' ');
  return { pk, sk };
};

const END_OF_TIME = '9999-12-31T23:59:59.999Z';

/** Single deletions on their way at once. */
const AT_ONCE = 25;

/** How the application that owns the clubs keeps them up to date; items are in docs/decisions.md. */
export function createClubAdministration(table: Table): ClubAdministration {
  const itemsOf = (clubId: string, prefix: string): Promise<Item[]> =>
    table.query({
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': clubKey(clubId).pk, ':prefix': prefix },
    });

  const findClub = async (clubId: string): Promise<FoundClub> => {
    const item = await table.get(clubKey(clubId));
    return findClubIn(item ? [item] : []);
  };

  return {
    findClub,

    async listClubs(after) {
      const items: Item[] = [];
      let next = after === undefined ? undefined : keyOfCursor(after);
      for (let page = 0; page < LISTED_PAGES && items.length < LISTED_CLUBS; page += 1) {
        const scanned = await table.scanPage(ALL_CLUBS, next);
        items.push(...scanned.items);
        ({ next } = scanned);
        if (!next) break;
      }
      const isThere = ({ removedAt }: Item) => removedAt === undefined;
      return {
        clubs: items.filter(isThere).map((item) => ListedClub.parse(item)),
        unfinished: items.filter((item) => !isThere(item)).map(clubIdOf),
        next: next && cursorOf(next),
      };
    },

    makeClub: (found, club) =>
      table.putIf(
        {
          ...clubKey(club.clubId),
          ...club,
          generation: randomUUID(),
          personId: club.moderatorId,
        },
        stillAs(found),
      ),

    async changeClub(found, change) {
      const { UpdateExpression, ...to } = assign({ ...change, personId: change.moderatorId });
      const { ConditionExpression, ...seen } = stillAs({ club: found });
      return table.updateIf(clubKey(found.clubId), {
        UpdateExpression,
        ConditionExpression,
        ...together(to, seen),
      });
    },

    async removeClub(clubId, found, removedAt) {
      const { ConditionExpression, ...seen } = stillAs(found);
      const { lastMeeting } = found.club ?? {};
      const expiresAt = Math.floor(Date.parse(removedAt) / 1000) + REMOVED_TTL_SECONDS;
      return table.putIf(
        { ...clubKey(clubId), removedAt, expiresAt },
        {
          ConditionExpression: [
            ConditionExpression,
            'attribute_not_exists(meeting)',
            lastMeeting
              ? 'lastMeeting.meetingId = :lastMeetingId'
              : 'attribute_not_exists(lastMeeting)',
          ].join(' AND '),
          ...together(
            seen,
            lastMeeting
              ? { ExpressionAttributeValues: { ':lastMeetingId': lastMeeting.meetingId } }
              : {},
          ),
        },
      );
    },

    async nameRemovedMeetings(clubId, meetingIds, now) {
      const removedAt = now.toISOString();
      const expiresAt = Math.floor(now.getTime() / 1000) + REMOVED_MEETING_TTL_SECONDS;
      for (const meetingId of meetingIds) {
        await table.put({ ...removedKey(clubId, meetingId), meetingId, removedAt, expiresAt });
      }
    },

    async listRemovedMeetings(clubId) {
      const items = await itemsOf(clubId, REMOVED_PREFIX);
      return items.map((item) => RemovedMeeting.parse(item).meetingId);
    },

    async noteRemoval({ clubId, userId, removedAt, until }) {
      await table.put({
        ...removalKey(clubId, userId),
        clubId,
        removedAt,
        ...(userId !== undefined && { userId }),
        ...(until !== undefined && { until }),
        activeShard: REMOVALS_SHARD,
        activeSince: removedAt,
        expiresAt: Math.floor(Date.parse(removedAt) / 1000) + REMOVED_TTL_SECONDS,
      });
    },

    async listRemovals(before, limit) {
      const keys = await table.query({
        IndexName: 'activeMeetings',
        KeyConditionExpression: 'activeShard = :shard AND activeSince <= :before',
        ExpressionAttributeValues: { ':shard': REMOVALS_SHARD, ':before': before },
        limit: LISTED_REMOVALS,
      });
      const some = keys
        .map((item) => ({ key: keyOf(item), order: Math.random() }))
        .toSorted((a, b) => a.order - b.order)
        .slice(0, limit);
      const items = await table.batchGet(some.map(({ key }) => key));
      return items.map((item) => NotedRemoval.parse(item));
    },

    async dropRemoval({ clubId, userId, removedAt }) {
      await table.removeIf(removalKey(clubId, userId), {
        ConditionExpression: 'removedAt = :removedAt',
        ExpressionAttributeValues: { ':removedAt': removedAt },
      });
    },

    async noteEmptied(clubId, removedAt) {
      await table.updateIf(clubKey(clubId), {
        ConditionExpression: 'removedAt = :removedAt',
        UpdateExpression: 'SET isEmptied = :true',
        ExpressionAttributeValues: { ':removedAt': removedAt, ':true': true },
      });
    },

    /**
     * A club may be made, and get members and meetings, while this runs. So the club is read after the
     * items that may have to go: each of them then belongs to that club or to an earlier one.
     */
    async removeItemsOfEarlierClubs(clubId) {
      const members = await itemsOf(clubId, MEMBER_PREFIX);
      const meetings = await itemsOf(clubId, MEETING_PREFIX);
      const grants = await itemsOf(clubId, GRANTS_PREFIX);
      const attendance = [
        ...(await itemsOf(clubId, ATTENDANCE_PREFIX)),
        ...(await itemsOf(clubId, ROOM_PREFIX)),
      ];
      const consents = await itemsOf(clubId, CONSENT_PREFIX);
      const { club } = await findClub(clubId);
      const current = club ? await meetingIdsOf(club) : new Set<unknown>();
      const isEarlier = ({ generation }: Item) => !club || generation !== club.generation;

      await table.removeAll(meetings.filter(isEarlier).map(keyOf));
      await table.removeAll(consents.filter(isEarlier).map(keyOf));
      // In the club that there is now, the same person can have a member's item and a note of grants.
      await eachOf(members.filter(isEarlier), (item) => removeUnchanged(item, 'generation'));
      await eachOf(
        grants.filter(({ meetingId }) => !current.has(meetingId)),
        (item) => removeUnchanged(item, 'meetingId'),
      );
      await table.removeAll(
        attendance.map(keyOf).filter(({ sk }) => !current.has(meetingIdOf(sk))),
      );
    },

    async forgetUser(clubId, userId, until = END_OF_TIME) {
      // From now on, no start and no end that was decided on what was read before names the user.
      await table.updateIf(clubKey(clubId), {
        ConditionExpression: 'attribute_exists(clubId)',
        UpdateExpression: 'ADD forgetCount :one',
        ExpressionAttributeValues: { ':one': 1 },
      });
      await forgetIn(clubKey(clubId), { userId, until }, [
        'meeting.startedBy',
        'meeting.startedAt',
      ]);
      await forgetIn(clubKey(clubId), { userId, until }, [
        'lastMeeting.endedBy',
        'lastMeeting.endedAt',
      ]);
      await forgetIn(clubKey(clubId), { userId, until }, [
        'recording.requestedBy',
        'recording.requestedAt',
      ]);
      await putRowOfLastMeeting(clubId);
      for (const row of await itemsOf(clubId, MEETING_PREFIX)) {
        if (row['endedBy'] !== userId) continue;
        await forgetIn(keyOf(row), { userId, until }, ['endedBy', 'endedAt']);
      }
      for (const row of await itemsOf(clubId, RECORDING_PREFIX)) {
        if (row['requestedBy'] !== userId) continue;
        await forgetIn(keyOf(row), { userId, until }, ['requestedBy', 'requestedAt']);
      }
      const consents = await itemsOf(clubId, CONSENT_PREFIX);
      await table.removeAll(
        consents
          .filter((item) => item['userId'] === userId && String(item['givenAt']) <= until)
          .map(keyOf),
      );
      const sessions = await itemsOf(clubId, ATTENDANCE_PREFIX);
      const own = sessions.filter((item) => {
        const session = Session.parse(item);
        return session.userId === userId && session.joinedAt <= until;
      });
      await table.removeAll(own.map(keyOf));
      // Who is a member again may have been granted something since.
      if (until === END_OF_TIME) await table.remove(grantKey(clubId, userId));
    },
  };

  /** A start or an end that was given up may put it late, as it was: then it is there already. */
  async function putRowOfLastMeeting(clubId: string): Promise<void> {
    const { lastMeeting, generation } = (await findClub(clubId)).club ?? {};
    if (!lastMeeting || lastMeeting.endedBy !== null) return;
    const row = { ...meetingKey(clubId, lastMeeting.meetingId), ...lastMeeting };
    const isPut = await table.putIf(
      { ...row, ...(generation !== undefined && { generation }) },
      { ConditionExpression: 'attribute_not_exists(pk)' },
    );
    if (!isPut) return;
    // A row that was put after its club was removed would be left behind.
    const { club } = await findClub(clubId);
    if (club && club.generation === generation) return;
    await removeEndedMeeting(table, { clubId, generation }, lastMeeting.meetingId);
  }

  /** Unless the attribute is another one by now. */
  async function removeUnchanged(item: Item, attribute: string): Promise<void> {
    const same = unchanged({ [attribute]: item[attribute] });
    await table.removeIf(keyOf(item), {
      ConditionExpression: same.conditions.join(' AND '),
      ...together(same),
    });
  }

  /** Replaces the user by null, where the time beside it is not after `until`. */
  async function forgetIn(
    key: Key,
    { userId, until }: { userId: string; until: string },
    [by, at]: [string, string],
  ): Promise<void> {
    await table.updateIf(key, {
      ConditionExpression: `${by} = :userId AND ${at} <= :until`,
      UpdateExpression: `SET ${by} = :none`,
      ExpressionAttributeValues: { ':userId': userId, ':until': until, ':none': null },
    });
  }

  /** Of the meeting that is on, and of all that are over. */
  async function meetingIdsOf({ clubId, generation, meeting, lastMeeting }: Club) {
    const rows = await itemsOf(clubId, MEETING_PREFIX);
    const own = rows.filter((row) => row['generation'] === generation);
    return new Set<unknown>([
      ...[meeting, lastMeeting].flatMap((each) => each?.meetingId ?? []),
      ...own.map((row) => EndedMeeting.parse(row).meetingId),
    ]);
  }
}

/** That the club, or the place of one, has not been changed by a command since it was found. */
function stillAs({ club, removedAt }: FoundClub): Condition {
  const { generation, putAt } = club ?? {};
  const seen = unchanged({ generation, putAt, removedAt });
  const isThere =
    club || removedAt !== undefined ? 'attribute_exists(pk)' : 'attribute_not_exists(pk)';
  return {
    ConditionExpression: [isThere, ...seen.conditions].join(' AND '),
    ...together(seen),
  };
}

/** Of `ATTENDANCE#<meetingId>#<participantSid>` and `ROOM#<meetingId>#<roomSid>`. */
const meetingIdOf = (sk: string): string => sk.split('#')[1] ?? '';

const keyOf = ({ pk, sk }: Item): Key => ({ pk: String(pk), sk: String(sk) });

async function eachOf<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += AT_ONCE) {
    await Promise.all(items.slice(start, start + AT_ONCE).map(work));
  }
}
