import { Recording, type RecordingRef, statesBefore } from '../meetings/recording/model.ts';
import type { Progress, RecordingRepository } from '../meetings/recording/ports.ts';
import { findClubIn, NOT_BARRED } from './clubs.ts';
import { assign, together, unchanged } from './expressions.ts';
import {
  CLUB_PREFIX,
  CONSENT_PREFIX,
  clubKey,
  consentKey,
  RECORDING_PREFIX,
  recordingKey,
  recordingPrefix,
} from './keys.ts';
import type { Item, Table } from './table.ts';

const BATCH_KEYS = 100;

/** The rows that the cleanup checks have a shard of the index to themselves. */
const UNSETTLED_SHARD = 'recordings';

/** The claims in the clubs' items, and the rows; items and keys are in docs/decisions.md. */
export function createRecordingRepository(table: Table): RecordingRepository {
  /** What is in the row already stays. */
  const noteEgress = async (ref: RecordingRef, egressId: string | undefined): Promise<void> => {
    if (egressId === undefined) return;
    await table.updateIf(recordingKey(ref), {
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(egressId)',
      UpdateExpression: 'SET egressId = :egressId',
      ExpressionAttributeValues: { ':egressId': egressId },
    });
  };

  const query = (clubId: string, from: string, to: string): Promise<Item[]> =>
    table.query({
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: { ':pk': clubKey(clubId).pk, ':from': from, ':to': to },
    });

  const rowsOf = async (
    { clubId, generation }: Parameters<RecordingRepository['listOf']>[0],
    first: string,
    last: string,
  ): Promise<Recording[]> => {
    const items = await query(clubId, recordingPrefix(first), `${recordingPrefix(last)}~`);
    return items
      .filter((item) => item['generation'] === generation)
      .map((item) => Recording.parse(item));
  };

  return {
    claim({ clubId, forgetCount }, meetingId, claim) {
      const seen = unchanged({ forgetCount });
      return table.updateIf(clubKey(clubId), {
        ConditionExpression: [
          // No other club has a meeting of this id.
          'meeting.meetingId = :meetingId',
          'attribute_not_exists(recording)',
          ...seen.conditions,
          NOT_BARRED,
        ].join(' AND '),
        UpdateExpression: 'SET recording = :claim',
        ...together(seen, {
          ExpressionAttributeValues: {
            ':meetingId': meetingId,
            ':claim': claim,
            ':caller': claim.requestedBy,
          },
        }),
      });
    },

    async advanceClaim({ clubId, recordingId }, to, { egressId, startedAt } = {}) {
      const known = Object.entries({ egressId, activeSince: startedAt }).filter(
        ([, value]) => value !== undefined,
      );
      const notes = known.map(
        ([name]) => `recording.${name} = if_not_exists(recording.${name}, :${name})`,
      );
      const values = {
        ':recordingId': recordingId,
        ...Object.fromEntries(known.map(([name, value]) => [`:${name}`, value])),
      };
      const ofClaim = 'recording.recordingId = :recordingId';
      const earlier = statesBefore(to);
      const isMoved =
        earlier.length > 0 &&
        (await table.updateIf(clubKey(clubId), {
          ConditionExpression: `${ofClaim} AND recording.#state IN (${placesOf(earlier)})`,
          UpdateExpression: `SET ${['recording.#state = :to', ...notes].join(', ')}`,
          ExpressionAttributeNames: { '#state': 'state' },
          ExpressionAttributeValues: { ...values, ':to': to, ...placed(earlier) },
        }));
      if (isMoved || notes.length === 0) return;
      await table.updateIf(clubKey(clubId), {
        ConditionExpression: ofClaim,
        UpdateExpression: `SET ${notes.join(', ')}`,
        ExpressionAttributeValues: values,
      });
    },

    async lift({ clubId, recordingId }) {
      await table.updateIf(clubKey(clubId), {
        ConditionExpression: 'recording.recordingId = :recordingId',
        UpdateExpression: 'REMOVE recording',
        ExpressionAttributeValues: { ':recordingId': recordingId },
      });
    },

    async open(ref, recording) {
      await table.putIf(
        {
          ...recordingKey(ref),
          ...recording,
          activeShard: UNSETTLED_SHARD,
          activeSince: recording.requestedAt,
        },
        { ConditionExpression: 'attribute_not_exists(pk)' },
      );
    },

    async advance(ref, to, { egressId, startedAt, stoppingSince }: Progress = {}) {
      const isMoved = await move(ref, to, {
        ...(startedAt !== undefined && { startedAt }),
        ...(stoppingSince !== undefined && { stoppingSince }),
        ...(egressId !== undefined && { egressId }),
      });
      if (!isMoved) await noteEgress(ref, egressId);
    },

    async close(ref, { state, isSettled, ...facts }) {
      const isMoved = await move(ref, state, {
        ...Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
        ...(isSettled && { isSettled }),
        missingSince: undefined,
      });
      return isMoved;
    },

    async noteMissing(ref, since) {
      const { UpdateExpression, ...to } = assign({ missingSince: since });
      await table.updateIf(recordingKey(ref), {
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression,
        ...together(to),
      });
    },

    async settle(ref) {
      await table.updateIf(recordingKey(ref), {
        ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(isDiscarded)',
        UpdateExpression: 'SET isSettled = :true REMOVE activeShard, activeSince',
        ExpressionAttributeValues: { ':true': true },
      });
    },

    async discard(ref, now) {
      await table.updateIf(recordingKey(ref), {
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression:
          'SET isDiscarded = :true, activeShard = :shard, activeSince = if_not_exists(activeSince, :now)',
        ExpressionAttributeValues: {
          ':true': true,
          ':shard': UNSETTLED_SHARD,
          ':now': now.toISOString(),
        },
      });
    },

    async listOfEarlierClubs(clubId) {
      const items = await query(clubId, RECORDING_PREFIX, `${RECORDING_PREFIX}~`);
      // The club is read after the rows, so that the rows of a later club are recognized.
      const item = await table.get(clubKey(clubId));
      const { club } = findClubIn(item ? [item] : []);
      return items.filter(({ generation }) => !club || generation !== club.generation).map(refOf);
    },

    async anonymize(ref) {
      await table.updateIf(recordingKey(ref), {
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression: 'SET requestedBy = :none',
        ExpressionAttributeValues: { ':none': null },
      });
    },

    async tombstone(ref) {
      const nothing = { requestedBy: null, durationSeconds: undefined, bytes: undefined };
      await move(ref, 'deleted', nothing);
    },

    remove: (ref) => table.remove(recordingKey(ref)),

    async get(ref) {
      const item = await table.get(recordingKey(ref));
      return item && Recording.parse(item);
    },

    async getAll(refs) {
      const items: Item[] = [];
      const unique = new Map(refs.map((ref) => [`${ref.clubId} ${ref.recordingId}`, ref]));
      const all = [...unique.values()].map(recordingKey);
      for (let start = 0; start < all.length; start += BATCH_KEYS) {
        items.push(...(await table.batchGet(all.slice(start, start + BATCH_KEYS))));
      }
      return items.map((item) => {
        const recording = Recording.parse(item);
        return { ref: { clubId: clubIdOf(item), ...recording }, recording };
      });
    },

    listOf: (club, meetingId) => rowsOf(club, meetingId, meetingId),

    listBetween: rowsOf,

    async listUnsettled() {
      const items = await table.query({
        IndexName: 'activeMeetings',
        KeyConditionExpression: 'activeShard = :shard',
        ExpressionAttributeValues: { ':shard': UNSETTLED_SHARD },
      });
      return items.map(refOf);
    },

    hasConsent: async (clubId, meetingId, userId) =>
      (await table.get(consentKey(clubId, meetingId, userId))) !== undefined,

    putConsent: (consent) =>
      table.put({ ...consentKey(consent.clubId, consent.meetingId, consent.userId), ...consent }),

    removeConsent: (clubId, meetingId, userId) =>
      table.remove(consentKey(clubId, meetingId, userId)),

    async removeConsents(clubId, meetingId) {
      const prefix = `${CONSENT_PREFIX}${meetingId}#`;
      const items = await query(clubId, prefix, `${prefix}~`);
      await table.removeAll(items.map(({ pk, sk }) => ({ pk: String(pk), sk: String(sk) })));
    },
  };

  /** Whether the row had an earlier state. */
  function move(
    ref: RecordingRef,
    to: Recording['state'],
    attributes: Record<string, unknown>,
  ): Promise<boolean> {
    const earlier = statesBefore(to);
    if (earlier.length === 0) return Promise.resolve(false);
    const { UpdateExpression, ...assigned } = assign({ state: to, ...attributes });
    return table.updateIf(recordingKey(ref), {
      ConditionExpression: `#state IN (${placesOf(earlier)})`,
      UpdateExpression,
      ...together(assigned, {
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: placed(earlier),
      }),
    });
  }
}

const placesOf = (states: string[]): string => states.map((_, at) => `:state${at}`).join(', ');
const placed = (states: string[]): Record<string, string> =>
  Object.fromEntries(states.map((state, at) => [`:state${at}`, state]));

const clubIdOf = ({ pk }: Item): string => String(pk).slice(CLUB_PREFIX.length);

/** The reverse of `recordingKey`. */
function refOf(item: Item): RecordingRef {
  const [, meetingId = '', recordingId = ''] = String(item['sk']).split('#');
  return { clubId: clubIdOf(item), meetingId, recordingId };
}
