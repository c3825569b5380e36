/** The use cases' dependencies: our repositories on a database, and LiveKit in memory. */
import type fc from 'fast-check';
import { ulid } from 'ulid';
import { createClubAdministration } from '../../lib/dynamodb/administration.ts';
import { createClubRepository } from '../../lib/dynamodb/clubs.ts';
import { createGrantRepository } from '../../lib/dynamodb/grants.ts';
import { createMemberRepository } from '../../lib/dynamodb/members.ts';
import { createPresenceRepository } from '../../lib/dynamodb/presence.ts';
import { createProbeRepository } from '../../lib/dynamodb/probes.ts';
import { createRecordingRepository } from '../../lib/dynamodb/recordings.ts';
import { type Item, openTable, type Table } from '../../lib/dynamodb/table.ts';
import type { ModeratorGrants } from '../../lib/meetings/grants.ts';
import type { Log, Meter } from '../../lib/meetings/ports.ts';
import type { Table as Database } from '../../local/dynamodb.ts';
import { NO_RECORDINGS } from '../harness/no-recordings.ts';
import { CLUBS } from './calls.ts';
import { createRooms, type Rooms } from './rooms.ts';

export const GRACE_MS = 15 * 60_000;
export const MAX_DURATION_MS = 12 * 3_600_000;
export const MAX_PARTICIPANTS = 2;

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const meter: Meter = { request: () => {}, run: () => {} };

export type World = Awaited<ReturnType<typeof newWorld>>;
export type Service = ReturnType<typeof serviceOn>;

/** The same dependencies, but each of their answers is given when the scheduler says so. */
export const interleaved = (service: Service, scheduler: fc.Scheduler): Service => ({
  ...service,
  clubs: stepwise(service.clubs, scheduler),
  members: stepwise(service.members, scheduler),
  administration: stepwise(service.administration, scheduler),
  media: stepwise(service.media, scheduler),
});

const stepwise = <P extends object>(port: P, scheduler: fc.Scheduler): P =>
  new Proxy(port, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      // What answers with a stream of batches, not with a promise.
      if (typeof method !== 'function' || name === 'getClubs') return method;
      return (...parts: unknown[]) => {
        const { promise, resolve, reject } = Promise.withResolvers<unknown>();
        const builder = () => method.apply(target, parts).then(resolve, reject);
        scheduler.scheduleSequence([{ builder, label: String(name) }]);
        return promise;
      };
    },
  });

/** The use cases' dependencies on this table and these rooms. */
export function serviceOn({
  table,
  rooms,
  now,
  newMeetingId,
  newRecordingId = (requestedAt) => ulid(requestedAt.getTime()),
}: {
  table: Table;
  rooms: Rooms;
  now: () => Date;
  newMeetingId: (startedAt: Date) => string;
  newRecordingId?: (requestedAt: Date) => string;
}) {
  return {
    clubs: createClubRepository(table),
    grants: createGrantRepository(table),
    members: createMemberRepository(table),
    presence: createPresenceRepository(table),
    probes: createProbeRepository(table),
    recordings: createRecordingRepository(table),
    recorder: rooms.recordings.recorder,
    files: rooms.recordings.bucket,
    recording: NO_RECORDINGS,
    administration: createClubAdministration(table),
    media: rooms.media,
    now,
    newMeetingId,
    newRecordingId,
    log: silent,
    meter,
    rooms: {
      emptyTimeoutSeconds: 600,
      departureTimeoutSeconds: 1800,
      maxParticipants: MAX_PARTICIPANTS,
    },
    tokens: { ttlSeconds: 600, moderatorGrants: 'none' as ModeratorGrants },
    limits: { maxDurationSeconds: MAX_DURATION_MS / 1000 },
    cleanup: { graceSeconds: GRACE_MS / 1000, maxLiveKitCalls: 500 },
  };
}

/** The same table for each run, emptied. */
export async function newWorld(database: Database) {
  const table = openTable(database);
  const itemsIn = (pk: string): Promise<Item[]> =>
    table.query({
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
    });
  const itemsOf = (clubId: string) => itemsIn(`CLUB#${clubId}`);
  for (const clubId of CLUBS) {
    // With what is noted of removals: the cleanup of this run would repeat those of the run before.
    const items = [...(await itemsOf(clubId)), ...(await itemsIn(`REMOVAL#${clubId}`))];
    await table.removeAll(items.map(({ pk, sk }) => ({ pk: String(pk), sk: String(sk) })));
  }

  // Each reading of the clock is a new time, so that no two events or items have the same one.
  let clock = Date.parse('2026-11-01T18:00:00.000Z');
  const now = () => new Date(++clock);
  const rooms = createRooms(now);
  const issued: { meetingId: string; startedAt: string }[] = [];
  const newMeetingId = (startedAt: Date) => {
    const meetingId = ulid(startedAt.getTime());
    issued.push({ meetingId, startedAt: startedAt.toISOString() });
    return meetingId;
  };
  return {
    service: serviceOn({ table, rooms, now, newMeetingId }),
    rooms,
    itemsOf,
    /** The meetings that starts made, including those whose caller got no answer. */
    issued,
    clock: () => clock,
    wait(ms: number) {
      clock += ms;
    },
  };
}
