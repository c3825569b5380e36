import { MemberRecord } from '../meetings/model.ts';
import type { MemberRepository } from '../meetings/ports.ts';
import { findClubIn } from './clubs.ts';
import { assign, together, unchanged } from './expressions.ts';
import { clubKey, memberKey } from './keys.ts';
import type { Table } from './table.ts';

/** Seconds for which the record of a removed member is kept: longer than any command is on its way. */
const REMOVED_TTL_SECONDS = 30 * 86_400;

/** What the record has of a person in a club; items and keys are in docs/decisions.md. */
export const createMemberRepository = (table: Table): MemberRepository => ({
  async read(clubId, userId) {
    const items = await table.getTogether([clubKey(clubId), memberKey(clubId, userId)]);
    const own = items.find(({ sk }) => sk !== 'CLUB');
    return {
      ...findClubIn(items),
      record: own && MemberRecord.parse(own),
    };
  },

  write(clubId, seen, next) {
    const isRemoved = next.removedAt !== undefined;
    const seenVersion = unchanged(seen ? versionOf(seen) : {});
    const { UpdateExpression, ...to } = assign({
      ...EVERY_ATTRIBUTE,
      ...next,
      // The index has members alone.
      personId: isRemoved ? undefined : next.userId,
      expiresAt: isRemoved ? secondsOf(next.removedAt) + REMOVED_TTL_SECONDS : undefined,
    });
    return table.updateIf(memberKey(clubId, next.userId), {
      UpdateExpression,
      ConditionExpression: [
        seen ? 'attribute_exists(pk)' : 'attribute_not_exists(pk)',
        ...seenVersion.conditions,
      ].join(' AND '),
      ...together(to, seenVersion),
    });
  },

  async removeLeftOver({ clubId, generation }, userId) {
    const ofThatClub = unchanged({ generation });
    await table.removeIf(memberKey(clubId, userId), {
      ConditionExpression: ofThatClub.conditions.join(' AND '),
      ...together(ofThatClub),
    });
  },
});

const secondsOf = (instant = ''): number => Math.floor(Date.parse(instant) / 1000);

const EVERY_ATTRIBUTE = Object.fromEntries(
  Object.keys(MemberRecord.shape).map((name) => [name, undefined]),
);

/** Every change of a record moves one of these on. */
const versionOf = (record: MemberRecord) => {
  const { generation, membershipAt, nameAt, roleAt, forgottenAt } = record;
  return { generation, membershipAt, nameAt, roleAt, forgottenAt };
};
