/** What a cleanup costs follows the meetings that are on, not the clubs there are. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Room } from '@livekit/protocol';
import { expect, it } from 'vitest';
import type { CleanupReport } from '../../lib/meetings/cleanup/types.ts';
import { answer, on } from '../harness/faults.ts';
import { clubItem, newMeeting } from '../harness/items.ts';
import { API_KEY, API_SECRET } from '../harness/livekit-events.ts';
import { hours } from '../harness/process.ts';
import { type Fault, startWire } from '../harness/wire.ts';
import { startWorld, type World } from '../harness/world.ts';

/** dynalite takes half a minute to be given so many. */
const MANY_CLUBS = 100_000;
const FEW_CLUBS = 1000;
const ACTIVE = 100;
const MANY_MEETINGS = 5000;
const MEGABYTES = 256;

const clubs = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => clubItem(`${prefix}-${index}`, 'the-user'));

const activeClubs = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    const clubId = `active-${index}`;
    const startedAt = new Date(Date.now() - hours(1)).toISOString();
    return clubItem(clubId, 'the-user', newMeeting(clubId, { startedAt }));
  });

/** What one run asks for, and how many items it is given. */
async function costOf(world: World) {
  let items = 0;
  const counted: Fault = async (_, pass) => {
    const result = await pass();
    const { ScannedCount = 0, Responses = {} } = JSON.parse(String(result.body));
    items += ScannedCount;
    for (const read of Object.values<unknown[]>(Responses)) items += read.length;
    return result;
  };
  const { wire, cleanUp } = await world.boot({ faults: [on({ side: 'store' }, counted)] });
  const report = await cleanUp();
  const calls: Record<string, number> = {};
  for (const name of wire.operations()) calls[name] = (calls[name] ?? 0) + 1;
  const { GetKeys: _, ...others } = calls;
  return { report, items, calls: others };
}

it(`reads as much with ${MANY_CLUBS} clubs as with ${FEW_CLUBS}, of which ${ACTIVE} are active`, async () => {
  const costs = [];
  for (const count of [FEW_CLUBS, MANY_CLUBS]) {
    const world = await startWorld();
    await world.put(...clubs(count - ACTIVE, 'idle'), ...activeClubs(ACTIVE));
    costs.push([await costOf(world), await costOf(world)]);
    await world.close();
  }
  const [few, many] = costs;
  expect(many).toEqual(few);
  const reads = { Query: 10, BatchGetItem: 1, ListRooms: 1 };
  expect(few).toMatchObject([
    { items: 2 * ACTIVE, calls: { ...reads, UpdateItem: ACTIVE }, report: { vacant: ACTIVE } },
    { items: 2 * ACTIVE, calls: reads, report: { vacant: ACTIVE, failed: 0 } },
  ]);
}, 180_000);

it(`looks after ${MANY_MEETINGS} meetings in one run, in time and under ${MEGABYTES} MB`, async () => {
  const world = await startWorld();
  const active = activeClubs(MANY_MEETINGS);
  await world.put(...active);
  // All but fifty have people in their rooms; as LiveKit answers, with everything that it adds.
  const rooms = active.slice(50).map(({ meeting }, index) =>
    new Room({
      sid: `RM_${index}`,
      name: meeting?.roomName ?? '',
      metadata: JSON.stringify({ clubName: 'x'.repeat(128), clubId: 'y'.repeat(64) }),
      creationTimeMs: BigInt(Date.now()),
      numParticipants: 4,
      turnPassword: 'z'.repeat(44),
    }).toJson({ emitDefaultValues: true, useProtoFieldName: true }),
  );
  const wire = await startWire({
    store: world.database.endpoint,
    media: world.livekit.wsUrl.replace('ws:', 'http:'),
  });
  wire.set(on('ListRooms', answer(200, JSON.stringify({ rooms }), 'application/json')));
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--max-old-space-size=192',
        fileURLToPath(new URL('../harness/cleanup-process.ts', import.meta.url)),
      ],
      {
        timeout: 120_000,
        env: {
          ...process.env,
          POWERTOOLS_LOG_LEVEL: 'SILENT',
          TABLE_NAME: world.database.tableName,
          DYNAMODB_ENDPOINT: wire.urlOf('store'),
          LIVEKIT_PARAMETER: '',
          LIVEKIT_WS_URL: wire.urlOf('media').replace('http:', 'ws:'),
          LIVEKIT_API_KEY: API_KEY,
          LIVEKIT_API_SECRET: API_SECRET,
        },
      },
    );
    const line = stdout.trim().split('\n').at(-1) ?? '';
    const run: { report: CleanupReport; seconds: number; megabytes: number } = JSON.parse(line);
    expect(run.report).toMatchObject({
      active: MANY_MEETINGS,
      vacant: 50,
      postponed: 0,
      failed: 0,
    });
    expect(run.seconds).toBeLessThan(90);
    expect(run.megabytes).toBeLessThan(MEGABYTES);
    expect(wire.operations().filter((name) => name === 'BatchGetItem')).toHaveLength(50);
    if (process.env['FIGURES']) process.stdout.write(`${line}\n`);
  } finally {
    await wire.close();
    await world.close();
  }
}, 180_000);
