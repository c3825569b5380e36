/** The state of recordings: first after two cleanups, then when no recorder or file can arrive any more. */
import { AwsClient } from 'aws4fetch';
import { EgressClient, EgressStatus } from 'livekit-server-sdk';
import { z } from 'zod';
import {
  cleanup,
  limits,
  livekit,
  loadConfig,
  recording as recordingConfig,
  rooms,
  store,
} from '../lib/config.ts';
import { createCleanupDeps } from '../lib/deps.ts';
import { cleanUp } from '../lib/meetings/cleanup/run.ts';
import type { CleanupDeps } from '../lib/meetings/cleanup/types.ts';
import { Club, parseRoomName } from '../lib/meetings/model.ts';
import { Recording } from '../lib/meetings/recording/model.ts';
import { createFileStore } from '../lib/s3/files.ts';
import { readItems } from '../local/dynamodb.ts';
import { retry } from './retry.ts';
import type { World } from './world.ts';

const MINUTE_MS = 60_000;
/** Two cleanups a minute apart find that a recorder is missing. A start may take two minutes. */
const CLAIMED_AFTER_MS = [0, MINUTE_MS, 3 * MINUTE_MS];
/** The greatest clock skew that S3 accepts, and longer than any outcome of an abandoned start can take. */
const SETTLED_AFTER_MS = [14 * MINUTE_MS, 14 * MINUTE_MS];

/** Keeps meetings that are due active: their end would lift the claims that are checked here. */
const UNLIMITED_SECONDS = 1e9;

const Row = z.object({ ...Recording.shape, activeShard: z.optional(z.string()) });

export interface RecordingsLeft {
  claimed: RecordingsOfClub[];
  settled: RecordingsOfClub[];
}

export interface RecordingsOfClub {
  clubId: string;
  meetingId: string | undefined;
  claim: Club['recording'];
  rows: z.infer<typeof Row>[];
  /** Every recording that LiveKit lists for it. */
  egresses: SeenEgress[];
  /** The keys of its files. */
  files: string[];
}

export interface SeenEgress {
  egressId: string;
  key: string;
  roomName: string;
  status: 'starting' | 'active' | 'stopping' | 'over';
  /** Its recorder is in the room. */
  isInRoom: boolean;
  /** When it recorded. */
  fromMs: number;
  toMs: number;
}

export async function settleRecordings(world: World): Promise<RecordingsLeft> {
  await world.standIn.recorder.set({});
  await cleanUpAt(world, CLAIMED_AFTER_MS, (deps) => ({
    ...deps,
    limits: { maxDurationSeconds: UNLIMITED_SECONDS },
    cleanup: { ...deps.cleanup, graceSeconds: UNLIMITED_SECONDS },
  }));
  const claimed = await readRecordings(world);
  await cleanUpAt(world, SETTLED_AFTER_MS);
  return { claimed, settled: await readRecordings(world) };
}

/** In this process, whose clock is ahead for the rules alone. */
async function cleanUpAt(
  { standIn, environment, s3 }: World,
  timesMs: number[],
  change: (deps: CleanupDeps) => CleanupDeps = (deps) => deps,
): Promise<void> {
  const parts = { store, livekit, rooms, limits, cleanup, recording: recordingConfig };
  const config = loadConfig(parts, environment);
  const deps = change(createCleanupDeps(config));
  const files = createFileStore(config.recording, { credentials: async () => s3 });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const meter = { request: () => {}, run: () => {} };
  for (const ms of timesMs) {
    const now = () => new Date(Date.now() + ms);
    await retry(() => cleanUp({ ...deps, files, log, meter, now }, () => true));
    await standIn.webhooks.settled();
  }
}

async function readRecordings(world: World): Promise<RecordingsOfClub[]> {
  const egresses = await readEgresses(world);
  return Promise.all(
    world.clubs.map(async ({ clubId }) => {
      const items = await readItems(world.table, `CLUB#${clubId}`);
      const club = Club.parse(items.find(({ sk }) => sk === 'CLUB'));
      return {
        clubId,
        meetingId: club.meeting?.meetingId,
        claim: club.recording,
        rows: items.filter(({ sk }) => /^RECORDING#/.test(`${sk}`)).map((row) => Row.parse(row)),
        egresses: egresses.filter(({ roomName }) => parseRoomName(roomName)?.clubId === clubId),
        files: await filesOf(world, clubId),
      };
    }),
  );
}

async function readEgresses({ standIn, apiKey, apiSecret }: World): Promise<SeenEgress[]> {
  const inRoom = new Set(
    (await standIn.rooms()).flatMap(({ participants }) =>
      participants.filter(({ kind }) => kind === 'EGRESS').map(({ identity }) => identity),
    ),
  );
  const listed = await new EgressClient(standIn.url, apiKey, apiSecret).listEgress();
  return listed.map(({ egressId, roomName, status, fileResults, startedAt, endedAt }) => ({
    egressId,
    roomName,
    key: fileResults[0]?.filename ?? '',
    status: STATUS.get(status) ?? 'over',
    isInRoom: inRoom.has(egressId),
    fromMs: startedAt === 0n ? Number.POSITIVE_INFINITY : Number(startedAt / 1_000_000n),
    toMs: endedAt === 0n ? Number.POSITIVE_INFINITY : Number(endedAt / 1_000_000n),
  }));
}

const STATUS = new Map<EgressStatus, SeenEgress['status']>([
  [EgressStatus.EGRESS_STARTING, 'starting'],
  [EgressStatus.EGRESS_ACTIVE, 'active'],
  [EgressStatus.EGRESS_ENDING, 'stopping'],
]);

async function filesOf({ s3 }: World, clubId: string): Promise<string[]> {
  const client = new AwsClient({ ...s3, service: 's3' });
  const keys: string[] = [];
  let token = '';
  do {
    const page = await client.fetch(
      `${s3.endpoint}/${s3.bucket}?list-type=2&prefix=recordings/${clubId}/${token}`,
    );
    const text = await page.text();
    keys.push(...[...text.matchAll(/<Key>(.*?)<\/Key>/g)].flatMap(([, key]) => key ?? []));
    const [, next] = /<NextContinuationToken>(.*?)</.exec(text) ?? [];
    token = next ? `&continuation-token=${encodeURIComponent(next)}` : '';
  } while (token !== '');
  return keys;
}
